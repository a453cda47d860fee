//! The exchange's state and its passage through time.

use std::collections::{BTreeMap, HashMap, VecDeque};

use flashpod_types::Nanos;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::io::{HttpRequest, Output, RequestId, SessionId};
use super::later::OnTheWay;
use super::{AccountState, OrderList, Session, StpGroup};
use crate::accounts::AccountSpec;
use crate::faults::Faults;
use crate::market::Market;
use crate::rest::{self, Limits};
use crate::settings::{FeeIn, Settings};

#[derive(Debug)]
pub struct ExchangeConfig {
    pub settings: Settings,
    pub faults: Faults,
    pub accounts: Vec<AccountSpec>,
    pub markets: Vec<Market>,
    pub seed: u64,
    /// Recorded markets move by [`Exchange::play`], not by the clock.
    pub full_speed: bool,
}

#[derive(Debug, Default)]
pub struct Counters {
    pub unknown_paths: BTreeMap<String, u64>,
    pub trades: u64,
    pub pushes: u64,
    pub dropped_by_fault: u64,
}

#[derive(Debug)]
pub struct Exchange {
    pub(crate) settings: Settings,
    pub(crate) now: Nanos,
    full_speed: bool,
    pub(crate) markets: Vec<Market>,
    pub(crate) by_symbol: HashMap<String, usize>,
    pub(crate) accounts: Vec<AccountState>,
    pub(crate) by_key: HashMap<String, usize>,
    /// The index is the order's identity; matchers know it as `OWN + index`.
    pub(crate) orders: OrderList,
    pub(crate) by_order_id: HashMap<String, usize>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) limits: Limits,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) stp_groups: Vec<StpGroup>,
    pub(super) later: OnTheWay,
    pub(super) outputs: VecDeque<Output>,
    pub(super) next_session: u64,
    pub(super) next_housekeeping: Nanos,
    pub(super) next_second: Nanos,
    /// Last pictures pushed: best levels per market and cadence, and when limit depth left.
    pub(super) shown: Vec<super::public::Shown>,
}

const SECOND: Nanos = Nanos(1_000_000_000);
/// Seconds between two mini tickers.
const MINI_TICKER_S: u64 = 3;
/// Between two looks at what is over its time.
pub(super) const HOUSEKEEPING: Nanos = Nanos(250_000_000);

impl Exchange {
    #[must_use]
    pub fn new(config: ExchangeConfig, now: Nanos) -> Self {
        let mx_deduct = config.settings.fee_in == FeeIn::Mx;
        let by_symbol =
            config.markets.iter().enumerate().map(|(i, m)| (m.listing.symbol().to_owned(), i)).collect();
        let accounts: Vec<AccountState> =
            config.accounts.iter().map(|spec| AccountState::new(spec, mx_deduct)).collect();
        let by_key = accounts.iter().enumerate().map(|(i, a)| (a.api_key.clone(), i)).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        let mut faults = config.faults;
        faults.begin(now);
        // The markets use the low streams of the seed.
        rng.set_stream(1 << 32);
        Self {
            shown: config.markets.iter().map(|_| super::public::Shown::default()).collect(),
            now,
            full_speed: config.full_speed,
            markets: config.markets,
            by_symbol,
            accounts,
            by_key,
            orders: OrderList::default(),
            by_order_id: HashMap::new(),
            sessions: BTreeMap::new(),
            limits: Limits::default(),
            faults,
            counters: Counters::default(),
            rng,
            stp_groups: Vec::new(),
            later: OnTheWay::new(config.settings.latency_seed),
            settings: config.settings,
            outputs: VecDeque::new(),
            next_session: 1,
            next_housekeeping: now + HOUSEKEEPING,
            next_second: now + SECOND,
        }
    }

    /// Next thing to send, oldest first.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// A request arrived at `now`. Its reply comes as an output, at once or after the venue's latency.
    pub fn handle_http(&mut self, now: Nanos, id: RequestId, request: &HttpRequest) {
        self.advance(now);
        rest::handle(self, id, request);
    }

    /// Whether the clock moves this market.
    fn by_clock(&self, market: &Market) -> bool {
        !(self.full_speed && market.as_recorded().is_some())
    }

    /// When [`Self::advance`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Nanos {
        let mut next = self.next_housekeeping.min(self.next_second);
        next = next.min(self.later.due().unwrap_or(next));
        for market in &self.markets {
            if self.by_clock(market) {
                next = next.min(market.next_at().unwrap_or(next));
            }
            for which in 0..2 {
                next = next.min(market.push_due(which).unwrap_or(next));
            }
        }
        next
    }

    /// Lets everything happen that is due up to `now`, in the order of its time.
    pub fn advance(&mut self, now: Nanos) {
        loop {
            let next = self.next_deadline();
            if next > now {
                break;
            }
            self.now = self.now.max(next);
            self.happen(next);
        }
        self.now = self.now.max(now);
    }

    /// At full speed: plays up to `most` recorded events, the tape that is furthest behind first.
    pub fn play(&mut self, most: usize) {
        for _ in 0..most {
            let next = (0..self.markets.len())
                .filter_map(|index| self.markets[index].next_offset().map(|offset| (offset, index)))
                .min();
            let Some((_, index)) = next else { break };
            self.step_market(index);
        }
    }

    /// Whether [`Self::play`] has something to do.
    #[must_use]
    pub fn tape_waits(&self) -> bool {
        self.full_speed && self.markets.iter().any(|market| market.next_offset().is_some())
    }

    /// Does the one thing that is due at `at`.
    fn happen(&mut self, at: Nanos) {
        if self.later.due().is_some_and(|due| due <= at) {
            return self.arrive();
        }
        for index in 0..self.markets.len() {
            for which in 0..2 {
                if self.markets[index].push_due(which).is_some_and(|due| due <= at) {
                    self.push_batch(index, which);
                    return;
                }
            }
            let market = &self.markets[index];
            if self.by_clock(market) && market.next_at().is_some_and(|due| due <= at) {
                self.step_market(index);
                return;
            }
        }
        if self.next_second <= at {
            self.next_second = self.next_second + SECOND;
            self.push_klines();
            if (self.next_second.0 / SECOND.0).is_multiple_of(MINI_TICKER_S) {
                self.push_mini_tickers();
            }
            return;
        }
        self.next_housekeeping = at + HOUSEKEEPING;
        self.watch_sessions();
    }

    fn step_market(&mut self, index: usize) {
        let step = self.markets[index].step(self.now);
        for fill in step.own {
            self.passive_fill(index, fill);
        }
        if let Some(update) = step.update {
            self.push_update(index, update);
        }
    }

    pub(crate) fn answer_audit(&mut self, id: RequestId) {
        let picture = Box::new(self.picture());
        self.outputs.push_back(Output::Audit(id, picture));
    }
}
