//! The crowd. Market orders are a self-exciting (Hawkes) process per side, sampled by thinning (Ogata 1981);
//! limit orders speed up with the excitement; the lean between buyers and sellers reverts to its mean
//! (Ornstein–Uhlenbeck); each limit order has a life span drawn at birth, shorter near the touch; quotes that
//! the fair price has run over are pulled.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use flashpod_matching::{FifoBook, NewOrder, OrderKey, Volume};
use flashpod_types::{Amount, Nanos, OrderType, Price, Qty, Side};

use super::Profile;
use super::dice::Dice;

/// What the crowd does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    Place(NewOrder),
    Cancel(OrderKey),
    /// A thinned candidate: time passed, nothing happened.
    Nothing,
}

/// How often the lean forgets itself, per second, and its spread.
const LEAN_REVERSION: f64 = 0.35;
const LEAN_SPREAD: f64 = 0.7;

#[derive(Debug, Clone)]
pub struct Flow {
    profile: Profile,
    dice: Dice,
    /// Hidden fair price, quote units.
    fair: f64,
    /// Positive: buyers are keener.
    lean: f64,
    /// Excess rates of market buys and sells, per second.
    excited: [f64; 2],
    /// Time up to which the state holds, seconds since the start.
    at: f64,
    next: f64,
    /// The rate that bounded the draw of `next`.
    bound: f64,
    deaths: BinaryHeap<Reverse<(u64, OrderKey)>>,
    alive: HashSet<OrderKey>,
    next_key: u64,
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

impl Flow {
    /// `stream` keeps the symbols of one seed apart.
    #[must_use]
    pub fn new(profile: Profile, seed: u64, stream: u64) -> Self {
        let mut flow = Self {
            dice: Dice::new(seed, stream),
            fair: profile.price,
            lean: 0.0,
            excited: [0.0; 2],
            at: 0.0,
            next: 0.0,
            bound: 0.0,
            deaths: BinaryHeap::new(),
            alive: HashSet::new(),
            next_key: 0,
            profile,
        };
        flow.draw_next();
        flow
    }

    /// Orders that stand in the book when the market opens: the stationary crowd with its remaining lives.
    pub fn opening(&mut self) -> Vec<NewOrder> {
        // Rate × mean life gives the number alive; remaining lives of exponentials are exponential again.
        let mut orders = Vec::new();
        for zone in [Zone::Near, Zone::Middle, Zone::Far] {
            let alive = self.profile.limit_rate * zone.share() * zone.life();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            for _ in 0..alive as usize {
                let side = if self.dice.chance(0.5) { Side::Buy } else { Side::Sell };
                orders.push(self.limit_in(zone, side));
            }
        }
        orders
    }

    /// When [`Self::arrive`] is due: time since the start.
    #[must_use]
    pub fn next_at(&self) -> Nanos {
        let death = self.deaths.peek().map_or(u64::MAX, |Reverse((at, _))| *at);
        Nanos(death.min(nanos(self.next)))
    }

