//! Things that go wrong on purpose, for tests of whoever trades here.

use std::path::Path;

#[derive(Debug, Clone, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// The nth fill of the run is never told: no private push, not in myTrades. Balances and orders have it.
    HideDeal { nth: u64 },
    /// The nth push of a channel (`aggre.depth`, `private.orders`, …) is lost for all its readers.
    DropPush {
        channel: String,
        #[serde(default)]
        symbol: Option<String>,
        nth: u64,
    },
    /// The first socket of that kind to have got so many pushes is cut.
    Disconnect { stream: Stream, after_pushes: u64 },
    /// The nth such request gets this status, with or without having its effect.
    Http {
        method: String,
        path: String,
        nth: u64,
        status: u16,
        apply: bool,
        #[serde(default)]
        delay_ms: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stream {
    Public,
    Private,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    faults: Vec<Fault>,
}

#[derive(Debug, thiserror::Error)]
#[error(
    "--faults {0}: {1}; accepted is {{\"faults\":[{{\"kind\":\"hideDeal\",\"nth\":3}}]}} with the kinds hideDeal, dropPush, disconnect and http"
)]
pub struct FaultsError(String, String);

/// What an `http` fault does to the request it met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpFault {
    pub status: u16,
    pub apply: bool,
    pub delay_ms: u64,
}

/// The faults with how often their occasions came.
#[derive(Debug, Default)]
pub struct Faults {
    list: Vec<(Fault, u64)>,
}

impl Faults {
    #[must_use]
    pub fn new(list: Vec<Fault>) -> Self {
        Self { list: list.into_iter().map(|fault| (fault, 0)).collect() }
    }

    pub fn read(path: &Path) -> Result<Self, FaultsError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| FaultsError(name.clone(), e.to_string()))?;
        let file: File = serde_json::from_str(&text).map_err(|e| FaultsError(name, e.to_string()))?;
        Ok(Self::new(file.faults))
    }

    /// A fill happened: is it one to hide?
    pub fn hides_deal(&mut self) -> bool {
        let mut hit = false;
        for (fault, seen) in &mut self.list {
            if let Fault::HideDeal { nth } = fault {
                *seen += 1;
                hit |= *seen == *nth;
            }
        }
        hit
    }

    /// A push is due: is it one to lose?
    pub fn drops_push(&mut self, name: &str, of: Option<&str>) -> bool {
        let mut hit = false;
        for (fault, seen) in &mut self.list {
            if let Fault::DropPush { channel, symbol, nth } = fault
                && channel == name
                && (symbol.is_none() || symbol.as_deref() == of)
            {
                *seen += 1;
                hit |= *seen == *nth;
            }
        }
        hit
    }

    /// A socket got its `pushes`th push: is it to be cut? Each fault cuts once.
    pub fn cuts(&mut self, kind: Stream, pushes: u64) -> bool {
        let mut hit = false;
        for (fault, seen) in &mut self.list {
            if let Fault::Disconnect { stream, after_pushes } = fault
                && *stream == kind
                && *seen == 0
                && pushes >= *after_pushes
            {
                *seen = 1;
                hit = true;
            }
        }
        hit
    }

    /// A request came in: what happens to it?
    pub fn on_request(&mut self, verb: &str, at: &str) -> Option<HttpFault> {
        let mut hit = None;
        for (fault, seen) in &mut self.list {
            if let Fault::Http { method, path, nth, status, apply, delay_ms } = fault
                && method == verb
                && path == at
            {
                *seen += 1;
                if *seen == *nth {
                    hit = Some(HttpFault { status: *status, apply: *apply, delay_ms: *delay_ms });
                }
            }
        }
        hit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shapes_of_the_contract_are_read() {
        let text = r#"{"faults":[{"kind":"hideDeal","nth":3},
            {"kind":"dropPush","channel":"aggre.depth","symbol":"BTCUSDC","nth":100},
            {"kind":"disconnect","stream":"public","afterPushes":500},
            {"kind":"http","method":"POST","path":"/api/v3/order","nth":5,"status":503,"apply":true,"delayMs":0}]}"#;
        let file: File = serde_json::from_str(text).unwrap();
        assert_eq!(file.faults.len(), 4);
    }

    #[test]
    fn a_fault_strikes_on_its_own_occasion_only() {
        let mut faults = Faults::new(vec![
            Fault::HideDeal { nth: 2 },
            Fault::Disconnect { stream: Stream::Private, after_pushes: 2 },
        ]);
        assert_eq!([faults.hides_deal(), faults.hides_deal(), faults.hides_deal()], [false, true, false]);
        assert!(!faults.cuts(Stream::Public, 9));
        assert_eq!([faults.cuts(Stream::Private, 1), faults.cuts(Stream::Private, 2)], [false, true]);
        assert!(!faults.cuts(Stream::Private, 3));
    }
}
