use super::*;

fn amount(units: i64) -> Amount {
    Amount::from_raw(i128::from(units) * Amount::SCALE)
}

/// Noon of a day.
fn noon(day: u64) -> Nanos {
    Nanos(day * DAY.0 + DAY.0 / 2)
}

const LIMITS: LossLimits = LossLimits { max_daily_loss: None, max_drawdown: None };

fn daily(most: i64) -> LossLimits {
    LossLimits { max_daily_loss: Some(amount(most)), ..LIMITS }
}

fn drawdown(most: i64) -> LossLimits {
    LossLimits { max_drawdown: Some(amount(most)), ..LIMITS }
}

#[test]
fn a_day_s_loss_counts_from_midnight_and_a_drawdown_from_the_peak() {
    let begun = Watch::default().begun(amount(10), noon(3));
    assert_eq!(begun.observed(amount(1), noon(3), &daily(10)).breach, None);
    let breach = begun.observed(amount(0), noon(3), &daily(10)).breach.unwrap();
    assert_eq!((breach.rule, breach.lost, breach.at), (LossRule::DailyLoss, amount(10), noon(3)));
    let risen = begun.observed(amount(14), noon(3), &drawdown(10));
    assert_eq!(risen.observed(amount(5), noon(3), &drawdown(10)).breach, None);
    let breach = risen.observed(amount(4), noon(4), &drawdown(10)).breach.unwrap();
    assert_eq!((breach.rule, breach.lost, breach.limit), (LossRule::Drawdown, amount(10), amount(10)));
}

#[test]
fn yesterday_s_loss_is_not_today_s_and_a_clock_set_back_brings_no_new_day() {
    let begun = Watch::default().begun(amount(0), noon(3)).observed(amount(-9), noon(3), &daily(10));
    let next = begun.observed(amount(-9), noon(4), &daily(10));
    assert_eq!((next.day, next.day_loss(amount(-9))), (4, amount(0)));
    assert_eq!(next.observed(amount(-18), noon(3), &daily(10)).day, 4);
    assert!(next.observed(amount(-19), noon(3), &daily(10)).breach.is_some());
}

#[test]
fn what_former_instances_lost_counts() {
    let watch = Watch::default().begun(amount(0), noon(3)).observed(amount(-6), noon(3), &daily(10));
    let ended = watch.ended(amount(-6));
    assert_eq!(ended.observed(amount(-3), noon(3), &daily(10)).breach, None);
    assert!(ended.observed(amount(-4), noon(3), &daily(10)).breach.is_some());
}

#[test]
fn midnight_is_a_multiple_of_a_day() {
    assert_eq!(next_day(noon(3)), Nanos(DAY.0 / 2));
    assert_eq!(next_day(Nanos(3 * DAY.0)), DAY);
    // date -u -d @1724284800: Thu Aug 22 00:00:00 UTC 2024.
    assert_eq!(day_of(Nanos::from_secs(1_724_284_800)), 19_957);
    assert_eq!(day_of(Nanos(Nanos::from_secs(1_724_284_800).0 - 1)), 19_956);
}

/// What can happen to a watched strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// Its profit changes by so many units.
    Moves(i64),
    Midnight,
    /// Another instance of it takes over.
    Replaced,
    Reset,
    /// Both limits are wider from now on.
    Loosened,
}

const EVENTS: [Event; 7] = [
    Event::Moves(-1),
    Event::Moves(-2),
    Event::Moves(1),
    Event::Midnight,
    Event::Replaced,
    Event::Reset,
    Event::Loosened,
];

type Observe = fn(Watch, Amount, Nanos, &LossLimits) -> Watch;

/// A plain book-keeper beside the watch: everything since the beginning, nothing clever.
#[derive(Clone)]
struct World {
    watch: Watch,
    day: u64,
    /// Profit of the running instance, and of all so far.
    profit: i64,
    total: i64,
    history: Vec<(u64, i64)>,
    most: i64,
    must_stop: bool,
}

impl World {
    fn step(&mut self, event: Event, observe: Observe) {
        match event {
            Event::Moves(by) => {
                self.profit += by;
                self.total += by;
            }
            Event::Midnight => self.day += 1,
            Event::Replaced => {
                self.watch = self.watch.ended(amount(self.profit));
                self.profit = 0;
            }
            Event::Reset => {
                self.watch = self.watch.begun(amount(self.profit), noon(self.day));
                (self.must_stop, self.history) = (false, Vec::new());
            }
            Event::Loosened => self.most += 1,
        }
        self.history.push((self.day, self.total));
        let limits =
            LossLimits { max_daily_loss: Some(amount(self.most)), max_drawdown: Some(amount(self.most + 1)) };
        self.watch = observe(self.watch, amount(self.profit), noon(self.day), &limits);
        let today = self.history.iter().find(|(day, _)| *day == self.day).unwrap().1;
        let peak = self.history.iter().map(|(_, total)| *total).max().unwrap();
        self.must_stop |= today - self.total >= self.most || peak - self.total > self.most;
    }
}

/// The first sequence of events after which the watch says otherwise than the book-keeper.
fn search(observe: Observe) -> Option<Vec<Event>> {
    let begun = Watch::default().begun(amount(0), noon(0));
    let world =
        World { watch: begun, day: 0, profit: 0, total: 0, history: vec![(0, 0)], most: 2, must_stop: false };
    let mut worlds = vec![(Vec::new(), world)];
    for _ in 0..5 {
        let mut next = Vec::new();
        for (path, world) in &worlds {
            for event in EVENTS {
                let (mut path, mut world) = (path.clone(), world.clone());
                path.push(event);
                world.step(event, observe);
                if world.watch.breach.is_some() != world.must_stop {
                    return Some(path);
                }
                next.push((path, world));
            }
        }
        worlds = next;
    }
    None
}

#[test]
fn every_sequence_of_events_stops_where_a_limit_is_reached_and_stays_stopped() {
    assert_eq!(search(Watch::observed), None);
}

#[test]
fn the_search_finds_what_is_wrong_with_a_watch_that_forgets() {
    let mutants: [(&str, Observe); 5] = [
        ("a recovery lifts it", |watch, profit, at, limits| {
            Watch { breach: None, ..watch }.observed(profit, at, limits)
        }),
        ("a new day lifts it", |watch, profit, at, limits| {
            let turned = day_of(at) > watch.day;
            let breach = watch.breach.filter(|_| !turned);
            Watch { breach, ..watch }.observed(profit, at, limits)
        }),
        ("the peak is forgotten overnight", |watch, profit, at, limits| {
            let peak = if day_of(at) > watch.day { watch.carried + profit } else { watch.peak };
            Watch { peak, ..watch }.observed(profit, at, limits)
        }),
        ("the day never turns", |watch, profit, _, limits| watch.observed(profit, noon(0), limits)),
        ("former instances do not count", |watch, profit, at, limits| {
            Watch { carried: amount(0), ..watch }.observed(profit, at, limits)
        }),
    ];
    for (what, mutant) in mutants {
        assert!(search(mutant).is_some(), "not found: {what}");
    }
}
