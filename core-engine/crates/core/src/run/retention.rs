//! Which files of a journal may go, and when a checkpoint is due. Pure.
//!
//! A state can be recovered from any file that begins a run, and from one in use when a checkpoint was written. Of
//! these places the oldest is kept whose files fit, so that between half of what may be kept and all of it stays.
//! Beginnings of runs are such places at no cost, so former runs go whole and the rest can still be verified whole.

use flashpod_journal::JournalFile;

/// What is to be done about a journal's size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// Remove the files before this one.
    pub(crate) prune_to: Option<u64>,
    /// So much was written since the last place to recover from that there should be another.
    pub(crate) checkpoint: bool,
}

/// `files`, oldest first, the last in use; `checkpoints`: ascending numbers of the files that were in use when a
/// checkpoint of this run was asked for, which was then written.
pub(crate) fn due(files: &[JournalFile], checkpoints: &[u64], keep_bytes: u64) -> Due {
    let from = |number: u64| -> u64 {
        files.iter().filter(|file| file.number >= number).map(|file| file.bytes).sum()
    };
    let places = || {
        files
            .iter()
            .filter(|file| file.begins_run || checkpoints.contains(&file.number))
            .map(|file| file.number)
    };
    let Some((oldest, newest)) = files.first().map(|file| file.number).zip(places().next_back()) else {
        return Due::default();
    };
    let fitting = places().find(|&place| from(place) <= keep_bytes).unwrap_or(newest);
    Due {
        prune_to: (from(oldest) > keep_bytes && fitting > oldest).then_some(fitting),
        checkpoint: from(newest) > keep_bytes / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files of 10 bytes, from `first`; runs begin at `starts`.
    fn files(first: u64, last: u64, starts: &[u64]) -> Vec<JournalFile> {
        (first..=last)
            .map(|number| JournalFile { number, bytes: 10, begins_run: starts.contains(&number) })
            .collect()
    }

    #[test]
    fn nothing_is_due_while_the_run_is_short_and_everything_fits() {
        assert_eq!(due(&files(1, 2, &[1]), &[], 40), Due::default());
        assert_eq!(due(&files(3, 6, &[4, 5]), &[], 40), Due::default());
        assert_eq!(due(&[], &[], 40), Due::default());
    }

    #[test]
    fn a_checkpoint_is_due_when_half_was_written_since_the_last_place_to_recover_from() {
        for (last, checkpoints, expected) in
            [(2, &[][..], false), (3, &[], true), (4, &[3], false), (5, &[3], true), (5, &[3, 5], false)]
        {
            assert_eq!(
                due(&files(1, last, &[1]), checkpoints, 40).checkpoint,
                expected,
                "{last} {checkpoints:?}"
            );
        }
    }

    #[test]
    fn the_oldest_place_that_makes_the_rest_fit_is_kept() {
        let prune = |files: &[JournalFile], checkpoints: &[u64]| due(files, checkpoints, 40).prune_to;
        // Former runs go whole, and only as many as need be.
        assert_eq!(prune(&files(1, 5, &[1, 3, 4]), &[]), Some(3));
        assert_eq!(prune(&files(1, 8, &[1, 3, 4, 7]), &[]), Some(7));
        // Of this run, what a checkpoint makes superfluous.
        assert_eq!(prune(&files(1, 5, &[1]), &[3, 5]), Some(3));
        // What a killed prune left: files in the midst of a run.
        assert_eq!(prune(&files(2, 6, &[1, 5]), &[]), Some(5));
    }

    #[test]
    fn without_a_place_to_recover_from_nothing_goes_and_when_none_fits_the_newest_is_kept() {
        assert_eq!(due(&files(1, 9, &[1]), &[], 40), Due { prune_to: None, checkpoint: true });
        assert_eq!(due(&files(1, 9, &[1]), &[3, 4], 40).prune_to, Some(4));
        assert_eq!(due(&files(4, 9, &[]), &[4], 40), Due { prune_to: None, checkpoint: true });
        assert_eq!(due(&files(4, 9, &[]), &[], 40), Due::default());
    }

    #[test]
    fn a_long_run_keeps_between_half_and_a_file_more_than_all() {
        let (mut oldest, mut checkpoints) = (1, Vec::new());
        for last in 1..200 {
            let now = files(oldest, last, &[1]);
            let due = due(&now, &checkpoints, 80);
            oldest = due.prune_to.unwrap_or(oldest);
            if due.checkpoint {
                checkpoints.push(last);
            }
            let kept = last - oldest + 1;
            assert!(kept <= 8 && (last < 8 || kept >= 4), "{kept} files");
            assert!(oldest == 1 || checkpoints.contains(&oldest));
        }
    }
}
