//! From nothing to ready: time, trading rules, private stream, reconciliation. Read-only until a lease is granted.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use flashpod_mexc::rest::{AccountReport, ExchangeInfo, OrderReport};
use flashpod_orders::{ClientId, Order, State, Update};
use flashpod_types::{Amount, Asset, ClientOrderId, Nanos, Symbol};

use crate::engine::Engine;
use crate::fact::Fact;
use crate::io::{InstrumentTerms, TradingState};
use crate::market::Market;
use crate::requests::{Purpose, Round};

/// Trading rules are read again this often.
const RULES_PERIOD: Nanos = Nanos::from_secs(3600);
const RETRY: Nanos = Nanos::from_secs(1);
/// The same for what trading does not depend on.
const ASK_LATER: Nanos = Nanos::from_secs(5);

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
    /// Number of the newest reconciliation.
    round: u32,
    retry: Nanos,
    open_orders: Option<Vec<OrderReport>>,
    /// Balances to start the ledger from, and when that may be done.
    balances: Option<(AccountReport, Nanos, Nanos)>,
    /// Something moved the balances since openOrders was asked for: the two may not belong together.
    pub(crate) disturbed: bool,
    /// What was not answered and is asked for again, and when.
    later: Vec<(Nanos, Purpose)>,
    asked: bool,
    /// An epoch that was granted although a higher one was used before.
    pub(crate) stale_epoch: Option<u64>,
    /// As last worked out, for the status.
    pub(crate) account_state: (TradingState, Vec<String>),
    /// Time of the newest input of the run before.
    pub(crate) former_run: Nanos,
    /// What the start last asked for in vain, and why.
    trouble: Option<(&'static str, String)>,
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
            round: 0,
            retry: Nanos::ZERO,
            open_orders: None,
            balances: None,
            disturbed: false,
            later: Vec::new(),
            asked: false,
            stale_epoch: None,
            account_state: (TradingState::Halted, vec!["STARTING".into()]),
            former_run,
            trouble: None,
        }
    }

    /// A request did not bring what it was for.
    pub(crate) fn trouble(&mut self, purpose: &Purpose, why: &str) {
        if let Some(what) = waited_for(purpose) {
            self.trouble = Some((what, why.to_owned()));
        }
    }

    /// A request brought what it was for.
    pub(crate) fn settled(&mut self, purpose: &Purpose) {
        if self.trouble.as_ref().is_some_and(|(what, _)| Some(*what) == waited_for(purpose)) {
            self.trouble = None;
        }
    }

    /// Why the account can't trade yet, for the status.
    pub(crate) fn waits(&self) -> String {
        let mut text = "STARTING: the account is not reconciled with the venue yet".to_owned();
        if let Some((what, why)) = &self.trouble {
            text.push_str(&format!(": {what} {why}"));
        }
        text
    }
}

/// What the start can't do without, in the venue's words and without any key.
const fn waited_for(purpose: &Purpose) -> Option<&'static str> {
    match purpose {
        Purpose::Time => Some("GET /api/v3/time"),
        Purpose::ExchangeInfo => Some("GET /api/v3/exchangeInfo"),
        Purpose::CreateListenKey => Some("POST /api/v3/userDataStream"),
        Purpose::OpenOrders(Round::Reconcile(_)) => Some("GET /api/v3/openOrders"),
        Purpose::Account(Round::Reconcile(_)) => Some("GET /api/v3/account"),
        _ => None,
    }
}

