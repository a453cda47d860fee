//! Things that go wrong on purpose, for tests of whoever trades here.
//!
//! - `kind`: what can go wrong, and where; [`When`]: at which occasions
//! - `file`: the file of `--faults`; `spoil`: malformed frames and bodies

mod file;
mod kind;
mod spoil;
mod when;

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use flashpod_types::Nanos;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use file::FaultsError;
pub use kind::{Fault, Kind, Leg, Place, Shape, Stream};
pub use when::When;

/// What the faults do to one frame on its way to one socket.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FrameFate {
    pub lost: bool,
    /// As well as this one, so many further ones of the channel are lost.
    pub gap: u64,
    pub delay: Nanos,
    pub twice: bool,
    pub swapped: bool,
    /// What is sent instead.
    pub spoiled: Option<Bytes>,
    pub reset: bool,
    pub silence: Nanos,
}

/// What the faults do to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFate {
    /// Held back before the venue sees it.
    pub arrives_after: Nanos,
    pub replies_after: Nanos,
    /// Whether it has its effect.
    pub apply: bool,
    /// Status and Retry-After instead of the venue's own.
    pub status: Option<(u16, Option<u64>)>,
    /// Never answered.
    pub lost: bool,
    pub reset: bool,
    /// How its body is malformed, and the seed of how.
    spoiled: Option<(Shape, u64)>,
}

impl Default for RequestFate {
    fn default() -> Self {
        Self {
            arrives_after: Nanos::ZERO,
            replies_after: Nanos::ZERO,
            apply: true,
            status: None,
            lost: false,
            reset: false,
            spoiled: None,
        }
    }
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    /// Of a silence on REST.
    silent_until: Nanos,
    struck: u64,
}

/// The faults of a run, and how often each kind struck.
#[derive(Debug, Default)]
pub struct Faults {
    list: Vec<Armed>,
    began: Nanos,
    struck: BTreeMap<&'static str, u64>,
}

impl Faults {
    #[must_use]
    pub fn new(list: Vec<Fault>) -> Self {
        let mut struck = BTreeMap::new();
        let arm = |(index, mut fault): (u64, Fault)| {
            fault.when.number(index);
            struck.insert(fault.kind.name(), 0);
            Armed { fault, silent_until: Nanos::ZERO, struck: 0 }
        };
        let list = (1..).zip(list).map(arm).collect();
        Self { list, began: Nanos::ZERO, struck }
    }

    pub fn read(path: &Path) -> Result<Self, FaultsError> {
        file::read(path).map(Self::new)
    }

    /// From the text of a file.
    pub fn parse(text: &str) -> Result<Self, FaultsError> {
        file::parse("(text)", text).map(Self::new)
    }

    /// Takes the place of what was there: windows and occasions count from here, and so do the counters.
    pub fn replace(&mut self, list: Self, now: Nanos) {
        *self = list;
        self.begin(now);
    }

    /// Windows of time count from here.
    pub fn begin(&mut self, now: Nanos) {
        self.began = now;
    }

