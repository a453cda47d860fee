//! What sidecars and the agent say, from the bytes of a protobuf message on.

use std::collections::BTreeMap;

use flashpod_gateway::{convert::up, proto};
use prost::Message;

use super::{Target, told};

pub(super) const SESSION: Target = Target {
    name: "session",
    what: "messages of a sidecar",
    run: session,
    seeds: sound_sessions,
    words: &[b"BTCUSDC", b"100000.01", b"0.00000001", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"],
};

pub(super) const AGENT: Target = Target {
    name: "agent",
    what: "messages of the agent: desired state, halts, leases",
    run: agent,
    seeds: sound_agents,
    words: &[b"main", b"maker-1", b"100000.01", b"0123456789abcdef0123456789abcdef"],
};

fn session(bytes: &[u8]) -> String {
    match proto::SessionUp::decode(bytes) {
        Ok(message) => told(&up::session(message)),
        Err(_) => "no protobuf".to_owned(),
    }
}

fn agent(bytes: &[u8]) -> String {
    let Ok(message) = proto::AgentUp::decode(bytes) else { return "no protobuf".to_owned() };
    let Some(proto::agent_up::Body::Desired(desired)) = message.body else {
        return "no desired state".to_owned();
    };
    let wanted = desired.instances.len();
    let result = up::desired(desired, &["main".to_owned()], &BTreeMap::new());
    if let Ok(all) = &result {
        let taken: usize = all.accounts.values().map(|account| account.instances.len()).sum();
        assert_eq!(taken + all.refused.len(), wanted, "an instance is neither taken nor refused");
    }
    told(&result)
}

fn sound_sessions() -> Vec<Vec<u8>> {
    use proto::session_up::Body;
    let quote = proto::Quote { slot: 1, side: 1, price: "100000.01".into(), quantity: "0.01".into() };
    let quotes = proto::WantedQuotes {
        symbol: "BTCUSDC".into(),
        quotes: vec![quote],
        book_version: 7,
        decided_mono_ns: 11,
        tolerance_ticks: 1,
        cause_mono_ns: 10,
    };
    let intent = proto::Intent {
        r#ref: "one".into(),
        symbol: "BTCUSDC".into(),
        side: 2,
        r#type: 3,
        price: "100000.01".into(),
        quantity: "0.01".into(),
        reduce_only: true,
        book_version: 7,
        decided_mono_ns: 11,
        cause_mono_ns: 10,
    };
    let cancel = proto::CancelIntent { r#ref: "one".into(), symbol: "BTCUSDC".into() };
    let hello = proto::Hello { instance: "maker-1".into(), token: "t".into(), ..Default::default() };
    [
        Body::Hello(hello),
        Body::WantedQuotes(quotes),
        Body::Intent(intent),
        Body::Cancel(cancel),
        Body::Heartbeat(proto::Heartbeat { mono_ns: 5 }),
        Body::Failure(proto::Failure { reason: "why".into() }),
    ]
    .map(|body| proto::SessionUp { body: Some(body) }.encode_to_vec())
    .to_vec()
}

fn sound_agents() -> Vec<Vec<u8>> {
    use proto::agent_up::Body;
    let policy = proto::InstancePolicy {
        instance: "maker-1".into(),
        uid: "u".into(),
        account: "main".into(),
        mode: 3,
        state: 1,
        deletion_policy: 1,
        symbols: vec!["BTCUSDC".into()],
        capital: vec![proto::AssetAmount { asset: "USDC".into(), amount: "1000".into() }],
        limits: Some(proto::RiskLimits { max_order_notional: "100".into(), ..Default::default() }),
        token_sha256: "0123456789abcdef".repeat(4),
        on_sidecar_loss: Some(proto::SidecarLoss { action: 1, after_ms: 3000 }),
        ..Default::default()
    };
    let halt =
        proto::HaltPolicy { name: "h".into(), uid: "u".into(), action: 2, all: true, ..Default::default() };
    let account =
        proto::AccountPolicy { account: "main".into(), max_exposure: "5".into(), ..Default::default() };
    let desired = proto::DesiredState {
        generation: 1,
        accounts: vec![account],
        instances: vec![policy],
        halts: vec![halt],
    };
    [
        Body::Desired(desired),
        Body::LeaseAttempt(proto::LeaseAttempt { account: "main".into(), attempt: 1 }),
        Body::StopSeen(proto::StopSeen {}),
    ]
    .map(|body| proto::AgentUp { body: Some(body) }.encode_to_vec())
    .to_vec()
}
