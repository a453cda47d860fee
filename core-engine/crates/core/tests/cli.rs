//! What the command refuses, and in which words.

mod world;

use world::{Core, Home, Venue, run, verify};

#[test]
fn a_wrong_configuration_is_refused_with_field_value_and_what_is_accepted() {
    let home = Home::new();
    home.configure("https://api.mexc.com", "ws://127.0.0.1:1/ws");
    let (code, text) = run(home.command());
    assert_eq!(code, 1);
    for word in ["accounts[0].rest", "https://api.mexc.com", "Simulated", "accepted"] {
        assert!(text.contains(word), "{word:?} is not in {text}");
    }
    std::fs::write(home.path("core.json"), r#"{"core":"c","namespace":"n","pollMode":"Sleep"}"#).unwrap();
    let (code, text) = run(home.command());
    assert_eq!(code, 1);
    assert!(text.contains("pollMode") && text.contains("Sleep") && text.contains("Adaptive"), "{text}");
}

#[test]
fn a_missing_key_is_named_and_the_other_is_not_shown() {
    let home = Home::new();
    home.configure("http://127.0.0.1:1", "ws://127.0.0.1:1/ws");
    std::fs::remove_file(home.path("credentials/main/secretKey")).unwrap();
    let (code, text) = run(home.command());
    assert_eq!(code, 1);
    assert!(text.contains("secretKey") && text.contains("main") && !text.contains(world::API_KEY), "{text}");
}

#[tokio::test]
async fn a_second_core_on_the_same_state_is_refused() {
    let home = Home::new();
    let venue = Venue::start(&home.path(""), &["--synthetic=1"]);
    let core = Core::start(&home, &venue);
    core.metrics().await;
    let (code, text) = run(home.command());
    assert_eq!(code, 1);
    assert!(text.contains("in use by another core"), "{text}");
    assert!(core.terminate().await.success());
}

#[test]
fn replay_wants_a_journal() {
    let home = Home::new();
    let (code, text) = verify(&home.journal());
    assert_eq!(code, 1);
    assert!(text.contains("--journal"), "{text}");
}
