//! From a journal or from nothing, with a venue that fails, is late or has forgotten something meanwhile.

mod sim;

use flashpod_engine::io::{DeletionPolicy, InstancePolicy, RunState, SessionMessage, TradingState};
use flashpod_engine::record;
use flashpod_orders::{Forgotten, OrderStore};
use flashpod_types::{Nanos, OrderType, Side};
use sim::{Sim, bidding, capital, equal, late, maker, ms, policy, recovered, with_bid};

#[test]
fn a_venue_that_answers_with_nothing_but_errors_at_first_is_asked_until_it_does() {
    for (wait, time_too) in [(1, true), (40, true), (1, false), (40, false)] {
        let mut sim = Sim::new();
        let public =
            ["time", "exchangeInfo", "depth", "ticker/bookTicker"].map(|name| format!("/api/v3/{name}"));
        let private = ["selfSymbols", "uid", "tradeFee", "account", "openOrders", "userDataStream"]
            .map(|name| format!("/api/v3/{name}"));
        let paths = public.into_iter().chain(private);
        sim.venue.failing =
            paths.map(|path| &*path.leak()).filter(|path| time_too || !path.ends_with("time")).collect();
        sim.want(vec![policy("maker", &["BTCUSDC"])]);
        sim.run(Nanos::from_secs(wait));
        assert!(sim.requests.len() < 60 + 12 * wait as usize, "{} requests", sim.requests.len());
        sim.venue.failing.clear();
        sim.bring_up();
        sim.run(Nanos::from_secs(5));
        let status = sim.engine.status(sim.now);
        assert_eq!(status.account.venue_uid, "4711");
        sim.prove();
    }
}

#[test]
fn the_status_says_what_the_start_waits_for_until_it_came() {
    let mut sim = Sim::new();
    sim.venue.failing = vec!["/api/v3/userDataStream"];
    sim.want(vec![policy("maker", &["BTCUSDC"])]);
    sim.run(Nanos::from_secs(3));
    let reasons = |sim: &Sim| sim.engine.status(sim.now).account.reasons.join("; ");
    let said = "STARTING: the account is not reconciled with the venue yet: POST /api/v3/userDataStream was";
    assert!(reasons(&sim).contains(said), "{}", reasons(&sim));
    sim.venue.failing.clear();
    sim.bring_up();
    assert!(!reasons(&sim).contains("STARTING"), "{}", reasons(&sim));
}

