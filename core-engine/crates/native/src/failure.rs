//! Errors: what went wrong, under a code that JavaScript can rely on, and nothing that unwinds into Node.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use flashpod_mexc::decode::DecodeError;
use flashpod_recordings::RecordingError;
use napi::Status;

/// Every code; the TypeScript side has a class for each group (`src/errors.ts`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A value that is not what is accepted.
    InvalidArgument,
    /// Bytes that are no push frame.
    BadFrame,
    /// A recording that cannot be opened or read on.
    BadRecording,
    /// The object was disposed of.
    Disposed,
    /// The object is at work on the pool.
    Busy,
    /// Ended because it was asked to.
    Aborted,
    /// A defect of ours.
    Internal,
}

impl Code {
    const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::BadFrame => "BAD_FRAME",
            Self::BadRecording => "BAD_RECORDING",
            Self::Disposed => "DISPOSED",
            Self::Busy => "BUSY",
            Self::Aborted => "ABORTED",
            Self::Internal => "INTERNAL",
        }
    }
}

#[derive(Debug)]
pub struct Failure {
    code: Code,
    message: String,
}

pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// `what` is `value`, which `reason`.
    pub fn argument(what: &str, value: impl fmt::Display, reason: impl fmt::Display) -> Self {
        let value: String = value.to_string().chars().take(80).collect();
        Self::new(Code::InvalidArgument, format!("{what} is {value}, which {reason}"))
    }

    /// What it says, to be said again with more context.
    #[must_use]
    pub fn into_message(self) -> String {
        self.message
    }

    fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        Self::new(Code::Internal, format!("a defect in the addon, please report it: {text}"))
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::new(Code::BadFrame, error.to_string())
    }
}

impl From<RecordingError> for Failure {
    fn from(error: RecordingError) -> Self {
        Self::new(Code::BadRecording, error.to_string())
    }
}

/// The one place where a failure becomes a JavaScript error: `CODE: message`, taken apart again in `errors.ts`.
/// (Node-API has a field for codes, but errors of pool threads cannot set it.)
impl From<Failure> for napi::Error {
    fn from(failure: Failure) -> Self {
        Self::new(Status::GenericFailure, format!("{}: {}", failure.code.as_str(), failure.message))
    }
}

/// Runs what JavaScript asked for. A panic becomes an error: unwinding into Node would end the process.
pub fn guard<T>(act: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|payload| Err(Failure::panicked(payload.as_ref())))
}

/// What an object of JavaScript holds: gone after `dispose`, and not used again after a panic has left it half
/// changed.
#[derive(Debug)]
pub struct Held<T> {
    value: Option<T>,
    what: &'static str,
    broken: bool,
}

impl<T> Held<T> {
    pub const fn new(what: &'static str, value: T) -> Self {
        Self { value: Some(value), what, broken: false }
    }

    pub fn run<R>(&mut self, act: impl FnOnce(&mut T) -> Outcome<R>) -> napi::Result<R> {
        if self.broken {
            return Err(Failure::new(
                Code::Internal,
                format!("this {} was left half changed by an earlier defect: make a new one", self.what),
            )
            .into());
        }
        let Some(value) = &mut self.value else {
            return Err(Failure::new(Code::Disposed, format!("this {} was disposed of", self.what)).into());
        };
        // Stands while `act` runs: only a panic leaves it standing.
        self.broken = true;
        let result = catch_unwind(AssertUnwindSafe(|| act(value)));
        match result {
            Ok(outcome) => {
                self.broken = false;
                Ok(outcome?)
            }
            Err(payload) => Err(Failure::panicked(payload.as_ref()).into()),
        }
    }

    pub fn dispose(&mut self) {
        self.value = None;
    }
}

/// Panics on purpose: shows that this build turns panics into errors (a build with `panic = "abort"` would not).
#[napi_derive::napi]
pub fn provoke_panic() -> napi::Result<()> {
    // As `panic!`, but without its report on standard error.
    Ok(guard(|| -> Outcome<()> { std::panic::resume_unwind(Box::new("provoked")) })?)
}
