//! The experiment. A probe is a LIMIT_MAKER of one lot: too small to move the market, so that the same market can
//! be the truth and the public data. The public data are cut as a recording's: trades as they happen, depth
//! changes every `cadence`, neither with the probes in them.

use std::collections::{BTreeMap, BTreeSet};

use flashpod_matching::{EstimatedBook, FifoBook, LevelChange, NewOrder, OrderKey, QueueModel, Volume};
use flashpod_types::{Nanos, OrderType, Price, Qty, Side};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::market::OWN;
use crate::synthetic::{Arrival, Flow, Profile};

/// What is tried.
#[derive(Debug, Clone, Copy)]
pub struct Experiment {
    pub profile: Profile,
    pub seed: u64,
    pub orders: u64,
    /// Between two depth updates; zero: each change is shown at once.
    pub cadence: Nanos,
    /// Between two probes, in the mean: never in step with the depth updates.
    pub every: Nanos,
    /// After this long a probe is cancelled.
    pub horizon: Nanos,
}

/// One own order, in the truth and in each model's eyes.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    pub placed: Nanos,
    side: Side,
    price: Price,
    /// What truly stood before it, in median orders of the crowd.
    pub ahead: f64,
    /// Time to the fill, if it came within the horizon.
    pub truth: Option<Nanos>,
    /// It was met by an arriving quote, not by a market order. Without it that quote would just rest: no trade of
    /// the public data tells of such a fill.
    pub by_quote: bool,
    /// The same by the models, in their order.
    pub models: Vec<Option<Nanos>>,
}

/// What came of it.
#[derive(Debug, PartialEq)]
pub struct Run {
    pub models: Vec<&'static str>,
    pub probes: Vec<Probe>,
    /// Probes that would have taken: the market moved since the last depth update.
    pub refused: u64,
}

struct State<'a> {
    experiment: &'a Experiment,
    flow: Flow,
    book: FifoBook,
    estimates: Vec<EstimatedBook>,
    probes: Vec<Probe>,
    /// Probes' quantity by level: what the public does not see.
    hidden: BTreeMap<(Side, Price), Qty>,
    /// What the public saw last, and what changed since.
    shown: BTreeMap<(Side, Price), Qty>,
    touched: BTreeSet<(Side, Price)>,
    /// Stamp of public data; with a cadence the millisecond, without one a number of its own for each event.
    stamp: i64,
    dice: ChaCha8Rng,
    refused: u64,
}

/// Runs the experiment with these queue models.
#[must_use]
pub fn run(experiment: &Experiment, models: Vec<Box<dyn QueueModel>>) -> Run {
    let names = models.iter().map(|model| model.name()).collect();
    let mut state = State::new(experiment, models);
    let mut next_probe = experiment.every;
    let mut next_cut = experiment.cadence;
    let mut placed = 0;
    let mut oldest = 0;
    loop {
        let event = state.flow.next_at();
        let expiry = state.probes.get(oldest).map(|probe| probe.placed + experiment.horizon);
        let probe = if placed < experiment.orders { Some(next_probe) } else { None };
        let cut = if experiment.cadence.0 > 0 { Some(next_cut) } else { None };
        // At the same time the market comes first, then what the public sees of it.
        let now = [Some(event), cut, expiry, probe].into_iter().flatten().min().unwrap_or(event);
        if now == event {
            state.step(now);
        } else if Some(now) == cut {
            state.stamp = milliseconds(now) - 1;
            state.show();
            next_cut = next_cut + experiment.cadence;
        } else if Some(now) == expiry {
            state.expire(oldest);
            oldest += 1;
            if oldest == state.probes.len() && placed >= experiment.orders {
                break;
            }
        } else {
            placed += u64::from(state.place(now));
            next_probe = next_probe + state.pause();
        }
    }
    Run { models: names, probes: state.probes, refused: state.refused }
}

fn milliseconds(at: Nanos) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}

impl<'a> State<'a> {
    fn new(experiment: &'a Experiment, models: Vec<Box<dyn QueueModel>>) -> Self {
        let mut flow = Flow::new(experiment.profile, experiment.seed, 0);
        let mut book = FifoBook::new();
        for order in flow.opening() {
            let placed = book.place(&order);
            for found in placed.matches.iter().filter(|m| m.maker_left.is_zero()) {
                found.maker.into_iter().for_each(|maker| flow.gone(maker));
            }
            if placed.resting.is_zero() {
                flow.gone(order.key);
            }
        }
        let mut dice = ChaCha8Rng::seed_from_u64(experiment.seed);
        // The flow has the low streams of the seed.
        dice.set_stream(1 << 33);
        let mut state = Self {
            experiment,
            flow,
            book,
            estimates: models.into_iter().map(EstimatedBook::new).collect(),
            probes: Vec::new(),
            hidden: BTreeMap::new(),
            shown: BTreeMap::new(),
            touched: BTreeSet::new(),
            stamp: 0,
            dice,
            refused: 0,
        };
        state.touch();
        state.show();
        state
    }

    /// The crowd's next step.
    fn step(&mut self, now: Nanos) {
        let exact = self.experiment.cadence.0 == 0;
        self.stamp = if exact { self.stamp + 1 } else { milliseconds(now) };
        match self.flow.arrive(&self.book) {
            Arrival::Nothing => return,
            Arrival::Cancel(key) => {
                self.book.cancel(key);
            }
            Arrival::Place(order) => self.trade(now, &order),
        }
        self.touch();
        if exact {
            self.show();
        }
    }

