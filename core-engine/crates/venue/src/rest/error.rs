//! Refusals, with the codes and texts of the API reference §4.

/// A refused request: HTTP status, and the code and text of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    pub code: i64,
    pub msg: String,
    pub retry_after: Option<u64>,
}

/// A business error: HTTP 400.
pub fn refuse<T>(code: i64, msg: impl Into<String>) -> Result<T, ApiError> {
    Err(ApiError::new(400, code, msg))
}

impl ApiError {
    #[must_use]
    pub fn new(status: u16, code: i64, msg: impl Into<String>) -> Self {
        Self { status, code, msg: msg.into(), retry_after: None }
    }

    #[must_use]
    pub fn too_many(status: u16, retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(status, 429, "Too Many Requests") }
    }

    #[must_use]
    pub fn missing(parameter: &str) -> Self {
        Self::new(400, 44444, format!("param cannot be null: {parameter}"))
    }

    #[must_use]
    pub fn wrong(parameter: &str) -> Self {
        Self::new(400, 33333, format!("param is error: {parameter}"))
    }

    /// `pattern` is the legal one.
    #[must_use]
    pub fn illegal(parameter: &str, pattern: &str) -> Self {
        let msg = format!("Illegal characters found in parameter '{parameter}'; legal range is '{pattern}'.");
        Self::new(400, 700_008, msg)
    }

    #[must_use]
    pub fn bad_symbol() -> Self {
        Self::new(400, 10_007, "bad symbol")
    }

    #[must_use]
    pub fn body(&self) -> String {
        serde_json::json!({ "code": self.code, "msg": self.msg }).to_string()
    }
}
