//! Reading back, whatever the writer's end was.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::JournalError;
use crate::segment::{
    COMMIT, CONTINUES_AT, HEADER, MAGIC, MAX_RECORD, PREFIX, ROLLED, SYNCED_AT, commit_word, extent, path_of,
};

/// Numbers of the files of a journal, ascending.
pub(crate) fn segment_numbers(dir: &Path) -> Result<Vec<u64>, JournalError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir).map_err(JournalError::io(dir, "list"))? {
        let name = entry.map_err(JournalError::io(dir, "list"))?.file_name();
        let number: Option<u64> =
            name.to_str().and_then(|name| name.strip_suffix(".journal")).and_then(|n| n.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Whether nothing was ever brought to disk: with the first sync the header is, before anything counts on the file.
fn is_unborn(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// Whether a run begins with this file; only its header is read.
pub(crate) fn begins_run(dir: &Path, number: u64) -> Result<bool, JournalError> {
    let path = path_of(dir, number);
    let mut header = Vec::with_capacity(HEADER);
    let file = fs::File::open(&path).map_err(JournalError::io(&path, "open"))?;
    file.take(HEADER as u64).read_to_end(&mut header).map_err(JournalError::io(&path, "read"))?;
    Ok(!is_unborn(&header) && header.get(CONTINUES_AT..CONTINUES_AT + 8) == Some(&[0; 8]))
}

/// All committed records of a journal, oldest first. What a dying process or machine left unfinished ends its run
/// quietly; damage to what was on disk is an error, after which the reader ends.
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    /// Files to come, ascending from the back.
    numbers: Vec<u64>,
    file: Option<OpenFile>,
    former: Option<u64>,
}

#[derive(Debug)]
struct OpenFile {
    path: PathBuf,
    number: u64,
    bytes: Vec<u8>,
    offset: usize,
    /// All before it was on disk while the writer lived.
    synced: usize,
}

enum Next {
    Record(Vec<u8>),
    /// The writer stopped here.
    End,
    /// The journal goes on in the next file.
    Rolled,
}

impl Reader {
    /// Of a directory without journal files, nothing is read. A directory that is not there is an empty journal.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let mut numbers = if dir.exists() { segment_numbers(dir)? } else { Vec::new() };
        numbers.reverse();
        Ok(Self { dir: dir.to_owned(), numbers, file: None, former: None })
    }

    /// Of the newest run that left a record: each run begins in a file of its own.
    pub fn open_last_run(dir: &Path) -> Result<Self, JournalError> {
        let mut whole = Self::open(dir)?;
        // Newest first.
        for (at, &number) in whole.numbers.iter().enumerate() {
            if begins_run(dir, number)? {
                let mut run = Self { numbers: whole.numbers[..=at].to_vec(), ..Self::open(dir)? };
                if let Some(first) = run.next() {
                    first?;
                    whole.numbers.truncate(at + 1);
                    break;
                }
            }
        }
        Ok(whole)
    }

    fn advance(&mut self) -> Result<Option<Vec<u8>>, JournalError> {
        let mut rolled = false;
        loop {
            if let Some(file) = &mut self.file {
                match file.next()? {
                    Next::Record(record) => return Ok(Some(record)),
                    Next::End => rolled = false,
                    Next::Rolled => rolled = true,
                }
                self.former = self.file.take().map(|file| file.number);
            }
            let Some(number) = self.numbers.pop() else {
                // A host may die between the mark and the new file's name on disk: the mark is then the end.
                return Ok(None);
            };
            if let Some(former) = self.former.filter(|former| former + 1 != number) {
                let missing = path_of(&self.dir, former + 1).display().to_string();
                return Err(JournalError::Missing { path: self.dir.clone(), missing });
            }
            let Some((file, continues)) = OpenFile::read(&self.dir, number)? else {
                // The machine died before any of it was on disk.
                self.former = Some(number);
                continue;
            };
            if continues && !rolled && self.former.is_some() {
                // The machine died while the file before was not all on disk: what came later is of no use.
                self.former = Some(number);
                continue;
            }
            self.file = Some(file);
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Vec<u8>, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if matches!(next, Some(Err(_))) {
            (self.file, self.numbers) = (None, Vec::new());
        }
        next
    }
}

impl OpenFile {
    /// None: nothing of it ever was on disk but its name.
    fn read(dir: &Path, number: u64) -> Result<Option<(Self, bool)>, JournalError> {
        let path = path_of(dir, number);
        let bytes = fs::read(&path).map_err(JournalError::io(&path, "read"))?;
        let word = |at: usize| bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
        let bad = |reason| JournalError::NotAJournal { path: path.clone(), reason };
        if is_unborn(&bytes) {
            return Ok(None);
        }
        if word(0) != Some(MAGIC) {
            return Err(bad("it does not begin with FPJOURN1"));
        }
        if word(8) != Some(number) {
            return Err(bad("the number inside differs from its name"));
        }
        if word(16) != Some(bytes.len() as u64) {
            return Err(bad("the size inside differs from its own"));
        }
        let continues = word(CONTINUES_AT) == Some(1);
        let synced = word(SYNCED_AT).and_then(|at| usize::try_from(at).ok()).unwrap_or(usize::MAX);
        Ok(Some((Self { path, number, bytes, offset: HEADER, synced }, continues)))
    }

    fn next(&mut self) -> Result<Next, JournalError> {
        let at = self.offset;
        let half =
            |at: usize| self.bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
        let Some(len) = half(at) else { return Ok(Next::End) };
        if len == ROLLED {
            return Ok(Next::Rolled);
        }
        if len == 0 {
            return self.unreadable(at, "no record where one was written");
        }
        let end = at + extent(len as usize);
        if len as usize >= MAX_RECORD || end > self.bytes.len() {
            return self.unreadable(at, "a record reaches past the end of the file");
        }
        let commit: Option<u64> = self.bytes[end - COMMIT..end].try_into().ok().map(u64::from_le_bytes);
        if commit != Some(commit_word(self.number, at)) {
            return self.unreadable(at, "a record is without its commit word");
        }
        let payload = &self.bytes[at + PREFIX..at + PREFIX + len as usize];
        if half(at + 4) != Some(crc32fast::hash(payload)) {
            return self.unreadable(at, "a record's checksum does not match");
        }
        let record = payload.to_vec();
        self.offset = end;
        Ok(Next::Record(record))
    }

    /// What cannot be read is the end of what a dying machine or process left, unless it was safe on disk before.
    fn unreadable(&self, offset: usize, reason: &'static str) -> Result<Next, JournalError> {
        if offset >= self.synced {
            return Ok(Next::End);
        }
        Err(JournalError::Damaged { path: self.path.clone(), offset, reason })
    }
}
