//! The state that survives a restart, and how it is folded from a journal.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use flashpod_orders::order::NewOrder;
use flashpod_orders::{Change, ClientId, InstanceTag, Ledger, Order, OrderStore, Origin, is_paper};
use flashpod_risk::Watch;
use flashpod_types::{Amount, Asset, ClientOrderId, Nanos, OrderId, Symbol, TradeId};
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::config::Tuning;
use crate::fact::Fact;
use crate::io::{Input, InstanceName, OrderEvent, OrderEventKind, Stamp, Start};
use crate::paper::{Money, PaperState};
use crate::record::{Record, RecordError, Remembered};
use crate::status::StopProof;
use crate::take_over::TakeOver;

/// Foreign trade ids remembered to book each once.
const FOREIGN_TRADES_KEPT: usize = 10_000;
/// The venue allows 60 listen keys; ours expire within the hour.
const LISTEN_KEYS_KEPT: usize = 60;

/// Everything an engine must not forget. The engine's own state is one of these; it changes only by `apply`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// Of the run that wrote it; the next run uses a higher one.
    pub incarnation: u64,
    /// Highest epoch granted or seen at the venue.
    pub highest_epoch: u64,
    pub orders: OrderStore,
    pub ledger: Ledger,
    pub paper: PaperState,
    /// Base and quote asset of every pair used so far.
    pub pairs: BTreeMap<Symbol, (Asset, Asset)>,
    pub instances: BTreeMap<InstanceName, InstanceRecord>,
    /// By uid of the Halt.
    pub halts: BTreeMap<String, HaltRecord>,
    /// What loss limits remember: by name of the TradingStrategy, and of the account under no name.
    pub owners: BTreeMap<String, OwnerRecord>,
    /// The newest difference that somebody accepted.
    pub adoption: Option<Adoption>,
    /// Until everything that happened since the checkpoints of another core is known.
    pub take_over: Option<TakeOver>,
    /// Last client order id sequence used, by epoch and incarnation.
    pub sequences: BTreeMap<(u64, u64), u64>,
    /// Listen keys made lately, oldest first.
    pub listen_keys: VecDeque<String>,
    /// Time of the newest input.
    pub last_unix: Nanos,
    /// By order too: two orders that meet are two deals of one trade.
    foreign_trades: BTreeSet<(OrderId, TradeId)>,
    foreign_trades_in_order: VecDeque<(OrderId, TradeId)>,
}

/// What is remembered of one strategy instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceRecord {
    pub uid: String,
    /// Number of the newest order event.
    pub sequence: u64,
    /// The newest events, for a sidecar that comes back.
    pub events: VecDeque<OrderEvent>,
    pub figures: BTreeMap<Symbol, Figures>,
    pub last_reject: String,
    pub proof: Option<StopProof>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    pub accepted_orders: u64,
    pub fills: u64,
    pub venue_rejects: u64,
    pub risk_rejects: u64,
}

/// What loss limits remember of a strategy, whatever its instance, or of the account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerRecord {
    /// Of the TradingStrategy: another one of the same name begins anew.
    pub uid: String,
    pub watches: BTreeMap<Asset, Watch>,
    /// The newest reset, and when it was carried out; empty and 0: none.
    pub reset: String,
    pub reset_unix: Nanos,
}

/// A difference between the venue's balances and the ledger that somebody accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// What it was asked for with.
    pub request: String,
    pub at: Nanos,
    /// What `unassigned` took; empty: there was no difference.
    pub amounts: Vec<(Asset, Amount)>,
}

/// 0: not yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaltRecord {
    pub blocked_unix: Nanos,
    pub cancels_sent_unix: Nanos,
}

