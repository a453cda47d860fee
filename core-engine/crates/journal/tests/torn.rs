//! A journal that a dying machine tore at any byte, cut off, or whose bytes were changed: what is read is what was
//! written, from its beginning on, or the damage is named; and a later run goes on behind it.

use std::fs;
use std::path::{Path, PathBuf};

use flashpod_journal::{JournalError, Options, Reader, open};
use proptest::prelude::*;

const SMALL: Options = Options { segment_bytes: 4096 };

fn read(dir: &Path) -> Result<Vec<Vec<u8>>, JournalError> {
    Reader::open(dir)?.collect()
}

fn record(n: u32) -> Vec<u8> {
    (0..1 + (n * 37) % 300).map(|at| (at * 7 + n) as u8 | 1).collect()
}

/// One journal and what was written into it.
struct Written {
    dir: tempfile::TempDir,
    records: Vec<Vec<u8>>,
    /// How many were on disk at the last sync; the rest may be lost.
    synced: usize,
}

impl Written {
    /// Two files: some of the last one synced.
    fn new(lengths: &[u32], synced: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, mut upkeep) = open(dir.path(), SMALL).unwrap();
        let records: Vec<Vec<u8>> = lengths.iter().map(|n| record(*n)).collect();
        for (at, record) in records.iter().enumerate() {
            if at == synced {
                upkeep.sync().unwrap();
            }
            writer.append(record).unwrap();
        }
        if synced >= records.len() {
            upkeep.sync().unwrap();
        }
        Self { dir, synced: synced.min(records.len()), records }
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "journal"))
            .collect();
        files.sort();
        files
    }

    /// Whatever was done to it: nothing is read that was not written, in its order; and a later run is read behind it.
    fn holds(&self, what: &str) -> Option<usize> {
        let found = match read(self.dir.path()) {
            Ok(found) => found,
            Err(error) => {
                assert!(error.to_string().contains(".journal"), "{what}: {error} names no file");
                return None;
            }
        };
        assert!(found.len() <= self.records.len(), "{what}: more than was written");
        assert!(found[..] == self.records[..found.len()], "{what}: another record than was written");
        let (mut writer, _upkeep) = open(self.dir.path(), SMALL).unwrap();
        writer.append(b"later").unwrap();
        drop(writer);
        let later = read(self.dir.path()).unwrap_or_else(|error| panic!("{what}: behind it: {error}"));
        assert!(later[..found.len()] == found[..] && later[found.len()..] == [b"later".to_vec()], "{what}");
        fs::remove_file(self.files().pop().unwrap()).unwrap();
        Some(found.len())
    }
}

/// Does something to the last file at every byte of what is written there, and puts it back.
fn at_every_byte(written: &Written, mut strike: impl FnMut(&Path, &[u8], usize)) {
    let path = written.files().pop().unwrap();
    let whole = fs::read(&path).unwrap();
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap() + 9;
    for at in 0..end.min(whole.len()) {
        strike(&path, &whole, at);
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(written.holds("put back"), Some(written.records.len()));
}

const LENGTHS: [u32; 9] = [3, 7, 1, 11, 5, 2, 9, 4, 6];

#[test]
fn torn_at_every_byte_what_came_before_is_there_and_nothing_else() {
    // Nothing was on disk for certain: pages behind the tear are zeros.
    let written = Written::new(&LENGTHS, usize::MAX);
    let mut last = 0;
    let path = written.files().pop().unwrap();
    // As it is before any sync: no byte of it is vouched for.
    let mut unsynced = fs::read(&path).unwrap();
    unsynced[32..40].fill(0);
    fs::write(&path, &unsynced).unwrap();
    at_every_byte(&written, |path, whole, at| {
        let torn = [&whole[..at], &vec![0; whole.len() - at]].concat();
        fs::write(path, torn).unwrap();
        if let Some(found) = written.holds(&format!("zeros from byte {at}")) {
            assert!(found >= last, "byte {at}: {found} records, {last} with less of the file");
            last = found;
        } else {
            assert!(at < 64, "byte {at}: an error instead of an end");
        }
    });
    assert_eq!(last, LENGTHS.len());
}

#[test]
fn torn_at_every_byte_before_the_synced_place_is_damage_and_behind_it_the_end() {
    let written = Written::new(&LENGTHS, 5);
    let synced: usize =
        64 + written.records[..5].iter().map(|r| 16 + r.len().next_multiple_of(8)).sum::<usize>();
    at_every_byte(&written, |path, whole, at| {
        // The header has its place on disk since the first sync.
        if at < 64 {
            return;
        }
        fs::write(path, [&whole[..at], &vec![0; whole.len() - at]].concat()).unwrap();
        let found = written.holds(&format!("zeros from byte {at}"));
        match found {
            Some(found) => assert!(found >= written.synced, "byte {at}: only {found} of what was on disk"),
            None => assert!(at < synced, "byte {at}: damage behind the synced place {synced}"),
        }
    });
}

#[test]
fn cut_off_at_every_byte_nothing_false_is_read() {
    let written = Written::new(&LENGTHS, 3);
    at_every_byte(&written, |path, whole, at| {
        fs::write(path, &whole[..at]).unwrap();
        written.holds(&format!("cut at byte {at}"));
    });
}

#[test]
fn with_any_byte_changed_nothing_false_is_read() {
    let written = Written::new(&LENGTHS, 3);
    at_every_byte(&written, |path, whole, at| {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = whole.to_vec();
            changed[at] ^= change;
            fs::write(path, changed).unwrap();
            written.holds(&format!("byte {at} changed by {change:#x}"));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Pages reach the disk in any order: of those written since the last sync any may be missing.
    #[test]
    fn with_any_unsynced_pages_missing_all_that_was_synced_is_there(
        lengths in prop::collection::vec(0_u32..200, 1..60),
        synced in 0_usize..60,
        lost in prop::collection::vec(any::<bool>(), 64),
    ) {
        let written = Written::new(&lengths, synced);
        let mut lost = lost.into_iter().cycle();
        for path in written.files() {
            let mut bytes = fs::read(&path).unwrap();
            let on_disk = u64::from_le_bytes(bytes[32..40].try_into().unwrap()) as usize;
            for page in (0..bytes.len()).step_by(512) {
                // A device keeps sectors whole; what was synced is there.
                if page >= on_disk.max(64) && lost.next().unwrap() {
                    let end = (page + 512).min(bytes.len());
                    bytes[page..end].fill(0);
                }
            }
            fs::write(&path, bytes).unwrap();
        }
        let found = written.holds("pages missing");
        prop_assert!(found.is_some_and(|found| found >= written.synced), "{found:?} of {} synced", written.synced);
    }

    #[test]
    fn with_any_bytes_behind_it_nothing_false_is_read(
        lengths in prop::collection::vec(0_u32..200, 0..10),
        tail in prop::collection::vec(any::<u8>(), 1..400),
    ) {
        let written = Written::new(&lengths, usize::MAX);
        let path = written.files().pop().unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let end = 64 + written.records.iter().map(|r| 16 + r.len().next_multiple_of(8)).sum::<usize>();
        prop_assume!(written.files().len() == 1 && end + tail.len() <= bytes.len());
        bytes[end..end + tail.len()].copy_from_slice(&tail);
        fs::write(&path, bytes).unwrap();
        prop_assert_eq!(written.holds("bytes behind it"), Some(lengths.len()));
    }
}
