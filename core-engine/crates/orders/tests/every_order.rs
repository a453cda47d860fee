//! One order through every order of arrival: replies, pushes, queries and deals of every story that the venue can
//! make of it, each of them late, missing, or told twice, and the core's own steps in between. Not drawn but complete:
//! the search visits every state that any sequence leads to.

use std::collections::HashSet;

use flashpod_orders::order::NewOrder;
use flashpod_orders::{Deal, Ending, Order, Origin, Report, State, Update};
use flashpod_types::{
    Amount, Asset, ClientOrderId, Nanos, OrderId, OrderType, Price, Qty, Side, Symbol, TradeId,
};

const QTY: i64 = 2;

/// What truly happens to the order at the venue.
#[derive(Debug, Clone, Copy)]
struct Story {
    /// It reached the venue and was taken.
    taken: bool,
    /// Sizes of its fills, in their order.
    fills: &'static [i64],
    /// The rest was cancelled.
    cancelled: bool,
}

impl Story {
    fn filled(&self) -> i64 {
        self.fills.iter().sum()
    }

    fn ended(&self) -> bool {
        !self.taken || self.cancelled || self.filled() == QTY
    }

    /// Everything that may be heard of it.
    fn messages(&self) -> Vec<Update> {
        // No answer, and cancels that came to nothing, can happen in any story.
        let mut all = vec![Update::Lost, Update::CancelSent, Update::CancelFailed];
        if !self.taken {
            all.push(Update::Refused { code: "MEXC_30004".into(), text: "insufficient balance".into() });
            all.push(Update::Absent);
            return all;
        }
        all.push(Update::Accepted { order_id: OrderId::new("C02__1").unwrap() });
        all.push(report(0, None));
        let mut sum = 0;
        for (id, &fill) in (1..).zip(self.fills) {
            sum += fill;
            all.push(deal(id, fill));
            all.push(report(sum, (sum == QTY).then_some(Ending::Filled)));
        }
        if self.cancelled {
            all.push(report(sum, Some(Ending::Cancelled)));
        }
        all
    }

    /// What is known of it in the end.
    fn last_state(&self) -> State {
        match (self.taken, self.cancelled, self.filled()) {
            (false, ..) => State::Rejected,
            (_, _, QTY) => State::Filled,
            (_, true, 0) => State::Cancelled,
            (_, true, _) => State::PartiallyCancelled,
            (_, false, 0) => State::Open,
            (_, false, _) => State::PartiallyFilled,
        }
    }
}

const STORIES: [Story; 8] = [
    Story { taken: false, fills: &[], cancelled: false },
    Story { taken: true, fills: &[], cancelled: false },
    Story { taken: true, fills: &[], cancelled: true },
    Story { taken: true, fills: &[1], cancelled: false },
    Story { taken: true, fills: &[1], cancelled: true },
    Story { taken: true, fills: &[1, 1], cancelled: false },
    Story { taken: true, fills: &[2], cancelled: false },
    // A cancel that came too late: reported as cancelled though nothing was left.
    Story { taken: true, fills: &[1, 1], cancelled: true },
];

fn report(filled: i64, ending: Option<Ending>) -> Update {
    let order_id = OrderId::new("C02__1").unwrap();
    Update::Report(Report { order_id, ending, filled: Qty::from_raw(filled) })
}

fn deal(id: u32, qty: i64) -> Update {
    Update::Deal(Deal {
        trade_id: TradeId::new(&format!("T{id}")).unwrap(),
        price: Price::from_raw(100),
        qty: Qty::from_raw(qty),
        value: Price::from_raw(100).notional(Qty::from_raw(qty)),
        fee: Amount::ZERO,
        fee_asset: Asset::new("USDC").unwrap(),
        maker: true,
        time_ms: 0,
    })
}

fn order() -> Order {
    Order::new(NewOrder {
        client_id: ClientOrderId::new("fpaaaaaaaa-1-1-1").unwrap(),
        instance: "maker".into(),
        symbol: Symbol::new("BTCUSDC").unwrap(),
        side: Side::Buy,
        kind: OrderType::Limit,
        price: Price::from_raw(100),
        qty: Qty::from_raw(QTY),
        origin: Origin::Quote { slot: 0 },
        reduces: false,
        timestamp_ms: 0,
        created: Nanos::ZERO,
        created_unix: Nanos::ZERO,
        before: Qty::ZERO,
    })
}

