use std::path::PathBuf;

/// Why a recording cannot be read (further).
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("no recording file was named")]
    NoFiles,
    #[error("recording {}: cannot be opened: {reason}", path.display())]
    Open { path: PathBuf, reason: std::io::Error },
    #[error("recording {}, line {line}: {reason}", path.display())]
    Line { path: PathBuf, line: u64, reason: String },
    #[error("recording {}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
}
