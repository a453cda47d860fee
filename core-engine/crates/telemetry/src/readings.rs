//! Metrics as plain values, and the status of an account as such.

use flashpod_engine::Status;
use flashpod_engine::io::TradingState;
use flashpod_engine::status::{LossStatus, SymbolFigures};
use flashpod_types::{Amount, Nanos};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; `_total` is appended to its name.
    Counter,
    Gauge,
}

/// One value of one metric. The name comes without the prefix `flashpod_core_`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub name: &'static str,
    pub help: &'static str,
    pub kind: Kind,
    pub labels: Vec<(&'static str, String)>,
    pub value: f64,
}

impl Reading {
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts stay far below 2^53
    pub fn counter(
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        value: u64,
    ) -> Self {
        Self { name, help, kind: Kind::Counter, labels: owned(labels), value: value as f64 }
    }

    #[must_use]
    pub fn gauge(
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        value: f64,
    ) -> Self {
        Self { name, help, kind: Kind::Gauge, labels: owned(labels), value }
    }
}

fn owned(labels: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    labels.iter().map(|&(key, value)| (key, value.to_owned())).collect()
}

/// Everything metrics show of one account.
pub(crate) fn of_status(status: &Status, out: &mut Vec<Reading>) {
    let name = status.account.account.as_str();
    account(status, name, out);
    counters(status, name, out);
    instances(status, name, out);
    books(status, name, out);
    links(status, name, out);
}

#[allow(clippy::cast_precision_loss)]
fn account(status: &Status, name: &str, out: &mut Vec<Reading>) {
    let account = &status.account;
    let labels = [("account", name)];
    let mut gauge = |metric, help, value| out.push(Reading::gauge(metric, help, &labels, value));
    gauge("account_ready", "Whether the account is reconciled with the venue", flag(account.ready));
    gauge("account_state", "0 halted, 1 reduce only, 2 active", state(account.state));
    gauge("account_epoch", "Epoch in force, 0 without a lease", account.epoch as f64);
    gauge("account_incarnation", "Number of this start", account.incarnation as f64);
    gauge("orders_in_flight", "Orders sent and not answered", account.orders_in_flight as f64);
    gauge("orders_unknown", "Orders whose outcome is not known", account.orders_unknown as f64);
    gauge("ledger_equals_venue", "Result of the last audit", flag(account.ledger_equals_venue));
    gauge("ledger_audited_timestamp_seconds", "Time of the last audit", account.audited_unix.0 as f64 / 1e9);
    gauge("desired_generation", "Generation of the desired state in force", status.generation as f64);
    gauge("stopping", "Whether the core is stopping", flag(status.stopping));
    losses(ACCOUNT_LOSSES, &account.losses, &labels, out);
    for balance in &account.balances {
        let asset = balance.asset.as_str();
        for (part, amount) in [("free", balance.free), ("locked", balance.locked)] {
            let labels = [("account", name), ("asset", asset), ("part", part)];
            out.push(Reading::gauge("balance", "Balance as the ledger has it", &labels, amount.to_f64()));
        }
    }
}

