//! The journal through its public face: append, die, read back.

use std::fs::OpenOptions;
use std::io::{Read as _, Seek, SeekFrom, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use flashpod_journal::{JournalError, Options, Reader, open};

const SMALL: Options = Options { segment_bytes: 4096 };

fn read(dir: &Path) -> Result<Vec<Vec<u8>>, JournalError> {
    Reader::open(dir)?.collect()
}

fn record(n: u32) -> Vec<u8> {
    let len = 1 + (n * 37) % 700;
    (0..len).map(|at| (at * 7 + n) as u8 | 1).collect()
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn records_come_back_in_order_across_files_and_runs() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for run in 0..3 {
        let (mut writer, mut upkeep) = open(dir.path(), SMALL).unwrap();
        for n in 0..60 {
            let record = record(run * 100 + n);
            writer.append(&record).unwrap();
            expected.push(record);
            if n % 3 == 0 {
                upkeep.tick().unwrap();
            }
        }
        assert!(upkeep.current_segment() > u64::from(run) + 2, "files were changed");
    }
    assert_eq!(read(dir.path()).unwrap(), expected);
}

#[test]
fn a_file_that_was_made_ahead_is_used_and_one_that_was_not_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, mut upkeep) = open(dir.path(), SMALL).unwrap();
    upkeep.tick().unwrap();
    for _ in 0..3 {
        writer.append(&[1; 1500]).unwrap();
    }
    assert_eq!(writer.unprepared(), 0);
    for _ in 0..3 {
        writer.append(&[1; 1500]).unwrap();
    }
    assert_eq!(writer.unprepared(), 1);
    assert_eq!(read(dir.path()).unwrap().len(), 6);
}

#[test]
fn a_record_larger_than_a_file_gets_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, mut upkeep) = open(dir.path(), SMALL).unwrap();
    let large = vec![7; 100_000];
    for record in [&[1_u8][..], &large, &[2]] {
        writer.append(record).unwrap();
        upkeep.tick().unwrap();
    }
    assert_eq!(read(dir.path()).unwrap(), [vec![1], large, vec![2]]);
}

#[test]
fn an_unfinished_last_record_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, _upkeep) = open(dir.path(), SMALL).unwrap();
    writer.append(b"first").unwrap();
    writer.append(b"second").unwrap();
    drop(writer);
    let file = dir.path().join("0000000001.journal");
    // The second record begins at 64 + 24; its commit word is at + 16.
    overwrite(&file, 64 + 24 + 16, &[0; 8]);
    assert_eq!(read(dir.path()).unwrap(), [b"first".to_vec()]);
    // A later run goes on in its own file.
    let (mut writer, _upkeep) = open(dir.path(), SMALL).unwrap();
    writer.append(b"third").unwrap();
    assert_eq!(read(dir.path()).unwrap(), [b"first".to_vec(), b"third".to_vec()]);
}

#[test]
fn damage_to_what_was_on_disk_is_named_with_file_and_byte() {
    for (at, bytes, reason) in [
        (64 + 8, &b"F"[..], "checksum"),
        (64 + 16, &[0; 8][..], "commit word"),
        (64, &[0; 4][..], "no record"),
        (64, &[0xff, 0xff, 0xff, 0x3f][..], "past the end"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, mut upkeep) = open(dir.path(), SMALL).unwrap();
        writer.append(b"first").unwrap();
        writer.append(b"second").unwrap();
        upkeep.sync().unwrap();
        drop(writer);
        overwrite(&dir.path().join("0000000001.journal"), at, bytes);
        let error = read(dir.path()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert!(error.contains("0000000001.journal: damaged at byte 64"), "{error}");
    }
}

#[test]
fn what_a_dying_machine_tore_ends_the_run_and_not_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, mut upkeep) = open(dir.path(), SMALL).unwrap();
    writer.append(&[1; 1000]).unwrap();
    upkeep.sync().unwrap();
    for n in 2..8 {
        writer.append(&[n; 1000]).unwrap();
    }
    drop((writer, upkeep));
    // The second record's page never reached the disk; later ones and the next file did.
    overwrite(&dir.path().join("0000000001.journal"), 64 + 1016, &[0; 1016]);
    let (mut writer, _upkeep) = open(dir.path(), SMALL).unwrap();
    writer.append(&[9; 10]).unwrap();
    assert_eq!(read(dir.path()).unwrap(), [vec![1; 1000], vec![9; 10]]);
}

#[test]
fn a_file_whose_name_reached_the_disk_and_nothing_else_of_it_is_passed_over() {
    for cut in [0, 32, 4096] {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, mut upkeep) = open(dir.path(), SMALL).unwrap();
        writer.append(&record(1)).unwrap();
        upkeep.tick().unwrap();
        writer.append(&[2; 4000]).unwrap();
        let number = upkeep.current_segment();
        assert_eq!(number, 2, "a new file was begun");
        drop((writer, upkeep));
        // The host dies: of the new file only the name is there, its size or a part of that, and zeros.
        let path = dir.path().join(format!("{number:010}.journal"));
        OpenOptions::new().write(true).truncate(true).open(&path).unwrap().set_len(cut).unwrap();
        let last_run = || Reader::open_last_run(dir.path()).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!((read(dir.path()).unwrap(), last_run()), (vec![record(1)], vec![record(1)]));
        let (mut writer, _upkeep) = open(dir.path(), SMALL).unwrap();
        writer.append(&record(3)).unwrap();
        assert_eq!((read(dir.path()).unwrap(), last_run()), (vec![record(1), record(3)], vec![record(3)]));
    }
}

