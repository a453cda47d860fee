//! Halts, deletion policies, lost sidecars, lost leases, the stop of the core.

mod sim;

use flashpod_engine::StopPolicy;
use flashpod_engine::io::{
    AgentInput, DeletionPolicy, HaltAction, HaltPolicy, Input, Mode, OrderEventKind as Kind, RequestClass,
    RunState, SessionMessage, SidecarLossAction, TradingState,
};
use flashpod_engine::status::{InstanceStatus, StopProof};
use flashpod_types::{Nanos, OrderType, Side};
use sim::venue::Venue;
use sim::{Sim, config, ms, policy};

fn halt(action: HaltAction) -> HaltPolicy {
    HaltPolicy {
        name: "desk".into(),
        uid: "halt-1".into(),
        action,
        instances: vec!["maker".into()],
        all: false,
    }
}

fn instance(sim: &Sim, name: &str) -> InstanceStatus {
    sim.engine.status(sim.now).instances.into_iter().find(|i| i.instance == name).unwrap()
}

/// Two quotes open and 1.5 BTC held.
fn holding() -> Sim {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"]), policy("other", &["BTCUSDC"])]);
    sim.intent("maker", "buy", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "1.5");
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1"), (1, Side::Sell, "100.1", "1")]);
    sim.run(ms(10));
    assert_eq!((sim.orders_open().len(), sim.position("maker", "BTCUSDC").as_str()), (2, "1.5"));
    sim
}

fn stop(sim: &mut Sim, policy: DeletionPolicy) -> StopProof {
    let wanted = sim.policy_mut("maker");
    (wanted.state, wanted.deletion_policy) = (RunState::Stop, policy);
    sim.send_desired();
    sim.until("the stop is proven", |sim| instance(sim, "maker").proof.proven_unix.0 > 0);
    instance(sim, "maker").proof
}

#[test]
fn a_block_stops_new_orders_and_leaves_open_ones() {
    let mut sim = holding();
    sim.desired.halts = vec![halt(HaltAction::Block)];
    sim.send_desired();
    assert_eq!(instance(&sim, "maker").state, TradingState::Halted);
    assert!(instance(&sim, "maker").reasons[0].starts_with("HALT desk"));
    sim.intent("maker", "x", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "1");
    assert_eq!(sim.last_event().code, "RISK_HALTED");
    assert_eq!(sim.orders_open().len(), 2);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.95", "1"), (2, Side::Buy, "98", "1")]);
    sim.run(ms(500));
    let prices: Vec<String> = sim.orders_open().iter().map(|order| order.price.to_string()).collect();
    assert_eq!(prices, ["99.9"], "what is not wanted goes, nothing new comes");
    sim.intent("other", "x", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "1");
    sim.run(ms(10));
    assert_eq!(sim.last_event().kind, Kind::Accepted, "others trade on");
    let status = sim.engine.status(sim.now).halts.remove(0);
    assert!(status.blocked_unix.0 > 0 && status.instances == 1 && !status.flat);
    sim.desired.halts.clear();
    sim.send_desired();
    assert_eq!(instance(&sim, "maker").state, TradingState::Active);
    sim.prove();
}

#[test]
fn a_cancel_halt_has_sent_its_cancels_within_half_a_second_however_busy_it_was() {
    let mut sim = holding();
    // Requoting at full rate, five quotes open.
    for round in 0..30 {
        let price = if round % 2 == 0 { "99.5" } else { "99.0" };
        let quotes: Vec<_> = (0..5).map(|slot| (slot, Side::Buy, price, "1")).collect();
        sim.quote("maker", "BTCUSDC", &quotes);
        sim.run(ms(100));
    }
    sim.desired.halts = vec![halt(HaltAction::Cancel)];
    sim.send_desired();
    let halted = sim.now;
    sim.until("cancels are sent", |sim| sim.engine.status(sim.now).halts[0].cancels_sent_unix.0 > 0);
    assert!(sim.now.since(halted) <= ms(500), "{:?}", sim.now.since(halted));
    sim.run(ms(10));
    assert_eq!(sim.orders_open().len(), 0);
    assert_eq!(sim.position("maker", "BTCUSDC"), "1.5", "the position stays");
    sim.prove();
}

