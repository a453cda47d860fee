//! Loss limits: they stop what loses, through restarts, days and replacements, until somebody resets them.

mod sim;

use flashpod_engine::fact::Fact;
use flashpod_engine::io::{
    AccountLimits, DeletionPolicy, InstancePolicy, OnLoss, RunState, SessionMessage, TradingState,
};
use flashpod_engine::record::Record;
use flashpod_engine::status::{InstanceStatus, LossRule, LossStatus};
use flashpod_types::{Nanos, OrderType, Side};
use sim::{Sim, config, ms, policy};

fn instance(sim: &Sim, name: &str) -> InstanceStatus {
    sim.engine.status(sim.now).instances.into_iter().find(|i| i.instance == name).expect("an instance")
}

fn loss(sim: &Sim) -> LossStatus {
    instance(sim, "maker").losses.remove(0)
}

fn limited(daily: Option<&str>, drawdown: Option<&str>) -> InstancePolicy {
    let mut policy = policy("maker", &["BTCUSDC"]);
    policy.limits.max_daily_loss = daily.map(|text| text.parse().unwrap());
    policy.limits.max_drawdown = drawdown.map(|text| text.parse().unwrap());
    policy
}

/// `maker` has bought 1 at 99.9, and bids and asks for more.
fn long(policy: InstancePolicy) -> Sim {
    let mut sim = Sim::trading(vec![policy]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1"), (1, Side::Sell, "100.1", "1")]);
    sim.run(ms(10));
    let [bid, _] = sim.open_client_ids().try_into().unwrap();
    sim.venue.fill(&bid, "1");
    sim.run(ms(10));
    sim
}

fn mid(sim: &mut Sim, bid: &str, ask: &str) {
    sim.venue.move_book("BTCUSDC", bid, ask, 0);
    sim.run(ms(300));
}

fn state(sim: &Sim) -> TradingState {
    instance(sim, "maker").state
}

fn reset(sim: &mut Sim, text: &str) {
    sim.policy_mut("maker").risk_reset = text.to_owned();
    sim.send_desired();
    sim.run(ms(300));
}

/// The code that an order is refused with; None: it was sent.
fn refusal(sim: &mut Sim, reference: &str, side: Side, price: &str) -> Option<String> {
    let sent = sim.order_requests().len();
    sim.intent("maker", reference, "BTCUSDC", side, OrderType::Limit, price, "1");
    sim.run(ms(20));
    if sim.order_requests().len() > sent { None } else { Some(sim.last_event().code.clone()) }
}

#[test]
fn a_daily_loss_halts_survives_a_kill_and_is_lifted_by_a_reset_only() {
    let mut sim = long(limited(Some("10"), None));
    mid(&mut sim, "90.00", "90.02");
    assert_eq!(state(&sim), TradingState::Active, "9.89 are lost");
    mid(&mut sim, "89.88", "89.90");
    assert_eq!(state(&sim), TradingState::Halted);
    let reasons = instance(&sim, "maker").reasons;
    assert!(
        reasons[0].starts_with("RISK_DAILY_LOSS: 10.01 USDC lost since 00:00 UTC, maxDailyLoss is 10"),
        "{reasons:?}"
    );
    assert!(sim.orders_open().is_empty(), "open orders were cancelled");
    assert_eq!(refusal(&mut sim, "a", Side::Buy, "89.0").unwrap(), "RISK_DAILY_LOSS");
    mid(&mut sim, "109.99", "110.01");
    assert_eq!(state(&sim), TradingState::Halted, "a recovery lifts nothing");
    // Nor does a kill, or another limit.
    let mut sim = sim.crash(Nanos::from_secs(2));
    sim.bring_up();
    sim.policy_mut("maker").limits.max_daily_loss = None;
    sim.send_desired();
    sim.run(ms(300));
    assert_eq!(state(&sim), TradingState::Halted);
    assert_eq!(loss(&sim).breach.unwrap().lost.to_string(), "10.01");
    sim.policy_mut("maker").limits.max_daily_loss = Some("10".parse().unwrap());
    reset(&mut sim, "2026-01-01");
    assert_eq!(state(&sim), TradingState::Active);
    assert_eq!((loss(&sim).reset.as_str(), loss(&sim).breach), ("2026-01-01", None));
    // Losses count from the reset, and the same text resets nothing twice.
    mid(&mut sim, "100.01", "100.03");
    assert_eq!(
        (state(&sim), loss(&sim).day_loss.unwrap().to_string()),
        (TradingState::Active, "9.98".into())
    );
    mid(&mut sim, "99.98", "100.00");
    assert_eq!(state(&sim), TradingState::Halted);
    let mut sim = sim.crash(Nanos::from_secs(2));
    sim.bring_up();
    assert_eq!(state(&sim), TradingState::Halted);
    sim.prove();
}

#[test]
fn a_drawdown_that_reduces_only_lets_go_of_the_position() {
    let mut policy = limited(None, Some("5"));
    policy.limits.on_loss = OnLoss::ReduceOnly;
    policy.limits.price_collar_bps = Some(5000);
    let mut sim = long(policy);
    mid(&mut sim, "119.99", "120.01");
    assert_eq!(loss(&sim).drawdown.unwrap().to_string(), "0");
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "115", "1")]);
    sim.run(ms(300));
    mid(&mut sim, "114.99", "115.01");
    assert_eq!(state(&sim), TradingState::ReduceOnly);
    assert_eq!(loss(&sim).breach.unwrap().rule, LossRule::Drawdown);
    assert!(sim.orders_open().is_empty(), "what was sent before must not open");
    assert_eq!(refusal(&mut sim, "a", Side::Buy, "110").unwrap(), "RISK_DRAWDOWN");
    assert_eq!(refusal(&mut sim, "b", Side::Sell, "115.5"), None);
    assert_eq!(
        refusal(&mut sim, "c", Side::Sell, "115.5").unwrap(),
        "RISK_DRAWDOWN",
        "one is enough to close it"
    );
    sim.prove();
}

