//! Orders on paper: matched in the engine against the received market, never sent, and apart from the real ledger.

mod sim;

use flashpod_engine::io::{
    DeletionPolicy, InstancePolicy, Mode, OrderEvent, OrderEventKind as Kind, RequestClass, RunState,
    SessionMessage, TradingState,
};
use flashpod_engine::status::InstanceStatus;
use flashpod_engine::{Delay, EngineConfig, Fees, PaperConfig};
use flashpod_types::{Nanos, OrderType, Price, Qty, Side};
use sim::venue::Venue;
use sim::{Sim, capital, config, ms, policy};

fn paper(name: &str) -> InstancePolicy {
    InstancePolicy { mode: Mode::Paper, ..policy(name, &["BTCUSDC"]) }
}

fn delayed(delay: Nanos) -> EngineConfig {
    EngineConfig {
        paper: PaperConfig { delay: Delay::Constant(delay), ..PaperConfig::default() },
        ..config()
    }
}

fn begun(config: EngineConfig, policies: Vec<InstancePolicy>) -> Sim {
    let mut sim = Sim::with(Venue::new(), config, Vec::new(), Nanos::from_secs(1000));
    sim.want(policies);
    sim.bring_up();
    sim
}

/// One instance on paper; the market is 5 at 99.99 and 5 at 100.01.
fn maker() -> Sim {
    begun(config(), vec![paper("maker")])
}

fn status(sim: &Sim, name: &str) -> InstanceStatus {
    sim.engine.status(sim.now).instances.into_iter().find(|i| i.instance == name).unwrap()
}

fn owns(sim: &Sim, name: &str, asset: &str) -> String {
    let (asset, _) = capital(asset, "0");
    let status = status(sim, name);
    status.balances.iter().find(|(held, _)| *held == asset).unwrap().1.to_string()
}

fn trade(sim: &mut Sim, price: &str, qty: &str, taker: Side) {
    sim.venue.print("BTCUSDC", price, qty, taker);
    sim.run(ms(5));
}

fn open(sim: &Sim, name: &str) -> u32 {
    status(sim, name).positions[0].open_orders
}

fn last_fill(event: &OrderEvent) -> (Price, Qty, bool, String) {
    let fill = event.fill.as_ref().unwrap();
    (fill.price, fill.qty, fill.maker, format!("{} {}", fill.fee, fill.fee_asset))
}

fn nothing_was_sent(sim: &Sim) {
    assert!(sim.order_requests().is_empty(), "{:?}", sim.order_requests());
}

#[test]
fn an_order_waits_behind_what_is_shown_and_trades_fill_it_part_by_part() {
    let mut sim = maker();
    sim.intent("maker", "in", "BTCUSDC", Side::Buy, OrderType::Limit, "99.99", "1");
    sim.run(ms(10));
    assert_eq!(sim.kinds("maker"), [Kind::Accepted]);
    trade(&mut sim, "99.99", "5", Side::Sell);
    assert_eq!(sim.position("maker", "BTCUSDC"), "0", "5 stood before it");
    trade(&mut sim, "99.99", "0.4", Side::Sell);
    assert_eq!(last_fill(sim.last_event()).1, "0.4".parse().unwrap());
    trade(&mut sim, "99.98", "10", Side::Sell);
    let (price, qty, maker, fee) = last_fill(sim.last_event());
    assert_eq!((price.to_string(), qty.to_string(), maker), ("99.99".into(), "0.6".into(), true));
    assert_eq!(fee, "0 USDC", "a maker pays nothing there");
    assert_eq!(sim.kinds("maker"), [Kind::Accepted, Kind::PartiallyFilled, Kind::Filled]);
    assert_eq!(sim.position("maker", "BTCUSDC"), "1");
    assert_eq!(owns(&sim, "maker", "BTC"), "3");
    assert_eq!(owns(&sim, "maker", "USDC"), "19900.01");
    nothing_was_sent(&sim);
    sim.prove();
}

