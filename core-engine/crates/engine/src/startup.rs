//! From nothing to ready: time, trading rules, private stream, reconciliation. Read-only until a lease is granted.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use flashpod_mexc::rest::{AccountReport, ExchangeInfo, OrderReport};
use flashpod_orders::{ClientId, State, Update};
use flashpod_types::{Amount, Asset, ClientOrderId, Millis, Nanos, Symbol};

use crate::engine::Engine;
use crate::fact::Fact;
use crate::io::{InstrumentTerms, TradingState};
use crate::market::Market;
use crate::requests::{Purpose, Round};

/// How far before the journal's last moment orders without an entry are looked for: a dying host may lose 50 ms, and
/// its clock may differ from the venue's.
const LOOK_BACK_MS: i64 = 60_000;
/// Trading rules are read again this often.
const RULES_PERIOD: Nanos = Nanos::from_secs(3600);
const RETRY: Nanos = Nanos::from_secs(1);

#[derive(Debug)]
pub(crate) struct Startup {
    pub(crate) rules_loaded: bool,
    rules_at: Nanos,
    /// Pairs this key may trade; None until known.
    pub(crate) own_symbols: Option<BTreeSet<Symbol>>,
    pub(crate) venue_uid: String,
    pub(crate) keys_listed: bool,
    pub(crate) listen_key: Option<String>,
    pub(crate) key_retry: Nanos,
    pub(crate) extend_at: Nanos,
    /// The venue's open orders have been compared with ours since the private stream last joined.
    pub(crate) reconciled: bool,
    /// Has been true once in this run.
    pub(crate) ready: bool,
    reconciling: bool,
    retry: Nanos,
    open_orders: Option<Vec<OrderReport>>,
    /// Something traded since openOrders was asked for: it and the balances may not belong together.
    pub(crate) traded: bool,
    /// Pairs whose past orders were asked for, once a run.
    looked_back: BTreeSet<Symbol>,
    asked: bool,
    /// An epoch that was granted although a higher one was used before.
    pub(crate) stale_epoch: Option<u64>,
    /// As last worked out, for the status.
    pub(crate) account_state: (TradingState, Vec<String>),
    /// Time of the newest input of the run before.
    pub(crate) former_run: Nanos,
}

impl Startup {
    pub(crate) fn new(former_run: Nanos) -> Self {
        Self {
            rules_loaded: false,
            rules_at: Nanos::ZERO,
            own_symbols: None,
            venue_uid: String::new(),
            keys_listed: false,
            listen_key: None,
            key_retry: Nanos::ZERO,
            extend_at: Nanos::ZERO,
            reconciled: false,
            ready: false,
            reconciling: false,
            retry: Nanos::ZERO,
            open_orders: None,
            traded: false,
            looked_back: BTreeSet::new(),
            asked: false,
            stale_epoch: None,
            account_state: (TradingState::Halted, vec!["STARTING".into()]),
            former_run,
        }
    }
}

impl Engine {
    pub(crate) fn start(&mut self) {
        let now = self.now.mono;
        // The run before may have used up the bucket a moment ago.
        if self.state.incarnation > 1 {
            self.window.pause(now + self.config.rate.window + self.config.rate.margin);
        }
        // No reply of the former run will be heard: what it had under way is unknown.
        let pending: Vec<(ClientOrderId, State)> =
            self.state.orders.live().map(|order| (order.client_id, order.state())).collect();
        for (client_id, state) in pending {
            self.tracks.entry(client_id).or_default().ask(now + RETRY);
            let update = if state == State::PendingNew { Update::Lost } else { Update::CancelFailed };
            self.feed(&client_id, update);
        }
    }

