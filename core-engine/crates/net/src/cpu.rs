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

#[derive(Debug, thiserror::Error)]
pub enum CpuError {
    #[error(
        "poll mode Spin needs a CPU of its own: this process may use CPUs {allowed:?} of {online} online, which are \
         shared or too few; give the pod at least {wanted} whole CPUs under the static CPU manager policy, or use Park \
         or Adaptive"
    )]
    NotExclusive { allowed: Vec<usize>, online: usize, wanted: usize },
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

/// How often the calling thread has lost its CPU so far although it wanted to go on.
pub fn involuntary_switches() -> io::Result<u64> {
    // SAFETY: a rusage is plain integers, for which all zeros is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a valid, exclusively borrowed rusage.
    match unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) } {
        0 => Ok(usage.ru_nivcsw.unsigned_abs()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Where the two threads of an account are pinned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pins {
    pub engine: Option<usize>,
    pub network: Option<usize>,
}

/// The CPUs for the threads of each of `accounts`; none when the mode does not spin.
///
/// Kubernetes gives a container exclusive CPUs by narrowing its cpuset, so a set as wide as the machine is shared;
/// and one CPU beside the spinning threads' must be left for the gateway and the journals.
pub fn pins(mode: PollMode, accounts: usize) -> Result<Vec<Pins>, CpuError> {
    if mode != PollMode::Spin {
        return Ok(vec![Pins::default(); accounts]);
    }
    choose(allowed()?, online(), accounts)
}

fn choose(allowed: Vec<usize>, online: usize, accounts: usize) -> Result<Vec<Pins>, CpuError> {
    let spinning = accounts * 2;
    if allowed.len() > spinning && allowed.len() < online {
        let taken: Vec<usize> = allowed.into_iter().rev().take(spinning).collect();
        Ok(taken
            .chunks(2)
            .map(|pair| Pins { engine: pair.first().copied(), network: pair.get(1).copied() })
            .collect())
    } else {
        Err(CpuError::NotExclusive { allowed, online, wanted: spinning + 1 })
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
        for (allowed, online) in
            [(vec![0, 1], 2), (vec![3], 8), (vec![2, 3], 8), (vec![0, 1, 2], 3), (vec![], 4)]
        {
            let text = choose(allowed, online, 1).unwrap_err().to_string();
            assert!(text.contains("Park or Adaptive") && text.contains("at least 3"), "{text}");
        }
        let pins = |engine, network| Pins { engine: Some(engine), network: Some(network) };
        assert_eq!(choose(vec![2, 3, 5], 8, 1).unwrap(), [pins(5, 3)]);
        assert_eq!(choose(vec![1, 2, 3, 5, 7], 8, 2).unwrap(), [pins(7, 5), pins(3, 2)]);
        assert!(choose(vec![1, 2, 3, 5], 8, 2).is_err(), "nothing would be left for the other threads");
    }

    #[test]
    fn modes_that_sleep_need_no_cpu_of_their_own() {
        assert_eq!(super::pins(PollMode::Park, 1).unwrap(), [Pins::default()]);
        assert_eq!(super::pins(PollMode::Adaptive, 2).unwrap(), [Pins::default(); 2]);
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
