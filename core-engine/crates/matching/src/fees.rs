//! What a fill costs.

use flashpod_types::{Amount, Asset, Price, Qty, Side};

/// Which asset pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeeAsset {
    /// The quote asset on both sides: a buyer pays on top, a seller gets less.
    Quote,
    /// Whatever the fill brings: base for a buyer, quote for a seller.
    Received,
}

/// Rates in units of 1e-8 of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeSchedule {
    pub maker: i64,
    pub taker: i64,
    pub asset: FeeAsset,
}

impl FeeSchedule {
    #[must_use]
    pub const fn rate(&self, maker: bool) -> i64 {
        if maker { self.maker } else { self.taker }
    }

    /// `amount` × the rate, rounded up to 1e-16 so that the venue never loses.
    #[must_use]
    pub fn of(&self, amount: Amount, maker: bool) -> Amount {
        let scaled = amount.raw() * i128::from(self.rate(maker));
        Amount::from_raw(scaled.div_euclid(100_000_000) + i128::from(scaled.rem_euclid(100_000_000) != 0))
    }

    /// Amount and asset of the fee of one fill.
    #[must_use]
    pub fn charge(
        &self,
        side: Side,
        price: Price,
        qty: Qty,
        maker: bool,
        (base, quote): (Asset, Asset),
    ) -> (Amount, Asset) {
        match (self.asset, side) {
            (FeeAsset::Received, Side::Buy) => (self.of(Amount::from(qty), maker), base),
            _ => (self.of(price.notional(qty), maker), quote),
        }
    }

    /// What a buyer must hold on top of `value` for the fee of a fill of that value.
    #[must_use]
    pub fn on_top_of_a_buy(&self, value: Amount, maker: bool) -> Amount {
        match self.asset {
            FeeAsset::Quote => self.of(value, maker),
            FeeAsset::Received => Amount::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn a_taker_pays_five_basis_points_in_quote() {
        let fees = FeeSchedule { maker: 0, taker: 50_000, asset: FeeAsset::Quote };
        let names = ("BTC".parse().unwrap(), "USDC".parse().unwrap());
        let (price, qty) = ("100000".parse().unwrap(), "0.001".parse().unwrap());
        assert_eq!(fees.charge(Side::Buy, price, qty, false, names), (amount("0.05"), names.1));
        assert_eq!(fees.charge(Side::Buy, price, qty, true, names), (Amount::ZERO, names.1));
    }

    #[test]
    fn a_fee_below_the_last_place_is_rounded_up() {
        let fees = FeeSchedule { maker: 1, taker: 1, asset: FeeAsset::Received };
        assert_eq!(fees.of(Amount::from_raw(1), true), Amount::from_raw(1));
        assert_eq!(fees.of(Amount::ZERO, true), Amount::ZERO);
    }
}
