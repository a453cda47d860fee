//! Candles from trades.

use std::collections::VecDeque;

use flashpod_mexc::KlineInterval;
use flashpod_types::{Amount, Price, Qty};

/// One candle. Times in seconds since 1970; `end` is the start of the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    pub start: i64,
    pub end: i64,
    pub open: Price,
    pub high: Price,
    pub low: Price,
    pub close: Price,
    /// Base quantity: a day of a coin with huge quantities does not fit the type of one order's.
    pub volume: Amount,
    pub value: Amount,
}

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
/// A week of minutes is kept.
const KEPT: usize = 7 * 24 * 60;

/// One-minute bars, from which longer ones are made when asked for. A minute without a trade repeats the close.
#[derive(Debug, Clone, Default)]
pub struct Bars {
    minutes: VecDeque<Bar>,
}

impl Bars {
    /// Closes what `now` (seconds) has passed.
    fn roll(&mut self, now: i64) {
        let start = now.div_euclid(MINUTE) * MINUTE;
        while let Some(last) = self.minutes.back().copied()
            && last.start < start
        {
            // After a long silence only the bars that are kept are filled in.
            let next = last.end.max(start - MINUTE * 7 * 24 * 60);
            let flat = Bar {
                start: next,
                end: next + MINUTE,
                open: last.close,
                high: last.close,
                low: last.close,
                close: last.close,
                volume: Amount::ZERO,
                value: Amount::ZERO,
            };
            self.minutes.push_back(flat);
            if self.minutes.len() > KEPT {
                self.minutes.pop_front();
            }
        }
    }

    pub fn trade(&mut self, now: i64, price: Price, qty: Qty) {
        self.roll(now);
        let start = now.div_euclid(MINUTE) * MINUTE;
        match self.minutes.back_mut() {
            Some(bar) => {
                if bar.volume.is_zero() && bar.open == bar.close {
                    bar.open = price;
                    (bar.high, bar.low) = (price, price);
                }
                bar.high = bar.high.max(price);
                bar.low = bar.low.min(price);
                bar.close = price;
                bar.volume += Amount::from(qty);
                bar.value += price.notional(qty);
            }
            None => self.minutes.push_back(Bar {
                start,
                end: start + MINUTE,
                open: price,
                high: price,
                low: price,
                close: price,
                volume: Amount::from(qty),
                value: price.notional(qty),
            }),
        }
    }

    /// The bars of one length, oldest first, the running one included.
    #[must_use]
    pub fn of(&self, interval: KlineInterval, now: i64) -> Vec<Bar> {
        let mut rolled = self.clone();
        rolled.roll(now);
        let mut bars: Vec<Bar> = Vec::new();
        for minute in rolled.minutes {
            let (start, end) = window(interval, minute.start);
            match bars.last_mut() {
                Some(bar) if bar.start == start => {
                    bar.high = bar.high.max(minute.high);
                    bar.low = bar.low.min(minute.low);
                    bar.close = minute.close;
                    bar.volume += minute.volume;
                    bar.value += minute.value;
                }
                _ => bars.push(Bar { start, end, ..minute }),
            }
        }
        bars
    }

    /// The last 24 hours as one bar.
    #[must_use]
    pub fn day(&self, now: i64) -> Option<Bar> {
        self.since(now - DAY, now)
    }

    /// The last close before a time (seconds).
    #[must_use]
    pub fn close_before(&self, from: i64) -> Option<Price> {
        self.minutes.iter().rev().find(|bar| bar.end <= from).map(|bar| bar.close)
    }

    /// The trades from a time on as one bar (seconds), if there were any; minutes are whole.
    #[must_use]
    pub fn since(&self, from: i64, now: i64) -> Option<Bar> {
        let mut traded = self.minutes.iter().filter(|bar| bar.end > from && !bar.volume.is_zero());
        let first = *traded.next()?;
        Some(traded.fold(Bar { end: now, ..first }, |day, bar| Bar {
            high: day.high.max(bar.high),
            low: day.low.min(bar.low),
            close: bar.close,
            volume: day.volume + bar.volume,
            value: day.value + bar.value,
            ..day
        }))
    }
}