    /// How often each kind that the file names has struck.
    #[must_use]
    pub fn counters(&self) -> &BTreeMap<&'static str, u64> {
        &self.struck
    }

    /// How often each has struck, in the order of the file.
    #[must_use]
    pub fn each(&self) -> Vec<u64> {
        self.list.iter().map(|armed| armed.struck).collect()
    }

    fn count(&mut self, index: usize) {
        self.list[index].struck += 1;
        *self.struck.entry(self.list[index].fault.kind.name()).or_default() += 1;
    }

    /// The faults that are `wanted` and strike at this occasion.
    fn struck(&mut self, now: Nanos, wanted: impl Fn(&Armed) -> bool) -> Vec<usize> {
        let at = now.since(self.began);
        let mut struck = Vec::new();
        for (index, armed) in self.list.iter_mut().enumerate() {
            if wanted(armed) && armed.fault.when.strikes(at) {
                struck.push(index);
            }
        }
        for index in &struck {
            self.count(*index);
        }
        struck
    }

    /// A fill happened: is it one to hide?
    pub fn hides_deal(&mut self, now: Nanos) -> bool {
        !self.struck(now, |armed| armed.fault.place == Place::Fill).is_empty()
    }

    /// A frame of a channel is due, for all its readers: is it one to lose?
    pub fn drops_push(&mut self, now: Nanos, name: &str, of: Option<&str>) -> bool {
        let wanted = |Armed { fault, .. }: &Armed| {
            fault.kind == Kind::DropPush && is_push(&fault.place, None, name, of)
        };
        !self.struck(now, wanted).is_empty()
    }

    /// A socket got its `pushes`th push: is it to be cut? Each fault cuts once.
    pub fn cuts(&mut self, kind: Stream, pushes: u64) -> bool {
        let mut hit = false;
        for index in 0..self.list.len() {
            let armed = &self.list[index];
            if let (Kind::Disconnect { after_pushes }, Place::Push { stream: Some(stream), .. }) =
                (armed.fault.kind, &armed.fault.place)
                && *stream == kind
                && armed.struck == 0
                && pushes >= after_pushes
            {
                self.count(index);
                hit = true;
            }
        }
        hit
    }

    /// What happens to a frame on its way to one socket.
    pub fn on_push(
        &mut self,
        now: Nanos,
        socket: Stream,
        name: &str,
        of: Option<&str>,
        bytes: &Bytes,
    ) -> FrameFate {
        let mut fate = FrameFate::default();
        if self.list.is_empty() {
            return fate;
        }
        let own = |kind: &Kind| {
            matches!(kind, Kind::DropPush | Kind::Disconnect { .. } | Kind::Silence { lasts: None, .. })
        };
        let wanted =
            |Armed { fault, .. }: &Armed| !own(&fault.kind) && is_push(&fault.place, Some(socket), name, of);
        for index in self.struck(now, wanted) {
            match self.list[index].fault.kind {
                Kind::Delay { by, .. } => fate.delay = fate.delay + by,
                Kind::Loss { .. } => fate.lost = true,
                Kind::Reset { .. } => fate.reset = true,
                Kind::Silence { lasts: Some(lasts), .. } => fate.silence = fate.silence.max(lasts),
                Kind::Reorder => fate.swapped = true,
                Kind::Duplicate => fate.twice = true,
                Kind::Gap { pushes } => {
                    fate.lost = true;
                    fate.gap = fate.gap.max(pushes - 1);
                }
                Kind::Malformed(shape) => {
                    fate.spoiled = Some(spoil::frame(shape, bytes, self.list[index].fault.when.dice()));
                }
                Kind::Jump { by } => fate.spoiled = Some(spoil::jump(bytes, by)),
                Kind::Crossed => fate.spoiled = Some(spoil::cross(bytes)),
                _ => {}
            }
        }
        fate
    }

    /// Whether a window of silence swallows what is sent on such a socket now.
    pub fn swallows(&mut self, now: Nanos, socket: Stream) -> bool {
        let at = now.since(self.began);
        let found = self.list.iter().position(|armed| {
            matches!(armed.fault.kind, Kind::Silence { lasts: None, .. })
                && matches!(&armed.fault.place, Place::Push { stream, .. } if stream.is_none_or(|s| s == socket))
                && armed.fault.when.is_open(at)
        });
        if let Some(index) = found {
            self.count(index);
        }
        found.is_some()
    }

    /// Something on a socket was swallowed by a silence that began earlier.
    pub fn swallowed(&mut self) {
        *self.struck.entry("silence").or_default() += 1;
    }

    /// A request came in: what happens to it?
    pub fn on_request(&mut self, now: Nanos, verb: &str, at: &str) -> RequestFate {
        let mut fate = RequestFate::default();
        let here = |place: &Place| match place {
            Place::Request { method, path } => {
                method.as_deref().is_none_or(|method| method == verb)
                    && path.as_deref().is_none_or(|path| path == at)
            }
            _ => false,
        };
        for index in 0..self.list.len() {
            let armed = &self.list[index];
            if let Kind::Silence { apply, .. } = armed.fault.kind
                && now < armed.silent_until
                && here(&armed.fault.place)
            {
                (fate.lost, fate.apply) = (true, fate.apply && apply);
                self.count(index);
            }
        }
        // A silence does not prolong itself.
        for index in self.struck(now, |armed| now >= armed.silent_until && here(&armed.fault.place)) {
            match self.list[index].fault.kind {
                Kind::Status { status, apply, delay, retry_after, .. } => {
                    fate.apply &= apply;
                    fate.replies_after = fate.replies_after + delay;
                    fate.status = Some((status, retry_after)).filter(|_| status != 200).or(fate.status);
                }
                Kind::Delay { by, leg: Leg::Request } => fate.arrives_after = fate.arrives_after + by,
                Kind::Delay { by, leg: Leg::Reply } => fate.replies_after = fate.replies_after + by,
                Kind::Loss { apply } => (fate.lost, fate.apply) = (true, fate.apply && apply),
                Kind::Reset { apply } => (fate.reset, fate.apply) = (true, fate.apply && apply),
                Kind::Silence { lasts, apply } => {
                    (fate.lost, fate.apply) = (true, fate.apply && apply);
                    self.list[index].silent_until = now + lasts.unwrap_or(Nanos::ZERO);
                }
                Kind::Malformed(shape) => {
                    fate.spoiled = Some((shape, self.list[index].fault.when.dice().random()));
                }
                _ => {}
            }
        }
        fate
    }

    /// The body that is sent instead of `text`.
    #[must_use]
    pub fn spoil(fate: &RequestFate, text: String) -> String {
        match fate.spoiled {
            Some((shape, seed)) => spoil::body(shape, &text, &mut ChaCha8Rng::seed_from_u64(seed)),
            None => text,
        }
    }
}

/// Whether a frame is one of a fault's place. Without `socket` the frame is one for all its readers.
fn is_push(place: &Place, socket: Option<Stream>, name: &str, of: Option<&str>) -> bool {
    match place {
        Place::Push { stream, channel, symbol } => {
            (stream.is_none() || socket.is_none() || *stream == socket)
                && channel.as_deref().is_none_or(|channel| channel == name)
                && (symbol.is_none() || symbol.as_deref() == of)
        }
        _ => false,
    }
}
