//! A TCP connection with the options that trading wants, and the kernel's own time of arrival.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use flashpod_types::Nanos;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::clock::{self, Clock};

/// What is set on every connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketOptions {
    /// Acknowledge at once, so that the venue's congestion window never waits for us. The kernel forgets it: it is set
    /// again after each read.
    pub quick_ack: bool,
    /// Bytes; None: as the kernel sizes them by itself. The kernel doubles what is asked for.
    pub receive_buffer: Option<u32>,
    pub send_buffer: Option<u32>,
    /// A peer that is silent for so long is probed, three times at a third of it, then given up.
    pub keep_alive: Duration,
    /// Take the kernel's time of arrival, where it gives one.
    pub arrival_stamps: bool,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            quick_ack: true,
            receive_buffer: None,
            send_buffer: None,
            keep_alive: Duration::from_secs(15),
            arrival_stamps: true,
        }
    }
}

/// What happened on sockets since the start, for /metrics.
#[derive(Debug, Default)]
pub struct SocketCounters {
    /// Options that the kernel refused; trading goes on without.
    pub options_refused: AtomicU64,
    /// Reads with the kernel's time of arrival, and reads without, which take the time at which they were made.
    pub stamped: AtomicU64,
    pub unstamped: AtomicU64,
}

/// A stamp older than this, or of the future, is of a clock that was set in between.
const OLDEST: Nanos = Nanos::from_secs(60);

/// When the newest bytes of a connection arrived, CLOCK_BOOTTIME. The reader of what was decoded from them asks.
#[derive(Debug, Clone, Default)]
pub struct Arrival(Arc<AtomicU64>);

impl Arrival {
    /// None: the kernel did not say.
    #[must_use]
    pub fn newest(&self) -> Option<Nanos> {
        Some(Nanos(self.0.load(Ordering::Relaxed))).filter(|at| *at > Nanos::ZERO)
    }
}

/// A connected stream.
#[derive(Debug)]
pub(crate) struct Tcp {
    stream: TcpStream,
    options: SocketOptions,
    arrival: Arrival,
    counters: Arc<SocketCounters>,
}

impl Tcp {
    /// Takes a stream over and sets its options. Refused ones are counted: none is worth a connection.
    pub(crate) fn new(stream: TcpStream, options: SocketOptions, counters: Arc<SocketCounters>) -> Self {
        let fd = stream.as_raw_fd();
        let mut refused = u64::from(stream.set_nodelay(true).is_err());
        for (level, name, value) in settings(options) {
            refused += u64::from(set(fd, level, name, value).is_err());
        }
        counters.options_refused.fetch_add(refused, Ordering::Relaxed);
        Self { stream, options, arrival: Arrival::default(), counters }
    }

    pub(crate) fn arrival(&self) -> Arrival {
        self.arrival.clone()
    }

    fn note(&self, stamp: Option<Nanos>) {
        let counter = if stamp.is_some() { &self.counters.stamped } else { &self.counters.unstamped };
        counter.fetch_add(1, Ordering::Relaxed);
        self.arrival.0.store(stamp.unwrap_or(Nanos::ZERO).0, Ordering::Relaxed);
        if self.options.quick_ack {
            let _ = set(self.stream.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_QUICKACK, 1);
        }
    }
}

/// Options by level, name and value.
fn settings(options: SocketOptions) -> Vec<(libc::c_int, libc::c_int, libc::c_int)> {
    let int = |value: u64| libc::c_int::try_from(value).unwrap_or(libc::c_int::MAX);
    let (idle, probes) = (options.keep_alive.as_secs().max(1), 3);
    let between = (idle / probes).max(1);
    let mut all = vec![
        (libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1),
        (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, int(idle)),
        (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, int(between)),
        (libc::IPPROTO_TCP, libc::TCP_KEEPCNT, int(probes)),
        // The same for bytes of ours that nobody acknowledges.
        (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, int((idle + between * probes) * 1000)),
    ];
    if options.quick_ack {
        all.push((libc::IPPROTO_TCP, libc::TCP_QUICKACK, 1));
    }
    let sizes = [(libc::SO_RCVBUF, options.receive_buffer), (libc::SO_SNDBUF, options.send_buffer)];
    all.extend(
        sizes.into_iter().filter_map(|(name, size)| Some((libc::SOL_SOCKET, name, int(size?.into())))),
    );
    if options.arrival_stamps {
        let flags = libc::SOF_TIMESTAMPING_RX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
        all.push((libc::SOL_SOCKET, libc::SO_TIMESTAMPING, int(flags.into())));
    }
    all
}

fn set(fd: RawFd, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: pointer and length describe `value`, which outlives the call; the caller's stream keeps `fd` open.
    match unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), length) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