fn counters(status: &Status, name: &str, out: &mut Vec<Reading>) {
    let counts = &status.counters;
    let labels = [("account", name)];
    for (metric, help, value) in [
        ("http_429", "Replies with status 429", counts.http_429),
        ("http_418", "Replies with status 418", counts.http_418),
        ("requests", "REST requests", counts.requests),
        ("request_timeouts", "REST requests without a reply in time", counts.timeouts),
        ("venue_rejects", "Orders refused by the venue", counts.venue_rejects),
        ("risk_rejects", "Orders refused by the core", counts.risk_rejects),
        ("superseded_quotes", "Wanted quotes replaced before they were sent", counts.superseded_quotes),
        ("orders_sent", "Orders sent", counts.orders_sent),
        ("cancels_sent", "Cancels sent", counts.cancels_sent),
        ("deals", "Fills booked", counts.deals),
        ("paper_orders", "Orders matched on paper", counts.paper_orders),
        ("paper_cancels", "Cancels of orders on paper", counts.paper_cancels),
        ("paper_deals", "Fills on paper", counts.paper_deals),
        ("duplicate_reports", "Deals and order reports that told nothing new", counts.duplicate_reports),
        ("unknown_orders", "Orders that were unknown at some time", counts.unknown_orders),
        ("adopted_orders", "Orders found at the venue without a journal entry", counts.adopted_orders),
        ("foreign_deals", "Fills of orders that are not ours", counts.foreign_deals),
        ("public_reconnects", "Reconnects of the public stream", counts.public_reconnects),
        ("private_reconnects", "Reconnects of the private stream", counts.private_reconnects),
        ("links_replaced", "WebSockets that another took the place of, by plan", counts.links_replaced),
        ("links_dead", "WebSockets that answered no PING in time", counts.links_dead),
        ("links_deaf", "WebSockets that brought frames and answered no PING", counts.links_deaf),
        ("depth_repeated", "Depth pushes that told nothing new", counts.repeated_depth),
        ("pushes_repeated", "Trades and balances that another WebSocket had told", counts.repeated_pushes),
        ("holes_bridged", "Holes of one WebSocket that another filled", counts.bridged_holes),
        ("feed_ahead", "Pushes that seem to be of the future: the clock is off", counts.feed_ahead),
        ("listen_keys_made", "Listen keys made", counts.listen_keys_made),
        ("listen_keys_deleted", "Listen keys of ours deleted", counts.listen_keys_deleted),
        ("listen_keys_borrowed", "Listen keys of others used for want of room", counts.listen_keys_borrowed),
        ("hedges", "Reads and cancels sent once more", counts.hedges),
        ("hedges_won", "Of those, answered first by the second", counts.hedges_won),
        ("hedges_late", "Replies after the other of two had answered", counts.hedges_late),
        ("undecodable_frames", "Frames that could not be decoded", counts.undecodable_frames),
        ("refused_messages", "Session messages that were refused", counts.refused_messages),
        ("book_audits", "Books compared with a snapshot", counts.book_audits),
        ("book_audit_failures", "Books that differed from a snapshot", counts.book_audit_failures),
        ("ledger_audits", "Ledgers compared with the venue", counts.ledger_audits),
        ("ledger_audit_failures", "Ledgers that differed from the venue", counts.ledger_audit_failures),
    ] {
        out.push(Reading::counter(metric, help, &labels, value));
    }
}

fn instances(status: &Status, account: &str, out: &mut Vec<Reading>) {
    for instance in &status.instances {
        let name = instance.instance.as_str();
        let labels = [("account", account), ("instance", name)];
        let connected = flag(instance.sidecar_connected);
        out.push(Reading::gauge(
            "sidecar_connected",
            "Whether the sidecar's session is open",
            &labels,
            connected,
        ));
        out.push(Reading::gauge(
            "instance_state",
            "0 halted, 1 reduce only, 2 active",
            &labels,
            state(instance.state),
        ));
        for (metric, help, value) in [
            ("instance_orders", "Orders that the venue accepted", instance.accepted_orders),
            ("instance_fills", "Fills", instance.fills),
            ("instance_venue_rejects", "Orders refused by the venue", instance.venue_rejects),
            ("instance_risk_rejects", "Orders refused by the core", instance.risk_rejects),
            ("instance_superseded_quotes", "Wanted quotes replaced unsent", instance.superseded_quotes),
        ] {
            out.push(Reading::counter(metric, help, &labels, value));
        }
        losses(INSTANCE_LOSSES, &instance.losses, &labels, out);
        for figures in &instance.figures {
            let labels = [("account", account), ("instance", name), ("symbol", figures.symbol.as_str())];
            mark_outs(figures, &labels, out);
        }
        for position in &instance.positions {
            let symbol = position.symbol;
            let labels = [("account", account), ("instance", name), ("symbol", symbol.as_str())];
            let amount = Amount::to_f64;
            for (metric, help, value) in [
                ("position", "Own base less allocated base", position.qty.to_f64()),
                ("position_notional", "Position at the mark, quote asset", {
                    position.mark.to_f64() * position.qty.to_f64()
                }),
                ("realised_pnl", "Realised profit and loss, quote asset", amount(position.realised)),
                ("unrealised_pnl", "Unrealised profit and loss, quote asset", amount(position.unrealised)),
                ("fees", "Fees so far, quote asset", amount(position.fees)),
                ("open_orders", "Open orders", f64::from(position.open_orders)),
            ] {
                out.push(Reading::gauge(metric, help, &labels, value));
            }
        }
    }
}

/// Names of what loss limits look at: loss of the day, drawdown, limit reached.
const ACCOUNT_LOSSES: [&str; 3] = ["account_day_loss", "account_drawdown", "account_loss_limit_reached"];
const INSTANCE_LOSSES: [&str; 3] = ["instance_day_loss", "instance_drawdown", "instance_loss_limit_reached"];

