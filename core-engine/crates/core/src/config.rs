//! The configuration file: what is accepted, and precise words about what is not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use flashpod_engine::{Environment, StopPolicy};
use flashpod_net::{Endpoint, EndpointError};
use serde::Deserialize;

use crate::paper::Paper;
use crate::timing::Timing;

/// Venue hosts are this name or end in it behind a point.
const REAL_VENUE: &str = "mexc.com";

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    /// Name and namespace of the ExecutionCore.
    pub(crate) core: String,
    pub(crate) namespace: String,
    #[serde(default)]
    pub(crate) poll_mode: PollMode,
    #[serde(default = "cancel")]
    pub(crate) stop_policy: StopPolicy,
    /// User of the sidecars, where it is not the core's own.
    pub(crate) session_uid: Option<u32>,
    #[serde(default)]
    pub(crate) journal: Journal,
    #[serde(default)]
    pub(crate) timing: Timing,
    pub(crate) accounts: Vec<Account>,
}

/// How each account's journal is kept, MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Journal {
    /// Size of a file, which is written ahead as a whole.
    #[serde(rename = "segmentMiB")]
    segment: u64,
    /// Beyond this the oldest files go.
    #[serde(rename = "keepMiB")]
    keep: u64,
}

impl Default for Journal {
    fn default() -> Self {
        Self { segment: 64, keep: 2048 }
    }
}

/// Files of a journal at its smallest: the half that a checkpoint begins, the half before it.
const FEWEST_FILES: u64 = 4;
const LARGEST_SEGMENT_MIB: u64 = 512;
/// 16 TiB.
const LARGEST_KEEP_MIB: u64 = 16 << 20;

impl Journal {
    pub(crate) const fn segment_bytes(self) -> usize {
        // At most 512 MiB.
        (self.segment as usize) << 20
    }

    pub(crate) const fn keep_bytes(self) -> u64 {
        self.keep << 20
    }

