//! Every fact about MEXC that is unknown or that a test wants to vary: `--set NAME=VALUE`.

mod latency;
mod value;

use flashpod_matching::{Conservative, FeeAsset, FeeSchedule, Latency, Proportional, QueueModel};
use flashpod_types::Nanos;

pub use value::{Decimal, Fraction};
use value::{Setting, choice};

/// A `--set` that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    #[error("--set {0}: is not NAME=VALUE")]
    Shape(String),
    #[error("--set {0}: no such setting; there are {1}")]
    Unknown(String, String),
    #[error("--set {name}={value}: {why}")]
    Value { name: String, value: String, why: String },
}

choice!(
    /// Which asset pays the fee.
    FeeIn { Quote = "quote", Received = "received", Mx = "mx" }
);
choice!(QueueChoice { Conservative = "conservative", Proportional = "proportional" });
choice!(CancelReply { Full = "full", Minimal = "minimal", StatusNew = "statusNew" });
choice!(
    /// An order that its own type forbids to let in.
    Miss { Reject = "reject", Cancel = "cancel" }
);
choice!(IocPartial { PartiallyCanceled = "partiallyCanceled", Canceled = "canceled" });
choice!(DuplicateId { Reject = "reject", Accept = "accept" });
choice!(OffStep { Reject = "reject", Round = "round" });
choice!(WeightPools { Shared = "shared", Independent = "independent", Off = "off" });
choice!(BucketUnit { Key = "key", Ip = "ip" });
choice!(TradeTimes { Seconds = "seconds", Milliseconds = "ms" });

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:literal $field:ident: $ty:ty = $default:expr;)*) => {
        /// All settings with their values.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Settings { $($(#[doc = $doc])+ pub $field: $ty,)* }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl Settings {
            /// Applies one `NAME=VALUE`.
            pub fn set(&mut self, assignment: &str) -> Result<(), SettingError> {
                let Some((name, value)) = assignment.split_once('=') else {
                    return Err(SettingError::Shape(assignment.to_owned()));
                };
                match name {
                    $($name => {
                        self.$field = <$ty as Setting>::try_read(value).map_err(|why| SettingError::Value {
                            name: name.to_owned(),
                            value: value.to_owned(),
                            why,
                        })?;
                    })*
                    _ => {
                        let names = [$($name),*].join(", ");
                        return Err(SettingError::Unknown(name.to_owned(), names));
                    }
                }
                Ok(())
            }

            /// The table of the README: name, default, what is accepted, meaning.
            #[must_use]
            pub fn table() -> String {
                let defaults = Self::default();
                let mut text = String::from("| name | default | accepted | meaning |\n|---|---|---|---|\n");
                $(
                    let meaning = [$($doc.trim()),+].join(" ");
                    text.push_str(&format!(
                        "| `{}` | `{}` | {} | {meaning} |\n",
                        $name, defaults.$field.show(), <$ty as Setting>::ACCEPTED
                    ));
                )*
                text
            }
        }
    };
}

