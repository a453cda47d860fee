//! Counters in every branch of the code under test.
//!
//! `npm run fuzz` builds with LLVM's SanitizerCoverage pass, which rustc's stable `-C passes` and `-C llvm-args` turn
//! on: at its start each object hands over its region of 8-bit counters. In any other build there are none, and only
//! the outcome of a run tells whether it was new.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Start and length of each region.
static REGIONS: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

fn regions() -> MutexGuard<'static, Vec<(usize, usize)>> {
    REGIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Called by the constructors that the pass adds.
// SAFETY: the name is the one that the pass calls; nothing else in the program has it.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, end: *mut u8) {
    let (start, end) = (start as usize, end as usize);
    let mut regions = regions();
    if end > start && !regions.iter().any(|(known, _)| *known == start) {
        regions.push((start, end - start));
    }
}

/// What was reached by all runs so far: for each counter a bit for each order of magnitude.
#[derive(Debug, Default)]
pub struct Reached {
    seen: Vec<u8>,
}

impl Reached {
    /// How many counters there are; 0 in a build without.
    #[must_use]
    pub fn counters() -> usize {
        regions().iter().map(|(_, length)| length).sum()
    }

    /// Sets all counters to zero.
    pub fn clear() {
        for &(start, length) in regions().iter() {
            // SAFETY: the region is a static of this program that its constructor handed over, `length` bytes long;
            // only increments by the code under test touch it, and that runs on this thread.
            unsafe { std::ptr::write_bytes(start as *mut u8, 0, length) };
        }
    }

    /// Adds what was counted since the last `clear`; whether any of it is new.
    pub fn add(&mut self) -> bool {
        let (mut new, mut at) = (false, 0);
        for &(start, length) in regions().iter() {
            // SAFETY: as above.
            let counters = unsafe { std::slice::from_raw_parts(start as *const u8, length) };
            if self.seen.len() < at + length {
                self.seen.resize(at + length, 0);
            }
            for (seen, &count) in self.seen[at..at + length].iter_mut().zip(counters) {
                let bit = magnitude(count);
                new |= *seen & bit != bit;
                *seen |= bit;
            }
            at += length;
        }
        new
    }

    /// Counters that were ever reached.
    #[must_use]
    pub fn count(&self) -> usize {
        self.seen.iter().filter(|seen| **seen != 0).count()
    }
}

/// 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more.
const fn magnitude(count: u8) -> u8 {
    match count {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        4..=7 => 8,
        8..=15 => 16,
        16..=31 => 32,
        32..=127 => 64,
        _ => 128,
    }
}
