//! Appending, and what another thread does for it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::JournalError;
use crate::reader::{begins_run, segment_numbers};
use crate::segment::{HEADER, MAX_RECORD, PREFIX, Segment, extent, path_of, spare_path};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Size of a file. A record that is larger gets a file of its own size.
    pub segment_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20 }
    }
}

/// One file of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalFile {
    pub number: u64,
    /// What it takes on disk, written or not.
    pub bytes: u64,
    /// Whether its first record is the first of a run.
    pub begins_run: bool,
}

/// A file in use, and up to where it is written.
#[derive(Debug, Clone)]
struct Current {
    segment: Arc<Segment>,
    written: Arc<AtomicUsize>,
}

/// What writer and upkeep share. Locked at a change of files and by the upkeep; never while appending.
#[derive(Debug)]
struct Shared {
    current: Current,
    /// Full files that may hold bytes not yet on disk.
    full: Vec<Current>,
    /// The file that follows, made ahead.
    next: Option<Segment>,
}

/// Opens a journal for writing, in a new file behind those that are there; makes the directory. Read what is there
/// first: see [`crate::Reader`].
pub fn open(dir: &Path, options: Options) -> Result<(Writer, Upkeep), JournalError> {
    fs::create_dir_all(dir).map_err(JournalError::io(dir, "create directory"))?;
    let lock_path = dir.join("lock");
    let lock = File::create(&lock_path).map_err(JournalError::io(&lock_path, "create"))?;
    lock.try_lock().map_err(|error| match error {
        fs::TryLockError::WouldBlock => JournalError::Locked { path: dir.to_owned() },
        fs::TryLockError::Error(source) => {
            JournalError::Io { path: lock_path.clone(), action: "lock", source }
        }
    })?;
    let number = segment_numbers(dir)?.last().map_or(1, |last| last + 1);
    let size = options.segment_bytes.next_multiple_of(4096);
    let mut segment = Segment::create(dir.join("first"), size)?;
    let offset = segment.begin(dir, number, false)?;
    let current = Current { segment: Arc::new(segment), written: Arc::new(AtomicUsize::new(offset)) };
    let shared = Arc::new(Mutex::new(Shared { current: current.clone(), full: Vec::new(), next: None }));
    let writer = Writer {
        dir: dir.to_owned(),
        size,
        current,
        offset,
        shared: Arc::clone(&shared),
        unprepared: 0,
        _lock: lock,
    };
    Ok((writer, Upkeep { dir: dir.to_owned(), size, shared, synced: (0, 0) }))
}

fn locked(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // Nothing in a critical section leaves it half done.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Appends records. No system call but at a change of files.
#[derive(Debug)]
pub struct Writer {
    dir: PathBuf,
    size: usize,
    current: Current,
    offset: usize,
    shared: Arc<Mutex<Shared>>,
    unprepared: u64,
    /// Held until the writer is gone.
    _lock: File,
}

impl Writer {
    /// Appends one record. When this returns, the record survives the death of the process; the death of the
    /// machine it survives after the next [`Upkeep::tick`].
    pub fn append(&mut self, record: &[u8]) -> Result<(), JournalError> {
        if record.is_empty() || record.len() >= MAX_RECORD {
            return Err(JournalError::RecordSize { len: record.len() });
        }
        if !self.current.segment.fits(self.offset, record.len()) {
            self.roll(record.len())?;
        }
        self.offset = self.current.segment.append(self.offset, record);
        self.current.written.store(self.offset, Ordering::Release);
        Ok(())
    }

    /// How often a file had to be made here because the upkeep had not made it ahead.
    #[must_use]
    pub const fn unprepared(&self) -> u64 {
        self.unprepared
    }

    fn roll(&mut self, payload: usize) -> Result<(), JournalError> {
        let number = self.current.segment.number + 1;
        let needed = HEADER + extent(payload) + PREFIX;
        let ready = locked(&self.shared).next.take().filter(|next| next.size() >= needed);
        let mut segment = match ready {
            Some(segment) => segment,
            None => {
                self.unprepared += 1;
                // Not the upkeep's spare path: it may be making one there right now.
                Segment::create(self.dir.join("late"), self.size.max(needed.next_multiple_of(4096)))?
            }
        };
        let offset = segment.begin(&self.dir, number, true)?;
        self.current.segment.roll(self.offset);
        self.current.written.store(self.offset + PREFIX, Ordering::Release);
        let next = Current { segment: Arc::new(segment), written: Arc::new(AtomicUsize::new(offset)) };
        let full = std::mem::replace(&mut self.current, next);
        self.offset = offset;
        let mut shared = locked(&self.shared);
        shared.current = self.current.clone();
        shared.full.push(full);
        Ok(())
    }
}

/// The slow part, for another thread: call `tick` at least every 50 ms.
#[derive(Debug)]
pub struct Upkeep {
    dir: PathBuf,
    size: usize,
    shared: Arc<Mutex<Shared>>,
    /// Number of the file synced last and up to where.
    synced: (u64, usize),
}

impl Upkeep {
    /// Brings everything appended before this call to disk, and makes the next file when there is none.
    pub fn tick(&mut self) -> Result<(), JournalError> {
        self.sync()?;
        if locked(&self.shared).next.is_none() {
            let spare = Segment::create(spare_path(&self.dir), self.size)?;
            locked(&self.shared).next = Some(spare);
        }
        Ok(())
    }

    /// Brings everything appended before this call to disk.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        let (full, current) = {
            let mut shared = locked(&self.shared);
            (std::mem::take(&mut shared.full), shared.current.clone())
        };
        if self.synced.0 != current.segment.number {
            // New files: their names must reach the disk too.
            let directory = File::open(&self.dir).and_then(|dir| dir.sync_all());
            directory.map_err(JournalError::io(&self.dir, "sync directory"))?;
        }
        for file in full.iter().chain([&current]) {
            let written = file.written.load(Ordering::Acquire);
            let from = if self.synced.0 == file.segment.number { self.synced.1 } else { 0 };
            file.segment.sync(from, written)?;
            self.synced = (file.segment.number, written);
        }
        Ok(())
    }

    /// Brings everything to disk, the checkpoint too, and only then removes the files before `first_kept`: a file
    /// that begins a run, or the one in use when a checkpoint was appended, or an older one.
    ///
    /// Oldest first: whenever the process dies, what is left has no hole.
    pub fn prune(&mut self, first_kept: u64) -> Result<(), JournalError> {
        self.sync()?;
        for number in segment_numbers(&self.dir)?.into_iter().filter(|&number| number < first_kept) {
            let path = path_of(&self.dir, number);
            fs::remove_file(&path).map_err(JournalError::io(&path, "remove"))?;
        }
        Ok(())
    }

    /// The files of the journal, oldest first, the one in use last.
    pub fn files(&self) -> Result<Vec<JournalFile>, JournalError> {
        let file = |number| {
            let path = path_of(&self.dir, number);
            let metadata = fs::metadata(&path).map_err(JournalError::io(&path, "look at"))?;
            Ok(JournalFile { number, bytes: metadata.len(), begins_run: begins_run(&self.dir, number)? })
        };
        segment_numbers(&self.dir)?.into_iter().map(file).collect()
    }

    /// Number of the file in use.
    #[must_use]
    pub fn current_segment(&self) -> u64 {
        locked(&self.shared).current.segment.number
    }
}
