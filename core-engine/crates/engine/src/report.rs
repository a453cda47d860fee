//! What is known, for the agent and the metrics.

use std::collections::BTreeMap;

use flashpod_orders::State;
use flashpod_types::{Asset, Nanos, Side, Symbol};

use crate::deltas::Deltas;
use crate::engine::Engine;
use crate::hedge::Sort;
use crate::instance::Instance;
use crate::link::Link;
use crate::status::{
    AccountStatus, Balance, BookStatus, InstanceStatus, LedgerView, LinkStatus, Status, StopProof,
    SymbolFigures, TimingStatus,
};

impl Engine {
    /// What is known; `now` is CLOCK_BOOTTIME.
    #[must_use]
    pub fn status(&self, now: Nanos) -> Status {
        Status {
            generation: self.desired.generation,
            account: self.account_status(),
            instances: self.instances.iter().map(|(name, i)| self.instance_status(name, i)).collect(),
            halts: self.desired.halts.iter().map(|halt| self.halt_status(halt)).collect(),
            books: self.markets.keys().map(|&symbol| self.book_status(symbol, now)).collect(),
            links: self.link_status(now),
            timing: TimingStatus {
                order_timeout: self.time_out(Sort::Order),
                cancel_timeout: self.time_out(Sort::Cancel),
                query_timeout: self.time_out(Sort::Query),
                clock_error: self.clock.error(now),
            },
            stopping: self.stopping.requested,
            counters: self.counters,
        }
    }

    /// Every order and balance as the ledger has them.
    #[must_use]
    pub fn ledger(&self) -> LedgerView {
        LedgerView {
            quiescent: self
                .state
                .orders
                .live()
                .all(|order| order.state().is_working() && self.is_settled(order)),
            orders: self.state.orders.all().into_iter().cloned().collect(),
            balances: self.balances(),
            forgotten: self.state.orders.forgotten(),
        }
    }

    /// The newest changes of a pair's book.
    #[must_use]
    pub fn deltas(&self, symbol: Symbol) -> Option<&Deltas> {
        self.markets.get(&symbol).map(|market| &market.deltas)
    }

    fn is_settled(&self, order: &flashpod_orders::Order) -> bool {
        let in_flight =
            self.tracks.get(&order.terms.client_id).is_some_and(crate::track::Track::is_in_flight);
        !in_flight && order.state() != State::PendingCancel && order.missing_deals().is_zero()
    }

    fn balances(&self) -> Vec<Balance> {
        let mut locked: BTreeMap<Asset, flashpod_types::Amount> = BTreeMap::new();
        for order in self.state.orders.live() {
            let Some(&(base, quote)) = self.state.pairs.get(&order.terms.symbol) else { continue };
            // Without the fee that we set aside ourselves: this is what the venue locks.
            let (asset, amount) = match order.terms.side {
                Side::Sell => (base, order.exposure().into()),
                Side::Buy => (quote, order.terms.price.notional(order.exposure())),
            };
            *locked.entry(asset).or_default() += amount;
        }
        let balance = |(asset, total)| {
            let locked = locked.get(&asset).copied().unwrap_or_default();
            Balance { asset, free: total - locked, locked }
        };
        self.state.ledger.totals().into_iter().map(balance).collect()
    }

    fn account_status(&self) -> AccountStatus {
        let (state, reasons) = self.startup.account_state.clone();
        let real = |client_id| self.state.orders.get(client_id).is_some();
        let flight = self.tracks.iter().filter(|(id, track)| track.is_in_flight() && real(*id)).count();
        let unknown_since = self.tracks.values().filter_map(|track| track.unknown_since).min();
        AccountStatus {
            account: self.config.account.clone(),
            ready: self.is_ready(),
            venue_uid: self.startup.venue_uid.clone(),
            epoch: self.lease.epoch(),
            highest_epoch_seen: self.state.highest_epoch,
            incarnation: self.state.incarnation,
            state,
            reasons,
            balances: self.balances(),
            unassigned: self
                .state
                .ledger
                .unassigned()
                .iter()
                .map(|(&asset, &amount)| (asset, amount))
                .collect(),
            ledger_equals_venue: self.audit.equal,
            audited_unix: self.audit.audited_unix,
            audit_difference: self.audit.difference.clone(),
            adoption: self.state.adoption.clone(),
            orders_in_flight: flight as u64,
            orders_unknown: self.state.orders.count(|state| state == State::Unknown) as u64,
            unknown_since: unknown_since.unwrap_or_default(),
            symbols: self.own_symbols(),
            lease_attempt: self.lease.heard(),
            losses: self.account_losses(),
        }
    }

