//! The addresses of a host: looked up once in a while, each measured, the fastest used, the next ready.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flashpod_types::Nanos;

use crate::clock::Clock;

/// How long a list of addresses is used before it is asked for anew.
const LOOKED_UP_FOR: Nanos = Nanos::from_secs(60);
/// An address is measured again this often, if nothing connected to it meanwhile.
const MEASURED_FOR: Nanos = Nanos::from_secs(600);
/// An address that could not be reached is the last choice for so long.
const AVOIDED_FOR: Nanos = Nanos::from_secs(30);

/// Turns host and port into addresses.
pub type LookUp = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// What turns a host's name into addresses.
#[derive(Clone, Default)]
pub enum Resolver {
    /// The host's own.
    #[default]
    System,
    /// A function in its place.
    Custom(Arc<LookUp>),
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Custom(_) => "Custom",
        })
    }
}

impl Resolver {
    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((host, port)).await?.collect()),
            Self::Custom(function) => function(host, port),
        }
    }
}

/// What happened since the start, for /metrics.
#[derive(Debug, Default)]
pub struct AddressCounters {
    pub lookups: AtomicU64,
    /// Former addresses were used in their place.
    pub lookup_failures: AtomicU64,
    /// Attempts that went to another address after the first choice failed.
    pub next_used: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    address: SocketAddr,
    /// Smoothed time from connecting to ready, TLS included.
    took: Option<Nanos>,
    measured: Nanos,
    failed: Option<Nanos>,
}

#[derive(Debug, Default)]
struct State {
    known: Vec<Known>,
    looked_up: Option<Nanos>,
}

/// The addresses of one host and port.
#[derive(Debug)]
pub(crate) struct Addresses {
    host: String,
    port: u16,
    resolver: Resolver,
    state: Mutex<State>,
    counters: Arc<AddressCounters>,
}

impl Addresses {
    pub(crate) fn new(host: &str, port: u16, resolver: Resolver, counters: Arc<AddressCounters>) -> Self {
        Self { host: host.to_owned(), port, resolver, state: Mutex::default(), counters }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All addresses, the one to use first.
    pub(crate) async fn in_order(&self) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, self.port)]);
        }
        let now = Clock.mono();
        let fresh = self.state().looked_up.is_some_and(|at| now < at + LOOKED_UP_FOR);
        if !fresh {
            self.look_up(now).await?;
        }
        Ok(self.state().in_order(now))
    }

    async fn look_up(&self, now: Nanos) -> io::Result<()> {
        self.counters.lookups.fetch_add(1, Ordering::Relaxed);
        let found = self.resolver.look_up(&self.host, self.port).await.and_then(|found| {
            let nothing = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
            if found.is_empty() { Err(nothing()) } else { Ok(found) }
        });
        let mut state = self.state();
        match found {
            Ok(found) => state.replace(&found),
            Err(error) => {
                self.counters.lookup_failures.fetch_add(1, Ordering::Relaxed);
                if state.known.is_empty() {
                    return Err(error);
                }
            }
        }
        state.looked_up = Some(now);
        Ok(())
    }

    /// Those that should be measured, if there is a choice at all.
    pub(crate) async fn unmeasured(&self) -> Vec<SocketAddr> {
        if self.in_order().await.is_err() {
            return Vec::new();
        }
        let now = Clock.mono();
        let state = self.state();
        let old = |known: &&Known| known.took.is_none() || now >= known.measured + MEASURED_FOR;
        let choice = state.known.len() > 1;
        state.known.iter().filter(|_| choice).filter(old).map(|known| known.address).collect()
    }

    pub(crate) fn connected(&self, address: SocketAddr, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(known) = self.state().known.iter_mut().find(|known| known.address == address) {
            known.took = Some(Nanos(known.took.map_or(took, |old| old.0 - old.0 / 4 + took / 4)));
            (known.measured, known.failed) = (Clock.mono(), None);
        }
    }

    pub(crate) fn failed(&self, address: SocketAddr) {
        if let Some(known) = self.state().known.iter_mut().find(|known| known.address == address) {
            known.failed = Some(Clock.mono());
        }
    }

    pub(crate) fn went_on(&self) {
        self.counters.next_used.fetch_add(1, Ordering::Relaxed);
    }

    /// Address and time to connect, the one to use first; for /metrics.
    pub(crate) fn measured(&self) -> Vec<(SocketAddr, Option<Nanos>)> {
        let now = Clock.mono();
        let state = self.state();
        state.sorted(now).into_iter().map(|known| (known.address, known.took)).collect()
    }
}

