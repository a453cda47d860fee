//! The clock seam: the only place of the workspace that reads time.

use flashpod_types::Nanos;

/// Reads the host's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// CLOCK_BOOTTIME: monotonic, shared by every process of the host, and it counts suspended time, which a lease
    /// deadline must.
    #[must_use]
    pub fn mono(self) -> Nanos {
        read(libc::CLOCK_BOOTTIME)
    }

    /// Wall clock since 1970.
    #[must_use]
    pub fn unix(self) -> Nanos {
        let now = read(libc::CLOCK_REALTIME);
        #[cfg(feature = "failpoints")]
        let now = Nanos(crate::failpoint::stepped(now.0));
        now
    }
}

/// The wall clock as the kernel stamps by it.
pub(crate) fn kernel_unix() -> Nanos {
    read(libc::CLOCK_REALTIME)
}

/// Since the clock's beginning.
pub(crate) const fn nanos(time: libc::timespec) -> Nanos {
    Nanos(time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs())
}

fn read(clock: libc::clockid_t) -> Nanos {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid, exclusively borrowed timespec, and both clock ids exist on every Linux since 2.6.39.
    // The call can't fail with these arguments; if it did, `time` would stay zero, which reads as "long ago".
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    nanos(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_forward_and_the_wall_clock_is_in_this_century() {
        let first = Clock.mono();
        assert!(Clock.mono() >= first);
        assert!(Clock.unix() > Nanos::from_secs(1_700_000_000));
    }
}
