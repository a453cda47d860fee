//! What every conversation must end with.

use std::collections::BTreeMap;

use flashpod_engine::{fold, replay};
use flashpod_orders::is_paper;
use flashpod_types::Nanos;

use super::{Sim, ms};

impl Sim {
    /// What every conversation must end with: no order twice, the journal replays and folds to the same, every order
    /// and fill and balance of the venue is in the ledger.
    pub fn prove(&mut self) {
        self.prove_journal();
        self.run(ms(500));
        let ledger = self.engine.ledger();
        for order in &self.venue.orders {
            let Some(ours) =
                ledger.orders.iter().find(|ours| ours.terms.client_id.as_str() == order.client_id)
            else {
                assert!(!order.client_id.starts_with("fp"), "order {} is not in the ledger", order.client_id);
                continue;
            };
            assert_eq!(ours.status_name(), order.status, "{}", order.client_id);
            let mut told: Vec<&str> = ours.deals().iter().map(|deal| deal.trade_id.as_str()).collect();
            let mut traded: Vec<&str> = order.trades.iter().map(|trade| trade.id.as_str()).collect();
            told.sort_unstable();
            traded.sort_unstable();
            assert_eq!(told, traded, "fills of {}", order.client_id);
        }
        for balance in &ledger.balances {
            let (free, locked) = self.venue.balances[balance.asset.as_str()];
            assert_eq!((balance.free, balance.locked), (free, locked), "{}", balance.asset);
        }
        assert!(ledger.quiescent, "nothing is under way");
        assert!(
            ledger.orders.iter().all(|order| !is_paper(&order.terms.client_id)),
            "paper is no real order"
        );
        assert!(self.venue.orders.iter().all(|order| !order.client_id.contains("-0-")), "paper never leaves");
    }

    /// The part of `prove` that holds at every moment.
    pub fn prove_journal(&self) {
        assert_eq!(self.venue.duplicate_client_ids, 0, "a client order id was used twice");
        if !self.expect_429 {
            assert_eq!(self.venue.http_429, 0, "the rate limit was overrun");
        }
        let records = || self.records.iter().cloned().map(Ok::<_, std::convert::Infallible>);
        let verified = replay::verify(records()).unwrap_or_else(|error| panic!("{error}"));
        assert!(verified.inputs > 0);
        let folded = fold(records()).unwrap();
        assert!(folded.recovered == *self.engine.checkpoint(), "the journal folds to the engine's state");
        let mut sequences: BTreeMap<&str, u64> = BTreeMap::new();
        for (instance, event) in &self.events {
            let last = sequences.entry(instance).or_insert(event.sequence - 1);
            assert!(event.sequence <= *last + 1, "order events are numbered without holes");
            *last = (*last).max(event.sequence);
        }
    }

    /// Another host without the journal takes its place, after a minute; nobody has given it the lease yet.
    pub fn start_without_journal(self) -> Self {
        let records = self.records.len();
        let mut sim = self.crash_losing(Nanos::from_secs(60), records);
        sim.auto_lease = false;
        sim
    }

    /// The lease comes, of this epoch; what was open under a former one is cancelled, and an audit finds no difference.
    pub fn take_over(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.renew();
        self.until("what was taken over is cancelled", |sim| sim.orders_open().is_empty());
        self.audited();
    }

    /// An audit later, the ledger equals the venue's books.
    pub fn audited(&mut self) {
        self.run(Nanos::from_secs(40));
        let account = self.engine.status(self.now).account;
        assert!(account.ledger_equals_venue, "{}", account.audit_difference);
    }
}
