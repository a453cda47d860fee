//! One pass: the tape, timers, requests and reports in the order of their times.
//!
//! There is one clock, the recorder's: an update or trade happens for the exchange and the strategy when the recorder
//! received it, and own requests and reports take their latency from there. At equal times requests come first, then
//! reports, then timers, then the market.

use flashpod_book::{Book, Level};
use flashpod_matching::{
    Display, FeeSchedule, Latency, OrderKey, OwnOrders, PassiveFill, Placement, QueueModel,
};
use flashpod_types::{Amount, Millis, Nanos, Price, Qty, Side};

use crate::account::{Account, Fill};
use crate::desk::{Counts, Desk, Report, Request};
use crate::strategy::{Strategy, View};
use crate::tape::{Happening, Tape};

/// The market's conditions.
#[derive(Debug)]
pub struct Settings {
    /// Between two timers of the strategy.
    pub period: Nanos,
    /// From the strategy to the exchange, and back.
    pub latency: [Latency; 2],
    /// Of the latencies, where they are drawn.
    pub seed: u64,
    /// Charged in the quote asset.
    pub fees: FeeSchedule,
    pub queue: Box<dyn QueueModel>,
    /// Lot size.
    pub step: Qty,
}

/// What came of a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// At the exchange: reports that are still on their way count.
    pub account: Account,
    /// In their order.
    pub fills: Vec<Fill>,
    pub counts: Counts,
    pub timers: u64,
    /// The book at the end.
    pub book: Book,
}

impl Outcome {
    /// Profit and loss at the last middle; with a side empty, the cash alone.
    #[must_use]
    pub fn pnl(&self) -> Amount {
        match Side::BOTH.map(|side| self.book.best(side)) {
            [Some((bid, _)), Some((ask, _))] => self.account.pnl(bid, ask),
            _ => self.account.cash,
        }
    }
}

struct Shown<'a>(&'a Book);

impl Display for Shown<'_> {
    #[inline]
    fn qty_at(&self, side: Side, price: Price) -> Qty {
        self.0.qty_at(side, price)
    }

    fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        self.0.levels(side)
    }
}

/// Runs a strategy over a tape.
pub fn run<S: Strategy>(tape: &Tape, settings: Settings, strategy: &mut S) -> Outcome {
    let Settings { period, latency: [there, back], seed, fees, queue, step } = settings;
    let mut pass = Pass {
        book: Book::new(),
        certified: false,
        own: OwnOrders::new(queue),
        sides: Sides::default(),
        desk: Desk::new(step, there, back, seed),
        fees,
        seen: Account::default(),
        account: Account::default(),
        fills: Vec::new(),
        period,
        timer: tape.span().0 + period,
        timers: 0,
    };
    for (received, made, happening) in tape.happenings() {
        if pass.due() <= received {
            pass.catch_up(received, strategy);
        }
        pass.happen(received, made, &happening);
        pass.desk.at(received);
        let view = View { now: received, book: &pass.book, certified: pass.certified, account: &pass.seen };
        strategy.on_market(view, &mut pass.desk);
    }
    let Pass { account, fills, desk, timers, book, .. } = pass;
    Outcome { account, fills, counts: desk.counts, timers, book }
}

/// The sides of the orders that rest.
#[derive(Debug, Default)]
struct Sides(Vec<(OrderKey, Side)>);

struct Pass {
    book: Book,
    certified: bool,
    own: OwnOrders,
    sides: Sides,
    desk: Desk,
    fees: FeeSchedule,
    /// As the strategy knows it.
    seen: Account,
    account: Account,
    fills: Vec<Fill>,
    period: Nanos,
    timer: Nanos,
    timers: u64,
}

impl Pass {
    /// When the next thing happens that is not the market.
    #[inline]
    fn due(&self) -> Nanos {
        self.timer.min(self.desk.next())
    }

