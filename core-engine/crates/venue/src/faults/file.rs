//! The file of faults, read with an answer to each mistake: where, what was found, what is accepted.

use std::path::Path;

use flashpod_types::Nanos;
use serde_json::{Map, Value};

use super::{Fault, Kind, Leg, Place, Shape, Stream, When};

#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    #[error("--faults {file}: {why}")]
    Read { file: String, why: String },
    #[error("--faults {file}: {place}: {why}")]
    Field { file: String, place: String, why: String },
}

const SHAPE: &str = r#"{"faults":[{"kind":"loss","on":"public","nth":3}]} is accepted"#;

const KINDS: [&str; 17] = [
    "delay",
    "loss",
    "reset",
    "silence",
    "5xx",
    "429",
    "418",
    "reorder",
    "duplicate",
    "gap",
    "malformed",
    "jump",
    "crossed",
    "hideDeal",
    "dropPush",
    "disconnect",
    "http",
];

const CHANNELS: [&str; 11] = [
    "aggre.depth",
    "aggre.deals",
    "aggre.bookTicker",
    "bookTicker.batch",
    "limit.depth",
    "kline",
    "miniTicker",
    "miniTickers",
    "private.orders",
    "private.deals",
    "private.account",
];

/// Why a field was refused, and which.
struct Refused {
    field: String,
    why: String,
}

fn refuse<T>(field: &str, why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { field: field.to_owned(), why: why.into() })
}

/// The fields of one fault; those that were read are taken out.
struct Fields {
    kind: String,
    left: Map<String, Value>,
    /// Names that were asked for.
    known: Vec<&'static str>,
}

impl Fields {
    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.remove(name)
    }

    /// A value that `read` understands, or nothing when it is left out.
    fn get<T>(
        &mut self,
        name: &'static str,
        accepted: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match read(&value) {
                Some(read) => Ok(Some(read)),
                None => refuse(name, format!("{value}; {accepted} is accepted")),
            },
        }
    }

    fn need<T>(
        &mut self,
        name: &'static str,
        accepted: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, Refused> {
        match self.get(name, accepted, read)? {
            Some(value) => Ok(value),
            None => refuse(name, format!("is missing for kind {}; {accepted} is accepted", self.kind)),
        }
    }

    fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> Result<Option<T>, Refused> {
        let accepted = choices.iter().map(|(text, _)| format!("{text:?}")).collect::<Vec<_>>().join(" or ");
        self.get(name, &accepted, |value| {
            choices.iter().find(|(text, _)| value == text).map(|(_, choice)| *choice)
        })
    }

    fn text(&mut self, name: &'static str, accepted: &str) -> Result<Option<String>, Refused> {
        self.get(name, accepted, |value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned))
    }

    fn span(&mut self, name: &'static str) -> Result<Option<Nanos>, Refused> {
        self.get(name, r#"a length of time such as "500ms", "10s" or "2m""#, |value| span(value.as_str()?))
    }

    fn millis(&mut self, name: &'static str) -> Result<Option<Nanos>, Refused> {
        let accepted = "milliseconds, a whole number up to 3600000,";
        self.get(name, accepted, |value| value.as_u64().filter(|ms| *ms <= 3_600_000).map(Nanos::from_millis))
    }

    fn apply(&mut self) -> Result<bool, Refused> {
        self.need("apply", "true (the request has its effect) or false (it has none)", Value::as_bool)
    }

    fn when(&mut self) -> Result<When, Refused> {
        let nth = self.get("nth", "a whole number from 1", |v| v.as_u64().filter(|nth| *nth > 0))?;
        let inside = |p: &f64| *p > 0.0 && *p <= 1.0;
        let probability =
            self.get("probability", "a number above 0 and at most 1", |v| v.as_f64().filter(inside))?;
        let seed = self.get("seed", "a whole number", Value::as_u64)?;
        let (from, lasts) = (self.span("from")?, self.span("for")?);
        if nth.is_some() && probability.is_some() {
            return refuse("nth", "nth and probability exclude each other; one of them is accepted");
        }
        if seed.is_some() && probability.is_none() {
            return refuse("seed", "only a probability has a seed");
        }
        if nth.is_none() && probability.is_none() && from.is_none() && lasts.is_none() {
            return refuse("nth", "is missing; nth, probability, or a window of from and for is accepted");
        }
        Ok(When::new(nth, probability, seed.unwrap_or(1), from.unwrap_or(Nanos::ZERO), lasts))
    }

    fn channel(&mut self) -> Result<Option<String>, Refused> {
        let accepted = format!("one of {}", CHANNELS.join(", "));
        self.get("channel", &accepted, |value| {
            value.as_str().filter(|text| CHANNELS.contains(text)).map(str::to_owned)
        })
    }

    fn request(&mut self) -> Result<Place, Refused> {
        let method =
            self.choice("method", &[("GET", "GET"), ("POST", "POST"), ("PUT", "PUT"), ("DELETE", "DELETE")])?;
        let path = self.text("path", "a path such as \"/api/v3/order\"")?;
        Ok(Place::Request { method: method.map(str::to_owned), path })
    }

    /// The depth frames of one pair, or of all.
    fn depth(&mut self) -> Result<Place, Refused> {
        let symbol = self.text("symbol", "a symbol such as \"BTCUSDC\"")?;
        let channel = Some("aggre.depth".to_owned());
        Ok(Place::Push { stream: Some(Stream::Public), channel, symbol })
    }

    fn push(&mut self, stream: Option<Stream>) -> Result<Place, Refused> {
        let channel = self.channel()?;
        if let (Some(Stream::Public), Some(name)) = (stream, &channel)
            && name.starts_with("private.")
        {
            let accepted = "another channel, or \"on\":\"private\", is accepted";
            return refuse("channel", format!("{name:?}; nothing private is on public sockets: {accepted}"));
        }
        let symbol = self.text("symbol", "a symbol such as \"BTCUSDC\"")?;
        Ok(Place::Push { stream, channel, symbol })
    }

    /// Where a fault of a kind that knows streams, and perhaps REST too, strikes.
    fn place(&mut self, rest_too: bool) -> Result<Place, Refused> {
        let streams = [("public", Some(Stream::Public)), ("private", Some(Stream::Private))];
        let all = [streams[0], streams[1], ("rest", None)];
        let choices = if rest_too { &all[..] } else { &streams[..] };
        match self.choice("on", choices)? {
            Some(None) => self.request(),
            Some(stream) => self.push(stream),
            None => {
                let accepted = if rest_too {
                    "\"public\", \"private\" or \"rest\""
                } else {
                    "\"public\" or \"private\""
                };
                refuse("on", format!("is missing for kind {}; {accepted} is accepted", self.kind))
            }
        }
    }
}

