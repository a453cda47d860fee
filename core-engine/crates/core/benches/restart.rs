//! How long a core is away that was killed with 150 orders open, 40 finished and 10 unknown: `npm run bench -- --only
//! restart`. The processes are the core and the venue; agent and sidecar are played.
//!
//! Prints each part of the time, then a line of JSON. What the venue makes anybody wait for is told apart: the rate of its
//! requests, and the proof that an order which was not found can't appear any more (its recvWindow and a second).

#[path = "../tests/world/mod.rs"]
mod world;

use std::time::{Duration, Instant};

use flashpod_gateway::proto;
use flashpod_gateway::proto::order_event::Kind;
use serde_json::{Value, json};
use world::agent::{Agent, policy};
use world::audit::Audit;
use world::sidecar::Sidecar;
use world::{Core, Home, Venue, eventually, http_get, http_put, now};

const INSTANCE: &str = "maker-1";
const OPEN: usize = 150;
const FINISHED: usize = 40;
const UNKNOWN: usize = 10;
/// Between two orders that no answer comes of, so that none waits for the venue's rate.
const BETWEEN: Duration = Duration::from_millis(150);
/// recvWindow of every order, and the second after it.
const PROOF: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() {
    let home = Home::new();
    let venue = Venue::start(&home.path(""), &["--synthetic=7", "--set", "faultControl=on"]);
    let core = Core::start(&home, &venue);
    let agent = Agent::connect(&core).await;
    agent.ready().await;
    agent
        .want(|instances| {
            let mut wanted = policy(INSTANCE, "BTCUSDC", &[("USDC", "900000"), ("BTC", "5")]);
            if let Some(limits) = &mut wanted.limits {
                limits.max_open_orders = 400;
                limits.max_order_rate = 0;
                limits.max_position_notional = "800000".to_owned();
                limits.price_collar_bps = 1_500;
            }
            wanted.on_sidecar_loss =
                Some(proto::SidecarLoss { action: proto::sidecar_loss::Action::Keep.into(), after_ms: 0 });
            instances.insert(INSTANCE.to_owned(), wanted);
        })
        .await;
    let sidecar = Sidecar::connect(&core, INSTANCE, "BTCUSDC", "0.001").await;
    agent.active(&[INSTANCE]).await;

    println!("{FINISHED} orders that fill, then {OPEN} that stay, at the venue's rate");
    for number in 0..FINISHED {
        let side = if number % 2 == 0 { proto::Side::Buy } else { proto::Side::Sell };
        sidecar.take(&format!("f{number}"), side, "0.001").await;
        let filled = |memory: &world::sidecar::Memory| memory.count(Kind::Filled) > number;
        sidecar.wait("an order is filled", |memory| filled(memory).then_some(())).await;
    }
    // One after the other: what waits for the venue's rate for a second is refused.
    for number in 0..OPEN {
        sidecar.rest(&format!("o{number}"), 0.92, "0.001").await;
        let rests = |memory: &world::sidecar::Memory| memory.count(Kind::Accepted) > FINISHED + number;
        sidecar.wait("an order rests", |memory| rests(memory).then_some(())).await;
    }

    // Half of them are booked; no answer and no push comes of any.
    let orders = |apply: bool| json!({ "kind": "loss", "on": "rest", "method": "POST", "path": "/api/v3/order", "apply": apply });
    let mut booked = orders(true);
    (booked["probability"], booked["seed"]) = (json!(0.5), json!(7));
    let mut refused = orders(false);
    let mut pushes = json!({ "kind": "loss", "on": "private" });
    for each in [&mut refused, &mut pushes] {
        (each["from"], each["for"]) = (json!("0s"), json!("10m"));
    }
    let lost = json!({ "faults": [pushes, booked, refused] });
    faults(&venue, &lost);
    for number in 0..UNKNOWN {
        sidecar.rest(&format!("u{number}"), 0.92, "0.001").await;
        tokio::time::sleep(BETWEEN).await;
    }
    agent
        .status_where("the unknown orders have left", |status| {
            let account = status.accounts.first()?;
            (account.orders_in_flight + account.orders_unknown >= UNKNOWN as u64).then_some(())
        })
        .await;
    // Their bytes are at the venue when its audit has counted the faults.
    eventually("the venue has swallowed them", async || {
        let audit: Value = serde_json::from_str(&http_get(host(&venue), "/audit").1).ok()?;
        let swallowed = audit["counters"]["faults"]["loss"].as_u64()?;
        (swallowed >= UNKNOWN as u64).then_some(())
    })
    .await;
    faults(&venue, &json!({ "faults": [] }));

    let killed = now();
    core.kill();
    let mut told = Told { killed, parts: Vec::new() };
    let core = Core::start(&home, &venue);
    let agent = agent.reconnect(&core).await;
    told.part("journal recovered, account reconciled with the venue (ready)");
    agent
        .status_where("no order is unknown", |status| {
            let account = status.accounts.first()?;
            (account.orders_unknown == 0 && account.orders_in_flight == 0).then_some(())
        })
        .await;
    told.part("every unknown order found or proven absent");
    agent.active(&[INSTANCE]).await;
    told.part("the instance may trade again");
    let _sidecar = sidecar.reconnect(&core).await;
    told.part("the sidecar is welcomed");

    let (audit, ledger) = (Audit::of(&venue), agent.ledger().await);
    assert_eq!(audit.differences(&ledger), Vec::<String>::new(), "the ledger equals the venue");
    let open = ledger.orders.iter().filter(|order| order.status == "NEW").count();
    println!("{open} orders open in the ledger, {} orders at the venue", audit.orders().len());
    let metrics = http_get(&core.metrics().await, "/metrics").1;
    told.waits(&metrics);
    told.json(open);
}

fn host(venue: &Venue) -> &str {
    venue.rest.trim_start_matches("http://")
}

fn faults(venue: &Venue, faults: &Value) {
    let (status, body) = http_put(host(venue), "/faults", &faults.to_string());
    assert_eq!(status, 200, "{body}");
}

struct Told {
    killed: Instant,
    parts: Vec<(&'static str, Duration)>,
}

impl Told {
    fn part(&mut self, what: &'static str) {
        self.parts.push((what, self.killed.elapsed()));
        let after = self.parts.last().map_or(0.0, |part| part.1.as_secs_f64());
        println!("{after:8.3} s after the kill: {what}");
    }

    /// What the venue made it wait for.
    fn waits(&self, metrics: &str) {
        println!(
            "recvWindow proof: {:.1} s after the last unknown order was sent, which was at the kill",
            PROOF.as_secs_f64()
        );
        for name in
            ["flashpod_core_rest_requests_total", "flashpod_core_hop_seconds_sum{hop=\"BUDGET_WAIT\"}"]
        {
            for line in metrics.lines().filter(|line| line.starts_with(name)) {
                println!("{line}");
            }
        }
    }

    fn json(&self, open: usize) {
        let at = |number: usize| self.parts.get(number).map_or(0.0, |part| part.1.as_secs_f64());
        let line = json!({
            "restart.seconds": at(2), "restart.readySeconds": at(0), "restart.provenSeconds": at(1),
            "restart.proofWaitSeconds": PROOF.as_secs_f64(), "restart.openOrders": open,
        });
        println!("{line}");
    }
}
