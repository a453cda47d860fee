//! One side of a book.
//!
//! Levels near the best price lie in a window of neighbouring ticks; nearly all changes fall there. Levels behind it
//! lie in a hash map, unordered, as nobody asks for their order until the window is used up. Prices off the grid, which
//! a venue shows only when it changes its tick size, lie in a sorted map until there are enough of them to choose a
//! new grid. The window is moved whenever the best price leaves it or comes close to its end, so a level of the hash
//! map is never better than one of the window.

use std::collections::{BTreeMap, HashMap, btree_map};
use std::iter::Peekable;

use flashpod_types::{Price, Qty, Side};
use rustc_hash::FxBuildHasher;

use crate::book::Level;
use crate::grid::Grid;
use crate::window::Window;

/// The window spans at least this part of the best price, as far as its largest size allows.
const SPAN: i64 = 50;
const SMALLEST: usize = Window::UNIT;
const LARGEST: usize = 32 * Window::UNIT;
/// So many prices off the grid are borne before another is looked for.
const STRAYS: usize = 8;

/// Prices so ordered that the best is the smallest: as they are for asks, complemented for bids. (The complement turns
/// the order round and, unlike the negative, exists for every number.)
type Rank = i64;

#[derive(Debug, Clone)]
pub(crate) struct Ladder {
    side: Side,
    /// The best level of all, so that reading it costs nothing.
    top: Option<Level>,
    grid: Grid,
    window: Window,
    /// Rank, in ticks, of the window's first slot.
    origin: Rank,
    /// The first occupied slot; the window's length when there is none.
    best: usize,
    /// Levels behind the window, by rank in ticks.
    far: HashMap<Rank, i64, FxBuildHasher>,
    /// Levels off the grid, by rank of their price.
    strays: BTreeMap<Rank, i64>,
    /// How many strays make the grid questionable.
    strays_borne: usize,
    /// For moving; kept for its memory.
    moving: Vec<(Rank, i64)>,
}

const fn rank(side: Side, number: i64) -> Rank {
    match side {
        Side::Buy => !number,
        Side::Sell => number,
    }
}

/// The slot of a rank in a window; beyond its end when it lies outside, on whichever side: a rank before the origin
/// wraps to a huge number.
#[inline]
const fn slot(key: Rank, origin: Rank) -> usize {
    key.wrapping_sub(origin).cast_unsigned() as usize
}

