//! One world: what the venue has, what the core knows of it, and everything that can happen next.

use flashpod_orders::order::NewOrder;
use flashpod_orders::{Deal, Ending, Order, Origin, Report, State, Update};
use flashpod_risk::{Gate, Market, Order as RiskOrder, Purpose, TradingState, View};
use flashpod_types::{
    Amount, Asset, ClientOrderId, Instrument, Nanos, OrderId, OrderType, Price, Qty, Side, Symbol, TradeId,
};

use crate::Kernel;
use crate::scenarios::{Asked, Scenario, units};

pub(crate) const OWNERS: usize = 2;
pub(crate) const PAIRS: usize = 2;
/// What each strategy has at the beginning: of the base of each pair, and of the common quote asset.
pub(crate) const BASE: i64 = 2;
pub(crate) const QUOTE: i64 = 450;
/// The market does not move: what limits are counted at.
pub(crate) const MID: i64 = 100;

/// Where an order truly is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Its request is on its way.
    Travels,
    /// Its request never arrives.
    Dropped,
    Rests,
    Ended,
}

/// What can happen. Orders by their place in the world.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code)] // What it holds is read by `Debug`, in the path to a broken limit.
pub(crate) enum Event {
    Sent(Asked),
    Stopped,
    SecondPassed,
    Moved(usize, Place),
    FilledOne(usize),
    Heard(usize, Word),
}

/// What the core may hear of an order, or do about it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Word {
    NoAnswer,
    CancelSent,
    CancelFailed,
    Absent,
    Accepted,
    /// How it stands at the venue, by push or query.
    Reported,
    /// The deal of one unit.
    Deal(i64),
}

#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) asked: Asked,
    pub(crate) place: Place,
    /// What truly filled.
    pub(crate) filled: i64,
    /// What the core knows.
    pub(crate) known: Order,
}

impl Sent {
    pub(crate) fn lives(&self) -> bool {
        matches!(self.place, Place::Travels | Place::Rests)
    }

    /// All that tells two orders apart.
    fn key(&self) -> [i64; 12] {
        let Asked { owner, pair, buys, price, qty, reduce_only } = self.asked;
        let number = |n: usize| i64::try_from(n).unwrap();
        let trades: i64 = self.known.deals().iter().map(|deal| 1 << deal.time_ms).sum();
        [
            number(owner),
            number(pair),
            i64::from(buys),
            price,
            qty,
            i64::from(reduce_only),
            self.place as i64,
            self.filled,
            self.known.state() as i64,
            self.known.filled().raw(),
            trades,
            i64::from(self.known.order_id().is_empty()),
        ]
    }
}

/// Which orders a view counts: all, as it should, or not those of some kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    All,
    NotUnknown,
    NotUnanswered,
    NotUnbooked,
    NotCancelling,
}

impl Counts {
    fn counts(self, order: &Order) -> bool {
        match self {
            Self::All => true,
            Self::NotUnknown => order.state() != State::Unknown,
            Self::NotUnanswered => order.state() != State::PendingNew,
            Self::NotUnbooked => !order.state().is_terminal(),
            Self::NotCancelling => order.state() != State::PendingCancel,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) orders: Vec<Sent>,
    /// Booked: base and quote moved, by strategy and pair.
    base: [[i64; PAIRS]; OWNERS],
    quote: [i64; OWNERS],
    sent: usize,
    /// Orders sent in the second that runs.
    pub(crate) lately: u32,
    pub(crate) state: TradingState,
    /// What every strategy could own and owe in each pair at worst, when it was stopped.
    pub(crate) at_stop: Option<[[(i64, i64); PAIRS]; OWNERS]>,
    /// An order was approved that had to reduce, and does not.
    pub(crate) wrongly_reduced: bool,
}

fn names() -> [(Symbol, Asset); PAIRS] {
    [("AUSD", "A"), ("BUSD", "B")]
        .map(|(symbol, base)| (Symbol::new(symbol).unwrap(), Asset::new(base).unwrap()))
}

fn instrument(pair: usize) -> Instrument {
    let (symbol, base) = names()[pair];
    Instrument {
        symbol,
        base,
        quote: Asset::new("USD").unwrap(),
        tick: Price::from_raw(Price::SCALE),
        step: Qty::from_raw(Qty::SCALE),
        min_qty: Qty::from_raw(Qty::SCALE),
        min_notional: Amount::ZERO,
        max_notional: Amount::ZERO,
        band: None,
        trading: true,
    }
}

fn qty(units: i64) -> Qty {
    Qty::from_raw(units * Qty::SCALE)
}

fn price(units: i64) -> Price {
    Price::from_raw(units * Price::SCALE)
}

const fn side(asked: &Asked) -> Side {
    if asked.buys { Side::Buy } else { Side::Sell }
}

const fn signed(asked: &Asked, units: i64) -> i64 {
    if asked.buys { units } else { -units }
}

impl World {
    pub(crate) const fn new() -> Self {
        Self {
            orders: Vec::new(),
            base: [[0; PAIRS]; OWNERS],
            quote: [0; OWNERS],
            sent: 0,
            lately: 0,
            state: TradingState::Active,
            at_stop: None,
            wrongly_reduced: false,
        }
    }

