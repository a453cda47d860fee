//! Where many conversations begin.

use flashpod_engine::io::Method;
use flashpod_types::{Nanos, Side};

use super::{Broken, Fault, Sim, ms, policy};

/// One instance, `maker`, that is connected and may trade BTCUSDC.
pub fn maker() -> Sim {
    Sim::trading(vec![policy("maker", &["BTCUSDC"])])
}

/// `maker` with one bid resting, and that bid's client id.
pub fn with_bid() -> (Sim, String) {
    let mut sim = maker();
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.run(ms(10));
    let bid = sim.open_client_ids().remove(0);
    (sim, bid)
}

/// `maker` with a bid resting in each of two pairs.
pub fn bidding() -> Sim {
    let mut sim = Sim::trading(vec![policy("maker", &["BTCUSDC", "ETHUSDC"])]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1")]);
    sim.quote("maker", "ETHUSDC", &[(0, Side::Buy, "9.9", "5")]);
    sim.run(ms(10));
    sim
}

/// `maker` in these pairs, with a bid and an ask resting in BTCUSDC.
pub fn quoting(pairs: &[&str]) -> Sim {
    let mut sim = Sim::trading(vec![policy("maker", pairs)]);
    sim.quote("maker", "BTCUSDC", &[(0, Side::Buy, "99.9", "1"), (1, Side::Sell, "100.1", "1")]);
    sim.run(ms(10));
    sim
}

/// The venue answers the next GET of a path at once, and its reply takes so long.
pub fn late(sim: &mut Sim, path: &'static str, span: Nanos) {
    sim.faults.push(Fault { method: Method::Get, path, nth: 1, what: Broken::LateReply(span) });
}

/// The newest audit agreed.
pub fn equal(sim: &Sim) -> bool {
    sim.engine.status(sim.now).account.ledger_equals_venue
}