impl Ladder {
    pub(crate) const fn new(side: Side) -> Self {
        Self {
            side,
            top: None,
            grid: Grid::new(1),
            window: Window::new(),
            origin: 0,
            best: 0,
            far: HashMap::with_hasher(FxBuildHasher),
            strays: BTreeMap::new(),
            strays_borne: STRAYS,
            moving: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.window.occupied() + self.far.len() + self.strays.len()
    }

    pub(crate) fn clear(&mut self) {
        self.top = None;
        self.window.clear();
        self.best = self.window.len();
        self.far.clear();
        self.strays.clear();
        self.strays_borne = STRAYS;
    }

    /// Replaces all levels, given in any order; zero quantities remove, of a repeated price the last one counts.
    pub(crate) fn load(&mut self, levels: impl Iterator<Item = Level> + Clone) {
        self.clear();
        self.fill(levels);
        self.strays_borne = STRAYS.max(2 * self.strays.len());
    }

    /// Sets grid, window and levels. There must be no levels.
    fn fill(&mut self, levels: impl Iterator<Item = Level> + Clone) {
        self.choose_grid(levels.clone().filter(|(_, qty)| !qty.is_zero()).map(|(price, _)| price));
        let Self { side, grid, window, origin, far, strays, .. } = self;
        for (price, qty) in levels {
            let qty = qty.raw();
            let ticks = grid.ticks(price).filter(|_| window.len() > 0);
            let Some(key) = ticks.map(|ticks| rank(*side, ticks)) else {
                put_stray(strays, rank(*side, price.raw()), qty);
                continue;
            };
            if window.set(slot(key, *origin), qty).is_none() {
                put_far(far, key, qty);
            }
        }
        self.best = self.window.next(0).unwrap_or(self.window.len());
        if self.window.occupied() == 0 {
            self.follow();
        }
        self.top = self.levels(1).next();
    }

    /// Sets grid and window for these prices. There must be no levels.
    fn choose_grid(&mut self, prices: impl Iterator<Item = Price> + Clone) {
        // Zero lies on every grid.
        let possible = prices.clone().filter(|price| !price.is_negative());
        let best = match self.side {
            Side::Buy => possible.max(),
            Side::Sell => possible.min(),
        };
        let Some(best) = best else { return };
        let Some(grid) = Grid::of(prices, best, LARGEST) else { return };
        self.grid = grid;
        let span = usize::try_from(best.raw() / SPAN / grid.tick()).unwrap_or(LARGEST);
        self.window.resize(span.next_power_of_two().clamp(SMALLEST, LARGEST));
        self.best = self.window.len();
        // On the grid but for strays, whose nearest tick serves as well.
        self.place_window(rank(self.side, best.raw() / grid.tick()));
    }

    /// Sets the quantity at one price, zero removes; gives the quantity before, zero for none.
    #[inline]
    pub(crate) fn set(&mut self, price: Price, qty: Qty) -> Qty {
        let Some(ticks) = self.grid.ticks(price) else { return self.set_stray(price, qty) };
        let key = rank(self.side, ticks);
        let at = slot(key, self.origin);
        let Some(before) = self.window.set(at, qty.raw()) else { return self.set_beyond(price, key, qty) };
        if at <= self.best {
            self.note_best(at, price, qty);
        }
        Qty::from_raw(before)
    }

    /// Something changed at the best slot or before it.
    #[inline]
    fn note_best(&mut self, at: usize, price: Price, qty: Qty) {
        if !qty.is_zero() {
            self.best = at;
            self.top = Some((price, qty));
        } else if at == self.best {
            self.best = self.window.next(at).unwrap_or(self.window.len());
            if self.best > self.window.len() / 2 {
                self.follow();
            }
            self.top =
                self.window.get(self.best).map(|qty| (self.price_of_slot(self.best), Qty::from_raw(qty)));
        }
        if !self.strays.is_empty() {
            self.top = self.levels(1).next();
        }
    }

    /// The best level went far back, or there is none left in the window: moves the window there.
    #[cold]
    fn follow(&mut self) {
        let best = match self.window.next(self.best) {
            Some(at) => Some(self.origin + at.cast_signed() as i64),
            None => self.far.keys().min().copied(),
        };
        if let Some(best) = best {
            self.move_window(best);
        }
    }

    #[inline(never)]
    fn set_beyond(&mut self, price: Price, key: Rank, qty: Qty) -> Qty {
        if self.window.len() == 0 {
            // Nothing was loaded yet: no grid.
            return self.set_stray(price, qty);
        }
        let better = key < self.origin || self.window.occupied() == 0;
        if better && !qty.is_zero() {
            self.move_window(key);
            return self.set(price, qty);
        }
        Qty::from_raw(put_far(&mut self.far, key, qty.raw()))
    }

    /// Puts the best rank at an eighth of the window: room ahead for a market that runs, and behind most of what rests.
    fn place_window(&mut self, best: Rank) {
        self.origin = best.saturating_sub((self.window.len() / 8).cast_signed() as i64);
    }

    #[cold]
    fn move_window(&mut self, best: Rank) {
        let mut moving = std::mem::take(&mut self.moving);
        let mut from = 0;
        while let Some(at) = self.window.next(from) {
            moving.push((self.origin + at.cast_signed() as i64, self.window.get(at).unwrap_or(0)));
            from = at + 1;
        }
        self.window.clear();
        self.place_window(best);
        let (origin, end) = (self.origin, self.window.len());
        moving.extend(self.far.extract_if(|key, _| slot(*key, origin) < end));
        for (key, qty) in moving.drain(..) {
            if self.window.set(slot(key, origin), qty).is_none() {
                self.far.insert(key, qty);
            }
        }
        self.best = self.window.next(0).unwrap_or(end);
        self.moving = moving;
    }

    #[cold]
    #[inline(never)]
    fn set_stray(&mut self, price: Price, qty: Qty) -> Qty {
        let before = put_stray(&mut self.strays, rank(self.side, price.raw()), qty.raw());
        if self.strays.len() > self.strays_borne {
            self.regrid();
        }
        self.top = self.levels(1).next();
        Qty::from_raw(before)
    }

    /// Looks for a grid that more prices lie on.
    fn regrid(&mut self) {
        let levels: Vec<Level> = self.levels(usize::MAX).collect();
        self.clear();
        self.fill(levels.iter().copied());
        // No second look before as many again have come.
        self.strays_borne = STRAYS.max(2 * self.strays.len());
    }

    pub(crate) fn qty_at(&self, price: Price) -> Qty {
        let stray = || self.strays.get(&rank(self.side, price.raw())).copied();
        let Some(ticks) = self.grid.ticks(price) else { return Qty::from_raw(stray().unwrap_or(0)) };
        let key = rank(self.side, ticks);
        let beyond = || self.far.get(&key).copied().or_else(stray);
        Qty::from_raw(self.window.get(slot(key, self.origin)).or_else(beyond).unwrap_or(0))
    }

    #[inline]
    pub(crate) const fn best(&self) -> Option<Level> {
        self.top
    }

    #[inline]
    fn price_of_slot(&self, at: usize) -> Price {
        self.price_of(self.origin + at.cast_signed() as i64)
    }

    #[inline]
    const fn price_of(&self, key: Rank) -> Price {
        self.grid.price(rank(self.side, key))
    }

    /// The best `wanted` levels behind the window, best last.
    fn best_far(&self, wanted: usize) -> Vec<(Rank, i64)> {
        let mut far: Vec<(Rank, i64)> = self.far.iter().map(|(key, qty)| (*key, *qty)).collect();
        if wanted < far.len() {
            far.select_nth_unstable(wanted);
            far.truncate(wanted);
        }
        far.sort_unstable_by(|a, b| b.cmp(a));
        far
    }

    /// The best `most` levels, best first.
    pub(crate) fn levels(&self, most: usize) -> Levels<'_> {
        let left = self.len().min(most);
        Levels { ladder: self, next: self.best, far: None, strays: self.strays.iter().peekable(), left }
    }
}