impl Engine {
    pub(crate) fn start(&mut self) {
        let now = self.now.mono;
        // The run before may have used up the bucket a moment ago.
        if self.state.incarnation > 1 {
            self.window.pause(now + self.config.rate.window + self.config.rate.margin);
        }
        // The first audit must have something to compare with, before anything is booked.
        if self.state.ledger.is_started() {
            self.audit.note_totals(now, &self.state.ledger);
        }
        self.restart_paper();
        // No reply of the former run will be heard: what it had under way is unknown.
        let pending: Vec<(ClientOrderId, State)> =
            self.state.orders.live().map(|order| (order.terms.client_id, order.state())).collect();
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
        let (due, later) =
            std::mem::take(&mut self.startup.later).into_iter().partition(|(at, _)| now >= *at);
        self.startup.later = later;
        let due: Vec<(Nanos, Purpose)> = due;
        for (_, purpose) in due {
            self.ask(purpose);
        }
        let later = self.startup.later.iter().map(|(at, _)| *at).min();
        let starting = self.poll_starting_balances();
        let retry = (self.startup.retry > now).then_some(self.startup.retry);
        let (time, rules) = (Some(self.clock.next_round()), Some(self.startup.rules_at));
        [time, rules, retry, later, starting].into_iter().flatten().min()
    }

