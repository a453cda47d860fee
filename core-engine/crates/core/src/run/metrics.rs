//! What the shell itself counts, for /metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flashpod_gateway::GatewayCounters;
use flashpod_telemetry::Reading;
use flashpod_telemetry::server::Extra;

use super::account::RunningAccount;

/// Values added to every scrape.
pub(crate) fn extra(gateway: &Arc<GatewayCounters>, accounts: &[RunningAccount]) -> Extra {
    let gateway = Arc::clone(gateway);
    let accounts: Vec<_> = accounts
        .iter()
        .map(|account| {
            let rings = [("net", account.net_inputs.clone()), ("gateway", account.gateway_inputs.clone())];
            let (rest, feeds) = (Arc::clone(&account.net.rest), Arc::clone(&account.net.feeds));
            (account.name.clone(), rings, rest, feeds, Arc::clone(&account.counters))
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
        for (account, rings, rest, feeds, driver) in &accounts {
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
            count("rest_connects", "REST connections made", &rest.connects);
            count("rest_connect_failures", "REST connections that failed", &rest.connect_failures);
            count("rest_requests", "REST requests written", &rest.requests);
            count("rest_timeouts", "REST requests without a reply in time", &rest.timeouts);
            count("rest_broken", "REST requests whose connection broke", &rest.broken);
            count("rest_unsent", "REST requests that never left", &rest.expired_unsent);
            count("rest_pings", "Pings that keep connections warm", &rest.pings);
            count("feed_opens", "WebSockets opened", &feeds.opened);
            count("feed_downs", "WebSockets that ended", &feeds.downs);
            count("feed_frames", "WebSocket frames", &feeds.frames);
            count("feed_bytes", "Bytes in WebSocket frames", &feeds.bytes);
            for (ring, sender) in rings {
                let labels = [("account", account.as_str()), ("ring", ring)];
                let help = "Pushes that waited for the engine";
                out.push(Reading::counter("ring_stalls", help, &labels, sender.stalls()));
            }
        }
    })
}
