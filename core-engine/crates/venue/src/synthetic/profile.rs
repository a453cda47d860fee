//! How one synthetic pair behaves. Distances are in basis points of the price.

#[derive(Debug, Clone, Copy)]
pub struct Profile {
    pub symbol: &'static str,
    pub base: &'static str,
    pub quote: &'static str,
    pub price_places: usize,
    pub qty_places: usize,
    /// Price at the start, quote units.
    pub price: f64,
    /// Median size of a crowd order, base units.
    pub size: f64,
    /// Diffusion of the fair price: basis points per square root of a second.
    pub volatility: f64,
    /// Median half spread asked by a quoting order.
    pub half_spread: f64,
    /// Mean distance of the near, the middle and (scale of) the far limit orders.
    pub near: f64,
    pub middle: f64,
    pub far: f64,
    /// Limit orders a second in quiet times.
    pub limit_rate: f64,
    /// Checks of stale quotes a second.
    pub requote_rate: f64,
    /// Market orders a second and side in quiet times, and how much each excites its own side.
    pub market_rate: f64,
    pub excitation: f64,
    /// Seconds in which excitement fades to 1/e.
    pub fade: f64,
    /// Move of the fair price per market order of median size.
    pub impact: f64,
}

impl Profile {
    #[must_use]
    pub fn btcusdc() -> Self {
        Self {
            symbol: "BTCUSDC",
            base: "BTC",
            quote: "USDC",
            price_places: 2,
            qty_places: 6,
            price: 100_000.0,
            size: 0.02,
            volatility: 0.20,
            half_spread: 0.010,
            near: 0.05,
            middle: 1.5,
            far: 6.0,
            limit_rate: 48.0,
            requote_rate: 45.0,
            market_rate: 0.5,
            excitation: 0.72,
            fade: 0.45,
            impact: 0.055,
        }
    }

    #[must_use]
    pub fn ethusdc() -> Self {
        Self {
            symbol: "ETHUSDC",
            base: "ETH",
            quote: "USDC",
            price_places: 2,
            qty_places: 5,
            price: 4_000.0,
            size: 0.4,
            volatility: 0.26,
            half_spread: 0.014,
            near: 0.10,
            middle: 1.8,
            far: 7.0,
            limit_rate: 32.0,
            requote_rate: 40.0,
            market_rate: 0.45,
            excitation: 0.72,
            fade: 0.5,
            impact: 0.065,
        }
    }
}