    /// All that tells two worlds apart: the order of orders does not.
    pub(crate) fn key(&self) -> Vec<i64> {
        let mut orders: Vec<[i64; 12]> = self.orders.iter().map(Sent::key).collect();
        orders.sort_unstable();
        let mut key: Vec<i64> = orders.into_iter().flatten().collect();
        key.extend(self.base.iter().flatten().chain(&self.quote));
        key.extend([i64::try_from(self.sent).unwrap(), i64::from(self.lately), self.state as i64]);
        let worst = self.at_stop.iter().flatten().flatten();
        key.extend(worst.flat_map(|(long, short)| [*long, *short]));
        key
    }

    /// Everything that can happen next, by name.
    pub(crate) fn successors(
        &self,
        scenario: &Scenario,
        kernel: Kernel<'_>,
        counts: Counts,
    ) -> Vec<(Event, Self)> {
        let mut all = Vec::new();
        if self.sent < scenario.orders {
            for &asked in &scenario.asked {
                if self.passes(scenario, asked, kernel, counts) {
                    all.push((Event::Sent(asked), self.with(asked)));
                }
            }
        }
        if let Some(state) = scenario.stops.filter(|state| *state != self.state) {
            all.push((Event::Stopped, Self { state, at_stop: Some(self.worst()), ..self.clone() }));
        }
        if self.lately > 0 && scenario.limits.max_order_rate.is_some() {
            all.push((Event::SecondPassed, Self { lately: 0, ..self.clone() }));
        }
        for at in 0..self.orders.len() {
            all.extend(self.moved(at));
            all.extend(self.heard(at));
        }
        all
    }

    /// What the venue may do with an order.
    fn moved(&self, at: usize) -> Vec<(Event, Self)> {
        let to = |place| {
            let mut next = self.clone();
            next.orders[at].place = place;
            (Event::Moved(at, place), next)
        };
        match self.orders[at].place {
            Place::Travels => vec![to(Place::Rests), to(Place::Dropped)],
            Place::Rests => vec![self.filled_one(at), to(Place::Ended)],
            Place::Dropped | Place::Ended => Vec::new(),
        }
    }

    fn filled_one(&self, at: usize) -> (Event, Self) {
        let mut next = self.clone();
        let order = &mut next.orders[at];
        order.filled += 1;
        if order.filled == order.asked.qty {
            order.place = Place::Ended;
        }
        (Event::FilledOne(at), next)
    }

    fn heard(&self, at: usize) -> Vec<(Event, Self)> {
        let order = &self.orders[at];
        let mut words = match order.known.state() {
            State::PendingNew => vec![Word::NoAnswer],
            State::Open | State::PartiallyFilled => vec![Word::CancelSent],
            State::PendingCancel => vec![Word::CancelFailed],
            _ => Vec::new(),
        };
        match order.place {
            Place::Travels => {}
            Place::Dropped => words.push(Word::Absent),
            Place::Rests | Place::Ended => {
                words.extend([Word::Accepted, Word::Reported]);
                words.extend((0..order.filled).map(Word::Deal));
            }
        }
        words.into_iter().filter_map(|word| Some((Event::Heard(at, word), self.told(at, word)?))).collect()
    }

