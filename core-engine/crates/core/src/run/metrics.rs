//! What the shell itself counts, for /metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flashpod_gateway::GatewayCounters;
use flashpod_net::NetThread;
use flashpod_net::addresses::AddressCounters;
use flashpod_net::feed::FeedCounters;
use flashpod_net::rest::RestCounters;
use flashpod_net::socket::SocketCounters;
use flashpod_net::thread::Dialers;
use flashpod_telemetry::Reading;
use flashpod_telemetry::server::Extra;

use super::account::RunningAccount;

/// What the network thread of an account counts and measures.
struct Network {
    rest: Arc<RestCounters>,
    feeds: Arc<FeedCounters>,
    sockets: Arc<SocketCounters>,
    addresses: Arc<AddressCounters>,
    dialers: Dialers,
}

impl Network {
    fn of(net: &NetThread) -> Self {
        Self {
            rest: Arc::clone(&net.rest),
            feeds: Arc::clone(&net.feeds),
            sockets: Arc::clone(&net.sockets),
            addresses: Arc::clone(&net.addresses),
            dialers: net.dialers(),
        }
    }

    fn count(&self, count: &mut impl FnMut(&'static str, &'static str, &AtomicU64)) {
        let Self { rest, feeds, sockets, addresses, .. } = self;
        count("rest_connects", "REST connections made", &rest.connects);
        count("rest_connect_failures", "REST connections that failed", &rest.connect_failures);
        count("rest_requests", "REST requests written", &rest.requests);
        count("rest_timeouts", "REST requests without a reply in time", &rest.timeouts);
        count("rest_broken", "REST requests whose connection broke", &rest.broken);
        count("rest_unsent", "REST requests that never left", &rest.expired_unsent);
        count("rest_pings", "Pings that keep connections warm", &rest.pings);
        count("rest_pauses", "Replies 429 and 418, which pause everything", &rest.pauses);
        count("rest_moved", "Requests moved off a connection that had died", &rest.moved);
        count("feed_opens", "WebSockets opened", &feeds.opened);
        count("feed_downs", "WebSockets that ended", &feeds.downs);
        count("feed_frames", "WebSocket frames", &feeds.frames);
        count("feed_bytes", "Bytes in WebSocket frames", &feeds.bytes);
        count("feed_unsent", "WebSocket texts that no connection took", &feeds.unsent);
        count("socket_options_refused", "Socket options that the kernel refused", &sockets.options_refused);
        count("socket_reads_stamped", "Reads with the kernel's time of arrival", &sockets.stamped);
        count("socket_reads_unstamped", "Reads without it, timed when they were made", &sockets.unstamped);
        count("dns_lookups", "Lookups of the venue's addresses", &addresses.lookups);
        count("dns_failures", "Lookups that failed: former addresses stay", &addresses.lookup_failures);
        count("address_next_used", "Connections that went on to another address", &addresses.next_used);
    }

    #[allow(clippy::cast_precision_loss)] // times for display
    fn measure(&self, account: &str, out: &mut Vec<Reading>) {
        for (index, way) in self.rest.ways.iter().enumerate() {
            let way = way.load(Ordering::Relaxed);
            if way > 0 {
                let labels = [("account", account), ("connection", &*index.to_string())];
                let help = "Smoothed time of a request on a connection; the fastest free one is taken";
                out.push(Reading::gauge("rest_request_seconds", help, &labels, way as f64 / 1e9));
            }
        }
        for (service, address, took) in self.dialers.addresses() {
            let Some(took) = took else { continue };
            let labels = [("account", account), ("service", service), ("address", &*address.to_string())];
            let help = "Smoothed time to connect to an address of the venue";
            out.push(Reading::gauge("address_connect_seconds", help, &labels, took.0 as f64 / 1e9));
        }
    }
}

/// Values added to every scrape.
pub(crate) fn extra(gateway: &Arc<GatewayCounters>, accounts: &[RunningAccount]) -> Extra {
    let gateway = Arc::clone(gateway);
    let accounts: Vec<_> = accounts
        .iter()
        .map(|account| {
            let rings = [("net", account.net_inputs.clone()), ("gateway", account.gateway_inputs.clone())];
            (account.name.clone(), rings, Network::of(&account.net), Arc::clone(&account.counters))
        })
        .collect();
    Box::new(move |out| {
        for (name, help, value) in [
            ("sessions", "Sessions opened", gateway.sessions.get()),
            ("sessions_refused", "Sessions refused", gateway.refused_sessions.get()),
            (
                "connections_refused",
                "Connections of a wrong user, or too many",
                gateway.refused_connections.get(),
            ),
            (
                "sessions_overflown",
                "Sessions ended because events piled up",
                gateway.overflown_sessions.get(),
            ),
            ("messages_invalid", "Messages that made no sense", gateway.invalid_messages.get()),
            ("books_conflated", "Books that slow readers missed", gateway.conflated_books.get()),
            ("trades_dropped", "Trades that slow readers missed", gateway.dropped_trades.get()),
        ] {
            out.push(Reading::counter(name, help, &[], value));
        }
        for (account, rings, network, driver) in &accounts {
            let labels = [("account", account.as_str())];
            let mut count = |name, help, value: &AtomicU64| {
                out.push(Reading::counter(name, help, &labels, value.load(Ordering::Relaxed)));
            };
            count("inputs", "Inputs handled by the engine", &driver.inputs);
            count("journal_bytes", "Bytes appended to the journal", &driver.journal_bytes);
            count("journal_checkpoints", "Checkpoints written to the journal", &driver.checkpoints);
            count(
                "journal_pruned_files",
                "Journal files removed behind a checkpoint or start",
                &driver.pruned_files,
            );
            count("journal_unprepared_files", "Journal files made late", &driver.journal_unprepared);
            count("market_missed", "Books and trades the gateway had no room for", &driver.missed_market);
            count(
                "commands_refused",
                "Requests the network thread had no room for",
                &driver.refused_commands,
            );
            network.count(&mut count);
            network.measure(account, out);
            for (ring, sender) in rings {
                let labels = [("account", account.as_str()), ("ring", ring)];
                let help = "Pushes that waited for the engine";
                out.push(Reading::counter("ring_stalls", help, &labels, sender.stalls()));
            }
        }
    })
}
