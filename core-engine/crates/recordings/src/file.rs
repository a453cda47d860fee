//! One file, streamed.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flashpod_types::{Nanos, Symbol};
use flate2::bufread::MultiGzDecoder;

use crate::RecordingError;
use crate::frame::{Event, Frame, Market};
use crate::parse::{Line, parse_line};

/// No line of a real recording comes near (a snapshot of 5000 levels a side has 0.3 MB).
const MAX_LINE: u64 = 64 << 20;
/// How many lines may precede the first that names the symbol.
const MAX_ANONYMOUS: usize = 1_000;

/// Where a line says its kind, if it says it first.
const HEAD: usize = 80;

/// What a file holds, from its first lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileInfo {
    pub symbol: Symbol,
    pub first_local: Nanos,
}

/// Reads as much of the file as tells what it holds.
pub fn identify(path: &Path) -> Result<FileInfo, RecordingError> {
    FrameFile::open(path, true).map(|file| file.info())
}

/// Frames of one file in the file's order.
pub(crate) struct FrameFile {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    buffer: Vec<u8>,
    line: u64,
    /// Read but not handed out.
    ahead: VecDeque<Frame>,
    info: FileInfo,
    /// Given to snapshots that do not name theirs; then the file may hold no other symbol.
    implied: Option<Symbol>,
    market: Option<Market>,
    /// Whether best prices are wanted.
    tickers: bool,
    unused: BTreeMap<String, u64>,
    /// Lines of best prices that were not read.
    passed: u64,
}

impl FrameFile {
    /// Opens the file and reads up to the first line that names a symbol. Without `tickers`, lines that name
    /// themselves best prices are passed over unread.
    pub(crate) fn open(path: &Path, tickers: bool) -> Result<Self, RecordingError> {
        let opened = |reason| RecordingError::Open { path: path.to_owned(), reason };
        let mut plain = BufReader::with_capacity(1 << 16, File::open(path).map_err(opened)?);
        let is_gzip = plain.fill_buf().map_err(opened)?.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn BufRead + Send> = if is_gzip {
            Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(plain)))
        } else {
            Box::new(plain)
        };
        let mut file = Self {
            path: path.to_owned(),
            reader,
            buffer: Vec::new(),
            line: 0,
            ahead: VecDeque::new(),
            info: FileInfo { symbol: Symbol::EMPTY, first_local: Nanos::ZERO },
            implied: None,
            market: None,
            tickers,
            unused: BTreeMap::new(),
            passed: 0,
        };
        file.find_symbol()?;
        Ok(file)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn info(&self) -> FileInfo {
        self.info
    }

    /// Known after the first depth update.
    pub(crate) fn market(&self) -> Option<Market> {
        self.market
    }

    /// How many frames of which unused kinds were passed over so far.
    pub(crate) fn unused(&self) -> &BTreeMap<String, u64> {
        &self.unused
    }

    /// How many lines were passed over unread so far.
    pub(crate) fn passed(&self) -> u64 {
        self.passed
    }

    /// The next frame, or none at the end.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame>, RecordingError> {
        if let Some(frame) = self.ahead.pop_front() {
            return Ok(Some(frame));
        }
        let Some((local, symbol, event)) = self.read_event()? else { return Ok(None) };
        let symbol = match (symbol, self.implied) {
            (Some(symbol), Some(implied)) if symbol != implied => {
                return Err(self.refuse(format!(
                    "is of {symbol}, but the file has a snapshot without a symbol that was taken for {implied}"
                )));
            }
            (Some(symbol), _) => symbol,
            (None, _) => {
                self.implied = Some(self.info.symbol);
                self.info.symbol
            }
        };
        Ok(Some(Frame { local, symbol, event }))
    }

    fn find_symbol(&mut self) -> Result<(), RecordingError> {
        let mut anonymous = Vec::new();
        loop {
            let Some((local, symbol, event)) = self.read_event()? else {
                let reason =
                    if anonymous.is_empty() { "holds no frame" } else { "names no symbol in any frame" };
                return Err(RecordingError::File { path: self.path.clone(), reason: reason.to_owned() });
            };
            anonymous.push((local, event));
            let Some(symbol) = symbol else {
                if anonymous.len() == MAX_ANONYMOUS {
                    return Err(
                        self.refuse("is one of too many snapshots before the first symbol".to_owned())
                    );
                }
                continue;
            };
            if anonymous.len() > 1 {
                self.implied = Some(symbol);
            }
            self.info = FileInfo { symbol, first_local: anonymous[0].0 };
            self.ahead = anonymous.into_iter().map(|(local, event)| Frame { local, symbol, event }).collect();
            return Ok(());
        }
    }

    /// The next line of a used kind.
    fn read_event(&mut self) -> Result<Option<(Nanos, Option<Symbol>, Event)>, RecordingError> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            let line = self.buffer.trim_ascii();
            if line.is_empty() {
                continue;
            }
            if !self.tickers && names_ticker(line) {
                self.passed += 1;
                continue;
            }
            match parse_line(line).map_err(|error| self.refuse(error.to_string()))? {
                Line::Unused(name) => *self.unused.entry(name).or_default() += 1,
                Line::Frame { local, symbol, event } => {
                    if let Event::Depth(depth) = &event {
                        self.check_market(depth.prev_last.is_some())?;
                    }
                    return Ok(Some((local, symbol, event)));
                }
            }
        }
    }

    fn check_market(&mut self, names_previous: bool) -> Result<(), RecordingError> {
        let market = if names_previous { Market::Futures } else { Market::Spot };
        match self.market.replace(market) {
            Some(before) if before != market => {
                Err(self.refuse("mixes depth updates with and without `pu` in one file".to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn read_line(&mut self) -> Result<bool, RecordingError> {
        self.buffer.clear();
        self.line += 1;
        let read = self.reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut self.buffer);
        match read {
            Ok(0) => Ok(false),
            Ok(n) if n as u64 == MAX_LINE => Err(self.refuse("is longer than any frame".to_owned())),
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(self
                .refuse("the gzip data end here, before their end mark: the file is truncated".to_owned())),
            Err(error) => Err(self.refuse(format!("cannot be read: {error}"))),
        }
    }

    fn refuse(&self, reason: String) -> RecordingError {
        RecordingError::Line { path: self.path.clone(), line: self.line, reason }
    }
}

/// By the name of its stream or its event, which come first; a ticker that has neither is read as any other line.
fn names_ticker(line: &[u8]) -> bool {
    const KIND: &[u8] = b"bookTicker\"";
    line[..line.len().min(HEAD)].windows(KIND.len()).any(|part| part == KIND)
}
