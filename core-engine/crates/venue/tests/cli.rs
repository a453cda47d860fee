//! The binary: how it starts, what it refuses, how it ends.

mod process;

use std::process::Command;
use std::sync::Arc;

use process::Venue;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

#[test]
fn the_first_line_says_where_it_listens() {
    let venue = Venue::start(&[], &[]);
    assert_eq!(venue.line["rest"], format!("http://{}", venue.address));
    assert_eq!(venue.line["ws"], format!("ws://{}/ws", venue.address));
}

#[tokio::test]
async fn tls_is_served_with_a_certificate_of_the_authority_that_it_names() {
    let folder = std::env::temp_dir().join(format!("flashpod-venue-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let ca = folder.join("ca.pem");
    let venue = Venue::start(&["--tls", "--ca-out", ca.to_str().unwrap()], &[]);
    assert_eq!(venue.line["rest"], format!("https://{}", venue.address));
    assert_eq!(venue.line["ws"], format!("wss://{}/ws", venue.address));
    assert_eq!(venue.line["caFile"], ca.to_str().unwrap());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&ca).unwrap()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    for name in ["127.0.0.1", "localhost"] {
        let stream = TcpStream::connect(&venue.address).await.unwrap();
        let name = ServerName::try_from(name).unwrap();
        let mut stream = connector.connect(name, stream).await.unwrap();
        stream.write_all(b"GET /api/v3/ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("{}"), "{reply}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn decode_prints_a_frame_as_json() {
    // V3 of the wire-format reference.
    let frame = "0a3373706f74407075626c69632e61676772652e626f6f6b5469636b65722e76332e6170692e70624031306d7340455448555344431a074554485553444330fb80b3c19c33da13250a07333939392e39391203312e351a07343030302e30312201322a02373730e980b3c19c33";
    let out = Command::new(env!("CARGO_BIN_EXE_flashpod-venue")).args(["decode", frame]).output().unwrap();
    let shown: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(
        (shown["symbol"].as_str(), shown["sendTime"].as_str()),
        (Some("ETHUSDC"), Some("1760000000123"))
    );
    assert_eq!(shown["publicAggreBookTicker"]["bidPrice"], "3999.99");
}

#[test]
fn the_truth_test_prints_tables_and_writes_the_same_figures_for_the_same_seed() {
    let file = std::env::temp_dir().join(format!("flashpod-venue-truth-{}.json", std::process::id()));
    let run = || {
        let args =
            ["truth", "--seed", "4", "--orders", "50", "--tick", "1", "--json", file.to_str().unwrap()];
        let out = Command::new(env!("CARGO_BIN_EXE_flashpod-venue")).args(args).output().unwrap();
        assert!(out.status.success());
        let json = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        (String::from_utf8(out.stdout).unwrap(), json)
    };
    let (text, json) = run();
    assert!(text.contains("| proportional | all | 50 |"), "{text}");
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&report["orders"], &report["models"][0]["name"]), (&50.into(), &"conservative".into()));
    let share = &report["models"][1]["groups"][0]["fillProbability"][3];
    assert_eq!(share["horizonS"], 60);
    assert!(share["truth"].as_f64().unwrap() > 0.1);
    assert_eq!(run(), (text, json));
}

#[test]
fn sigterm_ends_it_with_success() {
    let mut venue = Venue::start(&[], &[]);
    let killed = Command::new("kill").args(["-TERM", &venue.child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert!(venue.child.wait().unwrap().success());
}

#[test]
fn the_authority_made_for_a_run_goes_with_it() {
    let mut venue = Venue::start(&["--tls"], &[]);
    let ca = std::path::PathBuf::from(venue.line["caFile"].as_str().unwrap());
    assert!(ca.is_file());
    Command::new("kill").args(["-TERM", &venue.child.id().to_string()]).status().unwrap();
    assert!(venue.child.wait().unwrap().success());
    assert!(!ca.parent().unwrap().exists());
}

#[test]
fn wrong_options_are_refused_with_what_is_accepted() {
    let refused = |args: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_flashpod-venue")).args(args).output().unwrap();
        assert!(!out.status.success() && out.stdout.is_empty(), "{args:?}");
        String::from_utf8(out.stderr).unwrap()
    };
    for (args, part) in [
        (vec!["--set", "nope=1"], "no such setting; there are makerFee"),
        (vec!["--set", "cancelReply=x"], "full or minimal or statusNew is accepted"),
        (vec!["--speed", "0"], "a number such as 1 or 2.5, or max, is accepted"),
        (vec!["--speed", "max"], "--speed max"),
        (vec!["--replay", "/nowhere.gz"], "/nowhere.gz"),
        (vec!["--accounts", "/nowhere.json"], "--accounts /nowhere.json"),
        (vec!["--faults", "/nowhere.json"], "--faults /nowhere.json"),
        (vec!["--listen", "nowhere"], "--listen nowhere: HOST:PORT"),
        (vec!["--synthetic", "--replay", "x"], "cannot be used with"),
        (vec!["--loop"], "--replay"),
        (vec!["--loop", "--speed", "max", "--replay", "x"], "--loop --speed max: would never end"),
        (
            vec!["--set", "latencyMs=soon"],
            "milliseconds, `lognormal:MEDIAN,SIGMA` or `table:FILE` is accepted",
        ),
        (
            vec!["--set", "pushLatencyMs=table:/nowhere.csv"],
            "--set pushLatencyMs=table:/nowhere.csv: /nowhere.csv",
        ),
        (vec!["truth", "--orders", "0"], "0 is not in 1..=1000000"),
        (vec!["truth", "--symbol", "XYZ"], "[possible values: BTCUSDC, ETHUSDC]"),
        (vec!["truth", "--orders", "1", "--json", "/nowhere/f.json"], "--json /nowhere/f.json"),
    ] {
        let text = refused(&args);
        assert!(text.contains(part), "{args:?}: {text}");
    }
}
