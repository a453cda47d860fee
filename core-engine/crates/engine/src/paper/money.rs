//! Whose money an instance trades with. Real and paper money never meet: each has orders and a ledger of its own, and
//! only the real ones are compared with the venue.

use flashpod_orders::{Ledger, Order, OrderStore};
use flashpod_types::{Amount, Asset, ClientOrderId};
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::io::Mode;
use crate::recovery::Recovered;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Money {
    /// The account's, at the venue.
    Real,
    /// Made up: capital is given as the manifest asks for it, and is gone when the instance is.
    Paper,
}

impl Money {
    pub(crate) const fn of(mode: Mode) -> Self {
        match mode {
            Mode::Live => Self::Real,
            Mode::Paper | Mode::Shadow => Self::Paper,
        }
    }
}

/// Orders on paper and what their instances own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperState {
    pub orders: OrderStore,
    pub ledger: Ledger,
}

impl PaperState {
    /// Gives capital from nowhere; what is below zero is taken back.
    pub(crate) fn grant(&mut self, instance: &str, capital: &[(Asset, Amount)]) {
        for &(asset, amount) in capital {
            self.ledger.transfer(asset, amount);
        }
        self.ledger.allocate(instance, capital);
    }

    /// Ends a sub-account and all that is in it.
    pub(crate) fn take_back(&mut self, instance: &str) {
        for (asset, amount) in self.ledger.release(instance).map(|account| account.own).unwrap_or_default() {
            self.ledger.transfer(asset, -amount);
        }
    }
}

impl Recovered {
    pub(crate) const fn orders_in(&self, money: Money) -> &OrderStore {
        match money {
            Money::Real => &self.orders,
            Money::Paper => &self.paper.orders,
        }
    }

    pub(crate) const fn ledger_in(&self, money: Money) -> &Ledger {
        match money {
            Money::Real => &self.ledger,
            Money::Paper => &self.paper.ledger,
        }
    }

    /// An order, real or on paper.
    pub(crate) fn order(&self, client_id: &ClientOrderId) -> Option<&Order> {
        self.orders.get(client_id).or_else(|| self.paper.orders.get(client_id))
    }

    /// Every order that is not closed, the real ones first.
    pub(crate) fn all_live(&self) -> impl Iterator<Item = &Order> {
        self.orders.live().chain(self.paper.orders.live())
    }

    /// With whose money an instance that owns something trades.
    pub(crate) fn money_of_owner(&self, instance: &str) -> Option<Money> {
        [Money::Real, Money::Paper]
            .into_iter()
            .find(|&money| self.ledger_in(money).account(instance).is_some())
    }
}

impl Engine {
    /// Of an instance that nobody wants any more: as it owns.
    pub(crate) fn money_of(&self, instance: &str) -> Money {
        match self.instances.get(instance) {
            Some(instance) => instance.money,
            None => self.state.money_of_owner(instance).unwrap_or(Money::Real),
        }
    }

    /// The orders among which an instance's own are.
    pub(crate) fn orders_of(&self, instance: &str) -> &OrderStore {
        self.state.orders_in(self.money_of(instance))
    }

    /// The ledger in which an instance's sub-account is.
    pub(crate) fn ledger_of(&self, instance: &str) -> &Ledger {
        self.state.ledger_in(self.money_of(instance))
    }
}
