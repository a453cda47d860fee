//! Who may connect, and who is connected.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flashpod_engine::Status;
use flashpod_engine::io::{Desired, SessionEvent};
use flashpod_types::Symbol;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::convert::up::{DesiredByAccount, RefusedInstance};
use crate::link::{MarketData, SessionOutput};
use crate::mailbox::Mailbox;
use crate::thread::GatewayCounters;

#[derive(Debug)]
struct Instance {
    account: String,
    token: [u8; 32],
    symbols: Vec<Symbol>,
    session: Option<Arc<Mailbox>>,
    conflated_books: u64,
    dropped_trades: u64,
}

#[derive(Debug, Default)]
struct Inner {
    instances: BTreeMap<String, Instance>,
    /// What is in force, by account.
    desired: BTreeMap<String, Desired>,
    refused: Vec<RefusedInstance>,
    /// Why an instance's socket could not be opened.
    socket_errors: BTreeMap<String, String>,
    status: BTreeMap<String, Arc<Status>>,
    /// Nothing leaves this core any more.
    silent: bool,
}

/// Shared by the services and the pumps, all on the gateway's thread.
#[derive(Debug)]
pub(crate) struct Registry {
    inner: Mutex<Inner>,
    counters: Arc<GatewayCounters>,
    /// Counts changes of what the agent should hear of.
    changed: watch::Sender<u64>,
}

/// Why a Hello was refused. Which of the two it was is not told to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    UnknownInstance,
    WrongToken,
}

/// Everything a CoreStatus is made of.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) statuses: Vec<Arc<Status>>,
    /// Instance and why its policy or its socket is not in force.
    pub(crate) troubles: Vec<(String, String)>,
    pub(crate) conflated_books: BTreeMap<String, u64>,
    pub(crate) silent: bool,
}