    /// The crowd's next step, given the book as it stands.
    pub fn arrive(&mut self, book: &FifoBook) -> Arrival {
        if let Some(Reverse((at, key))) = self.deaths.peek().copied()
            && at <= nanos(self.next)
        {
            self.deaths.pop();
            return if self.alive.remove(&key) { Arrival::Cancel(key) } else { Arrival::Nothing };
        }
        let bound = self.bound;
        self.pass(self.next - self.at);
        let rates = self.rates();
        let mut pick = self.dice.unit() * bound;
        let arrival = 'drawn: {
            for (kind, rate) in rates.into_iter().enumerate() {
                if pick < rate {
                    break 'drawn match kind {
                        0 => self.market(Side::Buy),
                        1 => self.market(Side::Sell),
                        2 => self.limit(),
                        _ => self.requote(book),
                    };
                }
                pick -= rate;
            }
            Arrival::Nothing
        };
        self.draw_next();
        arrival
    }

    /// A crowd order was filled up: its death needs no cancel any more.
    pub fn gone(&mut self, key: OrderKey) {
        self.alive.remove(&key);
    }

    /// Rates now: market buys, market sells, limits, checks of stale quotes.
    fn rates(&self) -> [f64; 4] {
        let tilt = (0.5 * self.lean).exp();
        let buys = self.profile.market_rate * tilt + self.excited[0];
        let sells = self.profile.market_rate / tilt + self.excited[1];
        let bustle = 1.0 + 0.12 * (self.excited[0] + self.excited[1]);
        [buys, sells, self.profile.limit_rate * bustle, self.profile.requote_rate * bustle]
    }

    fn draw_next(&mut self) {
        // Excitement only fades until the next event; the lean moves slowly: 5 % cover it.
        self.bound = self.rates().iter().sum::<f64>() * 1.05;
        self.next = self.at + self.dice.wait(1.0 / self.bound);
    }

    /// Lets `dt` seconds pass for the hidden state.
    fn pass(&mut self, dt: f64) {
        self.at = self.next;
        let fade = (-dt / self.profile.fade).exp();
        self.excited = self.excited.map(|x| x * fade);
        let keep = (-LEAN_REVERSION * dt).exp();
        self.lean = self.lean * keep + LEAN_SPREAD * (1.0 - keep * keep).sqrt() * self.dice.normal();
        // A weak pull home keeps day-long runs near their start; it is far below the noise of a minute.
        let home = (self.profile.price / self.fair).ln() * dt / 3600.0;
        let noise = self.profile.volatility * 1e-4 * dt.sqrt() * self.dice.normal();
        self.fair *= (home + noise).exp();
    }

    fn key(&mut self) -> OrderKey {
        self.next_key += 1;
        OrderKey(self.next_key)
    }

    fn step(&self) -> Qty {
        Qty::from_raw(10_i64.pow(8 - u32::try_from(self.profile.qty_places).unwrap_or(8)))
    }

    fn qty(&mut self, median: f64, sigma: f64) -> Qty {
        let size = self.dice.lognormal(median, sigma).min(median * 60.0);
        #[allow(clippy::cast_possible_truncation)]
        let raw = Qty::from_raw((size * 1e8) as i64);
        raw.floor_to(self.step()).max(self.step())
    }

    fn market(&mut self, side: Side) -> Arrival {
        let qty = self.qty(self.profile.size * 0.8, 1.2);
        let own = usize::from(!side.is_buy());
        self.excited[own] += self.profile.excitation / self.profile.fade;
        let relative = (qty.to_f64() / self.profile.size).sqrt().min(6.0);
        #[allow(clippy::cast_precision_loss)]
        let push = side.sign() as f64 * self.profile.impact * relative * 1e-4;
        self.fair *= 1.0 + push;
        let (key, step) = (self.key(), self.step());
        let kind = OrderType::Market;
        Arrival::Place(NewOrder { key, side, kind, price: Price::ZERO, volume: Volume::Base(qty), step })
    }

    fn limit(&mut self) -> Arrival {
        let buy_share = 1.0 / (1.0 + (-0.8 * self.lean).exp());
        let side = if self.dice.chance(buy_share) { Side::Buy } else { Side::Sell };
        let pick = self.dice.unit();
        let zone = if pick < Zone::Near.share() {
            Zone::Near
        } else if pick < Zone::Near.share() + Zone::Middle.share() {
            Zone::Middle
        } else {
            Zone::Far
        };
        Arrival::Place(self.limit_in(zone, side))
    }

    fn limit_in(&mut self, zone: Zone, side: Side) -> NewOrder {
        let half = self.dice.lognormal(self.profile.half_spread, 0.6);
        let distance = half
            + match zone {
                Zone::Near => self.dice.wait(self.profile.near),
                Zone::Middle => self.dice.wait(self.profile.middle),
                Zone::Far => (self.profile.far * self.dice.pareto(1.3)).min(150.0),
            };
        #[allow(clippy::cast_precision_loss)]
        let price = self.fair * (1.0 - side.sign() as f64 * distance * 1e-4);
        let tick = 10_i64.pow(8 - u32::try_from(self.profile.price_places).unwrap_or(8));
        #[allow(clippy::cast_possible_truncation)]
        let raw = Price::from_raw((price * 1e8) as i64);
        let price = if side.is_buy() {
            raw.floor_to(Price::from_raw(tick))
        } else {
            raw.ceil_to(Price::from_raw(tick))
        };
        // Keener side, larger size: the displayed imbalance tells of the lean.
        #[allow(clippy::cast_precision_loss)]
        let keen = (0.5 * self.lean * side.sign() as f64).exp();
        let qty = self.qty(self.profile.size * zone.size() * keen, 1.0);
        let (key, step) = (self.key(), self.step());
        let life = self.dice.wait(zone.life());
        self.alive.insert(key);
        self.deaths.push(Reverse((nanos(self.at + life), key)));
        NewOrder { key, side, kind: OrderType::Limit, price, volume: Volume::Base(qty), step }
    }

    /// Pulls one crowd quote that the fair price has run over, if there is one.
    fn requote(&mut self, book: &FifoBook) -> Arrival {
        for side in Side::BOTH {
            // The best level where the crowd stands: others' orders are not its to pull.
            let ours = |price: Price| {
                book.queue(side, price).map(|(key, _)| key).find(|key| self.alive.contains(key))
            };
            let Some((price, key)) = book.levels(side).find_map(|(price, _)| Some((price, ours(price)?)))
            else {
                continue;
            };
            let over = match side {
                Side::Buy => price.to_f64() > self.fair,
                Side::Sell => price.to_f64() < self.fair,
            };
            if over {
                self.alive.remove(&key);
                return Arrival::Cancel(key);
            }
        }
        Arrival::Nothing
    }

    /// The hidden price, for tests of believability.
    #[must_use]
    pub fn fair(&self) -> Amount {
        #[allow(clippy::cast_possible_truncation)]
        Amount::from_raw((self.fair * 1e8) as i128 * 100_000_000)
    }
}

/// Where a limit order goes.
#[derive(Debug, Clone, Copy)]
enum Zone {
    Near,
    Middle,
    Far,
}

impl Zone {
    /// Part of all limit orders.
    fn share(self) -> f64 {
        match self {
            Self::Near => 0.62,
            Self::Middle => 0.26,
            Self::Far => 0.12,
        }
    }

    /// Mean life, seconds.
    fn life(self) -> f64 {
        match self {
            Self::Near => 2.5,
            Self::Middle => 12.0,
            Self::Far => 90.0,
        }
    }

    /// Size in medians.
    fn size(self) -> f64 {
        match self {
            Self::Near => 1.6,
            Self::Middle => 3.0,
            Self::Far => 8.0,
        }
    }
}