impl Recovered {
    /// Applies one fact. For facts about an order: what changed, unless there is no such order.
    pub fn apply(&mut self, fact: &Fact, tuning: &Tuning) -> Option<Change> {
        match fact {
            Fact::Epoch { epoch } => self.highest_epoch = self.highest_epoch.max(*epoch),
            Fact::ListenKey { key } => {
                self.listen_keys.push_back(key.clone());
                if self.listen_keys.len() > LISTEN_KEYS_KEPT {
                    self.listen_keys.pop_front();
                }
            }
            Fact::Pair { symbol, base, quote } => {
                self.pairs.insert(*symbol, (*base, *quote));
            }
            Fact::LedgerStarted { balances } => self.ledger.start(balances),
            Fact::Restored { instance, checkpoint, at, at_unix } => {
                self.restore(instance, checkpoint, *at, *at_unix);
            }
            Fact::TakenOver => self.take_over = None,
            Fact::Allocated { money, instance, uid, capital } => {
                match money {
                    Money::Real => self.ledger.allocate(instance, capital),
                    Money::Paper => self.paper.grant(instance, capital),
                }
                let record = self.instances.entry(instance.clone()).or_default();
                record.uid.clone_from(uid);
                record.proof = None;
            }
            Fact::Released { instance, proof } => {
                match self.money_of_owner(instance) {
                    Some(Money::Paper) => self.paper.take_back(instance),
                    _ => drop(self.ledger.release(instance)),
                }
                self.instances.entry(instance.clone()).or_default().proof = Some((**proof).clone());
            }
            Fact::Forgotten { instance } => {
                self.instances.remove(instance);
            }
            Fact::DifferenceAdopted { request, at, amounts } => {
                for &(asset, amount) in amounts {
                    self.ledger.transfer(asset, amount);
                }
                let (request, amounts) = (request.clone(), amounts.clone());
                self.adoption = Some(Adoption { request, at: *at, amounts });
            }
            Fact::Transfer { asset, amount } => self.ledger.transfer(*asset, *amount),
            Fact::Placed(new) => {
                // What was adopted was not issued by a run whose journal this is: it says nothing about the rest.
                if let Ok(id) = ClientId::parse(&new.client_id)
                    && new.origin != Origin::Adopted
                {
                    self.highest_epoch = self.highest_epoch.max(id.epoch);
                    let last = self.sequences.entry((id.epoch, id.incarnation)).or_default();
                    *last = (*last).max(id.sequence);
                }
                let orders = if is_paper(&new.client_id) { &mut self.paper.orders } else { &mut self.orders };
                orders.insert(Order::new(new.clone()));
            }
            Fact::Order { client_id, update } => return self.update(client_id, update, tuning),
            Fact::ForeignDeal { symbol, order_id, side, deal } => {
                if let Some(&(base, quote)) = self.pairs.get(symbol)
                    && self.foreign_trades.insert((*order_id, deal.trade_id))
                {
                    self.foreign_trades_in_order.push_back((*order_id, deal.trade_id));
                    self.ledger.book("", *symbol, base, quote, *side, deal);
                    if self.foreign_trades_in_order.len() > FOREIGN_TRADES_KEPT
                        && let Some(oldest) = self.foreign_trades_in_order.pop_front()
                    {
                        self.foreign_trades.remove(&oldest);
                    }
                }
            }
            Fact::Event { instance, event } => self.note_event(instance, event, tuning),
            Fact::HaltBlocked { uid, at_unix } => {
                self.halts.entry(uid.clone()).or_default().blocked_unix = *at_unix;
            }
            Fact::HaltCancelsSent { uid, at_unix } => {
                self.halts.entry(uid.clone()).or_default().cancels_sent_unix = *at_unix;
            }
            Fact::HaltLifted { uid } => {
                self.halts.remove(uid);
            }
            Fact::Watched { owner, uid, quote, watch } => {
                self.owner(owner, uid).watches.insert(*quote, *watch);
            }
            Fact::RiskReset { owner, uid, reset, at, watches } => {
                let record = self.owner(owner, uid);
                (record.reset, record.reset_unix) = (reset.clone(), *at);
                record.watches.values_mut().for_each(|watch| watch.breach = None);
                record.watches.extend(watches.iter().copied());
            }
        }
        None
    }

