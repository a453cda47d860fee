//! An append-only log of records in preallocated, prefaulted, mapped files.
//!
//! - [`open`] gives the [`Writer`], for the one thread that appends, and the [`Upkeep`], for another that syncs and
//!   prepares files
//! - [`Reader`] walks all committed records of a directory, oldest first
//! - `segment`: one file; its layout is written down there

mod error;
mod reader;
mod segment;
mod writer;

pub use error::JournalError;
pub use reader::Reader;
pub use writer::{JournalFile, Options, Upkeep, Writer, open};