impl State {
    /// Takes a new list; what is known of addresses that stay is kept.
    fn replace(&mut self, found: &[SocketAddr]) {
        self.known.retain(|known| found.contains(&known.address));
        for &address in found {
            if !self.known.iter().any(|known| known.address == address) {
                self.known.push(Known { address, took: None, measured: Nanos::ZERO, failed: None });
            }
        }
    }

    fn in_order(&self, now: Nanos) -> Vec<SocketAddr> {
        self.sorted(now).into_iter().map(|known| known.address).collect()
    }

    /// Reachable before unreachable, then the fastest; those not measured come in the resolver's order behind them.
    fn sorted(&self, now: Nanos) -> Vec<Known> {
        let mut all = self.known.clone();
        let avoided = |known: &Known| known.failed.is_some_and(|at| now < at + AVOIDED_FOR);
        all.sort_by_key(|known| (avoided(known), known.took.unwrap_or(Nanos(u64::MAX))));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u8) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, n], 1))
    }

    fn addresses(resolver: impl Fn() -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> Addresses {
        let resolver = Resolver::Custom(Arc::new(move |_, _| resolver()));
        Addresses::new("venue.test", 1, resolver, Arc::default())
    }

    #[tokio::test]
    async fn the_fastest_comes_first_and_one_that_failed_last() {
        let addresses = addresses(|| Ok(vec![at(1), at(2), at(3)]));
        assert_eq!(addresses.in_order().await.unwrap(), [at(1), at(2), at(3)], "as the resolver says");
        assert_eq!(addresses.unmeasured().await, [at(1), at(2), at(3)]);
        addresses.connected(at(1), Duration::from_millis(9));
        addresses.connected(at(3), Duration::from_millis(2));
        assert_eq!(addresses.in_order().await.unwrap(), [at(3), at(1), at(2)]);
        addresses.failed(at(3));
        assert_eq!(addresses.in_order().await.unwrap(), [at(1), at(2), at(3)]);
        addresses.connected(at(3), Duration::from_millis(2));
        assert_eq!(addresses.in_order().await.unwrap()[0], at(3));
        assert_eq!(addresses.unmeasured().await, [at(2)]);
        assert_eq!(addresses.counters.lookups.load(Ordering::Relaxed), 1, "asked once");
    }

    #[tokio::test]
    async fn an_address_that_the_host_has_no_more_is_forgotten_and_a_failed_lookup_changes_nothing() {
        let answers = Mutex::new(vec![
            Err(io::Error::other("the resolver is gone")),
            Ok(vec![at(2)]),
            Ok(vec![at(1), at(2)]),
        ]);
        let addresses = addresses(move || answers.lock().unwrap().pop().unwrap());
        addresses.in_order().await.unwrap();
        addresses.connected(at(2), Duration::from_millis(1));
        addresses.state().looked_up = None;
        assert_eq!(addresses.in_order().await.unwrap(), [at(2)]);
        assert_eq!(addresses.measured(), [(at(2), Some(Nanos::from_millis(1)))]);
        addresses.state().looked_up = None;
        assert_eq!(addresses.in_order().await.unwrap(), [at(2)]);
        assert_eq!(addresses.counters.lookup_failures.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_an_error_and_a_literal_needs_no_lookup() {
        let addresses = addresses(|| Ok(Vec::new()));
        assert!(addresses.in_order().await.unwrap_err().to_string().contains("no address"));
        let literal = Addresses::new("::1", 7, Resolver::System, Arc::default());
        assert_eq!(literal.in_order().await.unwrap(), [SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 7))]);
        assert_eq!(literal.counters.lookups.load(Ordering::Relaxed), 0);
    }
}