#[test]
fn what_takes_gets_what_is_shown_pays_the_accounts_fee_and_ends() {
    let mut sim = maker();
    sim.intent("maker", "in", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.02", "7");
    sim.run(ms(10));
    assert_eq!(sim.kinds("maker"), [Kind::Accepted, Kind::PartiallyFilled, Kind::Cancelled]);
    let fill = &sim.events[1].1;
    // 5 × 100.01 × 0.0005.
    assert_eq!(
        last_fill(fill),
        ("100.01".parse().unwrap(), "5".parse().unwrap(), false, "0.250025 USDC".into())
    );
    assert_eq!(owns(&sim, "maker", "USDC"), "19499.699975");
    // What was taken is gone until the level is shown anew.
    sim.intent("maker", "again", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.01", "1");
    sim.run(ms(10));
    assert_eq!(sim.last_event().kind, Kind::Cancelled);
    assert_eq!(sim.position("maker", "BTCUSDC"), "5");
    nothing_was_sent(&sim);
    sim.prove();
}

#[test]
fn fees_can_be_set_in_place_of_the_accounts() {
    let fees = Fees { maker: "0.001".parse().unwrap(), taker: "0.002".parse().unwrap() };
    let config =
        EngineConfig { paper: PaperConfig { fees: Some(fees), ..PaperConfig::default() }, ..config() };
    let mut sim = begun(config, vec![paper("maker")]);
    sim.intent("maker", "in", "BTCUSDC", Side::Sell, OrderType::Ioc, "99.99", "1");
    sim.run(ms(10));
    assert_eq!(last_fill(&sim.events[1].1).3, "0.19998 USDC");
    sim.prove();
}

#[test]
fn refusals_are_those_of_the_venue() {
    let mut sim = maker();
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "100.01", "1")]);
    sim.run(ms(10));
    assert_eq!((sim.last_event().kind, sim.last_event().code.as_str()), (Kind::Rejected, "MEXC_30041"));
    assert_eq!(status(&sim, "maker").venue_rejects, 1);
    sim.intent("maker", "all", "BTCUSDC", Side::Buy, OrderType::Fok, "100.01", "6");
    sim.run(ms(10));
    assert_eq!((sim.last_event().kind, sim.last_event().filled), (Kind::Cancelled, Qty::ZERO));
    // What the core itself refuses, it refuses on paper too.
    sim.intent("maker", "much", "BTCUSDC", Side::Sell, OrderType::Limit, "101", "3");
    sim.run(ms(10));
    assert_eq!(sim.last_event().code, "RISK_BALANCE");
    assert_eq!(open(&sim, "maker"), 0);
    nothing_was_sent(&sim);
    sim.prove();
}

#[test]
fn an_order_arrives_one_delay_later_and_finds_the_market_of_then() {
    let mut sim = begun(delayed(ms(40)), vec![paper("maker")]);
    sim.intent("maker", "in", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.05", "1");
    sim.run(ms(20));
    assert!(sim.events.is_empty());
    sim.venue.move_book("BTCUSDC", "100.02", "100.04", 0);
    sim.run(ms(19));
    assert!(sim.events.is_empty());
    sim.run(ms(1));
    assert_eq!(last_fill(&sim.events[1].1).0, "100.04".parse().unwrap());
    sim.prove();
}

#[test]
fn a_trade_that_comes_before_a_cancel_arrives_fills_the_order() {
    let mut sim = begun(delayed(ms(40)), vec![paper("maker")]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "100", "1"), (1, Side::Sell, "100.2", "1")]);
    sim.run(ms(50));
    sim.session("maker", SessionMessage::Cancel { reference: None, symbol: None });
    sim.run(ms(20));
    assert_eq!(open(&sim, "maker"), 2, "the cancels are on their way");
    trade(&mut sim, "99.99", "1", Side::Sell);
    assert_eq!(sim.last_event().kind, Kind::Filled);
    sim.run(ms(30));
    assert_eq!(sim.last_event().kind, Kind::Cancelled);
    assert_eq!((open(&sim, "maker"), sim.position("maker", "BTCUSDC").as_str()), (0, "1"));
    sim.prove();
}

#[test]
fn delays_are_what_the_core_measures() {
    let mut sim = maker();
    let asked = sim.now;
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.until("it is accepted", |sim| !sim.events.is_empty());
    // One millisecond there and one back, of everything.
    assert_eq!(sim.now, asked + ms(2));
    sim.prove();
}

#[test]
fn calls_on_paper_have_a_bucket_of_their_own_with_the_venues_limits() {
    let mut sim = begun(config(), vec![paper("maker"), policy("real", &["BTCUSDC"])]);
    for n in 0..30 {
        let reference = format!("i{n}");
        sim.intent("maker", &reference, "BTCUSDC", Side::Buy, OrderType::Limit, "99", "0.1");
    }
    sim.quote("real", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(900));
    let accepted = sim.kinds("maker").iter().filter(|kind| **kind == Kind::Accepted).count();
    // 12 calls a second, 3 of them kept for cancels.
    assert_eq!(accepted, 9);
    assert_eq!(sim.orders_open().len(), 1, "the real order did not wait for them");
    sim.prove();
}

