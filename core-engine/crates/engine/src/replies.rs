//! Replies of the venue, each to what asked for it.

use flashpod_mexc::rest;
use flashpod_orders::{Deal, Update};
use flashpod_types::{ClientOrderId, Millis, Nanos, Symbol};

use crate::engine::Engine;
use crate::io::{HttpOutcome, RequestId};
use crate::pages::{Reading, horizon};
use crate::requests::{Purpose, Round, TRADES_LIMIT};
use crate::track::TradesReading;
use crate::trade::{Told, classify};

/// Without a Retry-After, and at least.
const PAUSE: Nanos = Nanos::from_secs(1);
/// The shortest ban of an address (API reference §3.3), where the venue does not say how long it lasts.
const BAN: Nanos = Nanos::from_secs(120);
/// How far back myTrades goes: a month (API reference §7), taken for its shortest.
const TRADES_SHOWN_DAYS: i64 = 28;

impl Engine {
    pub(crate) fn on_http(
        &mut self,
        id: RequestId,
        sent: Option<Nanos>,
        received: Nanos,
        outcome: &HttpOutcome,
    ) {
        let Some(pending) = self.requests.answered(id) else { return };
        self.dirty = true;
        self.note_limits(outcome);
        self.settle_call(&pending, sent, received, outcome);
        self.note_way(&pending, sent, received, outcome);
        if !self.is_news(&pending, outcome) {
            return;
        }
        let asked = sent.unwrap_or(pending.released);
        match &pending.purpose {
            Purpose::Place(client_id) => self.on_place_reply(client_id, outcome),
            Purpose::Cancel(client_id) => self.on_cancel_reply(client_id, outcome),
            Purpose::Query(_, client_id) => self.on_query_reply(client_id, outcome, asked),
            purpose => {
                let told = classify(outcome);
                let done = match told {
                    Told::Body(body) => self.on_body(purpose, body, asked, received),
                    Told::Refused(error) => {
                        self.startup.trouble(purpose, &format!("was refused: {error}"));
                        self.on_refused(purpose);
                        false
                    }
                    told => {
                        self.startup.trouble(purpose, told.why_not());
                        self.ask_later(purpose);
                        false
                    }
                };
                if done {
                    self.startup.settled(purpose);
                } else {
                    self.on_failed(purpose);
                }
            }
        }
    }

    /// 429 and 418 pause everything for as long as the venue says.
    fn note_limits(&mut self, outcome: &HttpOutcome) {
        match outcome {
            HttpOutcome::Reply { status, retry_after_s, body } => {
                let limited = flashpod_mexc::classify(*status, *retry_after_s, body);
                let flashpod_mexc::Outcome::RateLimited { banned, retry_after_s } = limited else { return };
                if banned {
                    self.counters.http_418 += 1;
                } else {
                    self.counters.http_429 += 1;
                }
                let unsaid = if banned { BAN } else { PAUSE };
                let wait = retry_after_s.map_or(unsaid, |s| Nanos::from_secs(u64::from(s)));
                self.window.pause(self.now.mono + wait.max(PAUSE));
            }
            HttpOutcome::Timeout => self.counters.timeouts += 1,
            HttpOutcome::Broken { .. } => {}
        }
    }

    /// False: the body is not what it should be.
    fn on_body(&mut self, purpose: &Purpose, body: &[u8], asked: Nanos, received: Nanos) -> bool {
        match purpose {
            Purpose::Time => {
                let Ok(venue) = rest::time(body) else { return false };
                self.paper.delays.note_time(received.since(asked));
                if self.clock.sample(asked, received, venue) {
                    self.ask(Purpose::Time);
                }
            }
            Purpose::ExchangeInfo => {
                let Ok(info) = rest::exchange_info(body) else { return false };
                self.on_rules(&info);
            }
            Purpose::SelfSymbols => {
                let Ok(symbols) = rest::tradable_symbols(body) else { return false };
                self.startup.own_symbols = Some(symbols.into_iter().collect());
            }
            Purpose::Uid => self.startup.venue_uid = rest::uid(body).unwrap_or_default(),
            Purpose::TradeFee(symbol) => {
                let Ok(fees) = rest::trade_fee(body) else { return false };
                if let Some(market) = self.markets.get_mut(symbol) {
                    market.fees = Some((fees.maker, fees.taker));
                }
                if let Some(terms) = self.instruments.get_mut(symbol) {
                    (terms.maker_fee, terms.taker_fee) = (fees.maker, fees.taker);
                }
            }
            Purpose::OpenOrders(round) => {
                let Ok(rows) = rest::orders(body) else { return false };
                match round {
                    Round::Reconcile(round) => self.on_reconcile_orders(*round, rows, asked),
                    Round::Audit => self.audit.open_orders(rows, asked),
                }
            }
            Purpose::Account(round) => {
                let Ok(account) = rest::account(body) else { return false };
                match round {
                    Round::Reconcile(round) => self.on_reconcile_account(*round, account, asked, received),
                    Round::Audit => self.audit.account(account, asked, received),
                }
            }
            Purpose::AllOrders(symbol) => {
                let Ok(rows) = rest::orders(body) else { return false };
                self.on_past_orders(*symbol, &rows);
            }
            Purpose::ListenKeys => {
                let Ok(keys) = rest::listen_keys(body) else { return false };
                self.on_listen_keys(&keys);
            }
            Purpose::CreateListenKey => {
                let Ok(key) = rest::listen_key(body) else { return false };
                self.on_listen_key(key);
            }
            Purpose::DeleteListenKey(_) => self.counters.listen_keys_deleted += 1,
            Purpose::ExtendListenKey(_) => {}
            Purpose::Depth(symbol, subscription) | Purpose::DepthAudit(symbol, subscription) => {
                let Ok(depth) = rest::depth(body) else { return false };
                if matches!(purpose, Purpose::Depth(..)) {
                    self.on_snapshot(*symbol, *subscription, &depth);
                } else {
                    self.on_audit_snapshot(*symbol, *subscription, &depth);
                }
            }
            Purpose::Ticker(symbol) => {
                let Ok(top) = rest::book_ticker(body) else { return false };
                self.on_ticker(*symbol, &top, received);
            }
            Purpose::Trades(client_id) => {
                let Ok(rows) = rest::my_trades(body) else { return false };
                self.on_trades(client_id, rows);
            }
            Purpose::Place(_) | Purpose::Cancel(_) | Purpose::Query(..) => {}
        }
        true
    }

