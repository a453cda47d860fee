//! From a frame to the request that a sidecar decides on: the real engine and gateway, and two sidecars in Node that
//! quote the touch.
//!
//! Open loop at ten times the recorded rate. A sample begins when the core has a frame and ends when the bytes of the
//! request that it led to are signed.

use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use flashpod_engine::io::{HttpRequest, RequestClass, SessionMessage};
use flashpod_engine::{Action, Input};
use flashpod_gateway::instance_socket;
use flashpod_mexc::Signer;
use flashpod_net::Clock;
use flashpod_net::ring::Inbox;
use flashpod_types::Nanos;

use crate::market::{self, MarketFrame};
use crate::meter::{Figure, Meter};
use crate::node;
use crate::sections::{Options, Section};
use crate::stage::{Stage, ToEngine};
use crate::tape::Tape;
use crate::world::{START_UP, World, hash_request};

pub(crate) const SECTION: Section = Section {
    name: "sidecar-tick-to-order",
    about: "frame to request bytes by way of two sidecars in Node, the real engine and gateway between",
    run,
};

const INSTANCES: [&str; 2] = ["touch-a", "touch-b"];
const SPEED: u64 = 10;
/// Requests before the first sample: Node compiles what runs often.
const WARM_UP: usize = 200;

fn run(options: &Options) -> anyhow::Result<Vec<Figure>> {
    let tape = Tape::spot()?;
    let frames = market::frames(&tape);
    let (stage, inbox, link) = Stage::open(&INSTANCES)?;
    let start = Clock.mono().0.checked_sub(START_UP.0).context("the machine is up for too short a time")?;
    let mut sidecars = Vec::new();
    for instance in INSTANCES {
        sidecars.push(sidecar(&stage, instance)?);
    }
    let mut driver = Driver {
        world: World::for_sidecars(&tape, Nanos(start), &INSTANCES, link)?,
        inbox,
        signer: Signer::new("sim-secret-0123456789abcdef"),
        text: String::with_capacity(1_024),
        samples: Vec::new(),
        opened: 0,
        closed: 0,
        actions: Vec::new(),
    };
    let outcome = driver.measure(&frames, options.seconds);
    for mut sidecar in sidecars {
        // It ends when its input does.
        drop(sidecar.stdin.take());
        driver.until_closed()?;
        sidecar.wait()?;
    }
    drop(driver.world);
    stage.close()?;
    let handled = outcome?;
    let mut meter = Meter::with_room(driver.samples.len());
    ensure!(driver.samples.len() > 2 * WARM_UP, "only {} requests were decided on", driver.samples.len());
    driver.samples.iter().skip(WARM_UP).for_each(|nanos| meter.record(*nanos));
    let input = format!(
        "{}: {handled} frames at {SPEED} times their rate, two sidecars that quote the touch, nothing pinned",
        tape.source
    );
    Ok(vec![
        meter
            .figure("frame to signed request", input, "request", 0)
            .named("sidecarTickToOrder.usP50", |figure| figure.median_ns / 1_000.0)
            .named("sidecarTickToOrder.usP99", |figure| figure.p99_ns / 1_000.0)
            .named("sidecarTickToOrder.usP999", |figure| figure.p999_ns / 1_000.0),
    ])
}

fn sidecar(stage: &Stage, instance: &str) -> anyhow::Result<Child> {
    let mut command = node::script("touch.ts", &instance_socket(&stage.directory, instance), instance)?;
    command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().context("the sidecar cannot be started")
}

struct Driver {
    world: World,
    inbox: Inbox<ToEngine>,
    signer: Signer,
    text: String,
    /// Nanoseconds of each request.
    samples: Vec<u64>,
    opened: usize,
    closed: usize,
    actions: Vec<Action>,
}

impl Driver {
    /// Plays the frames; how many there were.
    fn measure(&mut self, frames: &[MarketFrame], seconds: u32) -> anyhow::Result<usize> {
        let patience = Clock.mono() + Nanos::from_secs(20);
        while self.opened < INSTANCES.len() {
            ensure!(Clock.mono() < patience, "only {} of {} sidecars came", self.opened, INSTANCES.len());
            self.listen(Clock.mono() + Nanos::from_millis(10))?;
        }
        let begin = Clock.mono().0 + 1_000_000;
        let most = u64::from(seconds) * 1_000_000_000;
        let due = |frame: &MarketFrame| frame.due.0 / SPEED;
        let mut handled = 0;
        for frame in frames.iter().take_while(|frame| due(frame) < most) {
            let due = Nanos(begin + due(frame));
            while Clock.mono() < due {
                self.listen(due)?;
            }
            let received = Clock.mono();
            let input = self.world.frame(frame.bytes.clone(), received);
            self.world.input(received, input)?;
            self.world.settle(Clock.mono())?;
            handled += 1;
        }
        // What is still on its way.
        let last = Clock.mono() + Nanos::from_millis(200);
        while Clock.mono() < last {
            self.listen(last)?;
        }
        Ok(handled)
    }

    /// Takes what comes from the sidecars, and timers, and otherwise waits until `due` at the latest.
    fn listen(&mut self, due: Nanos) -> anyhow::Result<()> {
        if let Some(message) = self.inbox.pop() {
            if let ToEngine::Input(input) = message {
                self.take(input)?;
            }
            return Ok(());
        }
        let now = Clock.mono();
        if self.world.next_deadline().is_some_and(|at| at <= now) {
            self.world.timer(now)?;
            return self.world.settle(Clock.mono());
        }
        let until = self.world.next_deadline().map_or(due, |at| at.min(due));
        self.inbox.wait(Duration::from_nanos(until.0.saturating_sub(now.0)));
        Ok(())
    }

    fn take(&mut self, input: Input) -> anyhow::Result<()> {
        let mut cause = None;
        if let Input::Session { message, .. } = &input {
            match message {
                SessionMessage::Opened { .. } => self.opened += 1,
                SessionMessage::Closed => self.closed += 1,
                SessionMessage::WantedQuotes(wanted) => cause = wanted.cause,
                _ => {}
            }
        }
        if matches!(input, Input::Agent(_)) {
            // The world's own desired state is in force.
            return Ok(());
        }
        let stamp = self.world.stamp(Clock.mono());
        let mut actions = std::mem::take(&mut self.actions);
        self.world.handle(stamp, input, &mut actions);
        if let (Some(cause), Some(request)) = (cause, actions.iter().find_map(order_request)) {
            self.text.clear();
            self.text.push_str(&request.params);
            self.signer.append(&mut self.text);
            self.samples.push(Clock.mono().0.saturating_sub(cause.0));
            hash_request(request, &mut self.world.requests);
        }
        for action in actions.drain(..) {
            self.world.carry_out(action)?;
        }
        self.actions = actions;
        self.world.settle(Clock.mono())
    }

    /// Waits for the end of one session more.
    fn until_closed(&mut self) -> anyhow::Result<()> {
        let (before, patience) = (self.closed, Clock.mono() + Nanos::from_secs(5));
        while self.closed == before && Clock.mono() < patience {
            self.listen(Clock.mono() + Nanos::from_millis(10))?;
        }
        Ok(())
    }
}

fn order_request(action: &Action) -> Option<&HttpRequest> {
    match action {
        Action::Http(request) if request.class != RequestClass::Query => Some(request),
        _ => None,
    }
}