#[test]
fn a_flatten_halt_ends_flat_by_collared_iocs() {
    let mut sim = holding();
    sim.desired.halts = vec![halt(HaltAction::Flatten)];
    sim.send_desired();
    sim.until("flat", |sim| sim.engine.status(sim.now).halts[0].flat);
    assert_eq!(sim.position("maker", "BTCUSDC"), "0");
    let last = sim.venue.orders.last().unwrap();
    assert_eq!(last.kind, "IMMEDIATE_OR_CANCEL");
    // 50 bps below the bid of 99.99.
    assert_eq!(last.price.to_string(), "99.5");
    sim.prove();
}

#[test]
fn flattening_makes_the_own_quotes_of_others_give_way() {
    let mut sim = holding();
    // The other instance is the best bid.
    sim.quote("other", "BTCUSDC", &[(0, Side::Buy, "99.95", "3")]);
    sim.run(ms(10));
    let proof = stop(&mut sim, DeletionPolicy::Flatten);
    assert!(proof.flat && proof.no_open_orders);
    sim.run(Nanos::from_secs(2));
    assert_eq!(sim.orders_open().len(), 1, "the other quotes again afterwards");
    let own: Vec<_> = sim.venue.orders.iter().filter(|order| order.kind == "IMMEDIATE_OR_CANCEL").collect();
    assert!(own.iter().all(|order| order.trades.iter().all(|trade| trade.price.to_string() != "99.95")));
    sim.prove();
}

#[test]
fn deleting_with_flatten_is_proven_by_a_flat_position_and_returns_the_capital() {
    let mut sim = holding();
    let proof = stop(&mut sim, DeletionPolicy::Flatten);
    assert!(proof.flat && proof.no_open_orders && proof.orphaned_orders.is_empty());
    assert!(proof.moved_to_unassigned.is_empty());
    assert!(instance(&sim, "maker").balances.is_empty());
    // Gone from what is wanted: forgotten.
    sim.desired.instances.retain(|policy| policy.instance != "maker");
    sim.send_desired();
    assert!(!sim::recovered(&sim).instances.contains_key("maker"));
    sim.prove();
}

#[test]
fn dust_is_reported_and_moved() {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"])]);
    sim.intent("maker", "buy", "BTCUSDC", Side::Buy, OrderType::Limit, "99.5", "0.0205");
    sim.run(ms(10));
    let id = sim.open_client_ids().remove(0);
    // Worth 0.8 USDC: below what the venue takes.
    sim.venue.fill(&id, "0.008");
    sim.run(ms(10));
    let proof = stop(&mut sim, DeletionPolicy::Flatten);
    assert!(proof.flat);
    assert_eq!(proof.moved_to_unassigned[0].1.to_string(), "0.008");
    sim.prove();
}

#[test]
fn deleting_with_cancel_only_moves_the_position() {
    let mut sim = holding();
    let proof = stop(&mut sim, DeletionPolicy::CancelOnly);
    assert!(proof.no_open_orders && !proof.flat);
    assert_eq!(proof.moved_to_unassigned.len(), 1);
    assert_eq!(proof.moved_to_unassigned[0].1.to_string(), "1.5");
    assert_eq!(sim.orders_open().len(), 0);
    sim.prove();
}

#[test]
fn deleting_with_orphan_lists_the_orders_and_leaves_them() {
    let mut sim = holding();
    let open = sim.open_client_ids();
    let proof = stop(&mut sim, DeletionPolicy::Orphan);
    assert_eq!(proof.orphaned_orders, open);
    sim.run(Nanos::from_secs(40));
    assert_eq!(sim.open_client_ids(), open);
    // Gone from what is wanted, its orders are no longer ours: a halt of everything neither cancels nor awaits them.
    let others = sim.desired.instances.iter().filter(|i| i.instance != "maker").cloned().collect();
    sim.want(others);
    sim.desired.halts = vec![HaltPolicy { all: true, ..halt(HaltAction::Cancel) }];
    sim.send_desired();
    sim.until("the halt is reached", |sim| sim.engine.status(sim.now).halts[0].cancels_sent_unix.0 > 0);
    assert_eq!(sim.open_client_ids(), open);
    // What they trade later is nobody's.
    sim.venue.fill(&open[0], "1");
    sim.run(ms(20));
    assert!(sim.engine.status(sim.now).account.ledger_equals_venue);
    sim.prove();
}