/// All that tells two orders apart.
type Key = (State, i64, i64, bool, bool, Vec<TradeId>, Vec<u8>);

fn key(order: &Order, heard: &[u8]) -> Key {
    let mut trades: Vec<TradeId> = order.deals().iter().map(|deal| deal.trade_id).collect();
    trades.sort_unstable();
    let (filled, dealt) = (order.filled().raw(), order.dealt().raw());
    (order.state(), filled, dealt, order.order_id().is_empty(), order.is_closed(), trades, heard.to_vec())
}

/// Visits everything; `times`: how often each message may come. How many states there are, or what is wrong with one.
fn search(story: Story, times: u8) -> Result<usize, String> {
    let messages = story.messages();
    let mut seen = HashSet::new();
    let mut open = vec![(order(), vec![0_u8; messages.len()])];
    while let Some((order, heard)) = open.pop() {
        if !seen.insert(key(&order, &heard)) {
            continue;
        }
        holds(story, &messages, &order, &heard)
            .map_err(|wrong| format!("{story:?}, heard {heard:?}: {wrong}"))?;
        for (at, message) in messages.iter().enumerate().filter(|(at, _)| heard[*at] < times) {
            let (mut next, mut heard) = (order.clone(), heard.clone());
            heard[at] += 1;
            let change = next.apply(message);
            follows(&order, &next, message, change.booked)
                .map_err(|wrong| format!("{story:?}, {message:?} after {heard:?}: {wrong}"))?;
            open.push((next, heard));
        }
    }
    Ok(seen.len())
}

fn ensure(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

/// What is true of an order whatever was heard of it so far.
fn holds(story: Story, messages: &[Update], order: &Order, heard: &[u8]) -> Result<(), String> {
    let (filled, dealt) = (story.filled(), order.dealt().raw());
    ensure(dealt <= filled, "more is booked than was filled")?;
    ensure(dealt + order.exposure().raw() >= filled, "what may still fill is not counted")?;
    if order.is_closed() {
        // What a refusal or its absence closed may come to life; in its story it never does.
        ensure(story.ended() && dealt == filled, "taken for finished too early")?;
    }
    let told = |message: &Update| matches!(message, Update::Deal(_) | Update::Report(_));
    let words = messages.iter().zip(heard).filter(|(message, _)| told(message));
    let proof = messages
        .iter()
        .zip(heard)
        .any(|(m, &n)| matches!(m, Update::Refused { .. } | Update::Absent) && n > 0);
    if words.clone().all(|(_, &times)| times > 0) && (story.taken || proof) {
        let cancelling = order.state() == State::PendingCancel && !story.ended();
        ensure(cancelling || order.state() == story.last_state(), "the last word was not understood")?;
        ensure(
            order.is_closed() == story.ended(),
            "all was told, and it is not known whether it is finished",
        )?;
    }
    Ok(())
}

/// What is true of every step.
fn follows(before: &Order, after: &Order, message: &Update, booked: bool) -> Result<(), String> {
    let (was, now) = (before.state(), after.state());
    let revived = was == State::Rejected;
    ensure(!was.is_terminal() || now.is_terminal() || revived, "an order that had ended lives")?;
    ensure(after.filled() >= before.filled(), "what was filled is forgotten")?;
    let known =
        matches!(message, Update::Deal(deal) if before.deals().iter().any(|d| d.trade_id == deal.trade_id));
    ensure(booked == (matches!(message, Update::Deal(_)) && !known), "a deal is booked once")?;
    let again = {
        let mut again = after.clone();
        let change = again.apply(message);
        (again, change)
    };
    let asked = matches!(message, Update::CancelSent | Update::CancelFailed);
    ensure(asked || again.0 == *after, "the same word twice is more than once")?;
    ensure(asked || !again.1.news, "the same word twice is news twice")
}

#[test]
fn every_arrival_of_every_story_ends_as_it_truly_ended() {
    let states: usize = STORIES.iter().map(|&story| search(story, 2).unwrap()).sum();
    assert!(states > 10_000, "only {states} states were visited");
}

#[test]
fn the_search_notices_a_story_that_is_told_wrongly() {
    // The venue fills two, and tells of one.
    let told = Story { taken: true, fills: &[1], cancelled: true };
    let mut order = order();
    for message in told.messages() {
        order.apply(&message);
    }
    let truth = Story { taken: true, fills: &[1, 1], cancelled: true };
    assert!(holds(truth, &[], &order, &[]).is_err());
}
