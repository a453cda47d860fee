//! CPU affinity: which CPUs this process may use, pinning, and whether spinning is allowed.

use std::io;

/// How a thread waits for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollMode {
    /// Sleep in the kernel; the default, right on shared CPUs.
    Park,
    /// Look again for a few microseconds, then park.
    Adaptive,
    /// Never sleep; needs a CPU of its own.
    Spin,
}

impl PollMode {
    /// Reads `Park`, `Adaptive` or `Spin`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "Park" => Some(Self::Park),
            "Adaptive" => Some(Self::Adaptive),
            "Spin" => Some(Self::Spin),
            _ => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CpuError {
    #[error(
        "poll mode Spin needs a CPU of its own: this process may use CPUs {allowed:?} of {online} online, which are \
         shared; give the pod whole CPUs under the static CPU manager policy (at least 2 of its own), or use Park or \
         Adaptive"
    )]
    NotExclusive { allowed: Vec<usize>, online: usize },
    #[error("the CPU affinity can't be read or set")]
    Affinity(#[from] io::Error),
}

/// The CPUs this process may run on, ascending.
pub fn allowed() -> io::Result<Vec<usize>> {
    // SAFETY: a cpu_set_t is a plain bit array for which all zeros is a valid value.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer and the size describe `set`, which outlives the call; pid 0 is the calling thread.
    let outcome = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    let bits = usize::try_from(libc::CPU_SETSIZE).unwrap_or_default();
    // SAFETY: every index is below CPU_SETSIZE, the number of bits in `set`.
    Ok((0..bits).filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) }).collect())
}

/// Binds the calling thread to one CPU.
pub fn pin(cpu: usize) -> io::Result<()> {
    if cpu >= usize::try_from(libc::CPU_SETSIZE).unwrap_or_default() {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: as in `allowed`.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `cpu` is below CPU_SETSIZE, checked above.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: the pointer and the size describe `set`; pid 0 is the calling thread.
    match unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The CPU that a spinning engine thread should be pinned to; `None` when the mode does not spin.
///
/// Kubernetes gives a container exclusive CPUs by narrowing its cpuset, so a set as wide as the machine is shared;
/// and one CPU alone would leave nothing for the network and fsync threads.
pub fn engine_cpu(mode: PollMode) -> Result<Option<usize>, CpuError> {
    if mode != PollMode::Spin {
        return Ok(None);
    }
    choose(allowed()?, online())
}

fn choose(allowed: Vec<usize>, online: usize) -> Result<Option<usize>, CpuError> {
    match allowed.last() {
        Some(&last) if allowed.len() >= 2 && allowed.len() < online => Ok(Some(last)),
        _ => Err(CpuError::NotExclusive { allowed, online }),
    }
}

fn online() -> usize {
    // SAFETY: sysconf takes a plain name and touches no memory of ours.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spinning_on_shared_cpus_is_refused_with_what_would_be_accepted() {
        for (allowed, online) in [(vec![0, 1], 2), (vec![3], 8), (vec![], 4)] {
            let text = choose(allowed, online).unwrap_err().to_string();
            assert!(text.contains("Park or Adaptive") && text.contains("at least 2"), "{text}");
        }
        assert_eq!(choose(vec![2, 3], 8).unwrap(), Some(3));
    }

    #[test]
    fn modes_that_sleep_need_no_cpu_of_their_own() {
        assert_eq!(engine_cpu(PollMode::Park).unwrap(), None);
        assert_eq!(engine_cpu(PollMode::Adaptive).unwrap(), None);
    }

    #[test]
    fn a_pinned_thread_is_allowed_only_there() {
        let cpu = *allowed().unwrap().last().unwrap();
        std::thread::spawn(move || {
            pin(cpu).unwrap();
            assert_eq!(allowed().unwrap(), vec![cpu]);
        })
        .join()
        .unwrap();
        assert!(pin(1 << 20).is_err());
    }
}
