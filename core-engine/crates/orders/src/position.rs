//! Position of one instance in one pair: quantity, average cost, realised profit, fees.
//!
//! Identity kept by every operation: quote paid and received by the deals, without fees
//! = realised − fees taken in base, at their price − cost of what is open. So profit at any mark is
//! realised + unrealised − fees, exactly. Fees in base finer than 1e-8 are carried until they make a whole step; fees in
//! a third asset are the sub-account's, since nothing here values them.

use flashpod_types::{Amount, Price, Qty, Side};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionBook {
    /// Own base − allocated base, as far as this pair moved it.
    pub qty: Qty,
    /// What the open quantity cost (negative: what a short brought in).
    pub cost: Amount,
    /// Before fees.
    pub realised: Amount,
    /// In the quote asset; fees in base are valued at the price of their fill.
    pub fees: Amount,
    /// Fees in base that are too fine for a quantity, and not yet taken from it: less than 1e-8.
    pub remainder: Amount,
}

impl PositionBook {
    /// Cost of one unit of what is open.
    #[must_use]
    pub fn average_cost(&self) -> Price {
        if self.qty.is_zero() {
            return Price::ZERO;
        }
        let raw = self.cost.raw() / i128::from(self.qty.raw());
        Price::from_raw(i64::try_from(raw).unwrap_or(i64::MAX))
    }

    #[must_use]
    pub fn unrealised(&self, mark: Price) -> Amount {
        if self.qty.is_zero() { Amount::ZERO } else { mark.notional(self.qty) - self.cost }
    }

    pub(crate) fn trade(&mut self, side: Side, qty: Qty, value: Amount) {
        let signed = match side {
            Side::Buy => qty,
            Side::Sell => -qty,
        };
        self.shift(signed, value);
    }

    pub(crate) fn quote_fee(&mut self, fee: Amount) {
        self.fees += fee;
    }

    /// A fee in the base asset leaves the position as if it had been sold at the fill's price and paid from that.
    pub(crate) fn base_fee(&mut self, fee: Amount, price: Price) {
        let due = self.remainder + fee;
        let qty = due.to_qty_floor();
        self.remainder = due - Amount::from(qty);
        let value = price.notional(qty);
        self.shift(-qty, value);
        self.fees += value;
    }

    /// Moves the position by `signed`, for which `value` was paid (bought) or received (sold).
    fn shift(&mut self, signed: Qty, value: Amount) {
        if signed.is_zero() {
            return;
        }
        let same_way = self.qty.is_zero() || self.qty.is_negative() == signed.is_negative();
        let flow = if signed.is_negative() { -value } else { value };
        if same_way {
            self.qty += signed;
            self.cost += flow;
            return;
        }
        // The part that closes, and the part that opens the other way.
        let size = signed.abs();
        let closing = size.min(self.qty.abs());
        let share = |amount: Amount, part: Qty, whole: Qty| {
            if part == whole {
                amount
            } else {
                let (raw, part, whole) = (amount.raw(), i128::from(part.raw()), i128::from(whole.raw()));
                // Whole and remainder apart: raw × part alone could overflow.
                Amount::from_raw(raw / whole * part + raw % whole * part / whole)
            }
        };
        let closed_cost = share(self.cost, closing, self.qty.abs());
        let closed_flow = share(flow, closing, size);
        self.realised += -closed_flow - closed_cost;
        self.cost = self.cost - closed_cost + (flow - closed_flow);
        self.qty += signed;
    }
}