/// `500ms`, `10s`, `1.5m`, `1h`.
fn span(text: &str) -> Option<Nanos> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1_000_000_u128,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let number: flashpod_types::Price = number.parse().ok()?;
    let nanos = u128::try_from(number.raw()).ok()? * unit / 100_000_000;
    u64::try_from(nanos).ok().filter(|nanos| *nanos <= 365 * 86_400_000_000_000).map(Nanos)
}

fn status(fields: &mut Fields, name: &'static str) -> Result<(Kind, Place), Refused> {
    let place = fields.request()?;
    let (status, apply, delay, retry_after) = match name {
        "http" => {
            let status = fields.need("status", "an HTTP status from 200 to 599", http_status(200))?;
            let (apply, delay) = (fields.apply()?, fields.millis("delayMs")?);
            (status, apply, delay, None)
        }
        "5xx" => {
            let status = fields.get("status", "an HTTP status from 500 to 599", http_status(500))?;
            (status.unwrap_or(503), fields.apply()?, None, None)
        }
        // A refused request never has an effect.
        _ => {
            let seconds = fields.get("retryAfterS", "a whole number of seconds", Value::as_u64)?;
            let (status, usual) = if name == "429" { (429, 1) } else { (418, 120) };
            (status, false, None, Some(seconds.unwrap_or(usual)))
        }
    };
    Ok((Kind::Status { name, status, apply, delay: delay.unwrap_or(Nanos::ZERO), retry_after }, place))
}

fn http_status(least: u64) -> impl Fn(&Value) -> Option<u16> {
    move |value| value.as_u64().filter(|s| (least..600).contains(s)).and_then(|s| u16::try_from(s).ok())
}

fn fault(value: &Value) -> Result<Fault, Refused> {
    let Value::Object(object) = value else {
        return refuse("", format!("{value}; an object such as {{\"kind\":\"loss\",…}} is accepted"));
    };
    let mut left = object.clone();
    let accepted = || format!("one of {} is accepted", KINDS.join(", "));
    let Some(found) = left.remove("kind") else {
        return refuse("kind", format!("is missing; {}", accepted()));
    };
    let Some(name) = KINDS.into_iter().find(|kind| found == *kind) else {
        return refuse("kind", format!("{found}; {}", accepted()));
    };
    let mut fields = Fields { kind: name.to_owned(), left, known: Vec::new() };
    let fault = of_kind(name, &mut fields)?;
    if let Some((field, _)) = fields.left.iter().next() {
        let known = fields.known.join(", ");
        return refuse(field, format!("kind {name} has no such field; there are {known}"));
    }
    Ok(fault)
}