#[test]
fn a_stop_that_cannot_end_says_what_it_waits_for() {
    let mut sim = holding();
    let bid = sim.open_client_ids().remove(0);
    sim.venue.hide_fill = Some(1);
    sim.venue.fill(&bid, "1");
    sim.run(ms(10));
    let wanted = sim.policy_mut("maker");
    wanted.state = RunState::Stop;
    sim.send_desired();
    sim.run(Nanos::from_secs(20));
    let proof = instance(&sim, "maker").proof;
    assert_eq!(proof.proven_unix.0, 0);
    assert!(proof.waiting_for.contains("1 is not explained by deals"), "{}", proof.waiting_for);
    sim.prove_journal();
}

#[test]
fn a_suspended_instance_that_runs_again_gets_its_capital_anew() {
    let mut sim = holding();
    stop(&mut sim, DeletionPolicy::Flatten);
    sim.policy_mut("maker").state = RunState::Run;
    sim.send_desired();
    sim.run(ms(10));
    let status = instance(&sim, "maker");
    assert_eq!((status.state, status.proof.proven_unix.0), (TradingState::Active, 0));
    assert_eq!(status.balances.len(), 3);
    sim.prove();
}

#[test]
fn a_lost_sidecar_is_acted_upon_after_its_time() {
    for (action, open, position) in [
        (SidecarLossAction::Keep, 2, "1.5"),
        (SidecarLossAction::Cancel, 0, "1.5"),
        (SidecarLossAction::Flatten, 0, "0"),
    ] {
        let mut sim = holding();
        sim.policy_mut("maker").sidecar_loss = action;
        sim.send_desired();
        sim.session("maker", SessionMessage::Closed);
        sim.run(ms(2990));
        assert_eq!(sim.orders_open().len(), 2, "{action:?}: not before");
        sim.run(Nanos::from_secs(1));
        assert_eq!(sim.orders_open().len(), open, "{action:?}");
        assert_eq!(sim.position("maker", "BTCUSDC"), position, "{action:?}");
        sim.session("maker", SessionMessage::Opened { last_sequence: 0 });
        sim.run(ms(10));
        assert_eq!(instance(&sim, "maker").state, TradingState::Active, "{action:?}");
        sim.prove();
    }
}

/// As `holding`, of a core that only cancels when it stops.
fn keeping() -> Sim {
    let mut config = config();
    config.stop_policy = StopPolicy::Cancel;
    let mut sim = Sim::with(Venue::new(), config, Vec::new(), Nanos::from_secs(1000));
    sim.want(vec![policy("maker", &["BTCUSDC"])]);
    sim.bring_up();
    sim.intent("maker", "buy", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "1.5");
    sim.run(ms(10));
    sim
}

#[test]
fn a_stopping_core_waits_for_the_word_on_what_is_deleted_with_it_and_proves_it_before_it_is_gone() {
    let mut sim = keeping();
    sim.input(Input::Stop);
    sim.run(ms(1900));
    assert!(!sim.stopped, "the word may still come");
    sim.policy_mut("maker").state = RunState::Stop;
    sim.send_desired();
    sim.input(Input::Agent(AgentInput::StopSeen));
    sim.run(Nanos::from_secs(2));
    assert!(sim.stopped);
    assert_eq!(sim.position("maker", "BTCUSDC"), "0");
    assert!(instance(&sim, "maker").proof.flat, "proven before it is gone");
    // Flat already, it must still be proven.
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"])]);
    sim.input(Input::Stop);
    sim.run(ms(100));
    assert!(!sim.stopped);
    sim.policy_mut("maker").state = RunState::Stop;
    sim.send_desired();
    sim.input(Input::Agent(AgentInput::StopSeen));
    sim.run(ms(100));
    assert!(sim.stopped && instance(&sim, "maker").proof.flat);
    for word in [true, false] {
        let mut sim = keeping();
        sim.input(Input::Stop);
        if word {
            sim.input(Input::Agent(AgentInput::StopSeen));
        }
        sim.run(ms(if word { 200 } else { 2100 }));
        assert!(sim.stopped, "word {word}: nothing is deleted with it");
        assert_eq!(sim.position("maker", "BTCUSDC"), "1.5");
    }
}