settings! {
    /// Maker fee, a fraction of the value.
    "makerFee" maker_fee: Fraction = Fraction(0);
    /// Taker fee, a fraction of the value (0.0005 = 5 bp); `0` for a zero-fee pair.
    "takerFee" taker_fee: Fraction = Fraction(50_000);
    /// What fees are taken in: the quote asset, the asset received, or MX (less a discount, while there is enough MX; else quote). An account may switch MX by `mxDeduct/enable`.
    "feeAsset" fee_in: FeeIn = FeeIn::Quote;
    /// Quote units that one MX costs when fees are taken in MX.
    "mxPrice" mx_price: Decimal = Decimal::whole(2);
    /// What is taken off a fee that is paid in MX: a fraction.
    "mxDiscount" mx_discount: Fraction = Fraction(20_000_000);
    /// Who holds so much MX gets `mxHoldingDiscount` off instead; 0 = nobody does.
    "mxHolding" mx_holding: Decimal = Decimal::whole(500);
    /// What is taken off instead of `mxDiscount` for who holds `mxHolding`: a fraction.
    "mxHoldingDiscount" mx_holding_discount: Fraction = Fraction(50_000_000);
    /// Whether self-trade prevention needs a group, as documented; else an order's `stpMode` is enough.
    "stpNeedsGroup" stp_needs_group: bool = true;
    /// Time from the arrival of a trading request to the matching engine.
    "latencyMs" latency: Latency = Latency::Constant(Nanos::from_millis(1));
    /// Time that the reply to any request is on its way.
    "replyLatencyMs" reply_latency: Latency = Latency::Constant(Nanos::ZERO);
    /// Time that a message on a WebSocket is on its way; none overtakes another on the same socket.
    "pushLatencyMs" push_latency: Latency = Latency::Constant(Nanos::ZERO);
    /// Seed of the latencies.
    "latencySeed" latency_seed: u64 = 1;
    /// Replay: how decreases that no trade explains are split before and behind an own order.
    "queueModel" queue_model: QueueChoice = QueueChoice::Conservative;
    /// What a cancel answers: all documented fields, only the captured ones, or status NEW.
    "cancelReply" cancel_reply: CancelReply = CancelReply::Full;
    /// A LIMIT_MAKER that would take: refused with 30041, or accepted and cancelled at once.
    "limitMakerCross" limit_maker_cross: Miss = Miss::Reject;
    /// A FILL_OR_KILL that can't fill: refused with 30025, or accepted and cancelled at once.
    "fokMiss" fok_miss: Miss = Miss::Cancel;
    /// Final status of a partly filled IMMEDIATE_OR_CANCEL.
    "iocPartial" ioc_partial: IocPartial = IocPartial::PartiallyCanceled;
    /// A client order id that this account used before: refused with 33333, or accepted.
    "duplicateClientId" duplicate_client_id: DuplicateId = DuplicateId::Reject;
    /// Prices and quantities off the step: refused with 400, or rounded down.
    "offStep" off_step: OffStep = OffStep::Reject;
    /// Whether POST userDataStream returns the key that exists instead of a new one.
    "listenKeyReuse" listen_key_reuse: bool = false;
    /// Whether a subscription to bookTicker, limit.depth or kline is answered with a first picture at once.
    "firstPush" first_push: bool = false;
    /// Shortest time between two limit.depth pictures of the synthetic market.
    "limitDepthMs" limit_depth_ms: u64 = 100;
    /// Whether the private pushes of one cause come in an order shuffled by the seed.
    "privateShuffle" private_shuffle: bool = true;
    /// Whether GET /account lists assets of which there is nothing.
    "zeroBalances" zero_balances: bool = false;
    /// Whether GET /order needs a symbol.
    "orderQueryNeedsSymbol" order_query_needs_symbol: bool = true;
    /// How many comma-separated symbols DELETE /openOrders takes.
    "cancelAllSymbols" cancel_all_symbols: u64 = 1;
    /// Times in GET /myTrades: whole seconds as captured, or milliseconds.
    "tradeTimes" trade_times: TradeTimes = TradeTimes::Seconds;
    /// HTTP status of requests without or with an unknown API key.
    "unauthorizedStatus" unauthorized_status: u64 = 401;
    /// Most open orders of an account (30029 above).
    "maxOpenOrders" max_open_orders: u64 = 500;
    /// Least value of an order in quote units (30002 below).
    "minNotional" min_notional: Decimal = Decimal::whole(1);
    /// Greatest value of an order (30003 above).
    "maxNotional" max_notional: Decimal = Decimal::whole(2_000_000);
    /// Greatest value of a MARKET order.
    "maxNotionalMarket" max_notional_market: Decimal = Decimal::whole(200_000);
    /// Buys need price ≤ last × this (30087 above).
    "bandUp" band_up: Decimal = Decimal(120_000_000);
    /// Sells need price ≥ last × this (30087 below).
    "bandDown" band_down: Decimal = Decimal(80_000_000);
    /// Requests per window that place, batch, cancel and cancel-all share; 0 = no limit.
    "orderRate" order_rate: u64 = 12;
    /// Window of the order rate; sliding.
    "orderWindowMs" order_window_ms: u64 = 1000;
    /// What the order rate counts by.
    "orderBucket" order_bucket: BucketUnit = BucketUnit::Key;
    /// batchOrders requests per second; 0 = no limit.
    "batchRate" batch_rate: u64 = 2;
    /// GET /account requests per second; 0 = no limit.
    "accountRate" account_rate: u64 = 2;
    /// Weight pools: all endpoints share one, one per endpoint, or none.
    "weightPools" weight_pools: WeightPools = WeightPools::Shared;
    /// Weight per IP and per account in ten seconds.
    "weightLimit" weight_limit: u64 = 500;
    /// Retry-After of a 429, seconds.
    "retryAfterS" retry_after_s: u64 = 1;
    /// Violations inside a minute after which 418 bans the address; 0 = never.
    "banAfter" ban_after: u64 = 10;
    /// Length of the first ban of an address and Retry-After of its 418, seconds.
    "banS" ban_s: u64 = 120;
    /// How many times as long as its last one the next ban of an address is.
    "banGrowth" ban_growth: u64 = 2;
    /// Longest ban, and how long after its end a ban is remembered, seconds.
    "banMaxS" ban_max_s: u64 = 259_200;
    /// Connections at a time, HTTP and WebSocket together; further ones are dropped.
    "maxConnections" max_connections: u64 = 1000;
    /// A connection without a complete request for this long is closed; 0 = never.
    "httpIdleMs" http_idle_ms: u64 = 120_000;
    /// Validity of a listen key.
    "listenKeyMs" listen_key_ms: u64 = 3_600_000;
    /// A socket without a valid subscription is closed after this.
    "wsNoSubscriptionMs" ws_no_subscription_ms: u64 = 30_000;
    /// A subscribed socket without traffic is closed after this.
    "wsIdleMs" ws_idle_ms: u64 = 60_000;
    /// Time between protocol pings of the server; 0 = none.
    "wsPingMs" ws_ping_ms: u64 = 20_000;
    /// A socket is closed at this age.
    "wsLifetimeMs" ws_lifetime_ms: u64 = 86_400_000;
    /// Most subscriptions of a socket.
    "wsSubscriptions" ws_subscriptions: u64 = 30;
    /// Most client messages of a socket per second, then it is closed.
    "wsMessages" ws_messages: u64 = 100;
    /// Whether `PUT /faults` is answered: the body is a file of faults that takes the place of those in force.
    "faultControl" fault_control: bool = false;
}

