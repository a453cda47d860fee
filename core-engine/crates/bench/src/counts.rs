//! What does not depend on how busy a machine is: allocations and instructions of the hot paths, an operation.
//!
//! Each path runs some operations from scratch, on made-up input. What twice as many cost more is theirs; starting up
//! and the first, colder ones cancel out. Allocations are counted here; for instructions `scripts/counts.ts` runs this
//! under callgrind.

use anyhow::{Context, ensure};
use flashpod_book::{Book, CertifiedBook, Rule, Snapshot, Step};
use flashpod_mexc::Signer;
use flashpod_mexc::depth::DepthReader;
use flashpod_mexc::request::{NewOrder, Size, Stamp, write_new_order};
use flashpod_risk::check;
use flashpod_types::{Millis, Nanos, OrderType, Price, Qty, Side};

use crate::market;
use crate::meter::Allocations;
use crate::sections::{frame, replay, risk};
use crate::tape::Tape;

pub(crate) struct HotPath {
    pub name: &'static str,
    operation: &'static str,
    /// Operations of the shorter of the two runs.
    operations: usize,
    prepare: fn() -> anyhow::Result<Run>,
}

/// Does so many operations from scratch.
type Run = Box<dyn FnMut(usize) -> anyhow::Result<()>>;

pub(crate) const ALL: &[HotPath] = &[
    HotPath { name: "book.levelChange", operation: "level change", operations: 20_000, prepare: book },
    HotPath { name: "mexc.frame20", operation: "frame", operations: 1_000, prepare: frame20 },
    HotPath { name: "risk.check", operation: "order", operations: 1_000, prepare: checks },
    HotPath { name: "order.buildSign", operation: "request", operations: 500, prepare: build_and_sign },
    HotPath { name: "replay.record", operation: "record", operations: 3_000, prepare: records },
];

/// Prints the allocations of every path, a JSON object a line.
pub(crate) fn allocations(only: Option<&str>) -> anyhow::Result<()> {
    for path in chosen(only)? {
        let mut run = (path.prepare)()?;
        let mut counted = |operations| -> anyhow::Result<u64> {
            let begun = Allocations::begin();
            run(operations)?;
            Ok(begun.so_far())
        };
        // Once for what a process allocates only once.
        counted(path.operations)?;
        let (fewer, more) = (counted(path.operations)?, counted(2 * path.operations)?);
        let line = serde_json::json!({
            "path": path.name, "operation": path.operation, "operations": path.operations,
            "allocations": more.saturating_sub(fewer),
        });
        println!("{line}");
    }
    Ok(())
}

/// Runs one path once, the short way or the long one, for who counts from outside.
pub(crate) fn once(name: &str, long: bool) -> anyhow::Result<()> {
    for path in chosen(Some(name))? {
        (path.prepare)()?(if long { 2 * path.operations } else { path.operations })?;
    }
    Ok(())
}

fn chosen(only: Option<&str>) -> anyhow::Result<Vec<&'static HotPath>> {
    let chosen: Vec<_> = ALL.iter().filter(|path| only.is_none_or(|name| name == path.name)).collect();
    let names: Vec<_> = ALL.iter().map(|path| path.name).collect();
    ensure!(
        !chosen.is_empty(),
        "{}: there is no such path; accepted: {}",
        only.unwrap_or_default(),
        names.join(", ")
    );
    Ok(chosen)
}

fn book() -> anyhow::Result<Run> {
    let tape = Tape::synthetic();
    let changes = tape.changes();
    Ok(Box::new(move |operations| {
        let mut book = Book::new();
        let snapshot = tape.snapshot();
        book.load(snapshot.bids, snapshot.asks);
        for (side, (price, qty)) in changes.iter().cycle().take(operations) {
            book.apply(*side, *price, *qty);
            std::hint::black_box((book.best(Side::Buy), book.best(Side::Sell)));
        }
        Ok(())
    }))
}

fn frame20() -> anyhow::Result<Run> {
    let tape = Tape::synthetic();
    let frames = market::depth_frames(&tape);
    Ok(Box::new(move |operations| {
        ensure!(operations <= frames.len(), "only {} frames are there", frames.len());
        let mut reader = DepthReader::new();
        let mut book = CertifiedBook::new(Rule::Mexc, 1);
        book.on_snapshot(&Snapshot { version: 0, ..tape.snapshot() });
        for frame in &frames[..operations] {
            let step = frame::read_and_apply(&mut reader, &mut book, &frame.bytes);
            ensure!(step == Some(Step::Applied), "a frame was not applied: {step:?}");
        }
        Ok(())
    }))
}

fn checks() -> anyhow::Result<Run> {
    let scene = risk::Scene::new()?;
    let orders = scene.orders();
    Ok(Box::new(move |operations| {
        let view = scene.view()?;
        for order in orders.iter().cycle().take(operations) {
            let checked = check(*order, std::hint::black_box(&view), Nanos::ZERO);
            ensure!(std::hint::black_box(checked).is_ok(), "an order did not pass the checks");
        }
        Ok(())
    }))
}

fn build_and_sign() -> anyhow::Result<Run> {
    let signer = Signer::new("sim-secret-0123456789abcdef");
    let mut order = NewOrder {
        symbol: "BTCUSDC".parse()?,
        side: Side::Buy,
        kind: OrderType::LimitMaker,
        size: Size::Base(Qty::from_raw(100_000)),
        price: None,
        client_id: "fpabcdefgh-1a-3-zz9".parse()?,
    };
    let mut params = String::with_capacity(512);
    Ok(Box::new(move |operations| {
        for number in (0_i64..).take(operations) {
            order.price = Some(Price::from_raw(10_000_000_000_000 + number % 1_000 * 1_000_000));
            params.clear();
            let stamp = Stamp { timestamp: Millis(1_760_000_000_000 + number), recv_window_ms: 1_000 };
            write_new_order(&mut params, &order, stamp);
            signer.append(&mut params);
            std::hint::black_box(&params);
        }
        Ok(())
    }))
}

fn records() -> anyhow::Result<Run> {
    let journal = replay::Journal::of(&Tape::synthetic())?;
    Ok(Box::new(move |operations| {
        let inputs = journal.inputs.get(..operations);
        let inputs = inputs.with_context(|| format!("only {} records are there", journal.inputs.len()))?;
        replay::replay(inputs)?;
        Ok(())
    }))
}