#[test]
fn a_strategy_that_failed_is_acted_upon_at_once_and_says_why_until_another_session_begins() {
    for (action, open, position, done) in [
        (SidecarLossAction::Keep, 2, "1.5", "its orders are kept (onSidecarLoss Keep)"),
        (SidecarLossAction::Cancel, 0, "1.5", "its orders are cancelled (onSidecarLoss Cancel)"),
        (
            SidecarLossAction::Flatten,
            0,
            "0",
            "its orders are cancelled and its position is closed (onSidecarLoss Flatten)",
        ),
    ] {
        let mut sim = holding();
        sim.policy_mut("maker").sidecar_loss = action;
        sim.send_desired();
        sim.session("maker", SessionMessage::Failed { reason: "onBook threw: broken".into() });
        // No time in it: it does not come back by itself.
        sim.run(ms(500));
        assert_eq!(sim.orders_open().len(), open, "{action:?}");
        assert_eq!(sim.position("maker", "BTCUSDC"), position, "{action:?}");
        let status = instance(&sim, "maker");
        assert_eq!(status.state, TradingState::Halted, "{action:?}");
        assert_eq!(status.reasons, [format!("STRATEGY_FAILED: onBook threw: broken; {done}")]);
        assert!(status.sidecar_connected);
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
        sim.intent("maker", "more", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "1");
        sim.run(ms(100));
        assert_eq!(sim.orders_open().len(), open, "{action:?}: nobody stands behind what it asks for");
        sim.session("maker", SessionMessage::Opened { last_sequence: 0 });
        sim.run(ms(10));
        let status = instance(&sim, "maker");
        assert_eq!((status.state, status.reasons.len()), (TradingState::Active, 0), "{action:?}");
        sim.prove();
    }
}

#[test]
fn a_quote_that_was_pulled_while_it_was_on_its_way_goes_also_when_its_sidecar_does() {
    for end in [SessionMessage::Closed, SessionMessage::Failed { reason: "broken".into() }] {
        let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"])]);
        sim.policy_mut("maker").sidecar_loss = SidecarLossAction::Keep;
        sim.send_desired();
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
        sim.quote("maker", "BTCUSDC", &[]);
        sim.session("maker", end);
        sim.run(ms(500));
        assert_eq!(sim.orders_open().len(), 0);
        sim.prove();
    }
}

#[test]
fn a_lost_sidecar_is_told_of_with_what_was_done() {
    for (action, silent, told) in [
        (SidecarLossAction::Keep, false, "no sidecar is connected; its orders are kept (onSidecarLoss Keep)"),
        (
            SidecarLossAction::Cancel,
            true,
            "the sidecar is silent; its orders are cancelled (onSidecarLoss Cancel)",
        ),
    ] {
        let mut sim = holding();
        sim.policy_mut("maker").sidecar_loss = action;
        sim.send_desired();
        sim.session("maker", if silent { SessionMessage::Heartbeat } else { SessionMessage::Closed });
        sim.run(Nanos::from_secs(4));
        assert_eq!(instance(&sim, "maker").reasons, [format!("SIDECAR_LOST: {told}")]);
        sim.prove();
    }
}

#[test]
fn a_sidecar_that_hangs_is_lost_when_its_heartbeats_end() {
    let mut sim = holding();
    for _ in 0..5 {
        sim.session("maker", SessionMessage::Heartbeat);
        sim.run(Nanos::from_secs(1));
    }
    assert_eq!(sim.orders_open().len(), 2);
    sim.run(ms(2100));
    assert_eq!(sim.orders_open().len(), 0);
    sim.prove();
}

#[test]
fn past_the_soft_deadline_risk_only_shrinks_and_past_the_hard_one_nothing_leaves() {
    let mut sim = holding();
    sim.auto_lease = false;
    sim.renew();
    sim.run(ms(34_990));
    assert_eq!(sim.orders_open().len(), 2);
    sim.run(ms(100));
    assert_eq!(sim.orders_open().len(), 0, "soft: cancelled");
    assert_eq!(instance(&sim, "maker").state, TradingState::ReduceOnly);
    sim.intent("maker", "more", "BTCUSDC", Side::Buy, OrderType::Limit, "99", "1");
    assert_eq!(sim.last_event().code, "RISK_REDUCE_ONLY");
    sim.intent("maker", "less", "BTCUSDC", Side::Sell, OrderType::Limit, "101", "1");
    sim.run(ms(10));
    assert_eq!(sim.orders_open().len(), 0, "soft cancels what rests, also what would reduce");
    // The hard deadline less recvWindow and the clock's error.
    sim.run(ms(18_905));
    let before = sim.order_requests().len();
    sim.desired.halts = vec![halt(HaltAction::Flatten)];
    sim.send_desired();
    sim.run(Nanos::from_secs(30));
    assert_eq!(sim.order_requests().len(), before, "hard: silence");
    assert_eq!(instance(&sim, "maker").state, TradingState::Halted);
    // A new grant: on it goes.
    sim.renew();
    sim.run(Nanos::from_secs(1));
    assert!(sim.engine.status(sim.now).halts[0].flat);
    sim.prove();
}

