//! Mark-outs: where the market is 1 s, 5 s and 30 s after a fill. A maker whose marks run against it is being picked
//! off; a taker whose marks do not run its way pays the spread for nothing.

use std::collections::{BTreeMap, VecDeque};

use flashpod_orders::order::NewOrder;
use flashpod_orders::{Deal, Owner};
use flashpod_types::{Amount, Nanos, Price, Qty, Side, Symbol};

use crate::engine::Engine;
use crate::io::InstanceName;
use crate::status::MarkOut;

const AFTER: [Nanos; 3] = [Nanos::from_secs(1), Nanos::from_secs(5), Nanos::from_secs(30)];

/// A fill that has not been marked out to the end.
#[derive(Debug)]
struct Fill {
    instance: Owner,
    symbol: Symbol,
    side: Side,
    price: Price,
    qty: Qty,
    at: Nanos,
}

impl Fill {
    fn marked_out(&self, mark: Price) -> Amount {
        let moved = (mark - self.price).notional(self.qty);
        if self.side.is_buy() { moved } else { -moved }
    }
}

#[derive(Debug, Default)]
pub(crate) struct MarkOuts {
    /// Oldest first. A fill leaves once it is as old as the longest time.
    fills: VecDeque<Fill>,
    /// How many of them have got as old as each time.
    marked: [usize; AFTER.len()],
    sums: BTreeMap<InstanceName, BTreeMap<Symbol, [MarkOut; AFTER.len()]>>,
}

impl MarkOuts {
    pub(crate) fn note(&mut self, terms: &NewOrder, deal: &Deal, now: Nanos) {
        let NewOrder { instance, symbol, side, .. } = terms;
        let (instance, symbol, side) = (instance.clone(), *symbol, *side);
        self.fills.push_back(Fill { instance, symbol, side, price: deal.price, qty: deal.qty, at: now });
    }

    /// Takes every mark that is due. When the next one is.
    fn take(&mut self, now: Nanos, mark: impl Fn(Symbol) -> Option<Price>) -> Option<Nanos> {
        for (at, &after) in AFTER.iter().enumerate() {
            while let Some(fill) = self.fills.get(self.marked[at]).filter(|fill| fill.at + after <= now) {
                self.marked[at] += 1;
                // Without a price there is nothing to tell of it.
                let Some(mark) = mark(fill.symbol) else { continue };
                if !self.sums.contains_key(fill.instance.as_str()) {
                    self.sums.insert(fill.instance.to_string(), BTreeMap::new());
                }
                let Some(pairs) = self.sums.get_mut(fill.instance.as_str()) else { continue };
                let sum = &mut pairs.entry(fill.symbol).or_insert_with(|| AFTER.map(MarkOut::after))[at];
                sum.fills += 1;
                sum.value += fill.marked_out(mark);
                sum.notional += fill.price.notional(fill.qty);
            }
        }
        let done = self.marked.into_iter().min().unwrap_or(0);
        self.fills.drain(..done);
        self.marked = self.marked.map(|marked| marked - done);
        let due =
            AFTER.iter().zip(self.marked).filter_map(|(&after, at)| Some(self.fills.get(at)?.at + after));
        due.min()
    }

    pub(crate) fn of(&self, instance: &str, symbol: Symbol) -> Vec<MarkOut> {
        self.sums
            .get(instance)
            .and_then(|pairs| pairs.get(&symbol))
            .map(|sums| sums.to_vec())
            .unwrap_or_default()
    }

    /// What no longer runs is not told of any more.
    pub(crate) fn forget(&mut self, instance: &str) {
        self.sums.remove(instance);
    }
}

impl MarkOut {
    fn after(after: Nanos) -> Self {
        Self { after, ..Self::default() }
    }
}

impl Engine {
    /// When to look again.
    pub(crate) fn poll_mark_outs(&mut self) -> Option<Nanos> {
        let markets = &self.markets;
        self.mark_outs.take(self.now.mono, |symbol| markets.get(&symbol)?.mark())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    fn fill(side: Side, at: u64) -> Fill {
        Fill {
            instance: "maker".into(),
            symbol: Symbol::new("BTCUSDC").unwrap(),
            side,
            price: price("100"),
            qty: "2".parse().unwrap(),
            at: Nanos::from_secs(at),
        }
    }

    fn told(outs: &MarkOuts) -> Vec<(u64, u64, String)> {
        let all = outs.of("maker", Symbol::new("BTCUSDC").unwrap());
        all.iter().map(|out| (out.after.as_millis(), out.fills, out.value.to_string())).collect()
    }

    #[test]
    fn every_fill_is_marked_at_each_time_from_its_own_side() {
        let mut outs = MarkOuts::default();
        outs.fills.extend([fill(Side::Buy, 10), fill(Side::Sell, 12)]);
        let at = |secs| Nanos::from_secs(secs);
        assert_eq!(outs.take(at(10), |_| Some(price("100"))), Some(at(11)));
        assert_eq!(outs.take(at(11), |_| Some(price("101"))), Some(at(13)), "the sale's first second");
        assert_eq!(outs.take(at(13), |_| Some(price("103"))), Some(at(15)));
        let second = (1000, 2, "-4".to_owned());
        assert_eq!(told(&outs), [second.clone(), (5000, 0, "0".into()), (30_000, 0, "0".into())]);
        assert_eq!(outs.take(at(17), |_| None), Some(at(40)), "without a price nothing is told");
        assert_eq!(outs.take(at(42), |_| Some(price("99"))), None);
        assert_eq!(told(&outs), [second, (5000, 0, "0".into()), (30_000, 2, "0".into())]);
        assert!(outs.fills.is_empty() && outs.marked == [0; 3]);
    }
}