impl AsyncRead for Tcp {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let fd = self.stream.as_raw_fd();
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            // SAFETY: `receive` hands the kernel this memory to write to and never reads it; nothing is de-initialised.
            let free = unsafe { buf.unfilled_mut() };
            match self.stream.try_io(Interest::READABLE, || receive(fd, free)) {
                Ok((length, stamp)) => {
                    // SAFETY: the kernel has written `length` bytes at the beginning of what was free.
                    unsafe { buf.assume_init(length) };
                    buf.advance(length);
                    if length > 0 {
                        self.note(stamp);
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// Room for the control messages of one read: three times, and what the kernel may add.
#[repr(C, align(8))]
struct Control([u8; 256]);

/// Reads what there is; its length, and when its last bytes arrived.
fn receive(fd: RawFd, into: &mut [std::mem::MaybeUninit<u8>]) -> io::Result<(usize, Option<Nanos>)> {
    let mut control = Control([0; 256]);
    let mut part = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    // SAFETY: a msghdr is plain pointers and integers, for which all zeros is a valid value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    (message.msg_iov, message.msg_iovlen) = (&raw mut part, 1);
    (message.msg_control, message.msg_controllen) = (control.0.as_mut_ptr().cast(), control.0.len() as _);
    // SAFETY: the message points at `part` and `control`, and `part` at `into`: all exclusively borrowed, all as long
    // as said, and all outlive the call.
    let length = unsafe { libc::recvmsg(fd, &raw mut message, 0) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    Ok((length, stamp_of(&message).and_then(arrived)))
}

/// The software stamp among the control messages: CLOCK_REALTIME of the kernel.
fn stamp_of(message: &libc::msghdr) -> Option<Nanos> {
    // SAFETY: the kernel filled the control buffer that `message` points at and set its length; the macros walk it
    // within that length.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(message) };
    while !header.is_null() {
        // SAFETY: not null, so it points at a whole header inside the control buffer.
        let (level, kind) = unsafe { ((*header).cmsg_level, (*header).cmsg_type) };
        if level == libc::SOL_SOCKET && kind == libc::SCM_TIMESTAMPING {
            // SAFETY: the data of such a message is three timespecs, the first of them the software stamp.
            let time: libc::timespec =
                unsafe { libc::CMSG_DATA(header).cast::<libc::timespec>().read_unaligned() };
            return Some(clock::nanos(time)).filter(|at| *at > Nanos::ZERO);
        }
        // SAFETY: as above.
        header = unsafe { libc::CMSG_NXTHDR(message, header) };
    }
    None
}

/// A stamp of the wall clock as CLOCK_BOOTTIME; None: the clock was set since.
fn arrived(stamp: Nanos) -> Option<Nanos> {
    let (wall, mono) = (clock::kernel_unix(), Clock.mono());
    let age = wall.0.checked_sub(stamp.0).map(Nanos).filter(|age| *age < OLDEST)?;
    Some(Nanos(mono.0.saturating_sub(age.0)))
}

impl AsyncWrite for Tcp {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn option(fd: RawFd, level: libc::c_int, name: libc::c_int) -> libc::c_int {
        let mut value: libc::c_int = -1;
        let mut length = size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: pointers and length describe `value`, which outlives the call.
        let outcome = unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut length) };
        assert_eq!(outcome, 0, "{}", io::Error::last_os_error());
        value
    }

    async fn pair(options: SocketOptions) -> (Tcp, TcpStream, Arc<SocketCounters>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let counters = Arc::new(SocketCounters::default());
        let tcp = Tcp::new(stream, options, Arc::clone(&counters));
        (tcp, listener.accept().await.unwrap().0, counters)
    }

    #[tokio::test]
    async fn a_connection_has_the_options_that_are_asked_for() {
        let options = SocketOptions {
            receive_buffer: Some(64 << 10),
            send_buffer: Some(32 << 10),
            keep_alive: Duration::from_secs(9),
            ..SocketOptions::default()
        };
        let (tcp, _peer, _) = pair(options).await;
        let fd = tcp.stream.as_raw_fd();
        for (level, name, expected) in [
            (libc::IPPROTO_TCP, libc::TCP_NODELAY, 1),
            (libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1),
            (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, 9),
            (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, 3),
            (libc::IPPROTO_TCP, libc::TCP_KEEPCNT, 3),
            // tcp(7): the kernel doubles what it is asked for, and tells the double.
            (libc::SOL_SOCKET, libc::SO_RCVBUF, 128 << 10),
            (libc::SOL_SOCKET, libc::SO_SNDBUF, 64 << 10),
        ] {
            assert_eq!(option(fd, level, name), expected, "option {name}");
        }
    }

    #[tokio::test]
    async fn bytes_arrive_unchanged_and_their_time_lies_between_writing_and_reading() {
        for arrival_stamps in [true, false] {
            let options = SocketOptions { arrival_stamps, ..SocketOptions::default() };
            let (mut tcp, mut peer, counters) = pair(options).await;
            let arrival = tcp.arrival();
            for round in 0..50_u8 {
                let before = Clock.mono();
                peer.write_all(&[round; 1000]).await.unwrap();
                let mut bytes = [0; 1000];
                tcp.read_exact(&mut bytes).await.unwrap();
                assert_eq!(bytes, [round; 1000]);
                if let Some(at) = arrival.newest() {
                    assert!(at >= before && at <= Clock.mono(), "{before:?} {at:?}");
                }
            }
            let reads = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            assert!(reads(&counters.stamped) + reads(&counters.unstamped) >= 50);
            // Without being asked the kernel does not say; asked, not every kernel does.
            assert!(arrival_stamps || reads(&counters.stamped) == 0);
            drop(peer);
            assert_eq!(tcp.read(&mut [0; 8]).await.unwrap(), 0, "the end of the stream");
        }
    }

    #[test]
    fn a_stamp_of_a_clock_that_was_set_meanwhile_counts_for_nothing() {
        let now = clock::kernel_unix();
        let at = arrived(Nanos(now.0 - 5_000_000)).unwrap();
        assert!(Clock.mono().since(at) >= Nanos::from_millis(5));
        assert_eq!(arrived(now + Nanos::from_secs(3600)), None);
        assert_eq!(arrived(Nanos(now.0 - OLDEST.0)), None);
    }
}
