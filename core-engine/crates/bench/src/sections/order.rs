//! One order request: parameters and signature.

use flashpod_mexc::Signer;
use flashpod_mexc::request::{NewOrder, Size, Stamp, write_new_order};
use flashpod_types::{Millis, OrderType, Price, Qty, Side};

use super::{Options, Section};
use crate::meter::{Figure, Meter};

pub(crate) const SECTION: Section = Section {
    name: "order-request",
    about: "text of one order request, built and signed (HMAC-SHA256)",
    run,
};

const WARM_UP: usize = 50;
const SAMPLES: usize = 2_000;
const BATCH: usize = 100;

fn run(_: &Options) -> anyhow::Result<Vec<Figure>> {
    let signer = Signer::new("sim-secret-0123456789abcdef");
    let mut order = NewOrder {
        symbol: "BTCUSDC".parse()?,
        side: Side::Buy,
        kind: OrderType::LimitMaker,
        size: Size::Base(Qty::from_raw(100_000)),
        price: Some(Price::from_raw(0)),
        client_id: "fpabcdefgh-1a-3-zz9".parse()?,
    };
    let mut build = Meter::with_room(WARM_UP + SAMPLES);
    let mut whole = Meter::with_room(WARM_UP + SAMPLES);
    let (mut params, mut hasher) = (String::with_capacity(512), crc32fast::Hasher::new());
    for sample in 0..WARM_UP + SAMPLES {
        if sample == WARM_UP {
            build.reset();
            whole.reset();
        }
        let mut write = |signed: bool| {
            for n in 0..BATCH {
                let number = i64::try_from(sample * BATCH + n).unwrap_or(0);
                order.price = Some(Price::from_raw(10_000_000_000_000 + number % 1_000 * 1_000_000));
                params.clear();
                let stamp = Stamp { timestamp: Millis(1_760_000_000_000 + number), recv_window_ms: 1_000 };
                write_new_order(&mut params, &order, stamp);
                if signed {
                    signer.append(&mut params);
                }
                std::hint::black_box(&params);
            }
        };
        build.sample(BATCH as u64, || write(false));
        whole.sample(BATCH as u64, || write(true));
        hasher.update(params.as_bytes());
    }
    let signed = params.find("&signature=").unwrap_or(params.len());
    let input = format!("post-only limit order, {signed} bytes signed; batches of {BATCH}");
    let hash = hasher.finalize();
    Ok(vec![
        build.figure("parameters alone", input.clone(), "request", hash),
        whole
            .figure("parameters and signature", input, "request", hash)
            .named("order.buildSign.ns", |figure| figure.median_ns)
            .named("order.buildSign.allocations", |figure| figure.allocations_per_op),
    ])
}
