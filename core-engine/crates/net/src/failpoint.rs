//! Places on an order's way at which a test holds the process, to strike it there.
//!
//! Only a build with the feature `failpoints` can be held: without it `reach` is empty and the names of the places are
//! nowhere in the binary (a test of the whole path looks for them). With it the process listens on the unix socket
//! that `FLASHPOD_FAILPOINTS` names, for lines:
//!
//! | line | answer |
//! |---|---|
//! | `arm PLACE` | `armed PLACE`; and `held PLACE` once a thread has come there, which waits |
//! | `release` | `released PLACE`, after which the thread goes on; `released nothing` when none was held |
//! | `disarm` | `disarmed` |
//! | `full` | `full`: from now on the journal finds no room on its disk |
//! | `clock MILLISECONDS` | `clock MILLISECONDS`: the wall clock shows that much more than the host's from now on |

/// In the order in which an order comes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Popped from the ring; not in the journal.
    IntentReceived,
    /// The engine has decided to send an order; that is not in the journal.
    RiskPassed,
    /// The decision is in the journal; not handed to the network.
    Journaled,
    /// Half of the request is in the socket.
    BytesHalfWritten,
    /// All of the request is in the socket; no reply was read.
    BytesWritten,
    /// The reply was read; the engine has not heard of it.
    AckReceived,
    /// A private deal was popped from the ring; it is not in the journal.
    DealReceived,
}

#[cfg(not(feature = "failpoints"))]
mod absent {
    use super::Place;

    /// Waits here if a test wants it to; in this build none can.
    #[inline(always)]
    pub fn reach(_: Place) {}

    /// Whether the next thread at this place is to wait there; in this build none is.
    #[inline(always)]
    #[must_use]
    pub const fn is_armed(_: Place) -> bool {
        false
    }

    /// Whether a test pretends that the journal's disk is full; in this build none can.
    #[inline(always)]
    #[must_use]
    pub const fn disk_is_full() -> bool {
        false
    }
}

#[cfg(not(feature = "failpoints"))]
pub use absent::{disk_is_full, is_armed, reach};

#[cfg(feature = "failpoints")]
mod present {
    use std::io::{self, BufRead, BufReader, Write};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
    use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

    use super::Place;

    const PLACES: [(Place, &str); 7] = [
        (Place::IntentReceived, "failpoint-intent-received"),
        (Place::RiskPassed, "failpoint-risk-passed"),
        (Place::Journaled, "failpoint-journaled"),
        (Place::BytesHalfWritten, "failpoint-bytes-half-written"),
        (Place::BytesWritten, "failpoint-bytes-written"),
        (Place::AckReceived, "failpoint-ack-received"),
        (Place::DealReceived, "failpoint-deal-received"),
    ];
    const NONE: usize = usize::MAX;

    /// The place that is armed, by its index.
    static ARMED: AtomicUsize = AtomicUsize::new(NONE);
    /// Milliseconds that the wall clock is set ahead.
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    static FULL: AtomicBool = AtomicBool::new(false);
    static HELD: Mutex<Held> = Mutex::new(Held { place: None, listener: None });
    static RELEASED: Condvar = Condvar::new();

    struct Held {
        place: Option<Place>,
        /// Whoever armed it.
        listener: Option<UnixStream>,
    }

    fn held() -> MutexGuard<'static, Held> {
        HELD.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn index(place: Place) -> usize {
        PLACES.iter().position(|(known, _)| *known == place).unwrap_or(NONE)
    }

    fn name(place: Place) -> &'static str {
        PLACES.iter().find(|(known, _)| *known == place).map_or("", |(_, name)| name)
    }

    /// Whether the next thread at this place is to wait there.
    #[must_use]
    pub fn is_armed(place: Place) -> bool {
        ARMED.load(Ordering::Acquire) == index(place)
    }

    /// Whether a test pretends that the journal's disk is full.
    #[must_use]
    pub fn disk_is_full() -> bool {
        FULL.load(Ordering::Relaxed)
    }

    /// Waits here if a test wants it to. One thread, once for each time it is armed.
    pub fn reach(place: Place) {
        if ARMED.compare_exchange(index(place), NONE, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        let mut now = held();
        now.place = Some(place);
        if let Some(listener) = &mut now.listener {
            // Who does not listen any more will not release either; the process is then ended from outside.
            let _ = writeln!(listener, "held {}", name(place));
        }
        while now.place.is_some() {
            now = RELEASED.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What the wall clock shows when the host's shows `nanos`.
    pub(crate) fn stepped(nanos: u64) -> u64 {
        nanos.saturating_add_signed(CLOCK.load(Ordering::Relaxed) * 1_000_000)
    }

    /// Listens on the socket that the environment names, if it names one.
    pub fn listen() -> io::Result<()> {
        let Some(path) = std::env::var_os("FLASHPOD_FAILPOINTS") else { return Ok(()) };
        // A former process that was killed left its own.
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        std::thread::Builder::new().name("failpoints".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = converse(&stream);
            }
        })?;
        Ok(())
    }

    fn converse(stream: &UnixStream) -> io::Result<()> {
        held().listener = Some(stream.try_clone()?);
        for line in BufReader::new(stream).lines() {
            let answer = obey(&line?);
            // Under the lock: a thread that is held says so on the same stream.
            let mut now = held();
            if let Some(listener) = &mut now.listener {
                writeln!(listener, "{answer}")?;
            }
        }
        Ok(())
    }

    fn obey(line: &str) -> String {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "arm" => match PLACES.iter().position(|(_, name)| *name == rest) {
                Some(at) => {
                    ARMED.store(at, Ordering::Release);
                    format!("armed {rest}")
                }
                None => format!("refused {rest:?}; accepted: {:?}", PLACES.map(|(_, name)| name)),
            },
            "disarm" => {
                ARMED.store(NONE, Ordering::Release);
                "disarmed".to_owned()
            }
            "release" => {
                let place = held().place.take();
                RELEASED.notify_all();
                format!("released {}", place.map_or("nothing", name))
            }
            "full" => {
                FULL.store(true, Ordering::Relaxed);
                "full".to_owned()
            }
            "clock" => match rest.parse::<i64>() {
                Ok(millis) => {
                    CLOCK.store(millis, Ordering::Relaxed);
                    format!("clock {millis}")
                }
                Err(error) => format!("refused {rest:?}: {error}"),
            },
            _ => format!("refused {word:?}; accepted: arm, disarm, release, full, clock"),
        }
    }
}

#[cfg(feature = "failpoints")]
pub(crate) use present::stepped;
#[cfg(feature = "failpoints")]
pub use present::{disk_is_full, is_armed, listen, reach};
