//! One HTTP connection: requests to the exchange, `/ws` to a WebSocket.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot};

use super::cut::Cutter;
use super::driver::Command;
use super::websocket;
use crate::exchange::{Fate, HttpReply, HttpRequest};
use crate::rest::Params;

/// What every connection needs.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) drained: Rc<Notify>,
    /// Longest wait for a TLS handshake, a request's head or its body; zero: for ever.
    pub(super) idle: Duration,
}

/// What belongs to one connection.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    /// One of the connections that the venue has room for; given back when the last part of this one ends.
    pub(super) _place: Rc<OwnedSemaphorePermit>,
    pub(super) cutter: Cutter,
}

/// The largest request is a batch of 20 orders: a tenth of this.
const HEAD_MOST: usize = 64 * 1024;
const BODY_MOST: usize = 64 * 1024;

/// Waits for `what`, but not longer than `idle`.
pub(super) async fn within<T>(idle: Duration, what: impl Future<Output = T>) -> Option<T> {
    if idle.is_zero() { Some(what.await) } else { tokio::time::timeout(idle, what).await.ok() }
}

/// Serves one connection until it ends. How it ends is the client's business.
pub(super) async fn serve<S>(stream: S, ip: IpAddr, shared: Shared, hold: Hold)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| respond(request, ip, shared.clone(), hold.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout((!shared.idle.is_zero()).then_some(shared.idle))
        .max_buf_size(HEAD_MOST)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection ended");
    }
}

async fn respond(
    mut request: Request<Incoming>,
    ip: IpAddr,
    shared: Shared,
    hold: Hold,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/ws" && fastwebsockets::upgrade::is_upgrade_request(&request) {
        let listen_key =
            Params::parse(request.uri().query().unwrap_or_default(), "").get("listenKey").map(str::to_owned);
        return Ok(match fastwebsockets::upgrade::upgrade(&mut request) {
            Ok((response, upgrade)) => {
                let cutter = hold.cutter.clone();
                let serving = websocket::serve(upgrade, listen_key, shared.commands, shared.drained, cutter);
                tokio::task::spawn_local(async move {
                    if let Err(error) = serving.await {
                        tracing::debug!(%error, "socket ended");
                    }
                    drop(hold);
                });
                response.map(|_| Full::default())
            }
            Err(error) => plain(400, &error.to_string()),
        });
    }
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let (api_key, content_type) = (header("x-mexc-apikey"), header(CONTENT_TYPE.as_str()));
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = match within(shared.idle, Limited::new(request.into_body(), BODY_MOST).collect()).await {
        Some(Ok(body)) => body,
        Some(Err(_)) => return Ok(plain(413, "body too large")),
        None => return Ok(plain(408, "the body did not come")),
    };
    let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    let request = HttpRequest { method, path, query, body, api_key, content_type, ip };
    let (to, reply) = oneshot::channel();
    if shared.commands.send(Command::Http(request, to)).await.is_err() {
        return Ok(plain(503, "stopping"));
    }
    Ok(match reply.await {
        Ok(reply) => {
            if reply.fate == Fate::Lost {
                // Until the client has had enough, or the venue of waiting for it.
                within(shared.idle, std::future::pending::<()>()).await;
            }
            if reply.fate != Fate::Sent {
                // What hyper writes now meets the end of the connection.
                hold.cutter.cut();
            }
            response(reply)
        }
        Err(_) => plain(503, "stopping"),
    })
}

fn response(reply: HttpReply) -> Response<Full<Bytes>> {
    let mut builder =
        Response::builder().status(reply.status).header(CONTENT_TYPE, "application/json;charset=utf-8");
    if let Some(seconds) = reply.retry_after {
        builder = builder.header(RETRY_AFTER, seconds);
    }
    builder.body(Full::from(reply.body)).unwrap_or_else(|_| plain(500, "unwritable reply"))
}

fn plain(status: u16, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text.to_owned()));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
}
