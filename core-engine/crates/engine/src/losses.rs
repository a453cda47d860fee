//! Loss limits of strategies and of the account. Profit is looked at whenever something happened, and every
//! `Tuning::loss_period` while a position moves with the market; what must not be forgotten of it is a fact. The day is
//! the venue's.

use flashpod_orders::SubAccount;
use flashpod_risk::{Breach, Code, LossLimits, LossRule, Watch, next_day};
use flashpod_types::{Amount, Asset, Nanos};

use crate::engine::Engine;
use crate::fact::Fact;
use crate::instance::Instance;
use crate::io::{InstanceName, InstancePolicy, Mode, OnLoss, TradingState};
use crate::paper::Money;
use crate::recovery::OwnerRecord;
use crate::status::LossStatus;

/// The account's own record has no strategy's name.
const ACCOUNT: &str = "";

/// Whose profit is watched, and how strictly.
#[derive(Debug, Clone, Copy)]
struct Owner<'a> {
    name: &'a str,
    uid: &'a str,
    /// The newest reset that was asked for; empty: none.
    reset: &'a str,
    limits: LossLimits,
}

impl InstancePolicy {
    /// The strategy behind it: what it lost is lost for its next instance too.
    fn owner(&self) -> Owner<'_> {
        let limits =
            LossLimits { max_daily_loss: self.limits.max_daily_loss, max_drawdown: self.limits.max_drawdown };
        Owner { name: &self.owner, uid: &self.owner_uid, reset: &self.risk_reset, limits }
    }
}

/// A limit of a strategy or of the account that was reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reached {
    pub(crate) code: Code,
    quote: Asset,
    breach: Breach,
    on_loss: OnLoss,
}

impl Reached {
    pub(crate) const fn state(&self) -> TradingState {
        match self.on_loss {
            OnLoss::Halt => TradingState::Halted,
            OnLoss::ReduceOnly => TradingState::ReduceOnly,
        }
    }

    pub(crate) fn reason(&self) -> String {
        let Breach { lost, limit, .. } = self.breach;
        let (name, since) = match self.code {
            Code::DailyLoss => ("maxDailyLoss", "since 00:00 UTC"),
            Code::AccountLoss => ("the account's maxLoss", "since 00:00 UTC"),
            Code::AccountDrawdown => ("the account's maxDrawdown", "from the peak"),
            _ => ("maxDrawdown", "from the peak"),
        };
        let (code, quote) = (self.code, self.quote);
        format!(
            "{code}: {lost} {quote} lost {since}, {name} is {limit}; only a reset lifts it (annotation reset-risk)"
        )
    }
}

impl Engine {
    /// Looks at what was lost. When to look again.
    pub(crate) fn poll_losses(&mut self) -> Option<Nanos> {
        let now = self.now.mono;
        let at = self.clock.venue(now)?;
        let mut news = Vec::new();
        for (name, instance) in &self.instances {
            // Without a sub-account it has not begun, or has ended.
            let Some(account) = self.ledger_of(name).account(name) else { continue };
            let owner = instance.policy.owner();
            let quotes = || self.quotes_of(&instance.policy);
            self.watch(&owner, at, quotes, |quote| self.profit(account, quote), &mut news);
        }
        let account = self.account_owner();
        self.watch(&account, at, || self.quotes(), |quote| self.whole_profit(quote), &mut news);
        for fact in news {
            self.note_loss(fact);
        }
        self.next_look(at)
    }

    fn next_look(&self, at: Nanos) -> Option<Nanos> {
        let now = self.now.mono;
        let watched = |instance: &Instance| instance.policy.owner().limits.is_set();
        let all = self.account_owner().limits.is_set();
        if !all && !self.instances.values().any(watched) {
            return None;
        }
        let moves = |(name, instance): (&InstanceName, &Instance)| {
            let account = self.ledger_of(name).account(name);
            (all || watched(instance))
                && account.is_some_and(|account| account.positions.values().any(|held| !held.qty.is_zero()))
        };
        let soon = self.instances.iter().any(moves).then_some(self.config.tuning.loss_period);
        Some(now + soon.unwrap_or_else(|| next_day(at)))
    }