    /// Pairs that are open to trading and, where the venue says so, to this key.
    fn own_symbols(&self) -> Vec<Symbol> {
        let allowed = self.startup.own_symbols.as_ref().filter(|symbols| !symbols.is_empty());
        self.instruments
            .iter()
            .filter(|(symbol, terms)| {
                terms.instrument.trading && allowed.is_none_or(|allowed| allowed.contains(*symbol))
            })
            .map(|(&symbol, _)| symbol)
            .collect()
    }

    fn instance_status(&self, name: &str, instance: &Instance) -> InstanceStatus {
        let policy = &instance.policy;
        let record = self.state.instances.get(name);
        let owned = self.ledger_of(name).account(name);
        let figures: Vec<SymbolFigures> = record
            .map(|record| {
                let figures = |(&symbol, figures): (&Symbol, &crate::recovery::Figures)| SymbolFigures {
                    symbol,
                    accepted_orders: figures.accepted_orders,
                    fills: figures.fills,
                    rejects: figures.venue_rejects + figures.risk_rejects,
                    other_fees: owned.map(|owned| owned.other_fees(symbol).collect()).unwrap_or_default(),
                    mark_outs: self.mark_outs.of(name, symbol),
                };
                record.figures.iter().map(figures).collect()
            })
            .unwrap_or_default();
        let venue_rejects = record.map_or(0, |r| r.figures.values().map(|f| f.venue_rejects).sum());
        let proven = record.and_then(|record| record.proof.clone()).filter(|_| instance.is_stopping());
        InstanceStatus {
            instance: name.to_owned(),
            state: instance.state,
            reasons: instance.reasons.clone(),
            sidecar_connected: instance.session.is_some(),
            positions: policy.symbols.iter().map(|&symbol| self.position(name, symbol)).collect(),
            accepted_orders: figures.iter().map(|f| f.accepted_orders).sum(),
            fills: figures.iter().map(|f| f.fills).sum(),
            venue_rejects,
            risk_rejects: record.map_or(0, |r| r.figures.values().map(|f| f.risk_rejects).sum()),
            superseded_quotes: instance.superseded,
            figures,
            proof: proven.unwrap_or_else(|| self.proof_so_far(name, instance)),
            balances: owned.map(|a| a.own.iter().map(|(&k, &v)| (k, v)).collect()).unwrap_or_default(),
            capital_error: instance.capital_error.clone(),
            last_reject: record.map(|record| record.last_reject.clone()).unwrap_or_default(),
            checkpoint: self.checkpoint_text(name),
            losses: self.losses_of(name, policy),
        }
    }

    fn proof_so_far(&self, name: &str, instance: &Instance) -> StopProof {
        StopProof {
            policy: instance.policy.deletion_policy,
            no_open_orders: self.orders_of(name).live_of(name).next().is_none(),
            flat: self.is_flat(name),
            waiting_for: instance.stop.waiting_for.clone(),
            ..StopProof::default()
        }
    }

    fn link_status(&self, now: Nanos) -> Vec<LinkStatus> {
        let of = |name: &str, index: usize, link: &Link, pairs: usize| LinkStatus {
            name: if index == 0 { name.to_owned() } else { format!("{name}/{}", index + 1) },
            up: link.is_up(),
            pairs: u32::try_from(pairs).unwrap_or(u32::MAX),
            age: if link.is_up() { now.since(link.since) } else { Nanos::ZERO },
            silent: now.since(link.last_frame),
            way: link.way,
        };
        let mut all = Vec::new();
        for (at, feed) in self.feeds.public.iter().enumerate() {
            let name = format!("public-{at}");
            all.extend(feed.links.iter().enumerate().map(|(i, link)| of(&name, i, link, link.joined.len())));
        }
        let next = self.feeds.private_next.as_ref().map(|next| &next.link);
        all.extend(
            [&self.feeds.private].into_iter().chain(next).enumerate().map(|(i, l)| of("private", i, l, 0)),
        );
        all
    }

    fn book_status(&self, symbol: Symbol, now: Nanos) -> BookStatus {
        let market = &self.markets[&symbol];
        let book = market.book.book();
        BookStatus {
            symbol,
            state: market.state_name().to_owned(),
            version: market.book.version(),
            gaps: market.book.counters().gaps,
            certified_share: market.certified_share(now),
            frames: market.frames,
            age: self.feeds.of(symbol).map_or(Nanos::ZERO, |feed| now.since(feed.last_frame())),
            best_bid: book.best(Side::Buy).map(|level| level.0),
            best_ask: book.best(Side::Sell).map(|level| level.0),
        }
    }
}
