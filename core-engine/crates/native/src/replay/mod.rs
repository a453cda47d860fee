//! Recorded markets in batches of typed arrays, read and certified on the pool of libuv.

mod batch;
mod source;
mod track;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;

use crate::failure::{Code, Failure, Outcome, guard};
use batch::Rows;
pub use batch::{Batch, BookRows, ChangeRows, TradeRows};
use source::Source;
pub(crate) use track::{Item, Track};

/// What the object of JavaScript and the task on the pool share.
#[derive(Debug)]
pub(crate) struct Shared {
    source: Mutex<Option<Source>>,
    busy: AtomicBool,
    cancelled: AtomicBool,
    /// What was read and the market has not seen yet; none without a market.
    pub(crate) tracks: Option<Mutex<VecDeque<Track>>>,
}

impl Shared {
    /// The next batch; none at the end.
    fn read(&self, items: usize) -> Outcome<Option<Rows>> {
        // Poisoned: an earlier read panicked and said so; the source is what that left.
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(source) = source.as_mut() else { return Err(disposed()) };
        let Some((rows, track)) = source.read(items, &self.cancelled)? else { return Ok(None) };
        if let Some(tracks) = &self.tracks {
            tracks.lock().unwrap_or_else(PoisonError::into_inner).push_back(track);
        }
        Ok(Some(rows))
    }
}

fn disposed() -> Failure {
    Failure::new(Code::Disposed, "this replay was disposed of")
}

/// Opening looks into every file, reading is long work: both run on the pool.
#[derive(Debug)]
pub struct ReadTask {
    shared: Arc<Shared>,
    items: usize,
}

impl Task for ReadTask {
    type Output = Option<Rows>;
    type JsValue = Option<Batch>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(guard(|| self.shared.read(self.items))?)
    }

    fn resolve(&mut self, _: Env, rows: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(rows.map(Batch::from))
    }

    /// On JavaScript's thread again, after the promise is settled: whoever awaits it may read on.
    fn finally(self, _: Env) -> napi::Result<()> {
        self.shared.busy.store(false, Ordering::Release);
        Ok(())
    }
}

#[napi(js_name = "Replay")]
#[derive(Debug)]
pub struct NativeReplay {
    pub(crate) shared: Arc<Shared>,
}

#[napi]
impl NativeReplay {
    /// `levels`: how many of each side a book row shows. `symbols`: only these; empty for all. `market`: keeps what
    /// was read for a `Market`.
    #[napi(constructor)]
    pub fn new(files: Vec<String>, symbols: Vec<String>, levels: u32, market: bool) -> napi::Result<Self> {
        let source = Source::new(files, &symbols, levels)?;
        Ok(Self {
            shared: Arc::new(Shared {
                source: Mutex::new(Some(source)),
                busy: AtomicBool::new(false),
                cancelled: AtomicBool::new(false),
                tracks: market.then(|| Mutex::new(VecDeque::new())),
            }),
        })
    }

    /// Reads up to `items` events; null at the end.
    #[napi(ts_return_type = "Promise<Batch | null>")]
    pub fn read(&self, items: u32) -> napi::Result<AsyncTask<ReadTask>> {
        if self.shared.busy.swap(true, Ordering::AcqRel) {
            let message = "this replay is reading already: wait for that batch";
            return Err(Failure::new(Code::Busy, message).into());
        }
        Ok(AsyncTask::new(ReadTask { shared: Arc::clone(&self.shared), items: items.max(1) as usize }))
    }

    /// Ends the read that runs, if one does, and all later ones.
    #[napi]
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }

    /// Closes the files.
    #[napi]
    pub fn dispose(&self) {
        self.cancel();
        // A read that runs holds the lock and ends at once; its files close with the last reference.
        if let Ok(mut source) = self.shared.source.try_lock() {
            *source = None;
        }
    }
}