    /// Moves the start on. When to look again.
    pub(crate) fn poll_startup(&mut self) -> Option<Nanos> {
        let (now, tuning) = (self.now.mono, self.config.tuning);
        if self.clock.due(now, tuning.time_samples, tuning.time_sync_period) {
            self.ask(Purpose::Time);
        }
        if now >= self.startup.rules_at {
            self.startup.rules_at = now + RULES_PERIOD;
            self.ask(Purpose::ExchangeInfo);
        }
        if !self.startup.asked {
            self.startup.asked = true;
            self.ask(Purpose::SelfSymbols);
            self.ask(Purpose::Uid);
            self.ask(Purpose::ListenKeys);
        }
        if self.feeds.private_ready
            && !self.startup.reconciled
            && !self.startup.reconciling
            && now >= self.startup.retry
        {
            self.reconcile();
        }
        let retry = (self.startup.retry > now).then_some(self.startup.retry);
        [Some(self.clock.next_round()), Some(self.startup.rules_at), retry].into_iter().flatten().min()
    }

    /// Something of the start failed: again in a moment.
    pub(crate) fn startup_failed(&mut self, purpose: &Purpose) {
        let now = self.now.mono;
        match purpose {
            Purpose::Time => self.clock.failed(now, RETRY),
            Purpose::ExchangeInfo => self.startup.rules_at = now + RETRY,
            Purpose::OpenOrders(Round::Reconcile) | Purpose::Account(Round::Reconcile) => {
                self.startup.reconciling = false;
                self.startup.retry = now + RETRY;
            }
            Purpose::ListenKeys => {
                // Old keys stay until they expire; a new one is made all the same.
                self.startup.keys_listed = true;
            }
            Purpose::CreateListenKey => self.startup.key_retry = now + RETRY,
            Purpose::ExtendListenKey(_) => self.startup.extend_at = now + Nanos::from_secs(30),
            // The venue does not offer it: exchangeInfo alone decides.
            Purpose::SelfSymbols => self.startup.own_symbols = Some(BTreeSet::new()),
            Purpose::AllOrders(symbol, _) => {
                self.startup.looked_back.remove(symbol);
            }
            _ => {}
        }
        self.dirty = true;
    }

    pub(crate) fn on_rules(&mut self, info: &ExchangeInfo) {
        for listed in &info.symbols {
            let terms = InstrumentTerms {
                instrument: listed.instrument.clone(),
                maker_fee: listed.maker_fee.unwrap_or_default(),
                taker_fee: listed.taker_fee.unwrap_or_default(),
            };
            self.instruments.insert(listed.instrument.symbol, terms);
        }
        self.startup.rules_loaded = true;
        self.dirty = true;
        self.status_changed();
    }

    pub(crate) fn on_listen_keys(&mut self, keys: Vec<String>) {
        self.startup.keys_listed = true;
        for key in keys {
            if self.state.listen_keys.contains(&key) {
                self.ask(Purpose::DeleteListenKey(key));
            }
        }
        self.dirty = true;
    }

    pub(crate) fn on_listen_key(&mut self, key: String) {
        self.startup.extend_at = self.now.mono + self.config.tuning.listen_key_period;
        self.commit(Fact::ListenKey { key: key.clone() });
        self.startup.listen_key = Some(key);
        self.dirty = true;
    }

    /// The private stream is there: what was missed while it was not is found out now.
    pub(crate) fn private_joined(&mut self) {
        self.startup.reconciled = false;
        self.startup.reconciling = false;
        self.startup.retry = self.now.mono;
        self.dirty = true;
    }

    pub(crate) fn private_lost(&mut self) {
        self.startup.reconciled = false;
        self.startup.reconciling = false;
        self.dirty = true;
    }

    fn reconcile(&mut self) {
        self.startup.reconciling = true;
        self.startup.traded = false;
        self.startup.open_orders = None;
        self.ask(Purpose::OpenOrders(Round::Reconcile));
        if self.state.incarnation > 1 && self.state.ledger.is_started() {
            let symbols: Vec<Symbol> = self.state.pairs.keys().copied().collect();
            for symbol in symbols {
                self.look_back(symbol);
            }
        }
    }

