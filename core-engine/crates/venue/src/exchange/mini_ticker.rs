//! Mini tickers: every three seconds the day of one pair, or of all, in a time zone of the reader's choice.

use flashpod_mexc::Channel;
use flashpod_mexc::push::{PublicMiniTicker, PublicMiniTickers, push_data_v3_api_wrapper::Body};
use flashpod_types::{Amount, Price};

use super::state::Exchange;
use crate::market::{Market, millis};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// Where a day begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// The last 24 hours.
    Rolling,
    /// Seconds east of UTC.
    East(i64),
}

impl Zone {
    /// `24H`, `UTC+8`, `UTC-10`, `UTC+5:30`.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text == "24H" {
            return Some(Self::Rolling);
        }
        let (sign, hours) = match text.strip_prefix("UTC")?.split_at_checked(1)? {
            ("+", hours) => (1, hours),
            ("-", hours) => (-1, hours),
            _ => return None,
        };
        let (hours, minutes) = hours.split_once(':').unwrap_or((hours, "0"));
        let number = |text: &str| {
            let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse::<i64>().ok())?
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        (hours <= 14 && minutes < 60).then_some(Self::East(sign * (hours * HOUR + minutes * 60)))
    }

    /// When the day that contains `now` began; both in seconds.
    fn day_of(self, now: i64) -> i64 {
        match self {
            Self::Rolling => now - DAY,
            Self::East(offset) => (now + offset).div_euclid(DAY) * DAY - offset,
        }
    }
}

/// MEXC's own day.
const HOME: Zone = Zone::East(8 * HOUR);

/// What `now` is above `then`: a fraction with four places.
fn rate(now: Price, then: Price) -> String {
    let change = if then.is_positive() { now.to_f64() / then.to_f64() - 1.0 } else { 0.0 };
    // No negative zero.
    let text = format!("{change:.4}");
    if text == "-0.0000" { "0.0000".to_owned() } else { text }
}

fn mini_ticker(market: &Market, zone: Zone, now: i64) -> PublicMiniTicker {
    let listing = &market.listing;
    let last = market.last_price().unwrap_or(Price::ZERO);
    // First trade of the day, and last one of the day before.
    let opening = |zone: Zone| {
        let from = zone.day_of(now);
        let open = market.bars.since(from, now).map_or(last, |bar| bar.open);
        (open, market.bars.close_before(from).unwrap_or(open))
    };
    let ((open, close), (zoned_open, zoned_close)) = (opening(HOME), opening(zone));
    let day = market.bars.since(zone.day_of(now), now);
    let (high, low) = day.map_or((last, last), |day| (day.high, day.low));
    PublicMiniTicker {
        symbol: listing.symbol().to_owned(),
        price: listing.price(last),
        rate: rate(last, open),
        zoned_rate: rate(last, zoned_open),
        high: listing.price(high),
        low: listing.price(low),
        volume: listing.value(day.map_or(Amount::ZERO, |day| day.value)),
        quantity: listing.volume(day.map_or(Amount::ZERO, |day| day.volume)),
        last_close_rate: rate(last, close),
        last_close_zoned_rate: rate(last, zoned_close),
        last_close_high: listing.price(high.max(zoned_close)),
        last_close_low: listing.price(low.min(zoned_close)),
    }
}

impl Exchange {
    /// To whoever reads them.
    pub(super) fn push_mini_tickers(&mut self) {
        let mut channels: Vec<Channel> = Vec::new();
        for channel in self.sessions.values().flat_map(|session| &session.channels) {
            let mini = matches!(channel, Channel::MiniTicker { .. } | Channel::MiniTickers { .. });
            if mini && !channels.contains(channel) {
                channels.push(channel.clone());
            }
        }
        let now = millis(self.now).div_euclid(1_000);
        for channel in channels {
            let body = match &channel {
                Channel::MiniTicker { zone, .. } => {
                    Zone::read(zone).zip(self.market_of(&channel)).map(|(zone, market)| {
                        Body::PublicMiniTicker(mini_ticker(&self.markets[market], zone, now))
                    })
                }
                Channel::MiniTickers { zone } => Zone::read(zone).map(|zone| {
                    let items = self.markets.iter().map(|market| mini_ticker(market, zone, now)).collect();
                    Body::PublicMiniTickers(PublicMiniTickers { items })
                }),
                _ => None,
            };
            if let Some(body) = body {
                self.publish(&channel, body);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight_of_their_zone() {
        // 2025-10-09 08:53:20 UTC; `date -d` gives these bounds.
        let at = 1_760_000_000;
        let start = |zone: &str| Zone::read(zone).unwrap().day_of(at);
        assert_eq!(start("UTC+0"), 1_759_968_000);
        assert_eq!(start("UTC+8"), 1_759_939_200);
        assert_eq!(start("UTC-10"), 1_759_917_600);
        assert_eq!(start("UTC+5:30"), 1_759_948_200);
        assert_eq!(start("24H"), at - 86_400);
    }

    #[test]
    fn what_is_no_zone_is_none() {
        for text in ["", "UTC", "UTC8", "UTC+", "UTC+15", "UTC+5:60", "utc+8", "24h", "UTC+008", "UTC+é"] {
            assert_eq!(Zone::read(text), None, "{text}");
        }
    }
}