#[test]
fn a_missing_file_and_a_foreign_file_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let (mut writer, _upkeep) = open(dir.path(), SMALL).unwrap();
        writer.append(b"x").unwrap();
    }
    std::fs::remove_file(dir.path().join("0000000002.journal")).unwrap();
    assert!(read(dir.path()).unwrap_err().to_string().contains("0000000002.journal is missing"));
    std::fs::write(dir.path().join("0000000002.journal"), b"hello").unwrap();
    assert!(read(dir.path()).unwrap_err().to_string().contains("FPJOURN1"));
}

#[test]
fn files_before_a_checkpoint_can_go() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, mut upkeep) = open(dir.path(), SMALL).unwrap();
    for n in 0..30 {
        writer.append(&[n + 1; 1000]).unwrap();
    }
    upkeep.prune(upkeep.current_segment()).unwrap();
    let left = read(dir.path()).unwrap();
    assert!(!left.is_empty() && left.len() < 4);
    assert_eq!(left.last().unwrap()[0], 30);
}

#[test]
fn the_files_are_listed_with_their_size_and_where_runs_begin() {
    let dir = tempfile::tempdir().unwrap();
    for run in 0..2 {
        let (mut writer, upkeep) = open(dir.path(), SMALL).unwrap();
        for _ in 0..3 {
            writer.append(&[1; 1500]).unwrap();
        }
        let files: Vec<_> =
            upkeep.files().unwrap().iter().map(|f| (f.number, f.bytes, f.begins_run)).collect();
        let all = [(1, 4096, true), (2, 4096, false), (3, 4096, true), (4, 4096, false)];
        assert_eq!(files, all[..2 * run + 2]);
    }
}

#[test]
fn the_last_run_can_be_read_alone() {
    let dir = tempfile::tempdir().unwrap();
    for run in 1..4 {
        let (mut writer, _upkeep) = open(dir.path(), SMALL).unwrap();
        for n in 0..5 {
            writer.append(&[run * 10 + n; 1500]).unwrap();
        }
    }
    let first_bytes = |reader: Reader| reader.map(|record| record.unwrap()[0]).collect::<Vec<_>>();
    assert_eq!(first_bytes(Reader::open_last_run(dir.path()).unwrap()), [30, 31, 32, 33, 34]);
    // A run that died before its first record does not hide the one before.
    drop(open(dir.path(), SMALL).unwrap());
    assert_eq!(first_bytes(Reader::open_last_run(dir.path()).unwrap()), [30, 31, 32, 33, 34]);
    assert_eq!(Reader::open_last_run(&dir.path().join("none")).unwrap().count(), 0);
}

#[test]
fn one_writer_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path(), SMALL).unwrap();
    assert!(matches!(open(dir.path(), SMALL).unwrap_err(), JournalError::Locked { .. }));
    drop(first);
    // Another test's child has a copy of the lock between its fork and its exec.
    for tries in 0.. {
        let Err(error) = open(dir.path(), SMALL) else { break };
        assert!(matches!(error, JournalError::Locked { .. }) && tries < 1_000_000, "{error}");
        std::thread::yield_now();
    }
}

/// The child of the next test: appends numbered records for ever and says each one it has appended.
#[test]
fn child_appends_until_it_is_killed() {
    let Ok(dir) = std::env::var("FLASHPOD_JOURNAL_CHILD") else { return };
    let (mut writer, mut upkeep) = open(Path::new(&dir), Options { segment_bytes: 64 << 10 }).unwrap();
    let mut out = std::io::stdout().lock();
    for n in 0_u32.. {
        writer.append(&[&n.to_le_bytes()[..], &record(n)].concat()).unwrap();
        out.write_all(&n.to_le_bytes()).unwrap();
        out.flush().unwrap();
        if n % 50 == 0 {
            upkeep.tick().unwrap();
        }
    }
}

#[test]
fn nothing_appended_is_lost_when_the_process_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_appends_until_it_is_killed", "--nocapture", "--quiet"])
        .env("FLASHPOD_JOURNAL_CHILD", dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    // The test harness prints a line of its own first; the numbers begin behind it.
    let mut heard = Vec::new();
    let mut chunk = [0; 4096];
    while heard.len() < 20_000 {
        let n = out.read(&mut chunk).unwrap();
        assert!(n > 0, "the child ended by itself");
        heard.extend_from_slice(&chunk[..n]);
    }
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    out.read_to_end(&mut heard).unwrap();
    let start = heard.windows(8).position(|w| w == [0, 0, 0, 0, 1, 0, 0, 0]).expect("the first two numbers");
    let said = (heard.len() - start) / 4;
    let records = read(dir.path()).unwrap();
    assert!(records.len() >= said, "{} records of {said} acknowledged ones", records.len());
    for (n, found) in (0_u32..).zip(&records) {
        assert_eq!(found[..4], n.to_le_bytes());
        assert_eq!(found[4..], record(n)[..]);
    }
}