    /// After the core heard this; None when it is no news.
    fn told(&self, at: usize, word: Word) -> Option<Self> {
        let mut next = self.clone();
        let order = &mut next.orders[at];
        let change = order.known.apply(&update(order, word));
        if !change.news {
            return None;
        }
        let asked = order.asked;
        // What is known to be over, and truly is, is history. What the core takes for over too early stays, to be found.
        let truly = !order.lives() && order.known.dealt() == qty(order.filled);
        if order.known.is_closed() && truly {
            next.orders.remove(at);
        }
        if change.booked {
            next.base[asked.owner][asked.pair] += signed(&asked, 1);
            next.quote[asked.owner] -= signed(&asked, asked.price);
        }
        Some(next)
    }

    fn with(&self, asked: Asked) -> Self {
        let mut next = self.clone();
        next.wrongly_reduced |= asked.reduce_only && !self.truly_reduces(&asked);
        let (symbol, _) = names()[asked.pair];
        let known = Order::new(NewOrder {
            client_id: ClientOrderId::new("fpaaaaaaaa-1-1-1").unwrap(),
            instance: asked.owner.to_string().into(),
            symbol,
            side: side(&asked),
            kind: OrderType::Limit,
            price: price(asked.price),
            qty: qty(asked.qty),
            origin: Origin::Flatten,
            reduces: false,
            timestamp_ms: 0,
            created: Nanos::ZERO,
            created_unix: Nanos::ZERO,
            before: Qty::ZERO,
        });
        next.orders.push(Sent { asked, place: Place::Travels, filled: 0, known });
        next.sent += 1;
        next.lately += 1;
        next
    }

    /// Whatever of ours fills first, it makes the position smaller.
    fn truly_reduces(&self, asked: &Asked) -> bool {
        let (mut held, mut same_way) = (self.held(asked.owner, asked.pair), 0);
        for order in self.of(asked.owner, asked.pair).filter(|order| order.lives()) {
            if order.asked.buys == asked.buys {
                same_way += order.asked.qty - order.filled;
            }
        }
        held = if asked.buys { -held } else { held };
        asked.qty <= held - same_way
    }

    pub(crate) fn of(&self, owner: usize, pair: usize) -> impl Iterator<Item = &Sent> {
        self.orders.iter().filter(move |order| order.asked.owner == owner && order.asked.pair == pair)
    }

    /// What a strategy truly holds of a pair, beyond what it was given.
    pub(crate) fn held(&self, owner: usize, pair: usize) -> i64 {
        let unbooked =
            |order: &Sent| signed(&order.asked, order.filled - order.known.dealt().raw() / Qty::SCALE);
        self.base[owner][pair] + self.of(owner, pair).map(unbooked).sum::<i64>()
    }

    /// What it truly has of the quote asset once everything that lives has filled and nothing was sold.
    pub(crate) fn quote_at_worst(&self, owner: usize) -> i64 {
        let taken = |order: &Sent| {
            let booked = order.known.dealt().raw() / Qty::SCALE;
            let rest = if order.lives() && order.asked.buys { order.asked.qty - order.filled } else { 0 };
            signed(&order.asked, order.filled - booked) * order.asked.price + rest * order.asked.price
        };
        let own = self.orders.iter().filter(|order| order.asked.owner == owner);
        QUOTE + self.quote[owner] - own.map(taken).sum::<i64>()
    }

    /// The longest and the shortest each strategy may become in each pair by what lives.
    pub(crate) fn worst(&self) -> [[(i64, i64); PAIRS]; OWNERS] {
        std::array::from_fn(|owner| {
            std::array::from_fn(|pair| {
                let held = self.held(owner, pair);
                let left = |buys: bool| -> i64 {
                    let living = self.of(owner, pair).filter(|o| o.lives() && o.asked.buys == buys);
                    living.map(|order| order.asked.qty - order.filled).sum()
                };
                (held + left(true), left(false) - held)
            })
        })
    }

