//! The core against the venue, whole: processes, sockets, journal, with an agent and sidecars played by the test.

mod world;

use flashpod_gateway::proto;
use flashpod_gateway::proto::order_event::Kind;
use world::agent::{Agent, policy};
use world::audit::{self, Audit};
use world::sidecar::Sidecar;
use world::{Core, Home, Venue, eventually, http_get, verify};

const MAKER: &str = "maker-1";
const TAKER: &str = "taker-1";

struct Stage {
    home: Home,
    venue: Venue,
    core: Core,
    agent: Agent,
    maker: Sidecar,
    taker: Sidecar,
}

/// Two instances that trade: a maker on BTCUSDC, a taker on ETHUSDC.
async fn stage() -> Stage {
    stage_with(serde_json::json!([])).await
}

/// The same on a venue with faults.
async fn stage_with(faults: serde_json::Value) -> Stage {
    let home = Home::new();
    let path = home.path("faults.json");
    std::fs::write(&path, serde_json::json!({ "faults": faults }).to_string()).unwrap();
    stage_in(home, &["--synthetic=7", "--faults", path.to_str().unwrap()]).await
}

async fn stage_in(home: Home, venue: &[&str]) -> Stage {
    let venue = Venue::start(&home.path(""), venue);
    let core = Core::start(&home, &venue);
    let agent = Agent::connect(&core).await;
    agent.ready().await;
    agent
        .want(|instances| {
            let maker = policy(MAKER, "BTCUSDC", &[("USDC", "200000"), ("BTC", "2")]);
            let taker = policy(TAKER, "ETHUSDC", &[("USDC", "100000"), ("ETH", "10")]);
            instances.insert(MAKER.to_owned(), maker);
            instances.insert(TAKER.to_owned(), taker);
        })
        .await;
    let maker = Sidecar::connect(&core, MAKER, "BTCUSDC", "0.01").await;
    let taker = Sidecar::connect(&core, TAKER, "ETHUSDC", "0.1").await;
    agent.active(&[MAKER, TAKER]).await;
    maker.quote(true);
    Stage { home, venue, core, agent, maker, taker }
}

