//! Request rates: sliding windows, weight pools, violations and bans.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use flashpod_types::Nanos;

use super::ApiError;
use crate::settings::{BucketUnit, Settings, WeightPools};

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Pool {
    Orders(String),
    Batches(String),
    Accounts(String),
    WeightOfIp(IpAddr, &'static str),
    WeightOfAccount(String, &'static str),
}

/// What came in during the last window.
#[derive(Debug, Default)]
struct Window {
    hits: VecDeque<(Nanos, u64)>,
    sum: u64,
}

impl Window {
    /// Counts `weight` unless the window would then hold more than `most`.
    fn admit(&mut self, now: Nanos, length: Nanos, weight: u64, most: u64) -> bool {
        while let Some(&(at, old)) = self.hits.front()
            && now.since(at) >= length
        {
            self.sum -= old;
            self.hits.pop_front();
        }
        if self.sum + weight > most {
            return false;
        }
        self.hits.push_back((now, weight));
        self.sum += weight;
        true
    }
}

/// Which rules a request falls under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    None,
    /// The 12 a second that place, batch, cancel and cancel-all share.
    Order,
    /// The same, and the batch rate.
    Batch,
    Account,
}

#[derive(Debug, Clone, Copy)]
pub struct Charge {
    pub path: &'static str,
    pub bucket: Bucket,
    pub ip_weight: u64,
    pub account_weight: u64,
}

/// The latest ban of an address. It is kept after its end: the next one is longer.
#[derive(Debug, Clone, Copy)]
struct Ban {
    until: Nanos,
    seconds: u64,
}

#[derive(Debug, Default)]
pub struct Limits {
    windows: HashMap<Pool, Window>,
    violations: HashMap<IpAddr, Window>,
    bans: HashMap<IpAddr, Ban>,
    /// When idle windows were last thrown away.
    swept: Nanos,
    pub answered_429: u64,
    pub answered_418: u64,
}

const SECOND: Nanos = Nanos(1_000_000_000);
const WEIGHT_WINDOW: Nanos = Nanos(10_000_000_000);
const MINUTE: Nanos = Nanos(60_000_000_000);

impl Limits {
    /// Counts a request, or says why it must wait. `key` is the API key of an account, for signed requests.
    pub fn admit(
        &mut self,
        settings: &Settings,
        now: Nanos,
        ip: IpAddr,
        key: Option<&str>,
        charge: Charge,
    ) -> Result<(), ApiError> {
        self.sweep(settings, now);
        if let Some(Ban { until, .. }) = self.bans.get(&ip).copied()
            && now < until
        {
            self.answered_418 += 1;
            let left = until.since(now).0.div_ceil(SECOND.0);
            return Err(ApiError::too_many(418, left));
        }
        if self.fits(settings, now, ip, key, charge) {
            return Ok(());
        }
        self.answered_429 += 1;
        let violations = self.violations.entry(ip).or_default();
        if settings.ban_after > 0 && !violations.admit(now, MINUTE, 1, settings.ban_after - 1) {
            violations.hits.clear();
            violations.sum = 0;
            let seconds = self.next_ban(settings, now, ip);
            self.bans.insert(ip, Ban { until: now + Nanos::from_secs(seconds), seconds });
            self.answered_418 += 1;
            self.answered_429 -= 1;
            return Err(ApiError::too_many(418, seconds));
        }
        Err(ApiError::too_many(429, settings.retry_after_s))
    }

    /// How long the next ban of an address is: longer than its last one, unless that is long past.
    fn next_ban(&self, settings: &Settings, now: Nanos, ip: IpAddr) -> u64 {
        match self.bans.get(&ip) {
            Some(last) if now.since(last.until) < Nanos::from_secs(settings.ban_max_s) => {
                last.seconds.saturating_mul(settings.ban_growth).min(settings.ban_max_s).max(settings.ban_s)
            }
            _ => settings.ban_s,
        }
    }

    /// Once a minute: forgets whoever has not asked for longer than any window is.
    fn sweep(&mut self, settings: &Settings, now: Nanos) {
        if now.since(self.swept) < MINUTE {
            return;
        }
        self.swept = now;
        let longest = MINUTE.max(Nanos::from_millis(settings.order_window_ms));
        let recent = |window: &Window| window.hits.back().is_some_and(|(at, _)| now.since(*at) < longest);
        self.windows.retain(|_, window| recent(window));
        self.violations.retain(|_, window| recent(window));
        let remembered = Nanos::from_secs(settings.ban_max_s);
        self.bans.retain(|_, ban| now < ban.until || now.since(ban.until) < remembered);
    }

    fn fits(
        &mut self,
        settings: &Settings,
        now: Nanos,
        ip: IpAddr,
        key: Option<&str>,
        charge: Charge,
    ) -> bool {
        let unit = match settings.order_bucket {
            BucketUnit::Key => key.map(str::to_owned),
            BucketUnit::Ip => Some(ip.to_string()),
        };
        let order_window = Nanos::from_millis(settings.order_window_ms);
        let mut rules: Vec<(Pool, Nanos, u64, u64)> = Vec::new();
        if let Some(unit) = unit {
            if matches!(charge.bucket, Bucket::Batch) && settings.batch_rate > 0 {
                rules.push((Pool::Batches(unit.clone()), SECOND, 1, settings.batch_rate));
            }
            if matches!(charge.bucket, Bucket::Order | Bucket::Batch) && settings.order_rate > 0 {
                rules.push((Pool::Orders(unit.clone()), order_window, 1, settings.order_rate));
            }
            if charge.bucket == Bucket::Account && settings.account_rate > 0 {
                rules.push((Pool::Accounts(unit), SECOND, 1, settings.account_rate));
            }
        }
        let pool = match settings.weight_pools {
            WeightPools::Shared => Some("all"),
            WeightPools::Independent => Some(charge.path),
            WeightPools::Off => None,
        };
        if let Some(pool) = pool {
            let most = settings.weight_limit;
            rules.push((Pool::WeightOfIp(ip, pool), WEIGHT_WINDOW, charge.ip_weight, most));
            if let Some(key) = key {
                let pool = Pool::WeightOfAccount(key.to_owned(), pool);
                rules.push((pool, WEIGHT_WINDOW, charge.account_weight, most));
            }
        }
        rules.into_iter().all(|(pool, length, weight, most)| {
            weight == 0 || self.windows.entry(pool).or_default().admit(now, length, weight, most)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn order() -> Charge {
        Charge { path: "/api/v3/order", bucket: Bucket::Order, ip_weight: 1, account_weight: 1 }
    }

    fn statuses(limits: &mut Limits, settings: &Settings, at_ms: u64, count: usize) -> Vec<u16> {
        (0..count)
            .map(|_| {
                let now = Nanos::from_millis(at_ms);
                limits.admit(settings, now, IP, Some("k"), order()).map_or_else(|e| e.status, |()| 200)
            })
            .collect()
    }

    #[test]
    fn the_thirteenth_order_call_of_a_second_is_refused_and_the_window_slides() {
        let (mut limits, settings) = (Limits::default(), Settings::default());
        assert_eq!(statuses(&mut limits, &settings, 0, 12), [200; 12]);
        assert_eq!(statuses(&mut limits, &settings, 999, 1), [429]);
        assert_eq!(statuses(&mut limits, &settings, 1000, 12), [200; 12]);
    }

    #[test]
    fn ten_violations_inside_a_minute_ban_the_address() {
        let (mut limits, settings) = (Limits::default(), Settings::default());
        statuses(&mut limits, &settings, 0, 12);
        let mut expected = vec![429; 9];
        expected.push(418);
        assert_eq!(statuses(&mut limits, &settings, 10, 10), expected);
        let banned = limits.admit(&settings, Nanos::from_secs(60), IP, None, order()).unwrap_err();
        assert_eq!((banned.status, banned.retry_after), (418, Some(61)));
        assert_eq!(statuses(&mut limits, &settings, 120_011, 1), [200]);
        assert_eq!((limits.answered_429, limits.answered_418), (9, 2));
    }

    #[test]
    fn each_further_ban_is_twice_as_long_up_to_three_days_until_it_is_forgotten() {
        let (mut limits, settings) = (Limits::default(), Settings::default());
        let mut now = 0;
        let mut ban = |limits: &mut Limits, wait: u64| {
            now += wait;
            statuses(limits, &settings, now, 22);
            let banned = limits.admit(&settings, Nanos::from_millis(now), IP, None, order()).unwrap_err();
            assert_eq!(banned.status, 418);
            let seconds = banned.retry_after.unwrap();
            now += seconds * 1_000;
            seconds
        };
        let lengths: Vec<u64> = (0..14).map(|_| ban(&mut limits, 60_000)).collect();
        let doubling = (0..14).map(|n| (120_u64 << n).min(259_200)).collect::<Vec<_>>();
        assert_eq!(lengths, doubling);
        assert_eq!(lengths.last(), Some(&259_200), "three days");
        assert_eq!(ban(&mut limits, 259_200_000), 120, "three days of peace");
    }

    #[test]
    fn whoever_stays_away_is_forgotten() {
        let (mut limits, settings) = (Limits::default(), Settings::default());
        for n in 0..1_000 {
            let ip = IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
            assert!(limits.admit(&settings, Nanos::from_secs(100), ip, None, order()).is_ok());
        }
        assert_eq!(limits.windows.len(), 1_000);
        assert_eq!(statuses(&mut limits, &settings, 160_000, 1), [200]);
        assert_eq!(limits.windows.len(), 3, "what this one request counts in");
    }

    #[test]
    fn weights_share_one_pool_or_have_their_own() {
        let mut settings = Settings::default();
        let charge = |path| Charge { path, bucket: Bucket::None, ip_weight: 300, account_weight: 0 };
        let mut limits = Limits::default();
        assert!(limits.admit(&settings, Nanos(0), IP, None, charge("/a")).is_ok());
        assert!(limits.admit(&settings, Nanos(0), IP, None, charge("/b")).is_err());
        settings.set("weightPools=independent").unwrap();
        let mut limits = Limits::default();
        assert!(limits.admit(&settings, Nanos(0), IP, None, charge("/a")).is_ok());
        assert!(limits.admit(&settings, Nanos(0), IP, None, charge("/b")).is_ok());
        assert!(limits.admit(&settings, Nanos(0), IP, None, charge("/b")).is_err());
    }
}
