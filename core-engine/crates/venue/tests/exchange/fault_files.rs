//! Files of faults: the shapes that are read, and for each mistake the field, what was found, what is accepted.

use flashpod_venue::faults::Faults;

fn refused(text: &str) -> String {
    Faults::parse(text).expect_err(text).to_string()
}

#[test]
fn every_kind_is_read() {
    let text = r#"{"faults":[
        {"kind":"hideDeal","nth":3},
        {"kind":"dropPush","channel":"aggre.depth","symbol":"BTCUSDC","nth":100},
        {"kind":"disconnect","stream":"public","afterPushes":500},
        {"kind":"http","method":"POST","path":"/api/v3/order","nth":5,"status":503,"apply":true,"delayMs":0},
        {"kind":"delay","on":"private","delayMs":20,"probability":0.01,"seed":7},
        {"kind":"delay","on":"rest","leg":"request","delayMs":20,"from":"10s","for":"5s","probability":1},
        {"kind":"loss","on":"rest","method":"DELETE","apply":false,"nth":1},
        {"kind":"reset","on":"public","symbol":"ETHUSDC","from":"1.5m"},
        {"kind":"silence","on":"private","for":"500ms"},
        {"kind":"silence","on":"rest","apply":true,"lasts":"3s","nth":9},
        {"kind":"5xx","apply":false,"probability":0.5},
        {"kind":"429","nth":1},
        {"kind":"418","retryAfterS":300,"nth":1},
        {"kind":"reorder","on":"private","nth":1},
        {"kind":"duplicate","on":"public","channel":"aggre.deals","nth":1},
        {"kind":"gap","pushes":4,"nth":1},
        {"kind":"jump","by":7,"nth":1},
        {"kind":"crossed","symbol":"BTCUSDC","nth":1},
        {"kind":"malformed","on":"rest","shape":"truncated","nth":1}]}"#;
    let kinds: Vec<_> = Faults::parse(text).unwrap().counters().keys().copied().collect();
    assert_eq!(
        kinds,
        [
            "418",
            "429",
            "5xx",
            "crossed",
            "delay",
            "disconnect",
            "dropPush",
            "duplicate",
            "gap",
            "hideDeal",
            "http",
            "jump",
            "loss",
            "malformed",
            "reorder",
            "reset",
            "silence"
        ]
    );
}

#[test]
fn a_mistake_is_named_with_what_is_accepted() {
    for (fault, expected) in [
        (r#"{"nth":1}"#, "faults[0].kind: is missing; one of delay, loss, reset"),
        (r#"{"kind":"los","nth":1}"#, "faults[0].kind: \"los\"; one of delay, loss, reset"),
        (
            r#"{"kind":"loss","nth":1}"#,
            "faults[0].on: is missing for kind loss; \"public\", \"private\" or \"rest\" is accepted",
        ),
        (
            r#"{"kind":"loss","on":"all","nth":1}"#,
            "faults[0].on: \"all\"; \"public\" or \"private\" or \"rest\" is accepted",
        ),
        (
            r#"{"kind":"reorder","on":"rest","nth":1}"#,
            "faults[0].on: \"rest\"; \"public\" or \"private\" is accepted",
        ),
        (
            r#"{"kind":"loss","on":"rest","nth":1}"#,
            "faults[0].apply: is missing for kind loss; true (the request has its effect)",
        ),
        (
            r#"{"kind":"loss","on":"public"}"#,
            "faults[0].nth: is missing; nth, probability, or a window of from and for",
        ),
        (r#"{"kind":"loss","on":"public","nth":0}"#, "faults[0].nth: 0; a whole number from 1 is accepted"),
        (r#"{"kind":"loss","on":"public","nth":1,"probability":0.1}"#, "exclude each other"),
        (
            r#"{"kind":"loss","on":"public","probability":1.5}"#,
            "faults[0].probability: 1.5; a number above 0 and at most 1",
        ),
        (
            r#"{"kind":"loss","on":"public","nth":1,"seed":1}"#,
            "faults[0].seed: only a probability has a seed",
        ),
        (
            r#"{"kind":"loss","on":"public","from":"ten"}"#,
            "faults[0].from: \"ten\"; a length of time such as",
        ),
        (r#"{"kind":"loss","on":"public","for":5}"#, "faults[0].for: 5; a length of time such as"),
        (
            r#"{"kind":"loss","on":"public","nth":1,"chanel":"kline"}"#,
            "faults[0].chanel: kind loss has no such field; there are on, channel, symbol, nth",
        ),
        (
            r#"{"kind":"loss","on":"public","nth":1,"channel":"depth"}"#,
            "faults[0].channel: \"depth\"; one of aggre.depth",
        ),
        (
            r#"{"kind":"loss","on":"public","nth":1,"channel":"private.deals"}"#,
            "faults[0].channel: \"private.deals\"; nothing private is on public sockets: another channel, or \
             \"on\":\"private\", is accepted",
        ),
        (r#"{"kind":"delay","on":"public","nth":1}"#, "faults[0].delayMs: is missing"),
        (r#"{"kind":"delay","on":"public","delayMs":-1,"nth":1}"#, "faults[0].delayMs: -1; milliseconds"),
        (
            r#"{"kind":"malformed","on":"public","shape":"odd","nth":1}"#,
            "faults[0].shape: \"odd\"; \"garbage\" or \"truncated\" or \"other\"",
        ),
        (r#"{"kind":"silence","on":"public","nth":1}"#, "faults[0].lasts: is missing"),
        (
            r#"{"kind":"silence","on":"public","channel":"kline","for":"1s"}"#,
            "faults[0].channel: a window of silence",
        ),
        (
            r#"{"kind":"5xx","status":404,"apply":true,"nth":1}"#,
            "faults[0].status: 404; an HTTP status from 500 to 599",
        ),
        (
            r#"{"kind":"http","status":999,"apply":true,"nth":1}"#,
            "faults[0].status: 999; an HTTP status from 200 to 599",
        ),
        (r#"{"kind":"jump","by":0,"nth":1}"#, "faults[0].by: 0; a whole number from 1 to 1000000000"),
        (r#"{"kind":"crossed","on":"public","nth":1}"#, "faults[0].on: kind crossed has no such field"),
        (r#"{"kind":"429","apply":true,"nth":1}"#, "faults[0].apply: kind 429 has no such field"),
        (r#"{"kind":"dropPush","nth":1}"#, "faults[0].channel: is missing"),
        (r#"{"kind":"disconnect","stream":"public"}"#, "faults[0].afterPushes: is missing"),
        (r#""loss""#, "faults[0]: \"loss\"; an object such as"),
    ] {
        let text = refused(&format!("{{\"faults\":[{fault}]}}"));
        assert!(text.contains(expected), "{fault}: {text}");
    }
    let second = refused(r#"{"faults":[{"kind":"hideDeal","nth":1},{"kind":"hideDeal","nth":-1}]}"#);
    assert!(second.contains("faults[1].nth: -1"), "{second}");
}

#[test]
fn what_is_no_file_of_faults_says_what_one_looks_like() {
    for text in ["", "{\"faults\":", "[]", "{}", r#"{"faults":{}}"#, r#"{"faults":[],"more":1}"#] {
        let why = refused(text);
        assert!(why.contains(r#"{"faults":[{"kind":"loss","on":"public","nth":3}]} is accepted"#), "{why}");
    }
}