    /// Something of the start failed: again in a moment.
    pub(crate) fn startup_failed(&mut self, purpose: &Purpose) {
        let now = self.now.mono;
        match purpose {
            Purpose::Time => self.clock.failed(now, RETRY),
            Purpose::ExchangeInfo => self.startup.rules_at = now + RETRY,
            Purpose::OpenOrders(Round::Reconcile(round)) | Purpose::Account(Round::Reconcile(round))
                if *round == self.startup.round =>
            {
                self.startup.reconciling = false;
                self.startup.retry = now + RETRY;
            }
            Purpose::ListenKeys => {
                // Old keys stay until they expire; a new one is made all the same.
                self.startup.keys_listed = true;
            }
            Purpose::CreateListenKey => self.startup.key_retry = now + RETRY,
            Purpose::ExtendListenKey(_) => self.startup.extend_at = now + Nanos::from_secs(30),
            Purpose::AllOrders(_) => self.past.failed(now),
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

    pub(crate) fn on_refused(&mut self, purpose: &Purpose) {
        match purpose {
            // The venue does not know the key of the private stream any more: a new one is made, and the stream lives
            // on until it is there.
            Purpose::ExtendListenKey(key) if self.startup.listen_key.as_ref() == Some(key) => {
                self.ask(Purpose::CreateListenKey);
            }
            // There may be too many of them.
            Purpose::CreateListenKey => self.ask(Purpose::ListenKeys),
            // The venue does not offer it: exchangeInfo alone decides.
            Purpose::SelfSymbols => self.startup.own_symbols = Some(BTreeSet::new()),
            Purpose::AllOrders(_) => self.past.refused(),
            _ => {}
        }
    }

    /// Nobody answered: what nothing waits for, and nobody else would ask for again, is asked for later.
    pub(crate) fn ask_later(&mut self, purpose: &Purpose) {
        let none_waits = matches!(
            purpose,
            Purpose::SelfSymbols | Purpose::Uid | Purpose::TradeFee(_) | Purpose::DeleteListenKey(_)
        );
        if none_waits {
            self.startup.later.push((self.now.mono + ASK_LATER, purpose.clone()));
        }
    }

    /// The private stream is there: what was missed while it was not is found out now.
    pub(crate) fn private_joined(&mut self) {
        self.private_lost();
        self.startup.retry = self.now.mono;
        self.dirty = true;
    }

    pub(crate) fn private_lost(&mut self) {
        self.startup.reconciled = false;
        self.startup.reconciling = false;
        self.startup.balances = None;
        self.dirty = true;
    }

    fn reconcile(&mut self) {
        self.startup.reconciling = true;
        self.startup.round += 1;
        self.startup.disturbed = false;
        (self.startup.open_orders, self.startup.balances) = (None, None);
        self.ask(Purpose::OpenOrders(Round::Reconcile(self.startup.round)));
        self.look_back();
    }

    pub(crate) fn on_reconcile_orders(&mut self, round: u32, rows: Vec<OrderReport>, asked: Nanos) {
        self.note_epochs(&rows);
        if round != self.startup.round || !self.startup.reconciling {
            return;
        }
        let knows_the_past = self.desired.generation > 0 && self.startup.rules_loaded;
        if !self.state.ledger.is_started() && !knows_the_past {
            // The agent may bring what another core left.
            self.startup_failed(&Purpose::OpenOrders(Round::Reconcile(round)));
            return;
        }
        if !self.state.ledger.is_started() && !self.take_over() {
            // Together with the balances, once they are here.
            self.startup.open_orders = Some(rows);
            self.ask(Purpose::Account(Round::Reconcile(round)));
            return;
        }
        self.compare_orders(&rows, asked);
        self.reconciled();
    }

    /// Starting balances: taken when nothing moved them between the two replies and shortly after, or the open orders
    /// and the balances might tell of different moments, and a deal told late might be in them already.
    pub(crate) fn on_reconcile_account(
        &mut self,
        round: u32,
        account: AccountReport,
        asked: Nanos,
        received: Nanos,
    ) {
        if round == self.startup.round && self.startup.reconciling {
            self.startup.balances = Some((account, asked, received + self.config.tuning.audit_slack));
        }
    }

    /// Starts the ledger once that may be done. When to look again.
    fn poll_starting_balances(&mut self) -> Option<Nanos> {
        let due = self.startup.balances.as_ref().map(|(_, _, due)| *due)?;
        if self.now.mono < due {
            return Some(due);
        }
        if let (Some((account, asked, _)), Some(rows)) =
            (self.startup.balances.take(), self.startup.open_orders.take())
        {
            self.start_ledger(&rows, &account, asked);
        }
        None
    }

    fn start_ledger(&mut self, rows: &[OrderReport], account: &AccountReport, asked: Nanos) {
        if self.startup.disturbed {
            self.startup_failed(&Purpose::Account(Round::Reconcile(self.startup.round)));
            return;
        }
        // Adopted before the ledger starts: what they traded so far is in the balances.
        self.compare_orders(rows, asked);
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

    pub(crate) fn note_epochs(&mut self, rows: &[OrderReport]) {
        let epochs = rows.iter().filter_map(|row| ClientId::parse(&row.client_id).ok()).map(|id| id.epoch);
        if let Some(epoch) = epochs.max().filter(|&epoch| epoch > self.state.highest_epoch) {
            self.commit(Fact::Epoch { epoch });
            self.status_changed();
        }
    }

    /// Whether an order was written down before a moment. One of a former run was, whatever the clock of its boot said.
    pub(crate) fn is_older(&self, order: &Order, moment: Nanos) -> bool {
        let of_former_run =
            ClientId::parse(&order.terms.client_id).is_ok_and(|id| id.incarnation < self.state.incarnation);
        of_former_run || order.terms.created < moment
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
            .filter(|order| !order.state().is_terminal() && !listed.contains(&order.terms.client_id))
            .filter(|order| self.is_older(order, asked) || order.state() == State::Unknown)
            .map(|order| order.terms.client_id)
            .collect();
        for client_id in missing {
            self.tracks.entry(client_id).or_default().ask(now);
        }
    }

    /// A pair comes into use: its rules go into the journal, its fees and book are fetched.
    pub(crate) fn use_symbol(&mut self, symbol: Symbol) {
        if !self.instruments.contains_key(&symbol) {
            return;
        }
        self.note_pair(symbol);
        if let Entry::Vacant(place) = self.markets.entry(symbol) {
            let market = place.insert(Market::new());
            if !self.config.credentials {
                // Those that the venue lists.
                market.fees = self.instruments.get(&symbol).map(|terms| (terms.maker_fee, terms.taker_fee));
            }
            self.ask(Purpose::TradeFee(symbol));
        }
    }

    /// Writes the assets of a pair down: without them its deals can't be booked.
    pub(crate) fn note_pair(&mut self, symbol: Symbol) {
        let Some(terms) = self.instruments.get(&symbol) else { return };
        let (base, quote) = (terms.instrument.base, terms.instrument.quote);
        if self.state.pairs.get(&symbol) != Some(&(base, quote)) {
            self.commit(Fact::Pair { symbol, base, quote });
            if self.startup.ready {
                self.look_back();
            }
        }
    }
}
