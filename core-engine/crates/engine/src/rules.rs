//! Pairs that the core quotes by itself: a rule is asked on each change of their book, and what it wants takes the way
//! of wanted quotes.

use flashpod_orders::quotes::Wanted;
use flashpod_rules::{Decide, Quote, Quotes, Refusal, Rule, Seen};
use flashpod_types::{Millis, Side, Symbol};

use crate::engine::Engine;
use crate::instance::Instance;
use crate::io::{Action, BookTop, RuleAnswer, RuleRefusal, SessionEvent, SetRule, TradingState};
use crate::market::Arrival;

/// The slots of a rule's quotes.
const BID: u32 = 0;
const ASK: u32 = 1;

#[derive(Debug)]
pub(crate) struct RuleInForce {
    rule: Rule,
    /// Something it decides upon has changed since it was last asked.
    due: bool,
}

impl RuleInForce {
    pub(crate) const fn note_change(&mut self) {
        self.due = true;
    }
}

fn refused(Refusal { field, value, accepted }: Refusal) -> RuleRefusal {
    RuleRefusal { field, value, accepted }
}

impl Engine {
    pub(crate) fn on_set_rule(&mut self, name: &str, asked: SetRule) {
        let SetRule { symbol, rule, parameters } = asked;
        let refusal = self.set_rule(name, symbol, &rule, &parameters).err().map(refused);
        self.counters.refused_messages += u64::from(refusal.is_some());
        let answer = RuleAnswer { symbol, rule, refused: refusal };
        let event = SessionEvent::Rule(Box::new(answer));
        self.emit(Action::Session { instance: name.to_owned(), event });
    }

    fn set_rule(
        &mut self,
        name: &str,
        symbol: Symbol,
        rule: &str,
        parameters: &[(String, String)],
    ) -> Result<(), Refusal> {
        let Some(instance) = self.instances.get_mut(name) else { return Ok(()) };
        let symbols = &instance.policy.symbols;
        let terms = self.instruments.get(&symbol).filter(|_| symbols.contains(&symbol)).ok_or_else(|| {
            let known: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
            Refusal::new("symbol", symbol, known.join(", "))
        })?;
        if rule.is_empty() {
            instance.rules.remove(&symbol);
            if let Some(set) = instance.wanted.get_mut(&symbol) {
                set.revise(&[], 0, None);
            }
            return Ok(());
        }
        let rule = Rule::new(rule, parameters)?;
        rule.fits(&terms.instrument)?;
        instance.rules.insert(symbol, RuleInForce { rule, due: true });
        Ok(())
    }

    /// A book was published: the rules of its pair decide at once.
    pub(crate) fn ask_rules(&mut self, top: &BookTop, cause: Option<Arrival>) {
        let Self { instances, instruments, state, counters, requote, .. } = self;
        let Some(terms) = instruments.get(&top.symbol) else { return };
        for (name, instance) in instances {
            // Unwatched it decides nothing: what becomes of its orders, the action for a lost sidecar says.
            if instance.session.is_none() || instance.loss_acted {
                continue;
            }
            let may = top.certified && instance.state == TradingState::Active;
            let Some(in_force) = instance.rules.get_mut(&top.symbol) else { continue };
            in_force.due = false;
            let tolerance = in_force.rule.tolerance_ticks();
            let quotes = if may {
                let held = state
                    .ledger_in(instance.money)
                    .account(name)
                    .map(|account| account.position(top.symbol).qty);
                let position = held.unwrap_or_default();
                let seen = Seen { instrument: &terms.instrument, bids: &top.bids, asks: &top.asks, position };
                in_force.rule.decide(&seen)
            } else {
                Quotes::NONE
            };
            if let Some(superseded) = instance.want(top.symbol, quotes, tolerance, cause) {
                instance.superseded += superseded;
                counters.superseded_quotes += superseded;
                *requote = true;
            }
        }
    }

    /// Asks the rules for which something else than a book has changed: a position, a state, their parameters.
    pub(crate) fn ask_due_rules(&mut self) {
        let due = |instance: &Instance| instance.rules.values().any(|rule| rule.due);
        if !self.instances.values().any(due) {
            return;
        }
        let mut symbols: Vec<Symbol> = self
            .instances
            .values()
            .flat_map(|instance| &instance.rules)
            .filter(|(_, rule)| rule.due)
            .map(|(&symbol, _)| symbol)
            .collect();
        symbols.sort_unstable();
        symbols.dedup();
        for symbol in symbols {
            let Some(top) = self.top(symbol, self.now.mono, Millis(0)) else { continue };
            self.ask_rules(&top, None);
        }
    }

    /// A deal was booked.
    pub(crate) fn note_position(&mut self, name: &str, symbol: Symbol) {
        if let Some(rule) = self.instances.get_mut(name).and_then(|i| i.rules.get_mut(&symbol)) {
            rule.note_change();
        }
    }
}

impl Instance {
    /// Takes over what a rule wants. None: it is what was wanted already; else how many former wishes had not been
    /// fulfilled.
    fn want(
        &mut self,
        symbol: Symbol,
        quotes: Quotes,
        tolerance: u32,
        cause: Option<Arrival>,
    ) -> Option<u64> {
        let set = self.wanted.entry(symbol).or_default();
        let wanted = |slot, side, Quote { price, qty }| Wanted { slot, side, price, qty };
        let bid = quotes.bid.map(|quote| wanted(BID, Side::Buy, quote));
        let ask = quotes.ask.map(|quote| wanted(ASK, Side::Sell, quote));
        let superseded = set.revise(&[bid, ask], tolerance, cause)?;
        for (_, denied) in self.denied.iter_mut().filter(|((pair, _), _)| *pair == symbol) {
            denied.forgive();
        }
        let wanted = |slot: u32| set.quotes.iter().any(|quote| quote.slot == slot);
        self.denied.retain(|&(pair, slot), _| pair != symbol || wanted(slot));
        Some(superseded)
    }
}