    #[inline]
    fn happen(&mut self, received: Nanos, made: Millis, happening: &Happening<'_>) {
        match *happening {
            Happening::Update { bids, asks } => {
                self.own.on_update(&Shown(&self.book), made.0, bids, asks);
                for (price, qty) in bids {
                    self.book.apply(Side::Buy, *price, *qty);
                }
                for (price, qty) in asks {
                    self.book.apply(Side::Sell, *price, *qty);
                }
            }
            Happening::Trade { level: (price, qty), aggressor } => {
                let Self { own, sides, desk, fees, account, fills, .. } = self;
                own.on_trade((price, qty, aggressor), made.0, |passive| {
                    let PassiveFill { key, price, qty, left } = passive;
                    let Some(side) = sides.of(key, left) else { return };
                    let fill = Fill { at: received, key, side, price, qty, maker: true };
                    account.take(&fill, fees);
                    fills.push(fill);
                    desk.tell(received, Report::Filled { fill, left });
                });
            }
            Happening::Snapshot { bids, asks } => self.load(made, bids, asks),
            Happening::Lost => self.certified = false,
        }
    }

    /// A whole book: to the own orders it is an update of every level that it changes.
    #[cold]
    fn load(&mut self, made: Millis, bids: &[Level], asks: &[Level]) {
        let mut fresh = Book::new();
        fresh.load(bids, asks);
        let [bids, asks] = Side::BOTH.map(|side| {
            let gone = self.book.levels(side).filter(|(price, _)| fresh.qty_at(side, *price).is_zero());
            let gone = gone.map(|(price, _)| (price, Qty::ZERO));
            fresh.levels(side).chain(gone).collect::<Vec<Level>>()
        });
        self.own.on_update(&Shown(&self.book), made.0, &bids, &asks);
        self.book = fresh;
        self.certified = true;
    }

    /// Everything but the market that is due until `now`.
    #[inline(never)]
    fn catch_up<S: Strategy>(&mut self, now: Nanos, strategy: &mut S) {
        while self.due() <= now {
            let due = self.due();
            if let Some((at, request)) = self.desk.arrived(due) {
                self.request(at, request);
            } else if let Some((at, report)) = self.desk.told(due) {
                if let Report::Filled { fill, .. } = &report {
                    self.seen.take(fill, &self.fees);
                }
                self.ask(at, |view, desk| strategy.on_report(&report, view, desk));
            } else {
                self.timer = due + self.period;
                self.timers += 1;
                self.ask(due, |view, desk| strategy.on_timer(view, desk));
            }
        }
    }

    fn ask(&mut self, now: Nanos, ask: impl FnOnce(View<'_>, &mut Desk)) {
        self.desk.at(now);
        let view = View { now, book: &self.book, certified: self.certified, account: &self.seen };
        ask(view, &mut self.desk);
    }

    /// A request reaches the exchange.
    fn request(&mut self, at: Nanos, request: Request) {
        match request {
            Request::Cancel(key) => match self.own.cancel(key) {
                Some(left) => {
                    self.sides.forget(key);
                    self.desk.tell(at, Report::Cancelled { key, left });
                }
                None => {
                    self.desk.counts.too_late += 1;
                    self.desk.tell(at, Report::NotFound { key });
                }
            },
            Request::New(order) => {
                let placement = self.own.place(&Shown(&self.book), &order);
                let Placement { refusal, matches, resting, .. } = &placement;
                let (key, side) = (order.key, order.side);
                if let Some(refusal) = *refusal {
                    self.desk.counts.refused += 1;
                    self.desk.tell(at, Report::Refused { key, refusal });
                    return;
                }
                let mut left = match order.volume {
                    flashpod_matching::Volume::Base(qty) => qty,
                    flashpod_matching::Volume::Quote(_) => placement.taken(),
                };
                for taken in matches {
                    left -= taken.qty;
                    let fill = Fill { at, key, side, price: taken.price, qty: taken.qty, maker: false };
                    self.account.take(&fill, &self.fees);
                    self.fills.push(fill);
                    self.desk.tell(at, Report::Filled { fill, left });
                }
                if resting.is_positive() {
                    self.sides.0.push((key, side));
                    self.desk.tell(at, Report::Resting { key, left: *resting });
                } else if left.is_positive() {
                    self.desk.tell(at, Report::Cancelled { key, left });
                }
            }
        }
    }
}

impl Sides {
    /// The side of an order, which is forgotten when it has nothing left.
    fn of(&mut self, key: OrderKey, left: Qty) -> Option<Side> {
        let at = self.0.iter().position(|order| order.0 == key)?;
        let side = self.0[at].1;
        if left.is_zero() {
            self.0.swap_remove(at);
        }
        Some(side)
    }

    fn forget(&mut self, key: OrderKey) {
        self.0.retain(|order| order.0 != key);
    }
}