/// Start and end of the window that contains `at`. Weeks begin on Monday, months on their first day, in UTC.
fn window(interval: KlineInterval, at: i64) -> (i64, i64) {
    let even = |length: i64, offset: i64| {
        let start = (at - offset).div_euclid(length) * length + offset;
        (start, start + length)
    };
    match interval {
        KlineInterval::Min1 => even(60, 0),
        KlineInterval::Min5 => even(300, 0),
        KlineInterval::Min15 => even(900, 0),
        KlineInterval::Min30 => even(1_800, 0),
        KlineInterval::Min60 => even(3_600, 0),
        KlineInterval::Hour4 => even(14_400, 0),
        KlineInterval::Hour8 => even(28_800, 0),
        KlineInterval::Day1 => even(DAY, 0),
        // 1970-01-05 was a Monday.
        KlineInterval::Week1 => even(7 * DAY, 4 * DAY),
        KlineInterval::Month1 => {
            let (year, month) = civil_month(at.div_euclid(DAY));
            let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            (first_day(year, month) * DAY, first_day(next.0, next.1) * DAY)
        }
    }
}

/// Days from 1970 to the first of a month (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn first_day(year: i64, month: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year and month of a day counted from 1970.
fn civil_month(day: i64) -> (i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z - era * 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    #[test]
    fn trades_become_bars_and_silence_repeats_the_close() {
        let mut bars = Bars::default();
        let one = Qty::from_raw(100_000_000);
        bars.trade(60, price("10"), one);
        bars.trade(100, price("12"), one);
        bars.trade(119, price("9"), one);
        bars.trade(245, price("11"), one);
        let minutes = bars.of(KlineInterval::Min1, 250);
        let shape: Vec<_> = minutes.iter().map(|b| (b.start, b.open, b.high, b.low, b.close)).collect();
        let [nine, ten, eleven, twelve] = ["9", "10", "11", "12"].map(price);
        assert_eq!(
            shape,
            [
                (60, ten, twelve, nine, nine),
                (120, nine, nine, nine, nine),
                (180, nine, nine, nine, nine),
                (240, eleven, eleven, eleven, eleven)
            ]
        );
        let five = bars.of(KlineInterval::Min5, 250);
        assert_eq!(
            (five.len(), five[0].start, five[0].end, five[0].volume.to_string()),
            (1, 0, 300, "4".into())
        );
    }

    #[test]
    fn volumes_beyond_the_range_of_one_orders_quantity_are_exact() {
        let mut bars = Bars::default();
        // Two trades of 90 billion coins: the largest quantity of one order is 92.2 billion.
        let most: Qty = "90000000000.00000001".parse().unwrap();
        bars.trade(60, price("0.00001234"), most);
        bars.trade(120, price("0.00001234"), most);
        let day = bars.day(180).unwrap();
        assert_eq!(day.volume.to_string(), "180000000000.00000002");
        assert_eq!(bars.of(KlineInterval::Min5, 180)[0].volume, day.volume);
    }

    #[test]
    fn a_day_is_made_of_its_trades_and_not_of_the_silence_before_them() {
        let mut bars = Bars::default();
        let one = Qty::from_raw(100_000_000);
        bars.trade(50, price("20"), one);
        // The day begins at 120; its first trade comes in its third minute.
        bars.trade(250, price("10"), one);
        bars.trade(310, price("11"), one);
        let day = bars.since(120, 330).unwrap();
        let [ten, eleven] = ["10", "11"].map(price);
        assert_eq!((day.open, day.high, day.low, day.close), (ten, eleven, ten, eleven));
        assert_eq!(bars.close_before(120), Some(price("20")));
        assert_eq!(bars.since(360, 400), None, "no trade");
    }

    #[test]
    fn weeks_and_months_begin_where_the_calendar_says() {
        // 2024-08-08 23:54:14 UTC was a Thursday; `date -u` gives these bounds.
        let at = 1_723_161_254;
        assert_eq!(window(KlineInterval::Week1, at), (1_722_816_000, 1_723_420_800));
        assert_eq!(window(KlineInterval::Month1, at), (1_722_470_400, 1_725_148_800));
        assert_eq!(window(KlineInterval::Hour4, at), (1_723_147_200, 1_723_161_600));
    }
}