    /// What the core knows, as the checks see it; whether they let this order pass.
    fn passes(&self, scenario: &Scenario, asked: Asked, kernel: Kernel<'_>, counts: Counts) -> bool {
        let instrument = instrument(asked.pair);
        let counted = || self.orders.iter().filter(|order| counts.counts(&order.known));
        let exposure = |owner: usize, pair: usize, buys: bool| -> Qty {
            let own =
                counted().filter(|o| (o.asked.owner, o.asked.pair, o.asked.buys) == (owner, pair, buys));
            own.map(|order| order.known.exposure()).sum()
        };
        let worst = |owner: usize, pair: usize| -> Amount {
            let held = qty(self.base[owner][pair]);
            let (long, short) = (held + exposure(owner, pair, true), exposure(owner, pair, false) - held);
            price(MID).notional(long.max(short).max(Qty::ZERO))
        };
        let everywhere = || (0..OWNERS).flat_map(|owner| (0..PAIRS).map(move |pair| (owner, pair)));
        let others = || everywhere().filter(|at| *at != (asked.owner, asked.pair));
        let open = |owner: Option<usize>| {
            let mine = counted().filter(|order| owner.is_none_or(|owner| order.asked.owner == owner));
            u32::try_from(mine.filter(|order| !order.known.state().is_terminal()).count()).unwrap()
        };
        let in_flight =
            counted().filter(|order| order.asked.owner == asked.owner && flies(order.known.state()));
        let best = |buys: bool| {
            let own = counted().filter(|o| o.asked.pair == asked.pair && o.asked.buys == buys);
            let prices = own.filter(|o| !o.known.state().is_terminal()).map(|o| price(o.asked.price));
            if buys { prices.max() } else { prices.min() }
        };
        let locked = |buys: bool, pair: Option<usize>| -> Amount {
            let own = counted().filter(|o| o.asked.owner == asked.owner && o.asked.buys == buys);
            let own = own.filter(|o| pair.is_none_or(|pair| o.asked.pair == pair));
            own.map(|o| {
                if buys {
                    price(o.asked.price).notional(o.known.exposure())
                } else {
                    o.known.exposure().into()
                }
            })
            .sum()
        };
        let gate = Gate { state: self.state, breach: None, reason: "" };
        let market = Market { bid: price(MID), ask: price(MID), certified: true, age: Nanos::ZERO };
        let view = View {
            gate,
            instrument: Some(&instrument),
            limits: &scenario.limits,
            account: &scenario.account,
            position: qty(self.base[asked.owner][asked.pair]),
            buys: exposure(asked.owner, asked.pair, true),
            sells: exposure(asked.owner, asked.pair, false),
            open_orders: open(Some(asked.owner)),
            in_flight: u32::try_from(in_flight.count()).unwrap(),
            account_open_orders: open(None),
            other_exposure: others().map(|(owner, pair)| worst(owner, pair)).sum(),
            pair_exposure: others()
                .filter(|at| at.1 == asked.pair)
                .map(|(owner, pair)| worst(owner, pair))
                .sum(),
            market: Some(market),
            last_trade: None,
            orders_last_second: self.lately,
            free_base: units(BASE + self.base[asked.owner][asked.pair]) - locked(false, Some(asked.pair)),
            free_quote: units(QUOTE + self.quote[asked.owner]) - locked(true, None),
            fee: Amount::ZERO,
            own_bid: best(true),
            own_ask: best(false),
        };
        let order = RiskOrder {
            symbol: instrument.symbol,
            side: side(&asked),
            kind: OrderType::Limit,
            price: price(asked.price),
            qty: qty(asked.qty),
            reduce_only: asked.reduce_only,
            purpose: Purpose::Strategy,
        };
        kernel(order, &view)
    }
}

/// Waits for the venue's word.
const fn flies(state: State) -> bool {
    matches!(state, State::PendingNew | State::PendingCancel | State::Unknown)
}

fn update(order: &Sent, word: Word) -> Update {
    let order_id = OrderId::new("C02__1").unwrap();
    match word {
        Word::NoAnswer => Update::Lost,
        Word::CancelSent => Update::CancelSent,
        Word::CancelFailed => Update::CancelFailed,
        Word::Absent => Update::Absent,
        Word::Accepted => Update::Accepted { order_id },
        Word::Reported => {
            let whole = order.filled == order.asked.qty;
            let ended = if whole { Ending::Filled } else { Ending::Cancelled };
            let ending = (order.place == Place::Ended).then_some(ended);
            Update::Report(Report { order_id, ending, filled: qty(order.filled) })
        }
        Word::Deal(unit) => Update::Deal(deal(&order.asked, unit)),
    }
}

/// One unit of an order, as its private deal tells.
fn deal(asked: &Asked, unit: i64) -> Deal {
    Deal {
        trade_id: TradeId::new(&format!("T{unit}")).unwrap(),
        price: price(asked.price),
        qty: qty(1),
        value: units(asked.price),
        fee: Amount::ZERO,
        fee_asset: Asset::new("USD").unwrap(),
        maker: true,
        time_ms: unit,
    }
}
