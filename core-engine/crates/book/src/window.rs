//! A run of neighbouring ticks: a quantity for each, and a bitmap over those that are occupied.

/// Quantities by slot, slot 0 first in price. Its length is a multiple of [`Window::UNIT`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    /// Zero: no level.
    slots: Vec<i64>,
    /// A bit for each slot that is not zero.
    words: Vec<u64>,
    /// A bit for each word that is not zero.
    summary: Vec<u64>,
    occupied: usize,
}

impl Window {
    /// Slots under one word of the summary.
    pub(crate) const UNIT: usize = 64 * 64;

    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), words: Vec::new(), summary: Vec::new(), occupied: 0 }
    }

    /// Makes it empty and `slots` long, rounded up. The memory is untouched until levels use it.
    pub(crate) fn resize(&mut self, slots: usize) {
        let units = slots.div_ceil(Self::UNIT);
        if units == self.summary.len() {
            self.clear();
            return;
        }
        *self = Self {
            slots: vec![0; units * Self::UNIT],
            words: vec![0; units * 64],
            summary: vec![0; units],
            occupied: 0,
        };
    }

    pub(crate) fn clear(&mut self) {
        let mut from = 0;
        while let Some(at) = self.next(from) {
            self.slots[at] = 0;
            from = at + 1;
        }
        self.words.fill(0);
        self.summary.fill(0);
        self.occupied = 0;
    }

    pub(crate) const fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) const fn occupied(&self) -> usize {
        self.occupied
    }

    /// The quantity of a slot; none beyond the end.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<i64> {
        self.slots.get(at).copied()
    }

    /// Sets the quantity of a slot and gives the one before; none beyond the end. Without a branch on either: whether
    /// a level comes, changes or goes is as good as random.
    #[inline]
    pub(crate) fn set(&mut self, at: usize, qty: i64) -> Option<i64> {
        let before = std::mem::replace(self.slots.get_mut(at)?, qty);
        let (set, was) = (u64::from(qty != 0), u64::from(before != 0));
        let word = &mut self.words[at / 64];
        *word = *word & !(1 << (at % 64)) | set << (at % 64);
        let any = u64::from(*word != 0);
        let place = at / 64 % 64;
        let unit = &mut self.summary[at / Self::UNIT];
        *unit = *unit & !(1 << place) | any << place;
        self.occupied =
            self.occupied.wrapping_add_signed(set.cast_signed() as isize - was.cast_signed() as isize);
        Some(before)
    }

    /// The first occupied slot from `from` on.
    #[inline]
    pub(crate) fn next(&self, from: usize) -> Option<usize> {
        let word = from / 64;
        let rest = self.words.get(word)? >> (from % 64);
        if rest != 0 {
            return Some(from + rest.trailing_zeros() as usize);
        }
        let mut unit = (word + 1) / 64;
        let mut rest = self.summary.get(unit)? & (u64::MAX << ((word + 1) % 64));
        while rest == 0 {
            unit += 1;
            rest = *self.summary.get(unit)?;
        }
        let word = unit * 64 + rest.trailing_zeros() as usize;
        Some(word * 64 + self.words[word].trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_holds_what_a_map_would_hold(
            changes in prop::collection::vec((0_usize..2 * Window::UNIT + 5, -1_i64..2), 0..200),
            probes in prop::collection::vec(0_usize..3 * Window::UNIT, 20),
        ) {
            let mut window = Window::new();
            window.resize(2 * Window::UNIT - 1);
            let mut map = BTreeMap::new();
            for (at, qty) in changes {
                if at >= window.len() {
                    prop_assert_eq!(window.set(at, qty), None);
                    continue;
                }
                let before = if qty == 0 { map.remove(&at) } else { map.insert(at, qty) };
                prop_assert_eq!(window.set(at, qty), Some(before.unwrap_or(0)));
                prop_assert_eq!(window.get(at), Some(qty));
            }
            prop_assert_eq!(window.occupied(), map.len());
            for from in probes.into_iter().chain(map.keys().map(|at| at + 1)) {
                prop_assert_eq!(window.next(from), map.range(from..).next().map(|(at, _)| *at));
            }
            window.clear();
            prop_assert_eq!((window.occupied(), window.next(0)), (0, None));
            prop_assert!(map.keys().all(|at| window.get(*at) == Some(0)));
        }
    }
}
