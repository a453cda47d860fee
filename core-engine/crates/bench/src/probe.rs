//! What the machine does to a program that only computes: a thread that spins on a CPU of its own beside a latency run.
//!
//! At fixed times it is busy for as long as a usual sample takes; how long that really lasts shows what this machine
//! makes of such work. A gap between two of its looks at the clock is a stall: the host, the hypervisor or another
//! program had the CPU.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::bail;
use flashpod_net::{Clock, cpu};
use flashpod_types::Nanos;

/// A longer gap is a stall: the clock is read every 30 ns or so.
const STALL: u64 = 2_000;
/// Between the beginnings of two pulses.
const EVERY: u64 = 100_000;

#[derive(Debug, Default)]
pub(crate) struct Probed {
    /// Nanoseconds of each pulse.
    pub pulses: Vec<f64>,
    /// Beginning and end of each stall, in order.
    pub stalls: Vec<(Nanos, Nanos)>,
}

impl Probed {
    /// Whether a stall lies within this span, in part or whole.
    pub(crate) fn stalled(&self, from: Nanos, to: Nanos) -> bool {
        let at = self.stalls.partition_point(|stall| stall.1 <= from);
        self.stalls.get(at).is_some_and(|stall| stall.0 < to)
    }
}

pub(crate) struct Probe {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Probed>,
}

/// The CPUs of a run and of the probe beside it; the second is missing where the machine has but one.
pub(crate) fn cpus() -> anyhow::Result<(usize, Option<usize>)> {
    let allowed = cpu::allowed()?;
    match allowed[..] {
        [] => bail!("this process may use no CPU"),
        [only] => Ok((only, None)),
        [.., probe, run] => Ok((run, Some(probe))),
    }
}

impl Probe {
    /// Begins on `cpu`, with pulses of `length` ns, for at most `seconds`.
    pub(crate) fn start(cpu: usize, length: u64, seconds: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            // Not pinned, it still shows what happens to a thread that spins.
            let _ = cpu::pin(cpu);
            spin(&told, length, seconds)
        });
        Self { stop, thread }
    }

    pub(crate) fn stop(self) -> anyhow::Result<Probed> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the probe panicked"))
    }
}

fn spin(stop: &AtomicBool, length: u64, seconds: u32) -> Probed {
    let room = usize::try_from(u64::from(seconds) * 1_000_000_000 / EVERY).unwrap_or(0);
    let mut probed = Probed { pulses: Vec::with_capacity(room), stalls: Vec::with_capacity(100_000) };
    let mut last = Clock.mono();
    let mut next = Nanos(last.0 + EVERY);
    let mut pulse: Option<Nanos> = None;
    while !stop.load(Ordering::Relaxed) && probed.pulses.len() < room {
        let now = Clock.mono();
        // Room was made beforehand: growing would be a stall of our own making.
        if now.0 - last.0 > STALL && probed.stalls.len() < probed.stalls.capacity() {
            probed.stalls.push((last, now));
        }
        last = now;
        match pulse {
            Some(begun) if now.0 >= begun.0 + length => {
                #[allow(clippy::cast_precision_loss)] // nanoseconds of a pulse
                probed.pulses.push((now.0 - begun.0) as f64);
                pulse = None;
            }
            None if now >= next => {
                // From when it was due, as the samples are: what came in between counts.
                pulse = Some(next);
                next = Nanos(next.0 + EVERY);
            }
            _ => {}
        }
    }
    probed
}
