//! The core's end: reads a frame, and what the driver does with it: journal, engine, strategy, engine, journal, request.

use std::io::Write;

use anyhow::{Context, ensure};
use bytes::Bytes;
use flashpod_engine::io::{BookTop, HttpRequest, Method, RequestClass};
use flashpod_engine::{Action, Input, record};
use flashpod_journal::{Upkeep, Writer};
use flashpod_mexc::Signer;
use flashpod_net::Clock;
use flashpod_types::Nanos;

use super::exchange::DONE;
use super::wire::{End, Wire};
use crate::tape::Tape;
use crate::world::{START_UP, World};

/// Handles frames until the exchange closes the connection.
pub(super) fn run(tape: &Tape, mut end: End) -> anyhow::Result<()> {
    let directory = std::env::temp_dir().join(format!("flashpod-bench-loopback-{}", std::process::id()));
    let outcome = handle(tape, &mut end, &directory);
    std::fs::remove_dir_all(&directory).context("the journal of the run")?;
    outcome
}

fn handle(tape: &Tape, end: &mut End, directory: &std::path::Path) -> anyhow::Result<()> {
    let (writer, upkeep) = flashpod_journal::open(directory, flashpod_journal::Options::default())?;
    let mut core = Core {
        world: {
            // The engine's clock is behind until it is ready, so that it never runs backwards.
            let start = Clock.mono().0.checked_sub(START_UP.0);
            World::ready(tape, Nanos(start.context("the machine is up for too short a time")?), false)?
        },
        signer: Signer::new("sim-secret-0123456789abcdef"),
        writer,
        upkeep,
        buffer: Vec::with_capacity(1 << 16),
        request: Vec::with_capacity(1_024),
        params: String::with_capacity(1_024),
    };
    core.upkeep.tick()?;
    let mut reader = Frames { bytes: Vec::with_capacity(1 << 16) };
    while let Some(frame) = reader.next(&mut end.market)? {
        core.frame(frame, &mut end.requests)?;
        end.requests.write(&[DONE])?;
        core.between()?;
    }
    Ok(())
}

struct Core {
    world: World,
    signer: Signer,
    writer: Writer,
    upkeep: Upkeep,
    buffer: Vec<u8>,
    request: Vec<u8>,
    params: String,
}

impl Core {
    fn frame(&mut self, frame: Bytes, requests: &mut Wire) -> anyhow::Result<()> {
        let received = Clock.mono();
        let mut actions = Vec::new();
        let input = self.world.frame(frame, received);
        self.step(received, input, &mut actions)?;
        let top = actions.iter().find_map(|action| match action {
            Action::Book(top) => Some(top),
            _ => None,
        });
        let wanted = top.and_then(|top: &BookTop| self.world.strategy.decide(top, received));
        let mut orders = Vec::new();
        if let Some(wanted) = wanted {
            let decided = Clock.mono();
            let input = self.world.wanted(wanted, decided);
            self.step(decided, input, &mut orders)?;
            for request in orders.iter().filter_map(order_request) {
                self.send(request, requests)?;
            }
        }
        // The book was seen already: the strategy is not asked again.
        let shown = |action: &Action| matches!(action, Action::Book(_));
        for action in actions.into_iter().filter(|action| !shown(action)).chain(orders) {
            self.world.carry_out(action)?;
        }
        Ok(())
    }

    /// One input as the driver handles it.
    fn step(&mut self, now: Nanos, input: Input, actions: &mut Vec<Action>) -> anyhow::Result<()> {
        let stamp = self.world.stamp(now);
        record::encode_input(stamp, &input, &mut self.buffer)?;
        self.writer.append(&self.buffer)?;
        self.world.handle(stamp, input, actions);
        record::encode_outcome(stamp.seq, actions, &mut self.buffer)?;
        Ok(self.writer.append(&self.buffer)?)
    }

    fn send(&mut self, request: &HttpRequest, wire: &mut Wire) -> anyhow::Result<()> {
        self.params.clear();
        self.params.push_str(&request.params);
        self.signer.append(&mut self.params);
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        };
        self.request.clear();
        write!(
            self.request,
            "{method} {}?{} HTTP/1.1\r\nHost: localhost\r\nX-MEXC-APIKEY: mx0vglsim0123456789\r\n\
             Content-Length: 0\r\n\r\n",
            request.path, self.params
        )?;
        wire.write(&self.request)
    }

    /// What may wait until the frame is answered: replies, pushes, timers, files.
    fn between(&mut self) -> anyhow::Result<()> {
        self.world.settle(Clock.mono())?;
        while self.world.next_deadline().is_some_and(|at| at <= Clock.mono()) {
            self.world.timer(Clock.mono())?;
            self.world.settle(Clock.mono())?;
        }
        Ok(self.upkeep.tick()?)
    }
}

fn order_request(action: &Action) -> Option<&HttpRequest> {
    match action {
        Action::Http(request) if request.class != RequestClass::Query => Some(request),
        _ => None,
    }
}

/// Messages of a WebSocket, as a server writes them.
struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    /// None: the connection was closed.
    fn next(&mut self, wire: &mut Wire) -> anyhow::Result<Option<Bytes>> {
        let mut buffer = [0_u8; 4_096];
        while !wire.closed {
            if let Some((start, end)) = self.whole() {
                let payload = Bytes::copy_from_slice(&self.bytes[start..end]);
                self.bytes.drain(..end);
                return Ok(Some(payload));
            }
            let read = wire.read(&mut buffer)?;
            self.bytes.extend_from_slice(&buffer[..read]);
            ensure!(self.bytes.first().is_none_or(|first| *first == 0x82), "not a whole binary message");
        }
        Ok(None)
    }

    /// Where the first message's payload begins and ends, once it is there.
    fn whole(&self) -> Option<(usize, usize)> {
        let number = |from: usize, count: usize| -> Option<usize> {
            let bytes = self.bytes.get(from..from + count)?;
            Some(bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
        };
        let (start, length) = match number(1, 1)? {
            126 => (4, number(2, 2)?),
            127 => (10, number(2, 8)?),
            length => (2, length),
        };
        let end = start + length;
        (self.bytes.len() >= end).then_some((start, end))
    }
}
