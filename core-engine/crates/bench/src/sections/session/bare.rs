//! A stream with nothing behind it: tonic in one thread, a channel, a message without levels. What gRPC and the machine
//! cost by themselves.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Mutex;

use flashpod_gateway::proto;
use flashpod_gateway::proto::session_down::Body;
use flashpod_gateway::proto::strategy_service_server::{StrategyService, StrategyServiceServer};
use flashpod_net::Clock;
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use super::play::{SAMPLES, WARM_UP, until};

/// Serves one session on `socket` and sends as many messages as the gateway does; ends when `stopped`.
pub(super) fn serve(socket: PathBuf, stopped: oneshot::Receiver<()>) -> anyhow::Result<()> {
    let (messages, stream) = mpsc::channel(64);
    let (opened, open) = oneshot::channel();
    let sender = std::thread::spawn(move || send(open, &messages));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let listener = UnixListenerStream::new(UnixListener::bind(&socket)?);
        let service = Bare(Mutex::new(Some((opened, stream))));
        let server = tonic::transport::Server::builder().add_service(StrategyServiceServer::new(service));
        anyhow::Ok(
            server
                .serve_with_incoming_shutdown(listener, async {
                    let _ = stopped.await;
                })
                .await?,
        )
    });
    drop(runtime);
    sender.join().map_err(|_| anyhow::anyhow!("the sending thread panicked"))?;
    served
}

fn send(open: oneshot::Receiver<()>, messages: &mpsc::Sender<proto::SessionDown>) {
    if open.blocking_recv().is_err() {
        return;
    }
    let welcome = proto::Welcome {
        mode: proto::Mode::Live.into(),
        state: proto::TradingState::Active.into(),
        parameters_json: "{}".to_owned(),
        ..Default::default()
    };
    let down = |body| proto::SessionDown { body: Some(body) };
    let _ = messages.blocking_send(down(Body::Welcome(welcome)));
    let start = Clock.mono();
    for version in 1..=WARM_UP + SAMPLES {
        until(start, version);
        let book = proto::BookUpdate {
            symbol: "BTCUSDC".to_owned(),
            version,
            received_mono_ns: Clock.mono().0,
            ..Default::default()
        };
        if messages.blocking_send(down(Body::Book(book))).is_err() {
            return;
        }
    }
}

type Opened = (oneshot::Sender<()>, mpsc::Receiver<proto::SessionDown>);

struct Bare(Mutex<Option<Opened>>);

#[tonic::async_trait]
impl StrategyService for Bare {
    type SessionStream = Pin<Box<dyn Stream<Item = Result<proto::SessionDown, Status>> + Send>>;

    async fn session(
        &self,
        _: Request<Streaming<proto::SessionUp>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let taken = self.0.lock().ok().and_then(|mut opened| opened.take());
        let Some((opened, stream)) = taken else {
            return Err(Status::failed_precondition("one session was served"));
        };
        let _ = opened.send(());
        Ok(Response::new(Box::pin(ReceiverStream::new(stream).map(Ok))))
    }
}