#[test]
fn real_and_paper_strategies_trade_on_one_account_and_do_not_see_each_other() {
    let mut sim = begun(config(), vec![paper("paper"), policy("real", &["BTCUSDC"])]);
    let before = sim.engine.status(sim.now).account.balances;
    sim.quote("real", "BTCUSDC", &[(0, Side::Sell, "100.2", "1")]);
    // It would meet the real quote, were it real.
    sim.quote("paper", "BTCUSDC", &[(0, Side::Buy, "100", "1")]);
    sim.intent("paper", "up", "BTCUSDC", Side::Buy, OrderType::Limit, "100.2", "1");
    sim.run(ms(10));
    assert_eq!(sim.orders_open().len(), 1);
    assert_eq!(sim.position("paper", "BTCUSDC"), "1");
    let account = sim.engine.status(sim.now).account;
    let totals = |balances: &[flashpod_engine::status::Balance]| -> Vec<String> {
        balances.iter().map(|b| (b.free + b.locked).to_string()).collect()
    };
    assert_eq!(totals(&account.balances), totals(&before), "paper money is nobody's");
    assert_eq!(account.unassigned.len(), 3);
    sim.run(Nanos::from_secs(40));
    assert!(sim.engine.status(sim.now).account.ledger_equals_venue, "audited again");
    sim.prove();
}

