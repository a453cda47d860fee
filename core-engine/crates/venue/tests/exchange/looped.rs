//! A looped recording: one market that goes on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::book::Book;
use crate::support::{Desk, ask, bid, depth, trade};
use flashpod_matching::EstimatedBook;
use flashpod_mexc::push::push_data_v3_api_wrapper::Body;
use flashpod_types::{Nanos, Price, Qty, Side};
use flashpod_venue::listing::Listing;
use flashpod_venue::market::{Market, Recorded, Speed, Update};
use flashpod_venue::replay::Tick;
use flashpod_venue::settings::Settings;

#[test]
fn versions_trades_and_resting_orders_go_on_where_they_were() {
    let ticks = vec![
        // As recorded diffs do, the first one begins before the snapshot's version.
        Tick::Depth { exchange_ms: 1_000, from: 9, to: 11, changes: vec![ask("100001", "2")] },
        trade(1_005, "100000", "0.4", Side::Sell),
        depth(1_010, 12, vec![bid("100000", "0"), ask("100003", "5")]),
    ];
    let mut desk = Desk::looped(ticks);
    let session = desk.open(None).unwrap();
    let channels =
        ["spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC", "spot@public.aggre.deals.v3.api.pb@10ms@BTCUSDC"];
    desk.subscribe(session, &channels);
    let opening = Book::from_rest(&desk.get("/api/v3/depth", "symbol=BTCUSDC"));
    let mut book = Book { version: opening.version, ..Book::default() };
    (book.bids, book.asks) = (opening.bids.clone(), opening.asks.clone());
    let id = desk.place("BUY", "LIMIT_MAKER", "0.5", "100000");
    let mut trades = Vec::new();
    let mut expected = opening.version;
    for pass in 1..=3_u64 {
        // Three ticks, and from the second pass on the update before them that leads back to the snapshot.
        desk.play(if pass == 1 { 3 } else { 4 });
        for frame in desk.pushes(session) {
            if let Some(Body::PublicAggreDeals(body)) = &frame.body {
                trades.push(body.deals[0].trade_id.clone());
                continue;
            }
            let (from, to) = crate::book::versions(&frame);
            assert!(from == expected + 1 || pass == 1, "{from} does not follow {expected}");
            expected = to;
            book.apply(&frame);
        }
        assert_eq!(book, Book::from_rest(&desk.get("/api/v3/depth", "symbol=BTCUSDC")));
        assert_eq!(desk.audit()["symbols"][0]["passes"], pass - 1);
        assert_eq!(desk.audit()["symbols"][0]["replayDone"], false);
    }
    // 10, then 12 at the end of the first pass, and three more a pass.
    assert_eq!(book.version, 12 + 3 + 3);
    assert_eq!(trades, ["1", "2", "3"]);
    // Its level was gone at the end of the first pass: what came back is behind it, and 0.4 trade there a pass.
    assert_eq!(desk.query(&id)["executedQty"], "0.500000");
    // The book between the passes is the snapshot's.
    desk.play(1);
    let again = Book::from_rest(&desk.get("/api/v3/depth", "symbol=BTCUSDC"));
    assert_eq!((again.bids, again.asks), (opening.bids, opening.asks));
}

#[test]
fn the_second_pass_of_a_recording_has_the_states_of_the_first_at_later_versions_and_times() {
    let file = crate::data::data("binance_spot_nexo_20240723/nexousdt_20240723.dat.gz");
    let tape = Arc::new(flashpod_venue::replay::load(&[file]).unwrap().remove(0));
    let (events, period) = (tape.events.len(), tape.period);
    let listing = Listing::new(tape.symbol, "NEXO", "USDT", tape.places, &Settings::default());
    let recorded = Recorded::new(tape, EstimatedBook::default(), true);
    let mut market = Market::recorded(listing, recorded, Speed::Times(100_000_000));
    market.start(Nanos::ZERO);
    let levels = |market: &Market| -> BTreeMap<(Side, Price), Qty> {
        Side::BOTH.iter().flat_map(|side| market.levels(*side).map(|(p, q)| ((*side, p), q))).collect()
    };
    let mut first: Vec<(Nanos, u64, usize)> = Vec::new();
    let mut states = Vec::new();
    for _ in 0..events {
        let at = market.next_at().unwrap();
        market.step(at);
        first.push((at, market.version(), market.trades.len()));
        states.push(levels(&market));
    }
    let before = market.version();
    assert_eq!(market.next_at(), Some(period));
    let Some(Update::Depth(seam)) = market.step(period).update else { panic!("no way back") };
    assert_eq!((seam.from, seam.to), (before + 1, before + 1));
    let shift = market.version() - market.as_recorded().unwrap().tape.version;
    let mut version = market.version();
    for (at, old_version, _) in &first {
        let now = market.next_at().unwrap();
        assert_eq!(now, period + *at, "the same distances");
        if let Some(Update::Depth(cut)) = market.step(now).update {
            assert_eq!(cut.from, version + 1, "a hole or an overlap");
            version = cut.to;
        }
        assert_eq!(market.version(), old_version + shift);
        assert_eq!(levels(&market), states.remove(0));
    }
}