    fn update(
        &mut self,
        client_id: &ClientOrderId,
        update: &flashpod_orders::Update,
        tuning: &Tuning,
    ) -> Option<Change> {
        let (orders, ledger) = if is_paper(client_id) {
            (&mut self.paper.orders, &mut self.paper.ledger)
        } else {
            (&mut self.orders, &mut self.ledger)
        };
        let change = orders.apply(client_id, update, tuning.finished_kept as usize)?;
        if let flashpod_orders::Update::Deal(deal) = update
            && change.booked
            && let Some(order) = orders.get(client_id)
            && let Some(&(base, quote)) = self.pairs.get(&order.terms.symbol)
        {
            ledger.book(&order.terms.instance, order.terms.symbol, base, quote, order.terms.side, deal);
        }
        Some(change)
    }

    fn restore(&mut self, instance: &str, text: &str, at: Nanos, at_unix: Nanos) {
        let Ok(of) = Checkpoint::parse(text) else { return };
        self.ledger.restore(instance, of.account);
        let record =
            InstanceRecord { uid: of.uid, sequence: of.sequence, figures: of.figures, ..Default::default() };
        self.instances.insert(instance.to_owned(), record);
        self.owners.extend(of.losses);
        for (terms, before) in of.orders {
            if let Ok(id) = ClientId::parse(&terms.client_id) {
                self.highest_epoch = self.highest_epoch.max(id.epoch);
            }
            self.orders.insert(Order::new(NewOrder { before, created: at, created_unix: at_unix, ..terms }));
        }
        let fresh = TakeOver { since_ms: of.since_ms, ..TakeOver::default() };
        let begun = self.take_over.get_or_insert(fresh);
        begun.since_ms = begun.since_ms.min(of.since_ms);
        begun.booked.extend(of.closed);
        begun.texts.insert(instance.to_owned(), text.to_owned());
    }

    fn owner(&mut self, name: &str, uid: &str) -> &mut OwnerRecord {
        let record = self.owners.entry(name.to_owned()).or_default();
        if record.uid != uid {
            *record = OwnerRecord { uid: uid.to_owned(), ..OwnerRecord::default() };
        }
        record
    }

    fn note_event(&mut self, instance: &str, event: &OrderEvent, tuning: &Tuning) {
        let record = self.instances.entry(instance.to_owned()).or_default();
        record.sequence = event.sequence;
        let figures = record.figures.entry(event.symbol).or_default();
        match event.kind {
            OrderEventKind::Accepted => figures.accepted_orders += 1,
            OrderEventKind::Rejected => {
                if event.code.starts_with("MEXC_") {
                    figures.venue_rejects += 1;
                } else {
                    figures.risk_rejects += 1;
                }
                record.last_reject = format!("{}: {}", event.code, event.text);
            }
            _ => figures.fills += u64::from(event.fill.is_some()),
        }
        record.events.push_back(event.clone());
        while record.events.len() > tuning.events_kept as usize {
            record.events.pop_front();
        }
    }