#[test]
fn capital_or_a_limit_below_the_smallest_order_is_told_and_nothing_trades() {
    let small_capital = |policy: &mut InstancePolicy| policy.capital = vec![capital("USDC", "0.5")];
    let small_limit =
        |policy: &mut InstancePolicy| policy.limits.max_order_notional = Some("0.5".parse().unwrap());
    type Change = fn(&mut InstancePolicy);
    let cases: [(Change, &str); 2] = [
        (small_capital, "CAPITAL: 0.5 USDC: at least 1 is accepted, the venue's smallest order of BTCUSDC"),
        (
            small_limit,
            "LIMITS: maxOrderNotional 0.5: at least 1 is accepted, the venue's smallest order of BTCUSDC",
        ),
    ];
    for (change, said) in cases {
        let mut small = policy("small", &["BTCUSDC"]);
        change(&mut small);
        let mut sim = Sim::trading(vec![small, policy("maker", &["BTCUSDC"])]);
        sim.quote("small", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
        sim.run(ms(500));
        let status = sim.engine.status(sim.now);
        let of = |name: &str| status.instances.iter().find(|found| found.instance == name).unwrap();
        assert_eq!(
            (of("small").state, of("small").reasons.join("; ").as_str()),
            (TradingState::Halted, said)
        );
        assert_eq!(of("maker").state, TradingState::Active);
        assert_eq!(sim.orders_open().len(), 1);
    }
}

#[test]
fn finished_orders_that_are_not_kept_are_still_counted_after_a_kill() {
    let mut config = sim::config();
    config.tuning.finished_kept = 2;
    let mut sim = Sim::with(sim::venue::Venue::new(), config, Vec::new(), Nanos::from_secs(1000));
    sim.want(vec![policy("maker", &["BTCUSDC"])]);
    sim.bring_up();
    for n in 0..5 {
        sim.intent("maker", &format!("i{n}"), "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "0.5");
        sim.run(ms(500));
    }
    let forgotten = Forgotten { orders: 3, fills: 3 };
    assert_eq!((sim.engine.ledger().forgotten, sim.engine.ledger().orders.len()), (forgotten, 2));
    sim.prove_journal();
    let mut sim = sim.crash(Nanos::from_secs(1));
    sim.run(ms(10));
    assert_eq!(sim.engine.ledger().forgotten, forgotten);
}

#[test]
fn the_first_audit_after_a_restart_compares_the_balances() {
    let mut sim = maker();
    sim.venue.balances.get_mut("BTC").unwrap().0 += "1".parse().unwrap();
    let mut sim = sim.crash(Nanos::from_secs(2));
    sim.run(Nanos::from_secs(10));
    let account = sim.engine.status(sim.now).account;
    assert!(!account.ledger_equals_venue);
    assert!(account.audit_difference.contains("BTC: venue 11, ledger 10"), "{}", account.audit_difference);
    assert_eq!(account.state, TradingState::ReduceOnly);
}

#[test]
fn without_trading_rules_nothing_is_proven_flat() {
    let mut sim = maker();
    sim.intent("maker", "buy", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.1", "1.5");
    sim.run(ms(10));
    sim.policy_mut("maker").state = RunState::Stop;
    sim.venue.failing.push("/api/v3/exchangeInfo");
    let mut sim = sim.crash(Nanos::from_secs(2));
    sim.run(Nanos::from_secs(20));
    let proof = sim.engine.status(sim.now).instances.remove(0).proof;
    assert_eq!((proof.proven_unix, proof.flat), (Nanos::ZERO, false), "{proof:?}");
    sim.venue.failing.clear();
    sim.until("it is proven", |sim| sim.engine.status(sim.now).instances[0].proof.proven_unix > Nanos::ZERO);
    assert_eq!(sim.engine.checkpoint().ledger.totals()[&"BTC".parse().unwrap()], "10".parse().unwrap());
    sim.prove();
}

#[test]
fn a_position_in_a_pair_that_the_venue_lists_no_more_is_not_flat() {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC", "ETHUSDC"])]);
    sim.intent("maker", "buy", "ETHUSDC", Side::Buy, OrderType::Ioc, "10.1", "5");
    sim.run(ms(10));
    let wanted = sim.policy_mut("maker");
    (wanted.state, wanted.deletion_policy) = (RunState::Stop, DeletionPolicy::Flatten);
    sim.venue.books.remove("ETHUSDC");
    let mut sim = sim.crash(Nanos::from_secs(2));
    sim.run(Nanos::from_secs(20));
    let proof = sim.engine.status(sim.now).instances.remove(0).proof;
    assert_eq!((proof.proven_unix, proof.flat), (Nanos::ZERO, false), "{proof:?}");
    assert!(proof.waiting_for.contains("ETHUSDC"), "{proof:?}");
}

#[test]
fn fills_of_an_order_taken_over_in_a_pair_that_nobody_names_are_booked() {
    let mut sim = bidding();
    sim.desired.instances = vec![policy("maker", &["BTCUSDC"])];
    let mut sim = sim.start_without_journal();
    sim.run(Nanos::from_secs(2));
    let id = sim.orders_open().iter().find(|order| order.symbol == "ETHUSDC").unwrap().client_id.clone();
    sim.venue.fill(&id, "2");
    sim.audited();
}

#[test]
fn a_reconciliation_begun_before_the_private_stream_was_lost_counts_for_nothing() {
    let sim = bidding();
    let mut sim = sim.start_without_journal();
    late(&mut sim, "/api/v3/openOrders", Nanos::from_secs(2));
    sim.until("open orders are asked for", |sim| sim.faults.is_empty());
    sim.run(ms(10));
    let conn = sim.private.unwrap();
    sim.disconnect(conn);
    sim.run(ms(5));
    let id = sim.open_client_ids().remove(0);
    sim.venue.fill(&id, "0.4");
    sim.run(Nanos::from_secs(3));
    sim.take_over(10);
}

#[test]
fn a_fill_told_late_that_the_starting_balances_include_is_not_booked_again() {
    let sim = bidding();
    let mut sim = sim.start_without_journal();
    sim.until("the private stream is there", |sim| sim.private.is_some());
    sim.hold_private = true;
    let id = sim.open_client_ids().remove(0);
    sim.venue.fill(&id, "0.4");
    sim.until("the balances are asked for", |sim| {
        sim.requests.iter().any(|request| request.path == "/api/v3/account")
    });
    // 100 ms after the reply.
    sim.run(ms(102));
    sim.release_private();
    sim.run(Nanos::from_secs(40));
    let account = sim.engine.status(sim.now).account;
    assert!(account.ready && account.ledger_equals_venue, "{}", account.audit_difference);
}

#[test]
fn what_an_order_taken_over_traded_before_the_ledger_began_is_not_booked() {
    let sim = bidding();
    let mut sim = sim.start_without_journal();
    let id = sim.open_client_ids().remove(0);
    sim.venue.fill(&id, "0.4");
    sim.run(Nanos::from_secs(3));
    assert!(equal(&sim));
    // Told by nobody: it is found in the trades of the order, beside the former.
    sim.drop_private = 10;
    sim.venue.fill(&id, "0.2");
    sim.run(ms(5));
    sim.drop_private = 0;
    sim.take_over(10);
}

#[test]
fn the_look_for_orders_without_an_entry_is_tried_until_it_is_answered() {
    let mut sim = maker();
    let records = sim.records.len();
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(5));
    let id = sim.open_client_ids().remove(0);
    sim.venue.fill(&id, "1");
    sim.run(ms(5));
    sim.venue.failing.push("/api/v3/allOrders");
    let newer = sim.records.len() - records;
    let mut sim = sim.crash_losing(Nanos::from_secs(2), newer);
    sim.run(Nanos::from_secs(5));
    sim.venue.failing.clear();
    sim.until("the ledger is equal", equal);
    assert_eq!(sim.position("maker", "BTCUSDC"), "1");
    sim.prove();
}

#[test]
fn a_subscription_that_is_never_acknowledged_is_tried_on_a_new_connection() {
    for swallowed in [1, 2, 3] {
        let mut sim = Sim::new();
        sim.swallow = swallowed;
        sim.want(vec![policy("maker", &["BTCUSDC"])]);
        sim.bring_up();
        assert!(equal(&sim));
    }
}

#[test]
fn nothing_is_told_before_the_welcome_and_nothing_twice() {
    let (mut sim, id) = with_bid();
    let known = sim.last_event().sequence;
    sim.venue.fill(&id, "0.4");
    let mut sim = sim.crash(ms(100));
    sim.session("maker", SessionMessage::Opened { last_sequence: known });
    sim.until("the sidecar is welcomed", |sim| {
        assert!(sim.events.is_empty() && sim.states.is_empty() || !sim.welcomes.is_empty());
        !sim.welcomes.is_empty()
    });
    sim.run(Nanos::from_secs(3));
    let sequences: Vec<u64> = sim.events.iter().map(|(_, event)| event.sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[1] == pair[0] + 1), "{sequences:?}");
    assert_eq!((sequences.first(), sim.position("maker", "BTCUSDC").as_str()), (Some(&(known + 1)), "0.4"));
}

#[test]
fn orders_of_a_former_boot_are_missed_in_the_list_of_open_orders() {
    let sim = bidding();
    let id = sim.open_client_ids().remove(0);
    // As after a reboot of the host: its clock began anew, the journal is of the clock before.
    let mut state = recovered(&sim);
    let mut orders = OrderStore::default();
    for order in state.orders.live() {
        let mut order = order.clone();
        order.terms.created = order.terms.created + Nanos::from_secs(1_000_000);
        orders.insert(order);
    }
    state.orders = orders;
    let mut checkpoint = Vec::new();
    record::encode_checkpoint(5000, sim.config.tuning, &state, &mut checkpoint).unwrap();
    let (desired, mut venue) = (sim.desired, sim.venue);
    venue.pushes.clear();
    let mut sim = Sim::with(venue, sim::config(), vec![checkpoint], Nanos::from_secs(1010));
    sim.desired = desired;
    sim.send_desired();
    sim.session("maker", SessionMessage::Opened { last_sequence: 0 });
    sim.until("it is reconciled", equal);
    sim.run(Nanos::from_secs(2));
    // Its end is told to nobody.
    sim.drop_private = 2;
    let at = sim.venue.orders.iter().position(|order| order.client_id == id).unwrap();
    sim.venue.end(at);
    sim.run(Nanos::from_secs(40));
    assert!(sim.engine.checkpoint().orders.live().all(|order| order.terms.client_id.as_str() != id));
}
