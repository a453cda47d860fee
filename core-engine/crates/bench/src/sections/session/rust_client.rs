//! The same to a client in Rust, so that what Node costs shows.

use std::path::Path;

use anyhow::{Context, bail};
use flashpod_gateway::instance_socket;
use flashpod_gateway::proto;
use flashpod_gateway::proto::session_down::Body;
use flashpod_gateway::proto::strategy_service_client::StrategyServiceClient;
use flashpod_net::Clock;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::play::{self, EVERY, LEVELS, SAMPLES, WARM_UP};
use crate::meter::{Allocations, Figure, Meter};
use crate::sections::{Options, Section};
use crate::stage::{Stage, TOKEN, channel};

pub(crate) const SECTION: Section = Section {
    name: "grpc-one-way",
    about: "book from the engine's ring to a Rust client over gRPC and a unix socket",
    run,
};

const INSTANCE: &str = "bench";

fn run(_: &Options) -> anyhow::Result<Vec<Figure>> {
    let (stage, inbox, link) = Stage::open(&[INSTANCE])?;
    let engine = std::thread::spawn(move || {
        let mut engine = play::Played::new(inbox, link);
        engine.open(1);
        engine.books();
        engine.until_closed();
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figure = runtime.block_on(receive(&stage.directory));
    // Closes the client's connections, which the sending thread waits for.
    drop(runtime);
    if engine.join().is_err() {
        bail!("the sending thread panicked");
    }
    stage.close()?;
    Ok(vec![figure?])
}

async fn receive(directory: &Path) -> anyhow::Result<Figure> {
    // The socket is there once the desired state is in force.
    let mut client = StrategyServiceClient::new(channel(&instance_socket(directory, INSTANCE)).await?);
    let (up, messages) = mpsc::channel(1);
    let hello = proto::Hello { instance: INSTANCE.to_owned(), token: TOKEN.to_owned(), ..Default::default() };
    up.send(proto::SessionUp { body: Some(proto::session_up::Body::Hello(hello)) }).await?;
    let mut down = client.session(ReceiverStream::new(messages)).await?.into_inner();

    let mut meter = Meter::with_room(usize::try_from(SAMPLES)?);
    let mut hasher = crc32fast::Hasher::new();
    let mut conflated = 0;
    let mut allocations = Allocations::begin();
    loop {
        let message = down.message().await?.context("the session ended early")?;
        let Some(Body::Book(book)) = message.body else { continue };
        let now = Clock.mono();
        if book.version > WARM_UP {
            meter.record(now.0.saturating_sub(book.received_mono_ns));
            conflated += book.conflated;
        } else {
            allocations = Allocations::begin();
        }
        if book.version == WARM_UP + SAMPLES {
            // Of the last book alone: which others arrive unconflated depends on the machine.
            book.bid_prices.iter().for_each(|price| hasher.update(&price.to_le_bytes()));
            break;
        }
    }
    meter.count(&allocations);
    let input = format!(
        "{LEVELS} levels a side, one each {EVERY:?}, {conflated} conflated; encoded, sent, decoded; allocations of both ends"
    );
    Ok(meter.figure("ring to client", input, "book", hasher.finalize()))
}