    /// The parts in which two states differ, by name.
    pub(crate) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let same = [
            ("incarnation", self.incarnation == other.incarnation),
            ("highest epoch", self.highest_epoch == other.highest_epoch),
            ("orders", self.orders == other.orders),
            ("ledger", self.ledger == other.ledger),
            ("paper", self.paper == other.paper),
            ("pairs", self.pairs == other.pairs),
            ("instances", self.instances == other.instances),
            ("halts", self.halts == other.halts),
            ("losses", self.owners == other.owners),
            ("take-over", self.take_over == other.take_over),
            ("adoption", self.adoption == other.adoption),
            ("sequences", self.sequences == other.sequences),
            ("listen keys", self.listen_keys == other.listen_keys),
            ("time", self.last_unix == other.last_unix),
            ("foreign trades", self.foreign_trades_in_order == other.foreign_trades_in_order),
        ];
        same.into_iter().filter(|&(_, same)| !same).map(|(name, _)| name).collect()
    }

    /// Whether a deal of an order without our tag was booked before.
    #[must_use]
    pub fn knows_foreign_trade(&self, order: OrderId, trade: TradeId) -> bool {
        self.foreign_trades.contains(&(order, trade))
    }

    /// Whether this id was written down by a run this state knows of: if its order is not kept any more, it is
    /// finished and its deals are booked.
    #[must_use]
    pub fn was_issued(&self, id: &ClientId) -> bool {
        self.sequences.get(&(id.epoch, id.incarnation)).is_some_and(|&last| id.sequence <= last)
    }

    /// The instance that a client order id belongs to, as far as it is known.
    #[must_use]
    pub fn instance_of(&self, tag: InstanceTag) -> Option<&InstanceName> {
        self.instances.keys().find(|name| InstanceTag::of(name) == tag)
    }
}

/// What a journal says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded {
    pub recovered: Recovered,
    /// Sequence of the next input.
    pub next_seq: u64,
}

/// Folds a journal's records, oldest first. Records before the newest `Start` or `Checkpoint` need not be given.
pub fn fold<E>(records: impl IntoIterator<Item = Result<Vec<u8>, E>>) -> Result<Folded, FoldError<E>> {
    let mut fold = Fold::default();
    let mut count = 0;
    for bytes in records {
        count += 1;
        let bytes = bytes.map_err(FoldError::Journal)?;
        match Record::remember(&bytes).map_err(FoldError::Record)? {
            Remembered::Input(stamp) => fold.input(stamp),
            Remembered::Other(record) => match *record {
                Record::Input { stamp, input: Input::Start(start) } => fold.start(stamp, *start),
                Record::Input { stamp, .. } => fold.input(stamp),
                Record::Outcome { facts, .. } => fold.facts(&facts),
                Record::Checkpoint { next_seq, tuning, recovered } => {
                    fold.checkpoint(next_seq, tuning, *recovered);
                }
            },
        }
    }
    if count > 0 && !fold.begun {
        return Err(FoldError::NoBeginning { count });
    }
    Ok(fold.folded)
}

/// A fold, record by record. Until a `Start` or `Checkpoint` says from what, no fact is applied.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    folded: Folded,
    tuning: Tuning,
    begun: bool,
}

impl Fold {
    /// The state so far, once there is one.
    pub(crate) fn state(&self) -> Option<&Recovered> {
        self.begun.then_some(&self.folded.recovered)
    }

    pub(crate) fn start(&mut self, stamp: Stamp, start: Start) {
        let Start { config, incarnation, recovered } = start;
        self.folded.recovered = Recovered { incarnation, ..recovered };
        (self.tuning, self.begun) = (config.tuning, true);
        self.input(stamp);
    }

    pub(crate) fn input(&mut self, stamp: Stamp) {
        self.folded.next_seq = stamp.seq.saturating_add(1);
        self.folded.recovered.last_unix = stamp.unix;
    }

    pub(crate) fn facts(&mut self, facts: &[Fact]) {
        for fact in facts.iter().filter(|_| self.begun) {
            self.folded.recovered.apply(fact, &self.tuning);
        }
    }

    pub(crate) fn checkpoint(&mut self, next_seq: u64, tuning: Tuning, recovered: Recovered) {
        self.folded = Folded { recovered, next_seq };
        (self.tuning, self.begun) = (tuning, true);
    }
}

#[derive(Debug, thiserror::Error)]
pub enum FoldError<E> {
    #[error(transparent)]
    Journal(E),
    #[error(transparent)]
    Record(RecordError),
    #[error("none of {count} records is the start of a run or a checkpoint: files are missing")]
    NoBeginning { count: u64 },
}
