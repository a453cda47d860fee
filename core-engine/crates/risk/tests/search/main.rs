//! The checks and the states of orders, together, through everything that can happen: two strategies of one account
//! ask for orders; requests arrive, get lost or stay on their way; orders fill, end, and are heard of late, in part or
//! never. Not drawn but complete: every world that any sequence of events leads to is visited, and held against the
//! limits as the venue, which knows the truth, sees it. That the search can fail is shown with checks that are wrong.

mod scenarios;
mod truth;
mod world;

use std::collections::{HashSet, VecDeque};

use flashpod_risk::{Code, Order as RiskOrder, View, check};
use flashpod_types::Nanos;
use scenarios::Scenario;
use world::{Counts, Event, World};

/// Whether an order may leave.
type Kernel<'a> = &'a dyn Fn(RiskOrder, &View<'_>) -> bool;

fn as_it_is(order: RiskOrder, view: &View<'_>) -> bool {
    check(order, view, Nanos::ZERO).is_ok()
}

/// What a search found: how many worlds there are, or the shortest way to one that breaks a limit.
fn search(scenario: &Scenario, kernel: Kernel<'_>, counts: Counts) -> Result<usize, String> {
    let begin = World::new();
    let mut seen = HashSet::from([begin.key()]);
    // How each world was come by: the one before it, and what happened there.
    let mut trail: Vec<(usize, Option<Event>)> = vec![(0, None)];
    let mut open = VecDeque::from([(0, begin)]);
    while let Some((from, world)) = open.pop_front() {
        for (event, next) in world.successors(scenario, kernel, counts) {
            if !seen.insert(next.key()) {
                continue;
            }
            trail.push((from, Some(event)));
            if let Err(broken) = truth::holds(scenario, &next) {
                return Err(format!("{}: {broken} after {:?}", scenario.name, path(&trail)));
            }
            open.push_back((trail.len() - 1, next));
        }
    }
    Ok(seen.len())
}

/// What happened until the newest world.
fn path(trail: &[(usize, Option<Event>)]) -> Vec<Event> {
    let mut at = trail.len() - 1;
    let mut events = Vec::new();
    while let (before, Some(event)) = trail[at] {
        events.push(event);
        at = before;
    }
    events.reverse();
    events
}

#[test]
fn no_sequence_of_events_passes_any_limit() {
    let mut worlds = 0;
    for scenario in scenarios::all() {
        let visited = search(&scenario, &as_it_is, Counts::All).unwrap();
        assert!(visited > 100, "{}: only {visited} worlds", scenario.name);
        worlds += visited;
    }
    assert!(worlds > 50_000, "only {worlds} worlds were visited");
}

#[test]
fn a_check_that_is_left_out_is_found_by_the_limit_that_it_kept() {
    for scenario in scenarios::all() {
        for &left_out in scenario.kept_by {
            let without = |order: RiskOrder, view: &View<'_>| match check(order, view, Nanos::ZERO) {
                Ok(_) => true,
                Err(denial) => denial.code == left_out,
            };
            let found = search(&scenario, &without, Counts::All);
            assert!(found.is_err(), "{}: nothing is wrong without {left_out}", scenario.name);
        }
    }
}

#[test]
fn every_limit_that_events_could_pass_has_a_scenario() {
    let kept: HashSet<Code> =
        scenarios::all().iter().flat_map(|scenario| scenario.kept_by).copied().collect();
    // What one order alone decides, without any history, is tested beside the checks; profit and loss in `watch`.
    let alone = [
        Code::UnknownSymbol,
        Code::OrderType,
        Code::PriceTick,
        Code::QuantityStep,
        Code::MinQuantity,
        Code::MinNotional,
        Code::MaxNotional,
        Code::PriceBand,
        Code::NotCertified,
        Code::StaleData,
        Code::PriceCollar,
        Code::LastTradeCollar,
        Code::DailyLoss,
        Code::Drawdown,
        Code::AccountLoss,
        Code::AccountDrawdown,
    ];
    for code in Code::ALL {
        assert!(kept.contains(code) != alone.contains(code), "{code}");
    }
}

#[test]
fn orders_that_are_not_counted_are_found() {
    for counts in [Counts::NotUnknown, Counts::NotUnanswered, Counts::NotUnbooked, Counts::NotCancelling] {
        let found = scenarios::all().iter().any(|scenario| search(scenario, &as_it_is, counts).is_err());
        assert!(found, "nothing is wrong with {counts:?}");
    }
}