fn losses(
    [day, drawdown, reached]: [&'static str; 3],
    losses: &[LossStatus],
    labels: &[(&'static str, &str)],
    out: &mut Vec<Reading>,
) {
    for loss in losses {
        let labels: Vec<(&'static str, &str)> =
            labels.iter().copied().chain([("asset", loss.quote.as_str())]).collect();
        let mut gauge = |metric, help, value| out.push(Reading::gauge(metric, help, &labels, value));
        if let Some(lost) = loss.day_loss {
            gauge(day, "Loss since 00:00 UTC, negative for a gain, quote asset", lost.to_f64());
        }
        if let Some(below) = loss.drawdown {
            gauge(drawdown, "Profit below its peak, quote asset", below.to_f64());
        }
        gauge(reached, "Whether a loss limit stops it until a reset", flag(loss.breach.is_some()));
    }
}

#[allow(clippy::cast_precision_loss)]
fn mark_outs(figures: &SymbolFigures, labels: &[(&'static str, &str)], out: &mut Vec<Reading>) {
    for mark_out in &figures.mark_outs {
        let after = format!("{}s", mark_out.after.as_millis() / 1000);
        let labels: Vec<(&'static str, &str)> =
            labels.iter().copied().chain([("after", after.as_str())]).collect();
        let mut gauge = |metric, help, value| out.push(Reading::gauge(metric, help, &labels, value));
        gauge(
            "mark_out",
            "What the market gave after fills, from their side, quote asset",
            mark_out.value.to_f64(),
        );
        gauge("mark_out_notional", "Value of the fills in mark_out, quote asset", mark_out.notional.to_f64());
        gauge("mark_out_fills", "Fills in mark_out", mark_out.fills as f64);
    }
}

#[allow(clippy::cast_precision_loss)]
fn books(status: &Status, account: &str, out: &mut Vec<Reading>) {
    for book in &status.books {
        let labels = [("account", account), ("symbol", book.symbol.as_str())];
        let mut gauge = |metric, help, value| out.push(Reading::gauge(metric, help, &labels, value));
        gauge("book_certified", "Whether the book is certified", flag(book.state == "CERTIFIED"));
        gauge("book_certified_share", "Share of time certified since the first sync", book.certified_share);
        gauge("book_version", "Version of the book", book.version as f64);
        gauge("book_age_seconds", "Since the last frame of its connection", book.age.0 as f64 / 1e9);
        out.push(Reading::counter("book_gaps", "Holes in the versions of the book", &labels, book.gaps));
        out.push(Reading::counter("book_frames", "Frames applied to the book", &labels, book.frames));
    }
}

#[allow(clippy::cast_precision_loss)]
fn links(status: &Status, account: &str, out: &mut Vec<Reading>) {
    let seconds = |span: Nanos| span.0 as f64 / 1e9;
    for link in &status.links {
        let labels = [("account", account), ("link", link.name.as_str())];
        let mut gauge = |metric, help, value| out.push(Reading::gauge(metric, help, &labels, value));
        gauge("link_up", "Whether the WebSocket is open", flag(link.up));
        gauge("link_pairs", "Pairs that it carries", f64::from(link.pairs));
        gauge("link_age_seconds", "Since it was opened", seconds(link.age));
        gauge("link_silent_seconds", "Since its last frame", seconds(link.silent));
        gauge("link_ping_seconds", "PING to PONG", seconds(link.way));
    }
    let labels = [("account", account)];
    let timing = status.timing;
    out.push(Reading::gauge(
        "venue_clock_error_seconds",
        "What the estimate of the venue's time may be wrong by",
        &labels,
        seconds(timing.clock_error),
    ));
    for (class, limit) in
        [("order", timing.order_timeout), ("cancel", timing.cancel_timeout), ("query", timing.query_timeout)]
    {
        let labels = [("account", account), ("class", class)];
        let help = "How long a reply is waited for, by what was measured";
        out.push(Reading::gauge("request_timeout_seconds", help, &labels, seconds(limit)));
    }
}

const fn flag(set: bool) -> f64 {
    if set { 1.0 } else { 0.0 }
}

const fn state(state: TradingState) -> f64 {
    match state {
        TradingState::Halted => 0.0,
        TradingState::ReduceOnly => 1.0,
        TradingState::Active => 2.0,
    }
}