    fn trade(&mut self, now: Nanos, order: &NewOrder) {
        let placed = self.book.place(order);
        if placed.resting.is_zero() {
            self.flow.gone(order.key);
        }
        for found in &placed.matches {
            let Some(maker) = found.maker else { continue };
            if let Some(index) = probe_of(maker) {
                let probe = &mut self.probes[index];
                probe.truth = Some(now.since(probe.placed));
                probe.by_quote = order.kind != OrderType::Market;
                self.unhide(index);
                continue;
            }
            if found.maker_left.is_zero() {
                self.flow.gone(maker);
            }
            for (model, estimate) in self.estimates.iter_mut().enumerate() {
                for fill in estimate.on_trade(found.price, found.qty, order.side, self.stamp) {
                    if let Some(index) = probe_of(fill.key) {
                        let probe = &mut self.probes[index];
                        probe.models[model] = Some(now.since(probe.placed));
                    }
                }
            }
        }
    }

    /// Notes which levels changed.
    fn touch(&mut self) {
        for change in self.book.drain_changes() {
            self.touched.insert((change.side, change.price));
        }
    }

    /// A depth update for everybody: the levels that changed, without the probes.
    fn show(&mut self) {
        let mut changes = Vec::new();
        for (side, price) in std::mem::take(&mut self.touched) {
            let total: Qty = self.book.queue(side, price).map(|(_, qty)| qty).sum();
            let hidden = self.hidden.get(&(side, price)).copied().unwrap_or_default();
            let qty = total - hidden;
            let old = self.shown.insert((side, price), qty).unwrap_or_default();
            if qty.is_zero() {
                self.shown.remove(&(side, price));
            }
            if old != qty {
                changes.push(LevelChange { side, price, qty });
            }
        }
        for estimate in &mut self.estimates {
            estimate.on_depth(self.stamp, changes.iter().copied());
        }
    }

    fn lot(&self) -> Qty {
        Qty::from_raw(unit(self.experiment.profile.qty_places))
    }

    /// Until the next probe: anything up to twice the mean.
    fn pause(&mut self) -> Nanos {
        Nanos(self.dice.random_range(1..=self.experiment.every.0.max(1) * 2))
    }

    /// Where the next probe goes: better than the touch, at it, or some levels behind it, as the public sees it.
    fn pick(&mut self) -> Option<(Side, Price)> {
        let side = if self.dice.random_range(0..2) == 0 { Side::Buy } else { Side::Sell };
        let depth = [None, Some(0), Some(1), Some(3), Some(8)][self.dice.random_range(0..5)];
        let estimate = self.estimates.first()?;
        let Some(depth) = depth else {
            let tick = Price::from_raw(unit(self.experiment.profile.price_places));
            let touch = estimate.best(side)?.0;
            let better = if side.is_buy() { touch + tick } else { touch - tick };
            let free = estimate.best(side.opposite())?.0 != better;
            return Some((side, if free { better } else { touch }));
        };
        estimate.levels(side).nth(depth).map(|(price, _)| (side, price))
    }

    /// Places a probe; whether it was let in by the truth and by all models.
    fn place(&mut self, now: Nanos) -> bool {
        let Some((side, price)) = self.pick() else { return false };
        let index = self.probes.len();
        let lot = self.lot();
        let order = NewOrder {
            key: OrderKey(OWN + index as u64),
            side,
            kind: OrderType::LimitMaker,
            price,
            volume: Volume::Base(lot),
            step: lot,
        };
        let fits = self.book.preview(&order, None).is_ok()
            && self.estimates.iter().all(|estimate| estimate.preview(&order).is_ok());
        if !fits {
            self.refused += 1;
            return false;
        }
        self.book.place(&order);
        for estimate in &mut self.estimates {
            estimate.place(&order);
        }
        *self.hidden.entry((side, price)).or_default() += lot;
        self.touch();
        let ahead = self.book.ahead_of(order.key).unwrap_or_default().to_f64();
        self.probes.push(Probe {
            placed: now,
            side,
            price,
            ahead: ahead / self.experiment.profile.size,
            truth: None,
            by_quote: false,
            models: vec![None; self.estimates.len()],
        });
        true
    }

    fn expire(&mut self, index: usize) {
        let key = OrderKey(OWN + index as u64);
        if self.book.cancel(key).is_some() {
            self.unhide(index);
            self.touch();
        }
        for estimate in &mut self.estimates {
            estimate.cancel(key);
        }
    }

    /// A probe left its level.
    fn unhide(&mut self, index: usize) {
        let place = (self.probes[index].side, self.probes[index].price);
        let lot = self.lot();
        if let Some(hidden) = self.hidden.get_mut(&place) {
            *hidden -= lot;
            if hidden.is_zero() {
                self.hidden.remove(&place);
            }
        }
    }
}

/// The smallest step of so many decimal places, in units of 1e-8.
fn unit(places: usize) -> i64 {
    10_i64.pow(8 - u32::try_from(places.min(8)).unwrap_or(8))
}

fn probe_of(key: OrderKey) -> Option<usize> {
    usize::try_from(key.0.checked_sub(OWN)?).ok()
}