    fn account_owner(&self) -> Owner<'_> {
        let limits = &self.desired.account;
        Owner {
            name: ACCOUNT,
            uid: "",
            reset: &limits.risk_reset,
            limits: LossLimits { max_daily_loss: limits.max_loss, max_drawdown: limits.max_drawdown },
        }
    }

    /// The quote assets of an instance's pairs, as far as the pairs are known, each once.
    fn quotes_of<'a>(&'a self, policy: &'a InstancePolicy) -> impl Iterator<Item = Asset> + 'a {
        let quote = |symbol| self.state.pairs.get(symbol).map(|pair| pair.1);
        let first = move |(at, symbol)| {
            let own = quote(symbol)?;
            let before = policy.symbols[..at].iter().any(|other| quote(other) == Some(own));
            (!before).then_some(own)
        };
        policy.symbols.iter().enumerate().filter_map(first)
    }

    /// Those of every pair so far, each once.
    fn quotes(&self) -> impl Iterator<Item = Asset> {
        let quotes = || self.state.pairs.values().map(|&(_, quote)| quote);
        let first = move |&(at, quote): &(usize, Asset)| !quotes().take(at).any(|other| other == quote);
        quotes().enumerate().filter(first).map(|(_, quote)| quote)
    }

    /// What there is to remember after a look at an owner's profit, in each quote asset.
    fn watch<I: Iterator<Item = Asset>>(
        &self,
        owner: &Owner<'_>,
        at: Nanos,
        quotes: impl Fn() -> I,
        profit: impl Fn(Asset) -> Option<Amount>,
        news: &mut Vec<Fact>,
    ) {
        let record = self.record_of(owner);
        let known = |quote: Asset| record.and_then(|record| record.watches.get(&quote)).copied();
        let names = || (owner.name.to_owned(), owner.uid.to_owned());
        if !owner.reset.is_empty() && record.is_none_or(|record| record.reset != owner.reset) {
            let begun = |quote| Some((quote, known(quote).unwrap_or_default().begun(profit(quote)?, at)));
            // Once all prices are known: a reset counts from what is there now.
            if let Some(watches) = quotes().map(begun).collect() {
                let (name, uid) = names();
                news.push(Fact::RiskReset { owner: name, uid, reset: owner.reset.to_owned(), at, watches });
            }
            return;
        }
        if !owner.limits.is_set() {
            return;
        }
        for quote in quotes() {
            let Some(profit) = profit(quote) else { continue };
            let before = known(quote);
            let begun = before.unwrap_or_else(|| Watch::default().begun(profit, at));
            let watch = begun.observed(profit, at, &owner.limits);
            if before != Some(watch) {
                let (owner, uid) = names();
                news.push(Fact::Watched { owner, uid, quote, watch });
            }
        }
    }

    fn record_of(&self, owner: &Owner<'_>) -> Option<&OwnerRecord> {
        self.state.owners.get(owner.name).filter(|record| record.uid == owner.uid)
    }

    /// Remembers it. What was sent before a limit was reached must not open anything after it.
    fn note_loss(&mut self, fact: Fact) {
        let stopped = match &fact {
            Fact::Watched { owner, quote, watch, .. } => {
                let known = self.state.owners.get(owner).and_then(|record| record.watches.get(quote));
                let is_new = watch.breach.is_some() && known.is_none_or(|known| known.breach.is_none());
                is_new.then(|| owner.clone())
            }
            Fact::RiskReset { .. } => {
                self.status_changed();
                None
            }
            _ => None,
        };
        self.commit(fact);
        let Some(owner) = stopped else { return };
        let covered = |instance: &Instance| {
            (owner == ACCOUNT && instance.money == Money::Real) || instance.policy.owner == owner
        };
        let names: Vec<InstanceName> =
            self.instances.iter().filter(|(_, i)| covered(i)).map(|(name, _)| name.clone()).collect();
        self.cancel_all_of(&names);
        self.status_changed();
    }

    /// An instance ends: what it brought still counts for its strategy and the account.
    pub(crate) fn carry_profit(&mut self, name: &str) {
        let (Some(instance), Some(account)) = (self.instances.get(name), self.ledger_of(name).account(name))
        else {
            return;
        };
        let mut facts = Vec::new();
        // What was lost on paper costs the account nothing.
        let of_account = Some(self.account_owner()).filter(|_| instance.money == Money::Real);
        for owner in [instance.policy.owner()].into_iter().chain(of_account) {
            let watches = self.record_of(&owner).into_iter().flat_map(|record| &record.watches);
            for (&quote, watch) in watches {
                let watch = watch.ended(self.profit_or_realised(account, quote));
                let (owner, uid) = (owner.name.to_owned(), owner.uid.to_owned());
                facts.push(Fact::Watched { owner, uid, quote, watch });
            }
        }
        for fact in facts {
            self.commit(fact);
        }
    }

    /// Realised and unrealised, after fees; None while a price is not known that it takes.
    fn profit(&self, account: &SubAccount, quote: Asset) -> Option<Amount> {
        let mut sum = Amount::ZERO;
        for (symbol, held) in &account.positions {
            if self.state.pairs.get(symbol).is_none_or(|pair| pair.1 != quote) {
                continue;
            }
            if !held.qty.is_zero() {
                sum += held.unrealised(self.markets.get(symbol)?.mark()?);
            }
            sum += held.realised - held.fees;
            for (asset, fee) in account.other_fees(*symbol) {
                sum += -self.value_of(asset, fee, quote)?;
            }
        }
        Some(sum)
    }

    /// Without the price of something that it holds: as if it were worth what it cost.
    fn profit_or_realised(&self, account: &SubAccount, quote: Asset) -> Amount {
        self.profit(account, quote).unwrap_or_else(|| {
            let in_quote = |symbol| self.state.pairs.get(symbol).is_some_and(|pair| pair.1 == quote);
            let held = account.positions.iter().filter(|(symbol, _)| in_quote(symbol));
            held.map(|(_, held)| held.realised - held.fees).sum()
        })
    }

    /// Of a fee in a third asset: nothing unless a market in it is followed. None until that has a price.
    fn value_of(&self, asset: Asset, fee: Amount, quote: Asset) -> Option<Amount> {
        let pair = self.state.pairs.iter().find(|(_, pair)| **pair == (asset, quote));
        match pair.and_then(|(symbol, _)| self.markets.get(symbol)) {
            Some(market) => Some(market.mark()?.notional(fee.to_qty_floor())),
            None => Some(Amount::ZERO),
        }
    }

    /// Of the account: everything that runs, and what nobody wants any more as far as it can be priced.
    fn whole_profit(&self, quote: Asset) -> Option<Amount> {
        let mut sum = Amount::ZERO;
        for (name, account) in self.state.ledger.accounts() {
            sum += if self.instances.contains_key(name) {
                self.profit(account, quote)?
            } else {
                self.profit_or_realised(account, quote)
            };
        }
        Some(sum)
    }

    /// The loss limit that stops an instance's own strategy.
    pub(crate) fn strategy_stop(&self, policy: &InstancePolicy) -> Option<Reached> {
        let codes = [(LossRule::DailyLoss, Code::DailyLoss), (LossRule::Drawdown, Code::Drawdown)];
        self.reached(&policy.owner(), policy.limits.on_loss, codes)
    }

    /// The loss limit that stops the whole account.
    pub(crate) fn account_stop(&self) -> Option<Reached> {
        let codes = [(LossRule::DailyLoss, Code::AccountLoss), (LossRule::Drawdown, Code::AccountDrawdown)];
        self.reached(&self.account_owner(), self.desired.account.on_loss, codes)
    }

    fn reached(&self, owner: &Owner<'_>, on_loss: OnLoss, codes: [(LossRule, Code); 2]) -> Option<Reached> {
        let mut watches = self.record_of(owner)?.watches.iter();
        let (quote, breach) = watches.find_map(|(&quote, watch)| Some((quote, watch.breach?)))?;
        let code = codes.iter().find(|(rule, _)| *rule == breach.rule)?.1;
        Some(Reached { code, quote, breach, on_loss })
    }

    /// The stricter of what stops an instance: its own limits or the account's.
    pub(crate) fn stop_of(&self, policy: &InstancePolicy) -> Option<Reached> {
        let account = if policy.mode == Mode::Live { self.account_stop() } else { None };
        let both = [self.strategy_stop(policy), account];
        // Of two that are as strict, its own.
        both.into_iter()
            .flatten()
            .reduce(|own, account| if account.state() > own.state() { account } else { own })
    }

    /// What an instance's strategy lost, for the status.
    pub(crate) fn losses_of(&self, name: &str, policy: &InstancePolicy) -> Vec<LossStatus> {
        let profit = |quote| match self.ledger_of(name).account(name) {
            Some(account) => self.profit(account, quote),
            None => Some(Amount::ZERO),
        };
        self.losses(&policy.owner(), profit)
    }

    /// What the account lost, for the status.
    pub(crate) fn account_losses(&self) -> Vec<LossStatus> {
        self.losses(&self.account_owner(), |quote| self.whole_profit(quote))
    }

    fn losses(&self, owner: &Owner<'_>, profit: impl Fn(Asset) -> Option<Amount>) -> Vec<LossStatus> {
        let Some(record) = self.record_of(owner) else { return Vec::new() };
        let of = |(&quote, watch): (&Asset, &Watch)| {
            let profit = profit(quote);
            LossStatus {
                quote,
                day_loss: profit.map(|profit| watch.day_loss(profit)),
                drawdown: profit.map(|profit| watch.drawdown(profit)),
                breach: watch.breach,
                reset: record.reset.clone(),
                reset_unix: record.reset_unix,
            }
        };
        record.watches.iter().map(of).collect()
    }
}