#[test]
fn a_day_begins_at_midnight_utc_and_lifts_nothing() {
    // 2025-10-09 08:53:20 UTC and 54,400 s later: 2025-10-10 00:00:00.
    let midnight = Nanos::from_secs(54_400);
    let mut sim = Sim::with(sim::venue::Venue::new(), config(), Vec::new(), midnight - Nanos::from_secs(30));
    sim.want(vec![limited(Some("10"), None)]);
    sim.bring_up();
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(10));
    let [bid] = sim.open_client_ids().try_into().unwrap();
    sim.venue.fill(&bid, "1");
    mid(&mut sim, "91.89", "91.91");
    assert_eq!(loss(&sim).day_loss.unwrap().to_string(), "8");
    sim.run(midnight - sim.now + ms(200));
    assert_eq!(loss(&sim).day_loss.unwrap().to_string(), "0");
    mid(&mut sim, "81.90", "81.92");
    assert_eq!(
        (state(&sim), loss(&sim).day_loss.unwrap().to_string()),
        (TradingState::Active, "9.99".into())
    );
    mid(&mut sim, "81.88", "81.90");
    assert_eq!(state(&sim), TradingState::Halted);
    // The next day.
    let mut sim = sim.crash(Nanos::from_secs(86_400));
    sim.bring_up();
    assert_eq!(state(&sim), TradingState::Halted);
}

#[test]
fn the_accounts_limit_stops_every_strategy_until_the_account_is_reset() {
    let mut other = policy("taker", &["ETHUSDC"]);
    other.capital = vec![sim::capital("USDC", "1000")];
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC"]), other]);
    let limits = AccountLimits { max_loss: Some("10".parse().unwrap()), ..AccountLimits::default() };
    sim.limit_account(limits.clone());
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(10));
    let [bid] = sim.open_client_ids().try_into().unwrap();
    sim.venue.fill(&bid, "1");
    mid(&mut sim, "89.88", "89.90");
    for name in ["maker", "taker"] {
        let status = instance(&sim, name);
        assert_eq!(status.state, TradingState::Halted);
        assert!(status.reasons[0].starts_with("RISK_ACCOUNT_LOSS: 10.01 USDC"), "{:?}", status.reasons);
    }
    let mut sim = sim.crash(Nanos::from_secs(2));
    sim.limit_account(limits.clone());
    sim.bring_up();
    assert_eq!(state(&sim), TradingState::Halted);
    reset(&mut sim, "the strategy's own is not enough");
    assert_eq!(state(&sim), TradingState::Halted);
    sim.limit_account(AccountLimits { risk_reset: "1".into(), ..limits });
    sim.run(ms(300));
    assert_eq!((state(&sim), instance(&sim, "taker").state), (TradingState::Active, TradingState::Active));
    let losses = sim.engine.status(sim.now).account.losses;
    assert_eq!((losses.len(), losses[0].day_loss.unwrap().to_string()), (1, "0".into()));
}