#[test]
fn every_order_call_says_when_it_must_not_leave_any_more() {
    let sim = holding();
    for request in sim.order_requests() {
        assert!(request.not_after.is_some() && request.signed, "{request:?}");
        assert!(request.params.contains("recvWindow=1000&timestamp="), "{}", request.params);
        let expected =
            if request.path == "/api/v3/order" { RequestClass::Order } else { RequestClass::Cancel };
        assert_eq!(request.class, expected);
    }
}

#[test]
fn an_instance_that_turns_to_paper_leaves_no_live_order() {
    let mut sim = holding();
    sim.policy_mut("maker").mode = Mode::Paper;
    sim.send_desired();
    sim.run(ms(10));
    assert_eq!(sim.orders_open().len(), 0);
    let status = instance(&sim, "maker");
    assert_eq!(status.state, TradingState::Halted, "what it owns is real");
    assert!(status.reasons[0].starts_with("MODE: Paper can't go on"), "{:?}", status.reasons);
    assert!(stop(&mut sim, DeletionPolicy::Flatten).flat);
    sim.prove();
}

#[test]
fn a_pair_that_is_not_named_any_more_is_left_and_can_still_be_flattened() {
    let mut sim = holding();
    sim.policy_mut("maker").symbols = vec![sim::symbol("ETHUSDC")];
    sim.policy_mut("other").symbols = vec![sim::symbol("ETHUSDC")];
    sim.send_desired();
    sim.run(ms(10));
    assert_eq!(sim.orders_open().len(), 0);
    assert!(stop(&mut sim, DeletionPolicy::Flatten).flat);
    sim.prove();
}

#[test]
fn what_nobody_wants_any_more_is_cancelled_after_a_while_and_its_capital_is_kept() {
    let mut sim = holding();
    let maker = sim.desired.instances.remove(0);
    sim.send_desired();
    sim.run(Nanos::from_secs(9));
    assert_eq!(sim.orders_open().len(), 2, "it may have been a slip");
    sim.run(Nanos::from_secs(2));
    assert_eq!(sim.orders_open().len(), 0);
    sim.desired.instances.insert(0, maker);
    sim.send_desired();
    assert_eq!(sim.position("maker", "BTCUSDC"), "1.5");
    sim.prove();
}

#[test]
fn an_epoch_below_one_that_was_used_is_not_accepted() {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"])]);
    sim.epoch = 5;
    sim.renew();
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(10));
    assert!(sim.open_client_ids()[0].contains("-5-1-"), "{:?}", sim.open_client_ids());
    let mut sim = sim.crash(Nanos::from_secs(1));
    sim.epoch = 4;
    sim.run(Nanos::from_secs(3));
    let status = sim.engine.status(sim.now);
    assert_eq!((status.account.epoch, status.account.highest_epoch_seen), (0, 5));
    assert!(status.account.reasons.iter().any(|reason| reason.contains("epoch 4 was granted, at least 5")));
    sim.prove_journal();
}

#[test]
fn a_stopping_core_cancels_flattens_by_policy_and_says_when_it_is_done() {
    for (stop_policy, position) in [(StopPolicy::Cancel, "1.5"), (StopPolicy::Flatten, "0")] {
        let mut sim = holding();
        let records = std::mem::take(&mut sim.records);
        drop(records);
        let mut config = config();
        config.stop_policy = stop_policy;
        let mut sim = Sim::with(Venue::new(), config, Vec::new(), Nanos::from_secs(1000));
        sim.want(vec![policy("maker", &["BTCUSDC"])]);
        sim.bring_up();
        sim.intent("maker", "buy", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "1.5");
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1"), (1, Side::Sell, "100.1", "1")]);
        sim.run(ms(10));
        sim.input(Input::Stop);
        sim.until("stopped", |sim| sim.stopped);
        assert_eq!(sim.orders_open().len(), 0);
        assert_eq!(sim.position("maker", "BTCUSDC"), position);
        assert!(sim.engine.status(sim.now).stopping);
        sim.prove();
    }
}