/// `rounds` buys and sells that cross the spread, each filled before the next: they would meet each other.
async fn trade(taker: &Sidecar, name: &str, rounds: usize) {
    for round in 0..rounds {
        for side in [proto::Side::Buy, proto::Side::Sell] {
            let reference = format!("{name}-{round}-{}", side.as_str_name());
            taker.take(&reference, side, "0.2").await;
            taker
                .wait(&format!("{reference} is filled"), |memory| {
                    memory
                        .events
                        .iter()
                        .find(|e| e.r#ref == reference && e.kind() == Kind::Filled)
                        .map(|_| ())
                })
                .await;
        }
    }
}

/// Stops both instances and waits for the proof that each is flat and has no open order.
async fn flatten(agent: &Agent) {
    agent
        .want(|instances| {
            for policy in instances.values_mut() {
                policy.state = proto::instance_policy::State::Stop.into();
            }
        })
        .await;
    for name in [MAKER, TAKER] {
        let proof = agent
            .instance_where(name, "is proven flat", |instance| {
                instance.proof.clone().filter(|proof| proof.proven_unix_ns > 0)
            })
            .await;
        assert!(proof.flat && proof.no_open_orders, "{proof:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_and_intents_become_orders_and_fills_and_the_ledger_equals_the_venue() {
    let Stage { home, venue, core, agent, maker, taker } = stage().await;
    trade(&taker, "t", 5).await;
    maker.wait("20 accepted quotes", |memory| (memory.count(Kind::Accepted) >= 20).then_some(())).await;
    maker.wait("a fill", |memory| (memory.fills() >= 1).then_some(())).await;

    let metrics = core.metrics().await;
    assert_eq!(http_get(&metrics, "/healthz").0, 200);
    assert_eq!(http_get(&metrics, "/readyz").0, 200);
    let (_, text) = http_get(&metrics, "/metrics");
    for name in [
        "flashpod_core_instance_orders_total{account=\"main\",instance=\"maker-1\"}",
        "flashpod_core_book_certified{account=\"main\",symbol=\"BTCUSDC\"} 1.0",
        "flashpod_core_hop_seconds_count{hop=\"TICK_TO_ORDER\"}",
        "flashpod_core_rest_requests_total{account=\"main\"}",
        "flashpod_core_hop_seconds_count{hop=\"BOOK\"}",
        "flashpod_core_hop_seconds_count{hop=\"RISK\"}",
    ] {
        assert!(text.contains(name), "{name} is not in\n{text}");
    }

    let hops = agent
        .status_where("each hop of an order was measured", |status| {
            (status.hops.len() == 12 && status.hops.iter().all(|hop| hop.count > 0))
                .then(|| status.hops.clone())
        })
        .await;
    let hop = |name: &str| hops.iter().find(|hop| hop.hop == name).unwrap().clone();
    let (book, risk) = (hop("BOOK"), hop("RISK"));
    assert!(book.p50_us < hop("DECISION").p50_us, "{hops:?}");
    assert!(book.count > risk.count && book.count <= hop("RING").count, "{hops:?}");
    assert!(risk.p50_us > 0.0 && book.p50_us > 0.0, "{hops:?}");

    flatten(&agent).await;
    let (ledger, fills) = audit::equal(&agent, &venue).await;
    assert!(ledger.orders.len() >= 30 && fills >= 11, "{} orders, {fills} fills", ledger.orders.len());
    assert_eq!(Audit::of(&venue).counters["http429"], 0);
    assert!(core.terminate().await.success());
    let (code, text) = verify(&home.journal());
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("verified: runs 1 "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tighter_limit_and_a_halt_act_at_once() {
    let Stage { home: _home, venue, core, agent, maker, taker } = stage().await;
    trade(&taker, "t", 1).await;
    let limit = |text: &'static str| {
        move |instances: &mut std::collections::BTreeMap<String, proto::InstancePolicy>| {
            let policy = instances.get_mut(TAKER).unwrap();
            policy.limits.as_mut().unwrap().max_order_notional = text.to_owned();
        }
    };
    agent.want(limit("1")).await;
    taker.take("too-large", proto::Side::Buy, "0.2").await;
    let refused = taker
        .wait("the order is refused", |memory| {
            memory.events.iter().find(|event| event.r#ref == "too-large").cloned()
        })
        .await;
    assert_eq!(refused.kind(), Kind::Rejected);
    assert!(refused.code.starts_with("RISK_"), "{refused:?}");
    agent.want(limit("20000")).await;
    trade(&taker, "again", 1).await;

    maker.wait("an open quote", |memory| (memory.count(Kind::Accepted) >= 2).then_some(())).await;
    let action = proto::halt_policy::Action::Cancel.into();
    agent.halt("h-1", Some(proto::HaltPolicy { action, all: true, ..Default::default() })).await;
    let halt = agent
        .status_where("the halt is reached", |status| {
            status.halts.iter().find(|halt| halt.uid == "h-1" && halt.cancels_sent_unix_ns > 0).cloned()
        })
        .await;
    eventually("nothing is open", async || (Audit::of(&venue).open_orders() == 0).then_some(())).await;
    let last = Audit::of(&venue).last_accepted();
    // What was on its way when the block came in force may still be accepted.
    assert!(last <= halt.blocked_unix_ns + 500_000_000, "accepted {last}, blocked {}", halt.blocked_unix_ns);
    taker.take("halted", proto::Side::Buy, "0.2").await;
    taker
        .wait("the order is refused", |memory| {
            memory
                .events
                .iter()
                .find(|event| event.r#ref == "halted" && event.kind() == Kind::Rejected)
                .cloned()
        })
        .await;
    agent.halt("h-1", None).await;
    trade(&taker, "lifted", 1).await;
    maker.quote(false);
    flatten(&agent).await;
    audit::equal(&agent, &venue).await;
    assert!(core.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_core_comes_back_without_a_duplicate_an_orphan_or_a_lost_fill() {
    let Stage { home, venue, mut core, mut agent, mut maker, mut taker } = stage().await;
    for round in 0..3 {
        trade(&taker, &format!("round-{round}"), 2).await;
        let accepted = maker.memory.lock().unwrap().count(Kind::Accepted);
        maker
            .wait("more quotes", |memory| (memory.count(Kind::Accepted) >= accepted + 4).then_some(()))
            .await;
        // With quotes open and an order on its way.
        taker.take(&format!("cut-{round}"), proto::Side::Buy, "0.2").await;
        core.kill();
        core = Core::start(&home, &venue);
        agent = agent.reconnect(&core).await;
        maker = maker.reconnect(&core).await;
        taker = taker.reconnect(&core).await;
        agent.active(&[MAKER, TAKER]).await;
        maker.quote(true);
    }
    trade(&taker, "end", 2).await;
    let status = agent.status();
    assert_eq!(status.accounts[0].incarnation, 4);
    flatten(&agent).await;
    let (ledger, fills) = audit::equal(&agent, &venue).await;
    assert!(fills >= 16, "{fills} fills of {} orders", ledger.orders.len());
    assert!(core.terminate().await.success());
    let (code, text) = verify(&home.journal());
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("verified: runs 4 "), "{text}");
}

/// Links every journal file into another directory before a prune can take it away.
fn archive(journal: &std::path::Path, into: &std::path::Path) {
    std::fs::create_dir_all(into).unwrap();
    for entry in std::fs::read_dir(journal).unwrap() {
        let name = entry.unwrap().file_name();
        let link = into.join(&name);
        if name.to_string_lossy().ends_with(".journal") && !link.exists() {
            std::fs::hard_link(journal.join(&name), link).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_killed_behind_a_pruned_journal_knows_all_that_the_whole_journal_knows() {
    let home = Home::with_journal(serde_json::json!({"segmentMiB": 1, "keepMiB": 4}));
    let Stage { home, venue, core, agent, maker, taker } =
        stage_in(home, &["--synthetic=7", "--speed=100"]).await;
    let whole = home.path("whole");
    let metrics = core.metrics().await;
    eventually("the journal is pruned and a checkpoint follows", async || {
        archive(&home.journal(), &whole);
        let (_, text) = http_get(&metrics, "/metrics");
        let count = |name: &str| -> u64 {
            let line = text.lines().find(|line| line.starts_with(&format!("flashpod_core_{name}_total")));
            line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).unwrap_or_default() as u64
        };
        (count("journal_pruned_files") >= 2 && count("journal_checkpoints") >= 2).then_some(())
    })
    .await;
    taker.take("cut", proto::Side::Buy, "0.2").await;
    core.kill();
    archive(&home.journal(), &whole);
    let known = |path: &std::path::Path| {
        flashpod_engine::fold(flashpod_journal::Reader::open_last_run(path).unwrap()).unwrap()
    };
    let known_whole = known(&whole);
    assert!(known_whole.recovered.orders.all().len() >= 5, "it traded");
    assert!(known(&home.journal()) == known_whole, "the pruned journal knows less or other things");
    let (code, text) = verify(&home.journal());
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("inputs before the next start follow a pruned beginning"), "{text}");

    let core = Core::start(&home, &venue);
    let agent = agent.reconnect(&core).await;
    let maker = maker.reconnect(&core).await;
    let _taker = taker.reconnect(&core).await;
    agent.active(&[MAKER, TAKER]).await;
    maker.quote(true);
    flatten(&agent).await;
    audit::equal(&agent, &venue).await;
    assert!(core.terminate().await.success());
    archive(&home.journal(), &whole);
    // Nothing is missing there: every checkpoint was what the engines decided and the facts before it fold to.
    let (code, text) = verify(&whole);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("verified: runs 2 ") && !text.contains("not verified"), "{text}");
    let (code, text) = verify(&home.journal());
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("verified: runs "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_cancels_what_is_open_and_the_next_start_knows_everything() {
    let Stage { home, venue, core, agent, maker, taker } = stage().await;
    trade(&taker, "t", 2).await;
    maker.wait("open quotes", |memory| (memory.count(Kind::Accepted) >= 4).then_some(())).await;
    assert!(core.terminate().await.success());
    assert_eq!(Audit::of(&venue).open_orders(), 0);
    let core = Core::start(&home, &venue);
    let agent = agent.reconnect(&core).await;
    let (_, fills) = audit::equal(&agent, &venue).await;
    assert!(fills >= 4);
    assert!(core.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_lease_nothing_is_sent() {
    let home = Home::new();
    let venue = Venue::start(&home.path(""), &["--synthetic=7"]);
    let core = Core::start(&home, &venue);
    let agent = Agent::without_lease(&core).await;
    agent.ready().await;
    let capital = [("USDC", "100000"), ("ETH", "10")];
    agent
        .want(|instances| drop(instances.insert(TAKER.to_owned(), policy(TAKER, "ETHUSDC", &capital))))
        .await;
    let taker = Sidecar::connect(&core, TAKER, "ETHUSDC", "0.1").await;
    taker.take("early", proto::Side::Buy, "0.2").await;
    let refused = taker.wait("the order is refused", |memory| memory.events.first().cloned()).await;
    assert_eq!(refused.kind(), Kind::Rejected);
    assert!(refused.text.contains("LEASE"), "{refused:?}");
    assert!(core.terminate().await.success());
    assert!(Audit::of(&venue).orders().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_venue_with_a_private_ca_is_reached_with_its_file_and_not_without() {
    let home = Home::new();
    let mut venue = Venue::start(&home.path(""), &["--synthetic=7", "--tls"]);
    let core = Core::start(&home, &venue);
    let _agent = Agent::connect(&core).await;
    let metrics = core.metrics().await;
    eventually("ready over TLS", async || (http_get(&metrics, "/readyz").0 == 200).then_some(())).await;
    assert!(core.terminate().await.success());

    let ca_file = venue.ca_file.take();
    assert!(ca_file.is_some_and(|file| file.exists()));
    let core = Core::start(&home, &venue);
    let metrics = core.metrics().await;
    eventually("the log says what to do", async || {
        core.log
            .lock()
            .unwrap()
            .iter()
            .any(|line| line.contains("not trusted") && line.contains("--ca-file"))
            .then_some(())
    })
    .await;
    assert_eq!(http_get(&metrics, "/healthz").0, 200);
    assert_eq!(http_get(&metrics, "/readyz").0, 503);
    assert!(core.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_replies_cut_streams_and_dropped_pushes_cost_no_order_and_no_fill() {
    let order = |nth: u32, status: u32, apply: bool, delay_ms: u32| {
        serde_json::json!({
            "kind": "http", "method": "POST", "path": "/api/v3/order",
            "nth": nth, "status": status, "apply": apply, "delayMs": delay_ms,
        })
    };
    let cut = |stream: &str, after: u32| serde_json::json!({"kind": "disconnect", "stream": stream, "afterPushes": after});
    let faults = serde_json::json!([
        order(3, 503, true, 0),
        order(6, 503, false, 0),
        order(9, 503, true, 3000),
        order(12, 500, false, 3000),
        cut("private", 25),
        cut("public", 120),
        {"kind": "dropPush", "channel": "aggre.depth", "symbol": "BTCUSDC", "nth": 60},
        {"kind": "http", "method": "DELETE", "path": "/api/v3/order", "nth": 4, "status": 503, "apply": true, "delayMs": 0},
        {"kind": "http", "method": "DELETE", "path": "/api/v3/order", "nth": 7, "status": 503, "apply": false, "delayMs": 0},
    ]);
    let Stage { home, venue, core, agent, maker, taker: _taker } = stage_with(faults).await;
    maker.wait("40 accepted quotes", |memory| (memory.count(Kind::Accepted) >= 40).then_some(())).await;
    agent
        .status_where("the faults were met", |status| {
            let gaps: u64 = status.books.iter().map(|book| book.gaps).sum();
            (gaps >= 1 && status.accounts[0].orders_unknown == 0).then_some(())
        })
        .await;
    flatten(&agent).await;
    audit::equal(&agent, &venue).await;
    assert!(core.terminate().await.success());
    let (code, text) = verify(&home.journal());
    assert_eq!(code, 0, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_that_the_venue_hides_is_found_by_the_audit() {
    let Stage { home: _home, venue: _venue, core, agent, maker, taker } =
        stage_with(serde_json::json!([{"kind": "hideDeal", "nth": 2}])).await;
    maker.quote(false);
    taker.take("one", proto::Side::Buy, "0.2").await;
    taker.take("two", proto::Side::Sell, "0.3").await;
    let account = agent
        .status_where("the audit finds a difference", |status| {
            let account = status.accounts.first()?;
            (account.audited_unix_ns > 0 && !account.ledger_equals_venue).then(|| account.clone())
        })
        .await;
    assert!(!account.audit_difference.is_empty());
    assert_ne!(account.state(), proto::TradingState::Active);
    core.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quotes_of_a_lost_sidecar_are_cancelled_after_its_time() {
    let Stage { home: _home, venue, core, agent, maker, taker: _taker } = stage().await;
    maker.wait("open quotes", |memory| (memory.count(Kind::Accepted) >= 4).then_some(())).await;
    drop(maker);
    agent
        .instance_where(MAKER, "its sidecar is gone", |instance| (!instance.sidecar_connected).then_some(()))
        .await;
    eventually("nothing is open", async || (Audit::of(&venue).open_orders() == 0).then_some(())).await;
    assert!(core.terminate().await.success());
}
