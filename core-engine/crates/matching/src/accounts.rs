//! Balances with locks: what is free, and what open orders hold.

use std::collections::BTreeMap;

use flashpod_types::{Amount, Asset};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    pub free: Amount,
    pub locked: Amount,
}

impl Balance {
    #[must_use]
    pub fn total(&self) -> Amount {
        self.free + self.locked
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    #[error("{asset}: {needed} is needed but only {free} is free")]
    Insufficient { asset: Asset, needed: Amount, free: Amount },
    #[error("{asset}: {needed} should be locked but only {locked} is")]
    NotLocked { asset: Asset, needed: Amount, locked: Amount },
}

/// The balances of one account. No operation can make one negative: it fails instead and changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    balances: BTreeMap<Asset, Balance>,
}

impl Account {
    #[must_use]
    pub fn get(&self, asset: Asset) -> Balance {
        self.balances.get(&asset).copied().unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Asset, Balance)> + '_ {
        self.balances.iter().map(|(asset, balance)| (*asset, *balance))
    }

    fn free_of(&mut self, asset: Asset, needed: Amount) -> Result<&mut Balance, AccountError> {
        let balance = self.balances.entry(asset).or_default();
        if needed.is_negative() || balance.free < needed {
            return Err(AccountError::Insufficient { asset, needed, free: balance.free });
        }
        Ok(balance)
    }

    fn locked_of(&mut self, asset: Asset, needed: Amount) -> Result<&mut Balance, AccountError> {
        let balance = self.balances.entry(asset).or_default();
        if needed.is_negative() || balance.locked < needed {
            return Err(AccountError::NotLocked { asset, needed, locked: balance.locked });
        }
        Ok(balance)
    }

    /// Adds to what is free.
    pub fn credit(&mut self, asset: Asset, amount: Amount) {
        self.balances.entry(asset).or_default().free += amount;
    }

    /// Takes from what is free.
    pub fn debit(&mut self, asset: Asset, amount: Amount) -> Result<(), AccountError> {
        self.free_of(asset, amount)?.free -= amount;
        Ok(())
    }

    /// Moves from free to locked.
    pub fn lock(&mut self, asset: Asset, amount: Amount) -> Result<(), AccountError> {
        let balance = self.free_of(asset, amount)?;
        balance.free -= amount;
        balance.locked += amount;
        Ok(())
    }

    /// Moves from locked to free.
    pub fn unlock(&mut self, asset: Asset, amount: Amount) -> Result<(), AccountError> {
        let balance = self.locked_of(asset, amount)?;
        balance.locked -= amount;
        balance.free += amount;
        Ok(())
    }

    /// Takes from what is locked.
    pub fn spend_locked(&mut self, asset: Asset, amount: Amount) -> Result<(), AccountError> {
        self.locked_of(asset, amount)?.locked -= amount;
        Ok(())
    }
}