    /// Looks for orders of ours that ended at the venue while no journal knew them.
    fn look_back(&mut self, symbol: Symbol) {
        if self.startup.looked_back.insert(symbol) {
            let last = i64::try_from(self.startup.former_run.as_millis()).unwrap_or(i64::MAX);
            self.ask(Purpose::AllOrders(symbol, Millis(last - LOOK_BACK_MS)));
        }
    }

    pub(crate) fn on_reconcile_orders(&mut self, rows: Vec<OrderReport>, asked: Nanos) {
        self.note_epochs(&rows);
        if !self.state.ledger.is_started() {
            // Together with the balances, once they are here.
            self.startup.open_orders = Some(rows);
            self.ask(Purpose::Account(Round::Reconcile));
            return;
        }
        self.compare_orders(&rows, asked);
        self.reconciled();
    }

    /// Starting balances: taken when nothing traded between the two replies, or the open orders and the balances
    /// might tell of different moments.
    pub(crate) fn on_reconcile_account(&mut self, account: &AccountReport, asked: Nanos) {
        let Some(rows) = self.startup.open_orders.take() else { return };
        if self.startup.traded {
            self.startup_failed(&Purpose::Account(Round::Reconcile));
            return;
        }
        // Adopted before the ledger starts: what they traded so far is in the balances.
        self.compare_orders(&rows, asked);
        let balances: Vec<(Asset, Amount)> =
            account.balances.iter().map(|b| (b.asset, b.free + b.locked)).collect();
        self.commit(Fact::LedgerStarted { balances });
        self.audit.note_totals(self.now.mono, &self.state.ledger);
        self.reconciled();
    }

    fn reconciled(&mut self) {
        self.startup.reconciling = false;
        self.startup.reconciled = true;
        self.startup.ready = true;
        self.dirty = true;
        self.audit.hurry(self.now.mono);
        self.status_changed();
    }

    fn note_epochs(&mut self, rows: &[OrderReport]) {
        let epochs = rows.iter().filter_map(|row| ClientId::parse(&row.client_id).ok()).map(|id| id.epoch);
        if let Some(epoch) = epochs.max().filter(|&epoch| epoch > self.state.highest_epoch) {
            self.commit(Fact::Epoch { epoch });
            self.status_changed();
        }
    }

    /// Open orders of the venue against ours. `asked`: orders younger than that may be missing there.
    fn compare_orders(&mut self, rows: &[OrderReport], asked: Nanos) {
        for row in rows {
            if ClientId::parse(&row.client_id).is_ok() {
                self.on_order_row(row);
            }
        }
        let now = self.now.mono;
        let listed: BTreeSet<ClientOrderId> = rows.iter().map(|row| row.client_id).collect();
        let missing: Vec<ClientOrderId> = self
            .state
            .orders
            .live()
            .filter(|order| !order.state().is_terminal() && !listed.contains(&order.client_id))
            .filter(|order| order.created < asked || order.state() == State::Unknown)
            .map(|order| order.client_id)
            .collect();
        for client_id in missing {
            self.tracks.entry(client_id).or_default().ask(now);
        }
    }

    pub(crate) fn on_past_orders(&mut self, rows: &[OrderReport]) {
        self.note_epochs(rows);
        for row in rows {
            if self.is_strange(&row.client_id) {
                self.on_order_row(row);
            }
        }
    }

    /// A pair comes into use: its rules go into the journal, its fees and book are fetched.
    pub(crate) fn use_symbol(&mut self, symbol: Symbol) {
        let Some(terms) = self.instruments.get(&symbol) else { return };
        let (base, quote) = (terms.instrument.base, terms.instrument.quote);
        if self.state.pairs.get(&symbol) != Some(&(base, quote)) {
            self.commit(Fact::Pair { symbol, base, quote });
        }
        if let Entry::Vacant(place) = self.markets.entry(symbol) {
            place.insert(Market::new());
            self.ask(Purpose::TradeFee(symbol));
        }
    }
}
