//! Limits and time-outs that the configuration file may set; what is left out keeps its default.

use flashpod_engine::EngineConfig;
use flashpod_types::Nanos;
use serde::Deserialize;

/// A day: nothing here makes sense for longer.
const LONGEST_MS: u64 = 86_400_000;
/// A quarter of an hour before the venue ends a connection, so that the other is there in time.
const LATEST_END_MS: u64 = LONGEST_MS - 900_000;
/// The venue takes no longer recvWindow.
const LONGEST_WINDOW_MS: u64 = 60_000;
/// The venue's bucket of orders (API reference §3.1), and room for simulated ones.
const MOST_CALLS: u64 = 1000;

macro_rules! timing {
    ($($(#[doc = $doc:literal])* $field:ident $name:literal $accepted:expr, $set:expr;)*) => {
        /// All values of an account's engine that the file may set.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct Timing {
            $($(#[doc = $doc])* #[serde(rename = $name)] $field: Option<u64>,)*
        }

        impl Timing {
            pub(crate) fn apply(self, mut config: EngineConfig) -> EngineConfig {
                $(if let Some(value) = self.$field {
                    let set: fn(&mut EngineConfig, u64) = $set;
                    set(&mut config, value);
                })*
                config
            }

            /// Name and value of a field that is out of bounds, and the bounds.
            pub(crate) fn fault(self) -> Option<(&'static str, u64, String)> {
                $(if let Some(value) = self.$field && !($accepted).contains(&value) {
                    let (least, most) = ($accepted).into_inner();
                    return Some((
                        concat!("timing.", $name), value, format!("is out of bounds; accepted: {least} to {most}"),
                    ));
                })*
                self.reserve_fault()
            }
        }
    };
}

const fn ms(value: u64) -> Nanos {
    Nanos::from_millis(value)
}

const MS: std::ops::RangeInclusive<u64> = 1..=LONGEST_MS;

timing! {
    /// How long after its timestamp the venue may accept an order.
    recv_window "recvWindowMs" 100..=LONGEST_WINDOW_MS, |c, v| c.recv_window_ms = v;
    /// Order, cancel and cancel-all calls in any second.
    order_calls "orderCalls" 2..=MOST_CALLS, |c, v| c.rate.calls = u32::try_from(v).unwrap_or(u32::MAX);
    /// Of those, kept for cancels.
    kept_for_cancels "keptForCancels" 1..=MOST_CALLS - 1,
        |c, v| c.rate.kept_for_cancels = u32::try_from(v).unwrap_or(u32::MAX);
    /// Without a reply for so long, the fate of an order or cancel is unknown.
    order_timeout "orderTimeoutMs" MS, |c, v| c.tuning.order_timeout = ms(v);
    query_timeout "queryTimeoutMs" MS, |c, v| c.tuning.query_timeout = ms(v);
    /// The shortest that these become by what was measured.
    order_timeout_least "orderTimeoutLeastMs" MS, |c, v| c.tuning.order_timeout_least = ms(v);
    query_timeout_least "queryTimeoutLeastMs" MS, |c, v| c.tuning.query_timeout_least = ms(v);
    /// A read or a cancel is not sent once more before this.
    hedge_least "hedgeLeastMs" MS, |c, v| c.tuning.hedge_least = ms(v);
    /// First wait before an order whose fate is open is asked about; doubles up to `askMostMs`.
    ask_first "askFirstMs" MS, |c, v| c.tuning.ask_first = ms(v);
    ask_most "askMostMs" MS, |c, v| c.tuning.ask_most = ms(v);
    /// Between audits of open orders and balances against the ledger.
    audit_period "auditPeriodMs" MS, |c, v| c.tuning.audit_period = ms(v);
    book_audit_period "bookAuditPeriodMs" MS, |c, v| c.tuning.book_audit_period = ms(v);
    time_sync_period "timeSyncPeriodMs" MS, |c, v| c.tuning.time_sync_period = ms(v);
    listen_key_period "listenKeyPeriodMs" MS, |c, v| c.tuning.listen_key_period = ms(v);
    /// WebSockets that carry each pair.
    links_per_pair "linksPerPair" 1..=2, |c, v| c.tuning.links_per_feed = u32::try_from(v).unwrap_or(1);
    /// Age at which another takes the place of one, and how long both may stand where no push proves the new one.
    feed_lifetime "feedLifetimeMs" 1000..=LATEST_END_MS, |c, v| c.tuning.feed_lifetime = ms(v);
    overlap_most "overlapMostMs" MS, |c, v| c.tuning.overlap_most = ms(v);
    /// Silence after which a connection is asked, and time between PINGs of one that brings frames.
    ping_quiet "pingQuietMs" MS, |c, v| c.tuning.ping_quiet = ms(v);
    ping_period "pingPeriodMs" MS, |c, v| c.tuning.ping_period = ms(v);
    /// Silence after a PING that makes a connection dead.
    dead_after "deadAfterMs" MS, |c, v| c.tuning.dead_after = ms(v);
    reconnect_first "reconnectFirstMs" MS, |c, v| c.tuning.reconnect_first = ms(v);
    reconnect_most "reconnectMostMs" MS, |c, v| c.tuning.reconnect_most = ms(v);
    intent_expiry "intentExpiryMs" MS, |c, v| c.tuning.intent_expiry = ms(v);
    stop_timeout "stopTimeoutMs" MS, |c, v| c.tuning.stop_timeout = ms(v);
}

impl Timing {
    /// What is kept for cancels must leave something for orders.
    fn reserve_fault(self) -> Option<(&'static str, u64, String)> {
        let rate = self.apply(unconfigured()).rate;
        (rate.kept_for_cancels >= rate.calls).then(|| {
            let reason = format!("is not below orderCalls ({}); accepted: less than that", rate.calls);
            ("timing.keptForCancels", u64::from(rate.kept_for_cancels), reason)
        })
    }
}

fn unconfigured() -> EngineConfig {
    EngineConfig::new("", flashpod_engine::Environment::Simulated, flashpod_engine::StopPolicy::Cancel)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Timing {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_set_is_taken_and_the_rest_keeps_its_default() {
        let default = unconfigured();
        assert_eq!(read("{}").apply(unconfigured()), default);
        let config =
            read(r#"{"recvWindowMs":500,"orderTimeoutMs":300,"orderCalls":50}"#).apply(unconfigured());
        assert_eq!((config.recv_window_ms, config.tuning.order_timeout), (500, ms(300)));
        assert_eq!((config.rate.calls, config.rate.kept_for_cancels), (50, default.rate.kept_for_cancels));
        assert_eq!(config.tuning.query_timeout, default.tuning.query_timeout);
    }

    #[test]
    fn what_is_out_of_bounds_is_named_with_its_bounds() {
        for (text, name, bounds) in [
            (r#"{"recvWindowMs":60001}"#, "timing.recvWindowMs", "100 to 60000"),
            (r#"{"linksPerPair":3}"#, "timing.linksPerPair", "1 to 2"),
            (r#"{"feedLifetimeMs":999}"#, "timing.feedLifetimeMs", "1000 to 85500000"),
            (r#"{"askFirstMs":0}"#, "timing.askFirstMs", "1 to 86400000"),
            (r#"{"orderCalls":3}"#, "timing.keptForCancels", "orderCalls (3)"),
        ] {
            let (field, _, reason) = read(text).fault().unwrap();
            assert_eq!(field, name);
            assert!(reason.contains(bounds), "{reason}");
        }
        assert_eq!(read(r#"{"orderCalls":4}"#).fault(), None);
        assert!(serde_json::from_str::<Timing>(r#"{"orderTimeout":1}"#).is_err());
    }
}