/// Sets a quantity, zero removes; gives the one before, zero for none.
fn put_far(far: &mut HashMap<Rank, i64, FxBuildHasher>, key: Rank, qty: i64) -> i64 {
    if qty == 0 { far.remove(&key) } else { far.insert(key, qty) }.unwrap_or(0)
}

fn put_stray(strays: &mut BTreeMap<Rank, i64>, key: Rank, qty: i64) -> i64 {
    if qty == 0 { strays.remove(&key) } else { strays.insert(key, qty) }.unwrap_or(0)
}

/// The best levels of one side, best first. Those behind the window are sorted when the window is used up.
#[derive(Debug, Clone)]
pub(crate) struct Levels<'a> {
    ladder: &'a Ladder,
    /// The next slot of the window.
    next: usize,
    /// As many as are still wanted, best last.
    far: Option<Vec<(Rank, i64)>>,
    strays: Peekable<btree_map::Iter<'a, Rank, i64>>,
    left: usize,
}

impl Levels<'_> {
    /// The next level on the grid, left where it is.
    fn on_grid(&mut self) -> Option<Level> {
        let ladder = self.ladder;
        if let Some(at) = ladder.window.next(self.next) {
            self.next = at;
            return Some((ladder.price_of_slot(at), Qty::from_raw(ladder.window.get(at)?)));
        }
        let wanted = self.left;
        let far = self.far.get_or_insert_with(|| ladder.best_far(wanted));
        far.last().map(|(key, qty)| (ladder.price_of(*key), Qty::from_raw(*qty)))
    }
}

impl Iterator for Levels<'_> {
    type Item = Level;

    fn next(&mut self) -> Option<Level> {
        if self.left == 0 {
            return None;
        }
        let side = self.ladder.side;
        let on_grid = self.on_grid();
        let stray = self.strays.peek().map(|(key, qty)| (**key, **qty));
        let stray = stray.filter(|(key, _)| on_grid.is_none_or(|level| *key < rank(side, level.0.raw())));
        self.left -= 1;
        if let Some((key, qty)) = stray {
            self.strays.next();
            return Some((Price::from_raw(rank(side, key)), Qty::from_raw(qty)));
        }
        match &mut self.far {
            Some(far) => drop(far.pop()),
            None => self.next += 1,
        }
        on_grid
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Levels<'_> {}
