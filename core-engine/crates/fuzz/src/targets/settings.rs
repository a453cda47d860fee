//! What users write: the core's configuration, the simulated exchange's faults.

use flashpod_venue::faults::Faults;

use super::{Target, told};

pub(super) const CONFIG: Target = Target {
    name: "config",
    what: "the configuration file of the core",
    run: |bytes| told(&flashpod_core::check_config(bytes)),
    seeds: || {
        let account = |environment: &str, rest: &str, ws: &str| {
            format!(
                r#"{{"core":"core","namespace":"default","pollMode":"Park","stopPolicy":"Flatten","sessionUid":1000,
"journal":{{"segmentMiB":64,"keepMiB":2048}},"timing":{{"recvWindowMs":1000,"orderCalls":12}},"accounts":[{{"name":"main",
"environment":"{environment}","rest":"{rest}","ws":"{ws}","credentials":"main"}}]}}"#
            )
            .into_bytes()
        };
        vec![
            account("Simulated", "http://127.0.0.1:1", "ws://127.0.0.1:1/ws"),
            account("Production", "https://api.mexc.com", "wss://wbs-api.mexc.com/ws"),
        ]
    },
    words: &[
        b"\"core\":",
        b"\"accounts\":[",
        b"\"environment\":",
        b"\"Production\"",
        b"mexc.com",
        b"https://",
        b"[::1]",
        b"@",
        b":65536",
        b"%00",
        b"\"timing\":{",
        b"..",
    ],
};

pub(super) const FAULTS: Target = Target {
    name: "faults",
    what: "the file of faults of the simulated exchange",
    run: |bytes| told(&Faults::parse(&String::from_utf8_lossy(bytes))),
    seeds: || {
        [
            r#"{"faults":[{"kind":"loss","on":"public","probability":0.01,"seed":7,"from":"10s","for":"5s"}]}"#,
            r#"{"faults":[{"kind":"5xx","method":"POST","path":"/api/v3/order","apply":true,"nth":1}]}"#,
            r#"{"faults":[{"kind":"jump","by":5,"nth":2},{"kind":"silence","on":"private","lasts":"1.5m","nth":1}]}"#,
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
    },
    words: &[
        b"\"kind\":",
        b"\"nth\":",
        b"\"from\":\"",
        b"9999999999999h",
        b"1e400",
        b"-0",
        b"\"probability\":",
    ],
};
