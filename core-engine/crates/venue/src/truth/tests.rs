use flashpod_matching::{Conservative, Proportional, QueueModel};
use flashpod_types::Nanos;

use super::{Experiment, Report, Run, run};
use crate::synthetic::Profile;

/// With a coarse tick, so that there are queues at all.
fn experiment(seed: u64, orders: u64, cadence_ms: u64) -> Experiment {
    Experiment {
        profile: Profile { price_places: 0, ..Profile::ethusdc() },
        seed,
        orders,
        cadence: Nanos::from_millis(cadence_ms),
        every: Nanos::from_millis(500),
        horizon: Nanos::from_secs(60),
    }
}

fn models() -> Vec<Box<dyn QueueModel>> {
    vec![Box::new(Conservative), Box::new(Proportional)]
}

fn both(experiment: &Experiment) -> (Run, Report) {
    let run = run(experiment, models());
    let report = Report::new(experiment, &run);
    (run, report)
}

#[test]
fn the_same_seed_gives_the_same_figures_and_another_seed_others() {
    let report = |seed| both(&experiment(seed, 60, 100)).1;
    assert_eq!(report(3), report(3));
    assert_ne!(report(3), report(4));
}

#[test]
fn where_each_change_is_shown_the_conservative_model_never_fills_before_the_truth() {
    for seed in 1..=3 {
        let (run, _) = both(&experiment(seed, 300, 0));
        let filled = run.probes.iter().filter(|probe| probe.truth.is_some()).count();
        assert!(filled > 60, "seed {seed}: only {filled} fills");
        for probe in &run.probes {
            let Some(estimate) = probe.models[0] else { continue };
            let truth = probe.truth.expect("filled only in the model");
            assert!(estimate >= truth, "seed {seed}: {probe:?}");
        }
    }
}

#[test]
fn who_stands_before_all_others_is_filled_by_the_same_market_order_in_truth_and_model() {
    // The pair's own, fine tick: a better price is often free.
    let (run, report) = both(&Experiment { profile: Profile::btcusdc(), ..experiment(1, 400, 0) });
    let first = run.probes.iter().filter(|probe| probe.ahead == 0.0 && probe.truth.is_some());
    let (by_quotes, by_market): (Vec<_>, Vec<_>) = first.partition(|probe| probe.by_quote);
    assert!(by_market.len() > 20 && by_quotes.len() > 10, "{} {}", by_market.len(), by_quotes.len());
    assert!(by_market.iter().all(|probe| probe.models[0] == probe.truth), "{by_market:?}");
    // A quote that meets nobody but an own order trades with nobody in the public's eyes: the model waits.
    assert!(by_quotes.iter().filter(|probe| probe.models[0] > probe.truth).count() > 5, "{by_quotes:?}");
    let group = &report.models[0].groups[1];
    let share = by_quotes.len() as f64 / (by_quotes.len() + by_market.len()) as f64;
    assert!(group.ahead == "0" && (group.filled_by_quotes - share).abs() < 1e-6, "{group:?}");
}

#[test]
fn at_a_recordings_cadence_errors_are_small_and_of_the_side_that_the_model_promises() {
    let (_, report) = both(&experiment(5, 600, 100));
    let [conservative, proportional] = &report.models[..] else { panic!("{report:?}") };
    assert_eq!((conservative.name, proportional.name), ("conservative", "proportional"));
    let (careful, even) = (&conservative.groups[0], &proportional.groups[0]);
    for (share, other) in careful.fill_probability.iter().zip(&even.fill_probability) {
        let what = format!("{share:?}");
        assert!(share.error <= 0.02, "the conservative model promises too many fills: {what}");
        assert!(other.model >= share.model, "{other:?} below {what}");
        assert!((share.truth - other.truth).abs() < 1e-9, "one truth");
        let consistent = share.error - (share.only_model - share.only_truth);
        assert!(consistent.abs() < 1e-5, "{what}");
    }
    let (careful, even) = (careful.fill_time_ms.as_ref().unwrap(), even.fill_time_ms.as_ref().unwrap());
    assert!(careful.orders > 100);
    assert!(careful.bias > 0.0 && careful.bias > even.bias, "{careful:?} {even:?}");
    // Only what the last 100 ms hid lets it be early.
    assert!(careful.early < 0.15 && careful.early < even.early, "{careful:?} {even:?}");
    let groups: usize = conservative.groups[1..].iter().map(|group| group.orders).sum();
    assert_eq!(groups, report.orders);
    assert_eq!(report.orders, 600);
}

#[test]
fn the_text_has_a_row_for_each_model_and_group() {
    let (_, report) = both(&experiment(2, 40, 100));
    let text = report.text();
    assert!(
        text.starts_with("40 orders of one lot on ETHUSDC with a tick of 1, seed 2, depth every 100 ms"),
        "{text}"
    );
    assert_eq!(text.matches("| conservative | all |").count(), 2);
    assert!(text.contains("| proportional | > 32 |"));
}
