//! The agent: what it tells and what it is told.

use std::sync::Arc;

use flashpod_engine::io::AgentInput;
use flashpod_engine::status::AccountStatus;
use flashpod_engine::{LedgerView, Status};
use flashpod_gateway::proto::agent_service_client::AgentServiceClient;
use flashpod_gateway::{SessionOutput, proto};
use flashpod_orders::Forgotten;
use tonic::Code;

use crate::stage::{Core, ToEngine, channel, core_with_instance, instance_status, policy};

#[tokio::test]
async fn the_last_report_says_that_nothing_leaves_any_more_and_ends_the_stream() {
    let (mut core, mut agent) = core_with_instance().await;
    assert!(!agent.status_where(|_| true).await.stopped);
    let gateway = core.gateway.take().unwrap();
    let stop = tokio::task::spawn_blocking(move || gateway.stop());
    agent.status_where(|status| status.stopped).await;
    assert_eq!(agent.down.message().await.unwrap(), None);
    stop.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_agent_hears_of_a_change_at_once_and_of_no_change_every_second() {
    let (mut core, mut agent) = core_with_instance().await;
    let account = AccountStatus {
        account: "main".to_owned(),
        ready: true,
        epoch: 3,
        lease_attempt: 9,
        ..AccountStatus::default()
    };
    let status = Status { generation: 1, account, instances: vec![instance_status()], ..Status::default() };
    core.engine.event(SessionOutput::Status(Arc::new(status)));
    let status = agent.status_where(|status| status.generation == 1).await;
    assert_eq!((status.version.as_str(), status.metrics_address.as_str()), ("1.2.3", "127.0.0.1:9"));
    assert_eq!((status.accounts[0].account.as_str(), status.accounts[0].epoch), ("main", 3));
    assert_eq!(status.accounts[0].lease_attempt, 9, "the agent waits for this echo");
    assert_eq!(status.accounts[0].generation, 1);
    assert_eq!(status.instances[0].positions[0].realised_pnl, "1.25");
    assert!(status.instances[0].proof.is_none(), "no stop was asked for");
    // Nothing changes any more; it is told all the same.
    agent.status_where(|_| true).await;
}

#[tokio::test]
async fn lease_messages_reach_the_engine_of_their_account_and_senseless_ones_are_refused() {
    let (mut core, mut agent) = core_with_instance().await;
    let attempt = proto::LeaseAttempt { account: "main".to_owned(), attempt: 5 };
    agent.say(proto::agent_up::Body::LeaseAttempt(attempt)).await;
    assert!(matches!(core.next_agent().await, AgentInput::LeaseAttempt { attempt: 5 }));
    let renewed = proto::LeaseRenewed {
        account: "main".to_owned(),
        attempt: 5,
        epoch: 2,
        soft_deadline_ms: 35_000,
        hard_deadline_ms: 55_000,
    };
    agent.say(proto::agent_up::Body::LeaseRenewed(renewed.clone())).await;
    assert!(matches!(core.next_agent().await, AgentInput::LeaseRenewed { epoch: 2, .. }));
    agent
        .say(proto::agent_up::Body::LeaseRenewed(proto::LeaseRenewed { soft_deadline_ms: 60_000, ..renewed }))
        .await;
    let status = loop {
        match agent.down.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended without a status"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("soft_deadline_ms"), "{}", status.message());
}

#[tokio::test]
async fn a_policy_that_can_not_be_used_stands_in_nobodys_way() {
    let (mut core, mut agent) = core_with_instance().await;
    let tighter = proto::InstancePolicy {
        limits: Some(proto::RiskLimits { max_order_notional: "1e3".to_owned(), ..Default::default() }),
        ..policy()
    };
    let stranger =
        proto::InstancePolicy { instance: "taker-1".to_owned(), account: "other".to_owned(), ..policy() };
    let desired = proto::DesiredState {
        generation: 2,
        instances: vec![tighter, stranger],
        halts: vec![proto::HaltPolicy {
            uid: "h".to_owned(),
            action: proto::halt_policy::Action::Cancel.into(),
            all: true,
            ..Default::default()
        }],
        ..Default::default()
    };
    agent.say(proto::agent_up::Body::Desired(desired)).await;
    let AgentInput::Desired(desired) = core.next_agent().await else { panic!("no desired state") };
    assert_eq!(desired.halts.len(), 1, "the halt is in force");
    assert_eq!(desired.instances.len(), 1);
    assert_eq!(
        desired.instances[0].limits.max_order_notional,
        Some("100".parse().unwrap()),
        "the former policy stays"
    );
    let status = agent.status_where(|status| status.instances.len() == 2).await;
    let reason = |name: &str| {
        let instance = status.instances.iter().find(|instance| instance.instance == name).unwrap();
        instance.reasons[0].clone()
    };
    assert!(reason("maker-1").contains("limits.max_order_notional") && reason("maker-1").contains("1e3"));
    assert!(reason("taker-1").contains("account") && reason("taker-1").contains("main"));
}

#[tokio::test]
async fn the_ledger_is_answered_by_the_engine_and_an_unknown_account_is_named() {
    let mut core = Core::start(None);
    let channel = channel(&core.directory.path().join("agent/agent.sock")).await;
    let mut client = AgentServiceClient::new(channel);
    let request = proto::LedgerRequest { account: "nobody".to_owned() };
    let status = client.ledger(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains("main"), "{}", status.message());
    let asked = tokio::spawn(async move {
        client.ledger(proto::LedgerRequest { account: "main".to_owned() }).await.unwrap().into_inner()
    });
    let ToEngine::Ledger(query) = core.next().await else { panic!("no ledger query") };
    let (orders, balances, forgotten) = (Vec::new(), Vec::new(), Forgotten::default());
    let view = LedgerView { quiescent: true, orders, balances, forgotten };
    query.reply.send(view).unwrap();
    assert!(asked.await.unwrap().quiescent);
}