#[test]
fn what_an_instance_lost_counts_for_the_one_that_replaces_it() {
    let mut first = limited(Some("10"), None);
    first.deletion_policy = DeletionPolicy::CancelOnly;
    let mut sim = long(first.clone());
    mid(&mut sim, "93.89", "93.91");
    sim.policy_mut("maker").state = RunState::Stop;
    sim.send_desired();
    sim.until("the stop is proven", |sim| instance(sim, "maker").proof.proven_unix.0 > 0);
    let mut second = first;
    (second.instance, second.uid) = ("maker-2".into(), "uid-maker-2".into());
    sim.want(vec![second]);
    sim.until("the next one trades", |sim| instance(sim, "maker-2").state == TradingState::Active);
    sim.session("maker-2", SessionMessage::Opened { last_sequence: 0 });
    sim.run(ms(300));
    let lost = |sim: &Sim| instance(sim, "maker-2").losses[0].day_loss.unwrap().to_string();
    assert_eq!(lost(&sim), "6");
    sim.quote("maker-2", "BTCUSDC", &[(0, Side::Buy, "93.8", "1")]);
    sim.run(ms(10));
    let [bid] = sim.open_client_ids().try_into().unwrap();
    sim.venue.fill(&bid, "1");
    mid(&mut sim, "89.79", "89.81");
    assert_eq!((lost(&sim), instance(&sim, "maker-2").state), ("10".into(), TradingState::Halted));
}

#[test]
fn a_reset_waits_for_prices_and_a_limit_without_a_loss_stops_nothing() {
    let mut sim = long(limited(Some("1"), Some("1")));
    sim.run(Nanos::from_secs(5));
    assert_eq!(state(&sim), TradingState::Active);
    reset(&mut sim, "1");
    assert_eq!(loss(&sim).reset, "1");
    mid(&mut sim, "98.98", "99.00");
    assert_eq!(state(&sim), TradingState::Halted, "both limits are reached");
    assert!(instance(&sim, "maker").reasons[0].starts_with("RISK_DAILY_LOSS"));
}

#[test]
fn fills_are_marked_out_after_1_5_and_30_seconds() {
    let mut sim = long(policy("maker", &["BTCUSDC"]));
    let outs = |sim: &Sim| -> Vec<(u64, u64, String)> {
        let figures = instance(sim, "maker").figures.remove(0);
        let told = |out: &flashpod_engine::status::MarkOut| {
            (out.after.as_millis(), out.fills, out.value.to_string())
        };
        figures.mark_outs.iter().map(told).collect()
    };
    sim.run(ms(1000));
    // Bought at 99.9, the mid stays at 100.
    assert_eq!(outs(&sim), [(1000, 1, "0.1".into()), (5000, 0, "0".into()), (30_000, 0, "0".into())]);
    mid(&mut sim, "98.99", "99.01");
    sim.run(Nanos::from_secs(30));
    assert_eq!(outs(&sim), [(1000, 1, "0.1".into()), (5000, 1, "-0.9".into()), (30_000, 1, "-0.9".into())]);
    sim.prove_journal();
}

#[test]
fn an_account_s_pairs_and_a_strategy_s_flight_are_limited() {
    let mut first = policy("maker", &["BTCUSDC"]);
    first.limits.max_in_flight = Some(1);
    let mut second = policy("other", &["BTCUSDC"]);
    second.capital = vec![sim::capital("USDC", "1000")];
    let mut sim = Sim::trading(vec![first, second]);
    let (max_exposure, max_concentration_pct) = (Some("1000".parse().unwrap()), Some(25));
    sim.limit_account(AccountLimits { max_exposure, max_concentration_pct, ..AccountLimits::default() });
    // One answer at a time: the second of two quotes leaves once the first is accepted, without a refusal in between.
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1"), (1, Side::Sell, "100.1", "1")]);
    assert_eq!(sim.order_requests().len(), 1);
    sim.run(ms(300));
    assert_eq!(sim.orders_open().len(), 2);
    assert!(sim.events.iter().all(|(_, event)| event.code.is_empty()));
    // 250 in the pair are allowed: 100 of maker's, 100 of other's, and no third.
    sim.intent("other", "a", "BTCUSDC", Side::Buy, OrderType::Limit, "99.9", "1");
    sim.run(ms(20));
    sim.intent("other", "b", "BTCUSDC", Side::Buy, OrderType::Limit, "99.9", "1");
    sim.run(ms(20));
    assert_eq!(sim.last_event().code, "RISK_ACCOUNT_CONCENTRATION");
    sim.prove();
}

#[test]
fn a_loss_is_written_down_once_however_many_pairs_share_its_quote_asset() {
    let mut policy = limited(Some("1000"), None);
    policy.symbols.push(sim::symbol("ETHUSDC"));
    let mut sim = long(policy);
    let facts = |sim: &Sim| -> usize {
        let records = sim.records.iter().map(|bytes| Record::decode(bytes).unwrap());
        let watched = |fact: &Fact| matches!(fact, Fact::Watched { .. });
        let of = |record| match record {
            Record::Outcome { facts, .. } => facts.iter().filter(|fact| watched(fact)).count(),
            _ => 0,
        };
        records.map(of).sum()
    };
    let before = facts(&sim);
    // A new peak is a fact; the same profit again is none.
    mid(&mut sim, "101.99", "102.01");
    mid(&mut sim, "101.98", "102.00");
    assert_eq!(facts(&sim), before + 1);
}
