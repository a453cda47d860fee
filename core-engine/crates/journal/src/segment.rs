//! One journal file.
//!
//! Header, 64 bytes: magic, number, size, whether it continues the former file, up to where the file is known to be
//! on disk (all u64, little endian), zeros.
//! Then records, each on an 8-byte boundary: length u32, CRC-32 of the payload u32, payload, zeros up to the
//! boundary, commit word u64. A length of zero ends the file (it was never written further); a length of
//! `ROLLED` says that the record which did not fit here begins the next file.
//!
//! The commit word is written last and depends on the place, so bytes of another time or place never pass for it.
//! A process that dies leaves all it wrote; a machine that dies may keep any of the pages written since the last
//! sync, in any order. So what cannot be read before the synced place is damage, and behind it the end.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering, fence};

use memmap2::{Advice, MmapOptions, MmapRaw};

use crate::error::JournalError;

pub(crate) const HEADER: usize = 64;
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"FPJOURN1");
/// Length and checksum before the payload.
pub(crate) const PREFIX: usize = 8;
pub(crate) const COMMIT: usize = 8;
/// Where the header says whether the file continues the one before.
pub(crate) const CONTINUES_AT: usize = 24;
/// Where the header says up to where the file is on disk.
pub(crate) const SYNCED_AT: usize = 32;
pub(crate) const ROLLED: u32 = u32::MAX;
pub(crate) const MAX_RECORD: usize = 1 << 30;
const PAGE: usize = 4096;
/// Kept writable beyond what is written: more than an engine writes between two syncs.
const AHEAD: usize = 64 << 10;

pub(crate) fn path_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:010}.journal"))
}

/// Where a file waits that is made ahead and not part of the journal yet.
pub(crate) fn spare_path(dir: &Path) -> PathBuf {
    dir.join("spare")
}

/// Bytes a record takes in the file.
pub(crate) const fn extent(payload: usize) -> usize {
    PREFIX + payload.next_multiple_of(8) + COMMIT
}

pub(crate) const fn commit_word(number: u64, offset: usize) -> u64 {
    // Never zero, which is what an unwritten file holds.
    (MAGIC ^ number.rotate_left(40) ^ offset as u64) | 1 << 63
}

/// A mapped file that one thread writes while another may sync it.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    /// 0 until `begin`.
    pub(crate) number: u64,
    map: MmapRaw,
}

impl Segment {
    /// Makes, preallocates and prefaults a file. It becomes part of the journal with `begin`.
    pub(crate) fn create(path: PathBuf, size: usize) -> Result<Self, JournalError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(JournalError::io(&path, "create"))?;
        // Written, not only extended: a full disk shows here and not as a signal in the engine thread.
        let zeros = vec![0; 1 << 20];
        let mut left = size;
        while left > 0 {
            let part = left.min(zeros.len());
            file.write_all(&zeros[..part]).map_err(JournalError::io(&path, "preallocate"))?;
            left -= part;
        }
        let map = map(&file, size).map_err(JournalError::io(&path, "map"))?;
        let segment = Self { path, number: 0, map };
        for page in (0..size).step_by(PAGE) {
            // SAFETY: `page` is inside the mapping, which nobody else uses yet.
            unsafe { segment.map.as_mut_ptr().add(page).write_volatile(0) };
        }
        Ok(segment)
    }

    pub(crate) fn size(&self) -> usize {
        self.map.len()
    }

    /// Writes the header and puts the file into its place in the journal; returns where the first record goes.
    pub(crate) fn begin(&mut self, dir: &Path, number: u64, continues: bool) -> Result<usize, JournalError> {
        self.number = number;
        for (place, word) in
            [(8, self.number), (16, self.size() as u64), (CONTINUES_AT, u64::from(continues))]
        {
            self.write(place, &word.to_le_bytes());
        }
        self.commit(0, MAGIC);
        let path = path_of(dir, number);
        fs::rename(&self.path, &path).map_err(JournalError::io(&path, "put into place"))?;
        self.path = path;
        Ok(HEADER)
    }

    /// Whether a record and the mark behind it fit at `offset`.
    pub(crate) fn fits(&self, offset: usize, payload: usize) -> bool {
        offset + extent(payload) + PREFIX <= self.size()
    }

    /// Writes a record that fits; returns where the next one goes.
    pub(crate) fn append(&self, offset: usize, payload: &[u8]) -> usize {
        let len = u32::try_from(payload.len()).unwrap_or(ROLLED - 1);
        self.write(offset, &len.to_le_bytes());
        self.write(offset + 4, &crc32fast::hash(payload).to_le_bytes());
        self.write(offset + PREFIX, payload);
        let end = offset + extent(payload.len());
        self.commit(end - COMMIT, commit_word(self.number, offset));
        end
    }

    /// Marks that the journal goes on in the next file.
    pub(crate) fn roll(&self, offset: usize) {
        self.write(offset, &ROLLED.to_le_bytes());
    }

    pub(crate) fn sync(&self, from: usize, to: usize) -> Result<(), JournalError> {
        let from = from / PAGE * PAGE;
        if to <= from {
            return Ok(());
        }
        self.map.flush_range(from, to - from).map_err(JournalError::io(&self.path, "sync"))?;
        // Reaches the disk with a later sync or when the kernel likes; too small a value only forgives more.
        self.commit(SYNCED_AT, to as u64);
        self.make_writable(to);
        Ok(())
    }

    /// What goes to the disk becomes read-only until the next write to it, which then waits for the kernel. That wait
    /// is taken here, out of the way of the engine: for the page in use and those that follow.
    fn make_writable(&self, from: usize) {
        let from = from / PAGE * PAGE;
        let len = AHEAD.min(self.size().saturating_sub(from));
        if len > 0 {
            // A kernel before 5.14 does not know how; the engine then waits itself.
            let _ = self.map.advise_range(Advice::PopulateWrite, from, len);
        }
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.size(), "a journal write past the end of its file");
        // SAFETY: the range is inside the mapping (checked above). Only the one `Writer` writes here, through
        // `&mut` of itself; the syncing thread hands the pages to the kernel and touches only its own word of the
        // header, which lies outside of every range written here once the file has begun.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.map.as_mut_ptr().add(at), bytes.len()) };
    }

    /// Writes the word that makes everything before it count.
    fn commit(&self, at: usize, word: u64) {
        assert!(at.is_multiple_of(8) && at + 8 <= self.size(), "a journal commit past the end of its file");
        // Whatever kills the process, the words land in program order.
        fence(Ordering::Release);
        // SAFETY: inside the mapping and aligned (the mapping starts on a page); all access to these eight bytes
        // while the file is in use is atomic.
        let place = unsafe { AtomicU64::from_ptr(self.map.as_mut_ptr().add(at).cast::<u64>()) };
        place.store(word.to_le(), Ordering::Release);
    }
}

fn map(file: &File, size: usize) -> std::io::Result<MmapRaw> {
    MmapOptions::new().len(size).map_raw(file)
}