fn of_kind(name: &'static str, fields: &mut Fields) -> Result<Fault, Refused> {
    let (kind, place) = match name {
        "hideDeal" => (Kind::HideDeal, Place::Fill),
        "dropPush" => {
            let place = fields.push(None)?;
            if matches!(place, Place::Push { channel: None, .. }) {
                return refuse("channel", format!("is missing; one of {} is accepted", CHANNELS.join(", ")));
            }
            (Kind::DropPush, place)
        }
        "disconnect" => {
            let streams = [("public", Stream::Public), ("private", Stream::Private)];
            let Some(stream) = fields.choice("stream", &streams)? else {
                return refuse("stream", "is missing; \"public\" or \"private\" is accepted");
            };
            let after_pushes = fields.need("afterPushes", "a whole number", Value::as_u64)?;
            let place = Place::Push { stream: Some(stream), channel: None, symbol: None };
            let when = When::new(None, None, 1, Nanos::ZERO, None);
            return Ok(Fault { kind: Kind::Disconnect { after_pushes }, place, when });
        }
        "http" | "5xx" | "429" | "418" => status(fields, name)?,
        "gap" => {
            let pushes = fields.get("pushes", "a whole number from 1", |v| v.as_u64().filter(|n| *n > 0))?;
            (Kind::Gap { pushes: pushes.unwrap_or(1) }, fields.depth()?)
        }
        "jump" => {
            let by = fields.get("by", "a whole number from 1 to 1000000000", |v| {
                v.as_u64().filter(|by| (1..=1_000_000_000).contains(by))
            })?;
            (Kind::Jump { by: by.unwrap_or(1_000_000) }, fields.depth()?)
        }
        "crossed" => (Kind::Crossed, fields.depth()?),
        "reorder" => (Kind::Reorder, fields.place(false)?),
        "duplicate" => (Kind::Duplicate, fields.place(false)?),
        _ => {
            let place = fields.place(true)?;
            let rest = matches!(place, Place::Request { .. });
            (anywhere(name, fields, rest)?, place)
        }
    };
    let when = fields.when()?;
    if matches!(kind, Kind::Silence { lasts: None, .. }) && !when.is_window() {
        return refuse("lasts", "is missing; a length of time such as \"5s\" is accepted, or a window alone");
    }
    let filters =
        matches!(&place, Place::Push { channel, symbol, .. } if channel.is_some() || symbol.is_some());
    if matches!(kind, Kind::Silence { lasts: None, .. }) && filters {
        return refuse(
            "channel",
            "a window of silence is of whole connections; without channel and symbol it is accepted",
        );
    }
    Ok(Fault { kind, place, when })
}

/// The kinds that streams and REST share.
fn anywhere(name: &str, fields: &mut Fields, rest: bool) -> Result<Kind, Refused> {
    let apply = |fields: &mut Fields| if rest { fields.apply() } else { Ok(true) };
    Ok(match name {
        "delay" => {
            let legs = [("request", Leg::Request), ("reply", Leg::Reply)];
            let leg = if rest { fields.choice("leg", &legs)? } else { None };
            let Some(by) = fields.millis("delayMs")? else {
                return refuse("delayMs", "is missing for kind delay; milliseconds are accepted");
            };
            Kind::Delay { by, leg: leg.unwrap_or(Leg::Reply) }
        }
        "loss" => Kind::Loss { apply: apply(fields)? },
        "reset" => Kind::Reset { apply: apply(fields)? },
        "silence" => Kind::Silence { lasts: fields.span("lasts")?, apply: apply(fields)? },
        _ => {
            let shapes =
                [("garbage", Shape::Garbage), ("truncated", Shape::Truncated), ("other", Shape::Other)];
            match fields.choice("shape", &shapes)? {
                Some(shape) => Kind::Malformed(shape),
                None => {
                    let why = "is missing; \"garbage\" or \"truncated\" or \"other\" is accepted";
                    return refuse("shape", why);
                }
            }
        }
    })
}

/// Reads the text of a file; `file` names it in errors.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Fault>, FaultsError> {
    let file = || file.to_owned();
    let read: Value = serde_json::from_str(text).map_err(|error| FaultsError::Read {
        file: file(),
        why: format!("is not JSON ({error}); {SHAPE}"),
    })?;
    let list = match &read {
        Value::Object(object) if object.len() == 1 => object.get("faults").and_then(Value::as_array),
        _ => None,
    };
    let Some(list) = list else {
        return Err(FaultsError::Read { file: file(), why: format!("is of another shape; {SHAPE}") });
    };
    let read = |(at, value)| {
        fault(value).map_err(|Refused { field, why }| {
            let dot = if field.is_empty() { "" } else { "." };
            FaultsError::Field { file: file(), place: format!("faults[{at}]{dot}{field}"), why }
        })
    };
    list.iter().enumerate().map(read).collect()
}

/// Reads the file.
pub(super) fn read(path: &Path) -> Result<Vec<Fault>, FaultsError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| FaultsError::Read { file: file.clone(), why: error.to_string() })?;
    parse(&file, &text)
}