#[test]
fn without_keys_an_account_trades_on_paper_without_lease_and_without_a_signed_request() {
    let keyless = EngineConfig { credentials: false, ..config() };
    let mut sim = Sim::with(Venue::new(), keyless, Vec::new(), Nanos::from_secs(1000));
    sim.auto_lease = false;
    sim.want(vec![paper("maker"), policy("real", &["BTCUSDC"])]);
    sim.bring_up();
    assert!(sim.engine.status(sim.now).account.ready);
    let live = status(&sim, "real");
    assert_eq!(live.state, TradingState::Halted);
    assert!(live.reasons[0].starts_with("CREDENTIALS: the account has no keys"), "{:?}", live.reasons);
    assert_eq!(status(&sim, "maker").state, TradingState::Active);
    sim.intent("maker", "in", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.01", "1");
    sim.run(ms(10));
    // The rate that the venue lists: 0.0005.
    assert_eq!(last_fill(&sim.events[1].1).3, "0.050005 USDC");
    sim.run(Nanos::from_secs(200));
    assert!(sim.requests.iter().all(|request| !request.signed && request.class == RequestClass::Query));
    assert_eq!(sim.private_opened, 0);
    assert!(sim.engine.ledger().orders.is_empty() && sim.engine.ledger().balances.is_empty());
    sim.prove();
}

#[test]
fn a_crash_keeps_orders_positions_and_money_and_loses_only_what_was_on_its_way() {
    let mut sim = begun(delayed(ms(40)), vec![paper("maker")]);
    sim.intent("maker", "in", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.01", "1");
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.99", "1"), (1, Side::Sell, "100.2", "1")]);
    sim.run(ms(100));
    sim.session("maker", SessionMessage::Cancel { reference: Some("none".into()), symbol: None });
    sim.intent("maker", "late", "BTCUSDC", Side::Buy, OrderType::Limit, "99.5", "1");
    sim.run(ms(10));
    let before = (owns(&sim, "maker", "USDC"), sim.position("maker", "BTCUSDC"));
    let mut sim = sim.crash(Nanos::from_secs(1));
    sim.until("the books are back", |sim| {
        let status = sim.engine.status(sim.now);
        !status.books.is_empty() && status.books.iter().all(|book| book.state == "CERTIFIED")
    });
    sim.session("maker", SessionMessage::Opened { last_sequence: 0 });
    sim.run(ms(10));
    assert_eq!((owns(&sim, "maker", "USDC"), sim.position("maker", "BTCUSDC")), before);
    let late = sim.events.iter().find(|(_, event)| event.reference.as_deref() == Some("late")).unwrap();
    assert_eq!((late.1.kind, late.1.code.as_str()), (Kind::Rejected, "NOT_SENT"));
    assert_eq!(open(&sim, "maker"), 2);
    // Behind everything again: its place is not known any more.
    trade(&mut sim, "99.99", "5", Side::Sell);
    assert_eq!(open(&sim, "maker"), 2);
    trade(&mut sim, "99.99", "1", Side::Sell);
    assert_eq!((open(&sim, "maker"), sim.position("maker", "BTCUSDC").as_str()), (1, "2"));
    sim.prove();
}

#[test]
fn a_cancel_that_was_wanted_before_a_crash_is_made_after_it() {
    let mut sim = begun(delayed(ms(40)), vec![paper("maker")]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(100));
    sim.session("maker", SessionMessage::Cancel { reference: None, symbol: None });
    sim.run(ms(10));
    let mut sim = sim.crash(Nanos::from_secs(1));
    sim.until("it is cancelled", |sim| open(sim, "maker") == 0);
    sim.prove();
}

#[test]
fn an_order_that_arrives_while_the_book_is_lost_waits_for_it_at_most_its_window() {
    for back in [true, false] {
        let mut sim = begun(delayed(ms(100)), vec![paper("maker")]);
        sim.intent("maker", "in", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.05", "1");
        sim.venue.failing.push("/api/v3/depth");
        sim.venue.move_book("BTCUSDC", "100.02", "100.03", 1);
        sim.run(ms(500));
        assert_eq!(sim.engine.status(sim.now).books[0].state, "GAP");
        assert!(sim.events.is_empty(), "nobody knows what it met");
        if back {
            sim.venue.failing.clear();
            sim.run(ms(450));
            assert_eq!(last_fill(&sim.events[1].1).0, "100.03".parse().unwrap());
        } else {
            sim.run(ms(500));
            assert_eq!(sim.last_event().code, "MEXC_700003");
            sim.venue.failing.clear();
        }
        sim.prove();
    }
}

#[test]
fn a_gap_leaves_orders_in_their_places() {
    let mut sim = maker();
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.99", "1")]);
    sim.run(ms(10));
    trade(&mut sim, "99.99", "4", Side::Sell);
    sim.venue.move_book("BTCUSDC", "99.99", "100.02", 1);
    sim.run(ms(500));
    assert_eq!(sim.engine.status(sim.now).books[0].state, "CERTIFIED");
    // One of the five before it is left.
    trade(&mut sim, "99.99", "2", Side::Sell);
    assert_eq!(sim.position("maker", "BTCUSDC"), "1");
    sim.prove();
}

#[test]
fn a_stop_is_proven_as_that_of_a_real_instance_and_ends_the_paper_money() {
    for deletion_policy in [DeletionPolicy::Flatten, DeletionPolicy::CancelOnly, DeletionPolicy::Orphan] {
        let mut sim = maker();
        sim.intent("maker", "in", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.01", "1.5");
        sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
        sim.run(ms(10));
        let wanted = sim.policy_mut("maker");
        (wanted.state, wanted.deletion_policy) = (RunState::Stop, deletion_policy);
        sim.send_desired();
        sim.until("the stop is proven", |sim| status(sim, "maker").proof.proven_unix.0 > 0);
        let proof = status(&sim, "maker").proof;
        assert!(proof.no_open_orders && proof.orphaned_orders.is_empty());
        assert_eq!(proof.flat, deletion_policy == DeletionPolicy::Flatten);
        assert!(proof.moved_to_unassigned.is_empty());
        let left = &sim.engine.checkpoint().paper.ledger;
        assert!(left.totals().is_empty() && left.accounts().next().is_none());
        nothing_was_sent(&sim);
        sim.prove();
    }
}

#[test]
fn the_stop_of_a_core_without_keys_cancels_what_is_on_paper() {
    let mut sim = begun(EngineConfig { credentials: false, ..config() }, vec![paper("maker")]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(10));
    sim.input(flashpod_engine::Input::Stop);
    sim.until("it stopped", |sim| sim.stopped);
    assert_eq!(open(&sim, "maker"), 0);
    sim.prove_journal();
}

#[test]
fn shadow_is_matched_in_the_same_way() {
    let shadow = InstancePolicy { mode: Mode::Shadow, ..paper("canary") };
    let mut sim = begun(config(), vec![shadow]);
    sim.intent("canary", "in", "BTCUSDC", Side::Buy, OrderType::Ioc, "100.01", "1");
    sim.run(ms(10));
    assert_eq!(sim.position("canary", "BTCUSDC"), "1");
    assert_eq!(sim.welcomes[0].1.mode, Mode::Shadow);
    nothing_was_sent(&sim);
    sim.prove();
}

#[test]
fn capital_on_paper_follows_the_manifest() {
    let mut sim = maker();
    // More than the account has.
    sim.policy_mut("maker").capital = vec![capital("USDC", "9000000"), capital("BTC", "1")];
    sim.send_desired();
    sim.run(ms(10));
    assert_eq!((owns(&sim, "maker", "USDC"), owns(&sim, "maker", "BTC")), ("9000000".into(), "1".into()));
    assert_eq!(status(&sim, "maker").capital_error, "");
    sim.prove();
}
