//! Several files, merged by receive time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt;
use std::path::PathBuf;

use flashpod_types::{Nanos, Symbol};

use crate::RecordingError;
use crate::file::FrameFile;
use crate::frame::{Event, Frame, Market};

/// Frames of several files in the order of their receive times; at equal times in the order in which the files were
/// named. The order inside a file is never changed. Ends after the first error.
pub struct Recording {
    files: Vec<FrameFile>,
    /// The frame that each file offers next.
    heads: Vec<Option<Frame>>,
    order: BinaryHeap<Reverse<(Nanos, usize)>>,
    markets: BTreeMap<Symbol, (Market, usize)>,
    /// Found while reading ahead: reported once the frames before it were handed out.
    failure: Option<RecordingError>,
    ended: bool,
}

impl Recording {
    /// Opens all files and reads their first frames.
    pub fn open(paths: &[PathBuf]) -> Result<Self, RecordingError> {
        Self::open_files(paths, true)
    }

    /// As [`Self::open`], for those who do not use best prices: their lines, half of a recording, are counted and not
    /// looked at.
    pub fn open_without_tickers(paths: &[PathBuf]) -> Result<Self, RecordingError> {
        Self::open_files(paths, false)
    }

    fn open_files(paths: &[PathBuf], tickers: bool) -> Result<Self, RecordingError> {
        if paths.is_empty() {
            return Err(RecordingError::NoFiles);
        }
        let files = paths.iter().map(|path| FrameFile::open(path, tickers)).collect::<Result<Vec<_>, _>>()?;
        let mut recording = Self {
            heads: files.iter().map(|_| None).collect(),
            order: BinaryHeap::with_capacity(files.len()),
            files,
            markets: BTreeMap::new(),
            failure: None,
            ended: false,
        };
        for index in 0..recording.files.len() {
            recording.advance(index)?;
        }
        Ok(recording)
    }

    /// The symbols that the files begin with, sorted. (A file may hold more.)
    #[must_use]
    pub fn symbols(&self) -> Vec<Symbol> {
        let mut symbols: Vec<Symbol> = self.files.iter().map(|file| file.info().symbol).collect();
        symbols.sort_unstable();
        symbols.dedup();
        symbols
    }

    /// How many frames of which kinds were passed over so far.
    #[must_use]
    pub fn unused(&self) -> BTreeMap<String, u64> {
        let mut total = BTreeMap::new();
        for (name, count) in self.files.iter().flat_map(|file| file.unused()) {
            *total.entry(name.clone()).or_default() += count;
        }
        total
    }

    /// How many lines of best prices were passed over so far.
    #[must_use]
    pub fn passed_tickers(&self) -> u64 {
        self.files.iter().map(FrameFile::passed).sum()
    }

    fn advance(&mut self, index: usize) -> Result<(), RecordingError> {
        self.heads[index] = self.files[index].next_frame()?;
        if let Some(frame) = &self.heads[index] {
            self.order.push(Reverse((frame.local, index)));
        }
        Ok(())
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, RecordingError> {
        let Some(Reverse((_, index))) = self.order.pop() else { return Ok(None) };
        let Some(frame) = self.heads[index].take() else { return Ok(None) };
        if matches!(frame.event, Event::Depth(_)) {
            self.check_market(frame.symbol, index)?;
        }
        self.failure = self.advance(index).err();
        Ok(Some(frame))
    }

    /// Files of the spot and the futures market of one symbol are two books and cannot be merged into one.
    fn check_market(&mut self, symbol: Symbol, index: usize) -> Result<(), RecordingError> {
        let Some(market) = self.files[index].market() else { return Ok(()) };
        let (known, first) = *self.markets.entry(symbol).or_insert((market, index));
        if known == market {
            return Ok(());
        }
        Err(RecordingError::File {
            path: self.files[index].path().to_owned(),
            reason: format!(
                "holds {symbol} of the {market:?} market, {} of the {known:?} market: name the files of one market",
                self.files[first].path().display()
            ),
        })
    }
}

impl Iterator for Recording {
    type Item = Result<Frame, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.failure.take().map_or_else(|| self.next_frame(), Err);
        self.ended = next.is_err();
        next.transpose()
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<_> = self.files.iter().map(FrameFile::path).collect();
        f.debug_struct("Recording").field("files", &paths).finish_non_exhaustive()
    }
}
