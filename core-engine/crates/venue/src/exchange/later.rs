//! What is on its way: requests to the engine, replies and frames to the clients.

use std::collections::BTreeMap;

use flashpod_matching::Latency;
use flashpod_types::Nanos;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::io::{HttpReply, HttpRequest, Output, RequestId, SessionId};
use super::state::Exchange;
use crate::faults::RequestFate;
use crate::rest::{self, Admitted};

/// Something that arrives later.
#[derive(Debug)]
pub(super) enum Later {
    /// A request held back by a fault, on its way to the venue.
    Request(RequestId, Box<HttpRequest>, RequestFate),
    /// An admitted request on its way to the matching engine.
    Call(RequestId, Admitted),
    Output(Output),
}

/// Which way a delay is drawn for. Each has its own stream of the seed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Request,
    Reply,
    Push,
}

/// In the order of arrival; what arrives at the same time keeps the order in which it left.
#[derive(Debug)]
pub(super) struct OnTheWay {
    queue: BTreeMap<(Nanos, u64), Later>,
    next: u64,
    dice: [ChaCha8Rng; 3],
}

impl OnTheWay {
    pub(super) fn new(seed: u64) -> Self {
        let dice = [0, 1, 2].map(|stream| {
            let mut dice = ChaCha8Rng::seed_from_u64(seed);
            dice.set_stream(stream);
            dice
        });
        Self { queue: BTreeMap::new(), next: 0, dice }
    }

    fn draw(&mut self, way: Way, latency: &Latency) -> Nanos {
        let p = if latency.is_random() { self.dice[way as usize].random::<f64>() } else { 0.5 };
        latency.quantile(p)
    }

    pub(super) fn push(&mut self, due: Nanos, later: Later) {
        self.queue.insert((due, self.next), later);
        self.next += 1;
    }

    pub(super) fn due(&self) -> Option<Nanos> {
        self.queue.first_key_value().map(|((due, _), _)| *due)
    }

    pub(super) fn pop(&mut self) -> Option<Later> {
        self.queue.pop_first().map(|(_, later)| later)
    }
}

impl Exchange {
    /// How much is on its way: at full speed the tape waits while it is a lot.
    #[must_use]
    pub fn held(&self) -> usize {
        self.later.queue.len()
    }

    pub(crate) fn travel(&mut self, id: RequestId, call: Admitted) {
        let due = self.now + self.later.draw(Way::Request, &self.settings.latency);
        self.later.push(due, Later::Call(id, call));
        self.advance(self.now);
    }

    /// Lets a request arrive, now or as late as a fault wants.
    pub(crate) fn hold_request(&mut self, id: RequestId, request: &HttpRequest, mut fate: RequestFate) {
        let by = std::mem::replace(&mut fate.arrives_after, Nanos::ZERO);
        self.later.push(self.now + by, Later::Request(id, Box::new(request.clone()), fate));
    }

    pub(crate) fn answer(&mut self, id: RequestId, reply: HttpReply, after: Nanos) {
        let delay = after + self.later.draw(Way::Reply, &self.settings.reply_latency);
        let output = Output::Reply(id, reply);
        if delay.0 == 0 {
            self.outputs.push_back(output);
        } else {
            self.later.push(self.now + delay, Later::Output(output));
        }
    }

    /// Does the first thing that is due.
    pub(super) fn arrive(&mut self) {
        match self.later.pop() {
            Some(Later::Call(id, call)) => rest::execute(self, id, &call),
            Some(Later::Request(id, request, fate)) => rest::arrive(self, id, &request, fate),
            Some(Later::Output(output)) => self.outputs.push_back(output),
            None => {}
        }
    }

    /// Sends on a socket, `hold` later than its latency says. As on one TCP connection, nothing overtakes what
    /// left before.
    pub(super) fn send(&mut self, id: SessionId, output: Output, hold: Nanos) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let delay = hold + self.later.draw(Way::Push, &self.settings.push_latency);
        session.arrival = session.arrival.max(self.now + delay);
        let due = session.arrival;
        if !self.is_silent(id) {
            self.emit(due, output);
        } else if matches!(output, Output::Text(..)) {
            self.outputs.push_back(Output::Unanswered(id));
        }
    }

    /// Sends at `due`, in order.
    pub(super) fn emit(&mut self, due: Nanos, output: Output) {
        if due <= self.now {
            self.outputs.push_back(output);
        } else {
            self.later.push(due, Later::Output(output));
        }
    }

    /// Whether a socket would be answered now: a silent one is not, not even its pings.
    pub(super) fn is_silent(&mut self, id: SessionId) -> bool {
        let Some(session) = self.sessions.get(&id) else { return true };
        if self.now < session.silent_until {
            self.faults.swallowed();
            return true;
        }
        self.faults.swallows(self.now, session.stream())
    }
}