impl Settings {
    /// Fees as the matching crate takes them; MX is the venue's own business.
    #[must_use]
    pub fn fees(&self) -> FeeSchedule {
        let asset = if self.fee_in == FeeIn::Received { FeeAsset::Received } else { FeeAsset::Quote };
        FeeSchedule { maker: self.maker_fee.0, taker: self.taker_fee.0, asset }
    }

    #[must_use]
    pub fn queue(&self) -> Box<dyn QueueModel> {
        match self.queue_model {
            QueueChoice::Conservative => Box::new(Conservative),
            QueueChoice::Proportional => Box::new(Proportional),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_or_refused_with_what_is_accepted() {
        let mut settings = Settings::default();
        settings.set("latencyMs=2.5").unwrap();
        settings.set("cancelReply=minimal").unwrap();
        settings.set("firstPush=on").unwrap();
        assert_eq!(settings.latency, Latency::Constant(Nanos(2_500_000)));
        assert_eq!(settings.cancel_reply, CancelReply::Minimal);
        let refused = settings.set("cancelReply=some").unwrap_err().to_string();
        assert_eq!(refused, "--set cancelReply=some: full or minimal or statusNew is accepted");
        assert!(settings.set("latencyMs").unwrap_err().to_string().contains("is not NAME=VALUE"));
        assert!(settings.set("nope=1").unwrap_err().to_string().contains("there are makerFee, takerFee"));
        assert!(settings.set("makerFee=-1").is_err());
    }

    #[test]
    fn the_readme_shows_every_setting_as_it_is() {
        let readme = include_str!("../../README.md");
        assert!(
            readme.contains(&Settings::table()),
            "replace the table in README.md by:\n{}",
            Settings::table()
        );
    }
}