    /// Name and value of the field that is out of bounds, and the bounds.
    fn fault(self) -> Option<(&'static str, u64, String)> {
        if !(1..=LARGEST_SEGMENT_MIB).contains(&self.segment) {
            let reason = format!("is out of bounds; accepted: 1 to {LARGEST_SEGMENT_MIB}");
            return Some(("journal.segmentMiB", self.segment, reason));
        }
        let least = FEWEST_FILES * self.segment;
        (!(least..=LARGEST_KEEP_MIB).contains(&self.keep)).then(|| {
            let reason = format!(
                "is out of bounds; accepted: {least} ({FEWEST_FILES} files of segmentMiB) to {LARGEST_KEEP_MIB}"
            );
            ("journal.keepMiB", self.keep, reason)
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) environment: Environment,
    pub(crate) rest: String,
    pub(crate) ws: String,
    /// Folder below the credentials directory; None: there are no keys, and everything is on paper.
    pub(crate) credentials: Option<String>,
    #[serde(default)]
    pub(crate) paper: Paper,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum PollMode {
    #[default]
    Park,
    Adaptive,
    Spin,
}

impl From<PollMode> for flashpod_net::cpu::PollMode {
    fn from(mode: PollMode) -> Self {
        match mode {
            PollMode::Park => Self::Park,
            PollMode::Adaptive => Self::Adaptive,
            PollMode::Spin => Self::Spin,
        }
    }
}

const fn cancel() -> StopPolicy {
    StopPolicy::Cancel
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("config {path:?} can't be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("config {path:?}: {field}: {source}")]
    Json { path: PathBuf, field: String, source: serde_json::Error },
    #[error("config {path:?}: {field}: {value:?} {reason}")]
    Field { path: PathBuf, field: String, value: String, reason: String },
    #[error("config {path:?}: {field}: {source}")]
    Url { path: PathBuf, field: String, source: EndpointError },
}

/// An account whose addresses were understood and belong to its environment.
#[derive(Debug, Clone)]
pub(crate) struct Venue {
    pub(crate) rest: Endpoint,
    pub(crate) websocket: Endpoint,
}

/// Reads and checks the file; the venues are those of `accounts`, in order.
pub(crate) fn load(path: &Path) -> Result<(Config, Vec<Venue>), ConfigError> {
    let text = std::fs::read(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    check(path, &text)
}

pub(crate) fn check(path: &Path, text: &[u8]) -> Result<(Config, Vec<Venue>), ConfigError> {
    let config: Config = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(text))
        .map_err(|error| ConfigError::Json {
            path: path.to_owned(),
            field: error.path().to_string(),
            source: error.into_inner(),
        })?;
    let wrong = |field: String, value: &str, reason: &str| ConfigError::Field {
        path: path.to_owned(),
        field,
        value: value.to_owned(),
        reason: reason.to_owned(),
    };
    if let Some((field, value, reason)) = config.journal.fault().or_else(|| config.timing.fault()) {
        return Err(wrong(field.to_owned(), &value.to_string(), &reason));
    }
    if config.accounts.is_empty() {
        return Err(wrong("accounts".to_owned(), "[]", "is empty; a core carries at least one account"));
    }
    let mut names = BTreeSet::new();
    let mut venues = Vec::new();
    for (index, account) in config.accounts.iter().enumerate() {
        let at = |field: &str| format!("accounts[{index}].{field}");
        // Both become part of a path.
        let credentials = account.credentials.as_ref().map(|name| ("credentials", name));
        for (field, value) in [("name", &account.name)].into_iter().chain(credentials) {
            if !is_object_name(value) {
                let reason = "is not a Kubernetes name: lower-case letters, digits, '-' and '.', at most 253";
                return Err(wrong(at(field), value, reason));
            }
        }
        if !names.insert(&account.name) {
            return Err(wrong(at("name"), &account.name, "is used twice"));
        }
        account.paper.to_engine().map_err(|(field, value)| {
            wrong(
                at(&format!("paper.{field}")),
                &value,
                "is not accepted; accepted: a fraction from 0 to below 1",
            )
        })?;
        let url = |field: &str| {
            let (path, field) = (path.to_owned(), at(field));
            |source| ConfigError::Url { path, field, source }
        };
        let venue = Venue {
            rest: Endpoint::rest(&account.rest).map_err(url("rest"))?,
            websocket: Endpoint::websocket(&account.ws).map_err(url("ws"))?,
        };
        for (field, value, end) in
            [("rest", &account.rest, &venue.rest), ("ws", &account.ws, &venue.websocket)]
        {
            guard(account.environment, end).map_err(|reason| wrong(at(field), value, reason))?;
        }
        venues.push(venue);
    }
    Ok((config, venues))
}

fn is_object_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    !text.is_empty()
        && text.len() <= 253
        && text.bytes().all(|byte| plain(byte) || byte == b'-' || byte == b'.')
        && text.bytes().next().is_some_and(plain)
        && text.bytes().last().is_some_and(plain)
}

/// A simulated account never meets the real venue, and a real one meets nothing else.
fn guard(environment: Environment, end: &Endpoint) -> Result<(), &'static str> {
    let host = end.host.trim_end_matches('.').to_ascii_lowercase();
    let real = host == REAL_VENUE || host.strip_suffix(REAL_VENUE).is_some_and(|rest| rest.ends_with('.'));
    match (environment, real) {
        (Environment::Simulated, true) => {
            Err("is the real venue and the environment is Simulated; accepted: a host outside mexc.com")
        }
        (Environment::Production, false) => {
            Err("is not the real venue and the environment is Production; accepted: a host under mexc.com")
        }
        (Environment::Production, true) if !end.secure => {
            Err("is not encrypted and the environment is Production; accepted: https and wss")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(environment: &str, rest: &str, ws: &str) -> String {
        format!(
            r#"{{"core":"core","namespace":"default","pollMode":"Park","stopPolicy":"Flatten","accounts":[
                {{"name":"main","environment":"{environment}","rest":"{rest}","ws":"{ws}","credentials":"main"}}]}}"#
        )
    }

    fn refusal(text: &str) -> String {
        check(Path::new("core.json"), text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn the_operators_file_is_understood() {
        let text = text("Simulated", "https://127.0.0.1:8443", "wss://127.0.0.1:8443/ws");
        let (config, venues) = check(Path::new("core.json"), text.as_bytes()).unwrap();
        assert_eq!((config.poll_mode, config.stop_policy), (PollMode::Park, StopPolicy::Flatten));
        assert_eq!((venues[0].rest.port, venues[0].websocket.path.as_str()), (8443, "/ws"));
    }

    #[test]
    fn a_simulated_account_never_meets_the_real_venue_nor_the_reverse() {
        let (real, wss) = ("https://api.mexc.com", "wss://wbs-api.mexc.com/ws");
        check(Path::new("c"), text("Production", real, wss).as_bytes()).unwrap();
        for (environment, rest, ws, field) in [
            ("Simulated", real, "wss://127.0.0.1:1/ws", "accounts[0].rest"),
            ("Simulated", "https://127.0.0.1:1", wss, "accounts[0].ws"),
            ("Simulated", "https://API.MEXC.COM.", "wss://127.0.0.1:1/ws", "accounts[0].rest"),
            ("Production", "https://127.0.0.1:1", wss, "accounts[0].rest"),
            ("Production", "https://evilmexc.com", wss, "accounts[0].rest"),
            ("Production", "https://mexc.com.evil.org", wss, "accounts[0].rest"),
            ("Production", "http://api.mexc.com", wss, "accounts[0].rest"),
        ] {
            let reason = refusal(&text(environment, rest, ws));
            assert!(reason.contains(field) && reason.contains("accepted"), "{reason}");
        }
        assert!(
            check(Path::new("c"), text("Simulated", "http://notmexc.com", "ws://h/ws").as_bytes()).is_ok()
        );
    }

    fn with_journal(journal: &str) -> String {
        text("Simulated", "http://h:1", "ws://h:1/ws")
            .replace("\"core\":", &format!("\"journal\":{journal},\"core\":"))
    }

    #[test]
    fn the_journal_has_sizes_and_any_may_be_left_out() {
        for (journal, segment, keep) in [
            ("{}", 64, 2048),
            (r#"{"keepMiB":256}"#, 64, 256),
            (r#"{"segmentMiB":1,"keepMiB":4}"#, 1, 4),
            (r#"{"segmentMiB":512}"#, 512, 2048),
        ] {
            let (config, _) = check(Path::new("c"), with_journal(journal).as_bytes()).unwrap();
            assert_eq!(config.journal.segment_bytes(), segment << 20);
            assert_eq!(config.journal.keep_bytes(), keep << 20);
        }
        let (config, _) =
            check(Path::new("c"), text("Simulated", "http://h:1", "ws://h:1").as_bytes()).unwrap();
        assert_eq!(config.journal, Journal::default());
    }

    #[test]
    fn journal_sizes_out_of_bounds_are_refused_with_field_value_and_bounds() {
        for (journal, words) in [
            (r#"{"segmentMiB":0}"#, ["journal.segmentMiB", "0", "1 to 512"]),
            (r#"{"segmentMiB":513}"#, ["journal.segmentMiB", "513", "1 to 512"]),
            (r#"{"keepMiB":255}"#, ["journal.keepMiB", "255", "256 (4 files of segmentMiB) to 16777216"]),
            (r#"{"segmentMiB":16,"keepMiB":16777217}"#, ["journal.keepMiB", "16777217", "64 (4 files"]),
            (r#"{"keepMiB":"2Gi"}"#, ["journal.keepMiB", "2Gi", "u64"]),
            (r#"{"keepGiB":2}"#, ["journal", "keepGiB", "keepMiB"]),
        ] {
            let reason = refusal(&with_journal(journal));
            assert!(words.iter().all(|word| reason.contains(word)), "{reason}");
        }
    }

    #[test]
    fn a_wrong_file_is_refused_with_field_value_and_what_is_accepted() {
        let good = text("Simulated", "http://h:1", "ws://h:1/ws");
        for (from, to, words) in [
            ("\"Park\"", "\"Sleep\"", vec!["pollMode", "Sleep", "Park", "Spin"]),
            ("\"Simulated\"", "\"Test\"", vec!["accounts[0].environment", "Test", "Production"]),
            ("\"namespace\"", "\"nameSpace\"", vec!["nameSpace", "namespace"]),
            ("http://h:1", "ftp://h", vec!["accounts[0].rest", "ftp://h", "http or https"]),
            ("\"name\":\"main\"", "\"name\":\"../x\"", vec!["accounts[0].name", "../x"]),
            ("\"credentials\":\"main\"", "\"credentials\":\"/etc\"", vec!["accounts[0].credentials", "/etc"]),
            ("}]}", "", vec!["EOF"]),
        ] {
            let reason = refusal(&good.replace(from, to));
            assert!(words.iter().all(|word| reason.contains(word)), "{reason}");
        }
        assert!(refusal(r#"{"core":"c","namespace":"n","accounts":[]}"#).contains("at least one"));
    }
}