impl Registry {
    pub(crate) fn new(counters: Arc<GatewayCounters>) -> Self {
        Self { inner: Mutex::default(), counters, changed: watch::Sender::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// From now on every report says that nothing leaves this core any more.
    pub(crate) fn silence(&self) {
        self.lock().silent = true;
        self.changed.send_modify(|count| *count += 1);
    }

    pub(crate) fn in_force(&self) -> BTreeMap<String, Desired> {
        self.lock().desired.clone()
    }

    /// Puts the desired state in force; returns the names of instances that came and that went.
    pub(crate) fn apply(&self, desired: &DesiredByAccount) -> (Vec<String>, Vec<String>) {
        let mut inner = self.lock();
        let mut wanted = BTreeMap::new();
        for (account, state) in &desired.accounts {
            for policy in &state.instances {
                wanted.insert(policy.instance.clone(), (account.clone(), policy.symbols.clone()));
            }
        }
        let gone: Vec<String> =
            inner.instances.keys().filter(|name| !wanted.contains_key(*name)).cloned().collect();
        for name in &gone {
            if let Some(mailbox) = inner.instances.remove(name).and_then(|instance| instance.session) {
                mailbox.end(tonic::Status::failed_precondition(format!("instance {name:?} was removed")));
            }
        }
        let mut new = Vec::new();
        for (name, (account, symbols)) in wanted {
            let token = desired.tokens.get(&name).copied();
            if let Some(instance) = inner.instances.get_mut(&name) {
                instance.account = account;
                instance.symbols = symbols;
                instance.token = token.unwrap_or(instance.token);
            } else if let Some(token) = token {
                new.push(name.clone());
                let instance = Instance {
                    account,
                    token,
                    symbols,
                    session: None,
                    conflated_books: 0,
                    dropped_trades: 0,
                };
                inner.instances.insert(name, instance);
            }
        }
        inner.desired = desired.accounts.clone();
        inner.refused.clone_from(&desired.refused);
        drop(inner);
        self.changed.send_modify(|count| *count += 1);
        (new, gone)
    }

    /// Opens a session; an older one of the instance ends. Returns the account and what will wait for the session.
    pub(crate) fn open(&self, name: &str, token: &str) -> Result<(String, Arc<Mailbox>), Refusal> {
        let mut inner = self.lock();
        let instance = inner.instances.get_mut(name).ok_or(Refusal::UnknownInstance)?;
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if !bool::from(hash.ct_eq(&instance.token)) {
            return Err(Refusal::WrongToken);
        }
        let mailbox = Arc::new(Mailbox::default());
        if let Some(older) = instance.session.replace(Arc::clone(&mailbox)) {
            older.end(tonic::Status::aborted("a newer session of this instance was opened"));
        }
        Ok((instance.account.clone(), mailbox))
    }

    /// Forgets a session; false when a newer one has taken its place.
    pub(crate) fn close(&self, name: &str, mailbox: &Arc<Mailbox>) -> bool {
        let mut inner = self.lock();
        let Some(instance) = inner.instances.get_mut(name) else { return true };
        match &instance.session {
            Some(current) if Arc::ptr_eq(current, mailbox) => {
                instance.session = None;
                true
            }
            Some(_) => false,
            None => true,
        }
    }

    /// Hands market data to every session of the account that trades the symbol.
    pub(crate) fn market(&self, account: &str, data: &MarketData) {
        let mut inner = self.lock();
        let symbol = match data {
            MarketData::Book { top, .. } => top.symbol,
            MarketData::Trades { batch, .. } => batch.symbol,
        };
        for instance in inner.instances.values_mut() {
            if instance.account != account || !instance.symbols.contains(&symbol) {
                continue;
            }
            let Some(mailbox) = &instance.session else { continue };
            match data {
                MarketData::Book { top, missed } => {
                    let conflated = u64::from(mailbox.book(top, *missed));
                    instance.conflated_books += conflated;
                    self.counters.conflated_books.add(conflated);
                }
                MarketData::Trades { batch, missed } => {
                    let dropped = u64::from(mailbox.trades(batch, *missed));
                    instance.dropped_trades += dropped;
                    self.counters.dropped_trades.add(dropped);
                }
            }
        }
    }

    pub(crate) fn output(&self, account: &str, output: SessionOutput) {
        match output {
            SessionOutput::Session { instance, event } => self.event(&instance, event),
            SessionOutput::Status(status) => {
                self.lock().status.insert(account.to_owned(), status);
                self.changed.send_modify(|count| *count += 1);
            }
        }
    }

    fn event(&self, name: &str, event: SessionEvent) {
        let mut inner = self.lock();
        let Some(instance) = inner.instances.get_mut(name) else { return };
        if let Some(mailbox) = &instance.session
            && !mailbox.event(name, event)
        {
            self.counters.overflown_sessions.add(1);
        }
    }

    /// Ends every session of an account whose events were lost on their way here.
    pub(crate) fn end_sessions(&self, account: &str) {
        let inner = self.lock();
        for instance in inner.instances.values().filter(|instance| instance.account == account) {
            if let Some(mailbox) = &instance.session {
                self.counters.overflown_sessions.add(1);
                mailbox.end(tonic::Status::unavailable("order events were held up; resume by sequence"));
            }
        }
    }

    /// Tells the agent why an instance can't be reached, or that it can.
    pub(crate) fn socket_failed(&self, instance: &str, error: Option<String>) {
        let mut inner = self.lock();
        let news = match error {
            Some(error) => inner.socket_errors.insert(instance.to_owned(), error.clone()) != Some(error),
            None => inner.socket_errors.remove(instance).is_some(),
        };
        drop(inner);
        if news {
            self.changed.send_modify(|count| *count += 1);
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let inner = self.lock();
        Snapshot {
            statuses: inner.status.values().cloned().collect(),
            troubles: inner
                .refused
                .iter()
                .map(|refused| (refused.instance.clone(), format!("PolicyRefused: {}", refused.reason)))
                .chain(
                    inner
                        .socket_errors
                        .iter()
                        .map(|(name, error)| (name.clone(), format!("SocketFailed: {error}"))),
                )
                .collect(),
            silent: inner.silent,
            conflated_books: inner
                .instances
                .iter()
                .map(|(name, instance)| (name.clone(), instance.conflated_books))
                .collect(),
        }
    }
}