    fn on_failed(&mut self, purpose: &Purpose) {
        match purpose {
            Purpose::OpenOrders(Round::Audit) | Purpose::Account(Round::Audit) => {
                self.audit.failed(self.now.mono);
            }
            Purpose::TradeFee(symbol) => self.fees_failed(*symbol),
            // Asked for again by whoever misses it.
            Purpose::Trades(..) | Purpose::Depth(..) | Purpose::DepthAudit(..) | Purpose::Ticker(_) => {}
            other => self.startup_failed(other),
        }
    }

    /// Without the account's own rates those of exchangeInfo are used.
    fn fees_failed(&mut self, symbol: Symbol) {
        let Some(terms) = self.instruments.get(&symbol) else { return };
        if let Some(market) = self.markets.get_mut(&symbol) {
            market.fees = market.fees.or(Some((terms.maker_fee, terms.taker_fee)));
        }
    }

    /// The fills of one order.
    fn on_trades(&mut self, client_id: &ClientOrderId, page: Vec<rest::TradeReport>) {
        let Some(rows) = self.read_trades(client_id, page) else { return };
        let Some(order) = self.state.orders.get(client_id) else { return };
        let (order_id, traded_before) = (order.order_id(), order.terms.before.is_positive());
        let mut rows_of_order: Vec<&rest::TradeReport> =
            rows.iter().filter(|row| row.order_id == order_id).collect();
        // What traded before this ledger began is in its starting balances: the newest fills explain what is missing.
        if traded_before {
            rows_of_order.reverse();
            rows_of_order.sort_by_key(|row| std::cmp::Reverse(row.time));
        }
        for row in rows_of_order {
            let deal = Deal {
                trade_id: row.trade_id,
                price: row.price,
                qty: row.qty,
                value: row.quote,
                fee: row.commission,
                fee_asset: row.commission_asset,
                maker: row.maker,
                time_ms: row.time.0,
            };
            let wanted = self.state.orders.get(client_id).is_some_and(|order| {
                let known = order.deals().iter().any(|known| known.trade_id == deal.trade_id);
                !known && (!traded_before || deal.qty <= order.missing_deals())
            });
            if wanted {
                self.feed(client_id, Update::Deal(deal));
            }
        }
    }

    /// All fills of an order, oldest first, once their last page is here; until then the next is asked for.
    fn read_trades(
        &mut self,
        client_id: &ClientOrderId,
        mut page: Vec<rest::TradeReport>,
    ) -> Option<Vec<rest::TradeReport>> {
        let now = self.clock.venue_millis(self.now.mono)?;
        let since = Millis(self.state.orders.get(client_id)?.terms.timestamp_ms - 1000);
        let track = self.tracks.get_mut(client_id)?;
        let rows = page.len();
        if page.first().zip(page.last()).is_some_and(|(first, last)| first.time > last.time) {
            page.reverse();
        }
        let reading = match track.trades.take() {
            None if rows < usize::from(TRADES_LIMIT) => return Some(page),
            None => {
                let from = since.max(horizon(now, TRADES_SHOWN_DAYS));
                TradesReading {
                    pages: Reading::new(from, Millis(now.0 + 1000), TRADES_LIMIT),
                    rows: Vec::new(),
                }
            }
            Some(mut reading) => {
                if reading.pages.turn(rows) {
                    reading.rows.append(&mut page);
                }
                reading
            }
        };
        if reading.pages.page().is_none() {
            return Some(reading.rows);
        }
        track.trades = Some(reading);
        self.ask(Purpose::Trades(*client_id));
        None
    }
}
