//! Rings between threads: bounded, wait-free, one producer each.
//!
//! An [`Inbox`] belongs to one ordinary thread (the engine) that parks when all its rings are empty. An outbox goes
//! the other way, from that thread to an async task: pushing never waits, so the engine never waits for a reader.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use rtrb::{Consumer, Producer, PushError, RingBuffer};
use tokio::sync::Notify;

use crate::cpu::PollMode;

/// Wakes the thread that owns an inbox, at the price of one atomic swap when it is awake.
#[derive(Debug, Default)]
struct Waker {
    thread: OnceLock<Thread>,
    parked: AtomicBool,
}

impl Waker {
    fn wake(&self) {
        // Pairs with the fence in `Inbox::wait`: either the owner sees the pushed value, or we see it parked.
        fence(Ordering::SeqCst);
        if self.parked.load(Ordering::Relaxed)
            && self.parked.swap(false, Ordering::Relaxed)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }
}

/// What one thread receives: several rings, popped in turn.
#[derive(Debug)]
pub struct Inbox<T> {
    rings: Vec<Consumer<T>>,
    next: usize,
    waker: Arc<Waker>,
    mode: PollMode,
}

/// How long `PollMode::Adaptive` looks again before it parks.
const ADAPTIVE_SPINS: u32 = 2_000;

impl<T> Inbox<T> {
    /// One inbox with a ring of each capacity.
    #[must_use]
    pub fn new<const N: usize>(mode: PollMode, capacities: [usize; N]) -> (Self, [InboxSender<T>; N]) {
        let waker = Arc::new(Waker::default());
        let mut rings = Vec::with_capacity(N);
        let senders = capacities.map(|capacity| {
            let (producer, consumer) = RingBuffer::new(capacity);
            rings.push(consumer);
            InboxSender {
                ring: Arc::new(Mutex::new(producer)),
                waker: Arc::clone(&waker),
                stalls: Arc::new(AtomicU64::new(0)),
            }
        });
        (Self { rings, next: 0, waker, mode }, senders)
    }

    /// The next value, rings taken in turn so that a busy one can't starve the others.
    pub fn pop(&mut self) -> Option<T> {
        for step in 0..self.rings.len() {
            let at = (self.next + step) % self.rings.len();
            if let Ok(value) = self.rings[at].pop() {
                self.next = (at + 1) % self.rings.len();
                return Some(value);
            }
        }
        None
    }

    /// Whether every ring is empty now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rings.iter().all(Consumer::is_empty)
    }

    /// Returns when something may have arrived or `timeout` is over. Call it from the owning thread only.
    pub fn wait(&mut self, timeout: Duration) {
        let spins = match self.mode {
            PollMode::Park => 0,
            PollMode::Adaptive => ADAPTIVE_SPINS,
            // The caller's loop does the spinning; it has a deadline to watch.
            PollMode::Spin => {
                std::hint::spin_loop();
                return;
            }
        };
        for _ in 0..spins {
            if !self.is_empty() {
                return;
            }
            std::hint::spin_loop();
        }
        self.waker.thread.get_or_init(std::thread::current);
        self.waker.parked.store(true, Ordering::Relaxed);
        // Pairs with the fence in `Waker::wake`.
        fence(Ordering::SeqCst);
        if self.is_empty() {
            std::thread::park_timeout(timeout);
        }
        self.waker.parked.store(false, Ordering::Relaxed);
    }
}

/// The producing side of one ring of an inbox. Clones share the ring; they belong to the tasks of one thread, so the
/// lock between them is never contended.
#[derive(Debug)]
pub struct InboxSender<T> {
    ring: Arc<Mutex<Producer<T>>>,
    waker: Arc<Waker>,
    stalls: Arc<AtomicU64>,
}

impl<T> Clone for InboxSender<T> {
    fn clone(&self) -> Self {
        Self {
            ring: Arc::clone(&self.ring),
            waker: Arc::clone(&self.waker),
            stalls: Arc::clone(&self.stalls),
        }
    }
}

/// The owner of the inbox is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the receiving thread has ended")]
pub struct Gone;

impl<T> InboxSender<T> {
    /// Pushes without waiting; gives the value back when the ring is full.
    pub fn try_push(&self, value: T) -> Result<(), T> {
        let pushed = self.ring.lock().unwrap_or_else(PoisonError::into_inner).push(value);
        match pushed {
            Ok(()) => {
                self.waker.wake();
                Ok(())
            }
            Err(PushError::Full(value)) => Err(value),
        }
    }

    /// Pushes, waiting while the ring is full: the pressure then goes back to the socket, and nothing is lost.
    pub async fn push(&self, mut value: T) -> Result<(), Gone> {
        loop {
            match self.try_push(value) {
                Ok(()) => return Ok(()),
                Err(back) => value = back,
            }
            if self.ring.lock().unwrap_or_else(PoisonError::into_inner).is_abandoned() {
                return Err(Gone);
            }
            self.stalls.fetch_add(1, Ordering::Relaxed);
            self.waker.wake();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// How often a push had to wait for space.
    #[must_use]
    pub fn stalls(&self) -> u64 {
        self.stalls.load(Ordering::Relaxed)
    }
}

/// A ring from an ordinary thread to one async task.
#[must_use]
pub fn outbox<T>(capacity: usize) -> (OutboxSender<T>, OutboxReceiver<T>) {
    let (producer, consumer) = RingBuffer::new(capacity);
    let notify = Arc::new(Notify::new());
    (
        OutboxSender { ring: producer, waiting: Waiting(Arc::clone(&notify)) },
        OutboxReceiver { ring: consumer, notify },
    )
}

#[derive(Debug)]
pub struct OutboxSender<T> {
    ring: Producer<T>,
    // Declared, and so dropped, after the ring: whoever is woken by it finds the ring abandoned.
    waiting: Waiting,
}

/// Wakes the receiver, at the latest when the sender goes away.
#[derive(Debug)]
struct Waiting(Arc<Notify>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl<T> OutboxSender<T> {
    /// Pushes without waiting; gives the value back when the ring is full.
    pub fn try_push(&mut self, value: T) -> Result<(), T> {
        match self.ring.push(value) {
            Ok(()) => {
                self.waiting.0.notify_one();
                Ok(())
            }
            Err(PushError::Full(value)) => Err(value),
        }
    }
}

#[derive(Debug)]
pub struct OutboxReceiver<T> {
    ring: Consumer<T>,
    notify: Arc<Notify>,
}

impl<T> OutboxReceiver<T> {
    /// The next value; `None` once the sender is gone and everything was taken. Cancel-safe.
    pub async fn recv(&mut self) -> Option<T> {
        loop {
            // Read before the pop: a value pushed before the sender went away must still be delivered.
            let gone = self.ring.is_abandoned();
            if let Ok(value) = self.ring.pop() {
                return Some(value);
            }
            if gone {
                return None;
            }
            self.notify.notified().await;
        }
    }

    /// The next value if there is one now.
    pub fn try_recv(&mut self) -> Option<T> {
        self.ring.pop().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parked_owner_receives_everything_that_many_wake_ups_bring() {
        let (mut inbox, [first, second]) = Inbox::new(PollMode::Park, [4, 4]);
        let producers: Vec<_> = [first, second]
            .into_iter()
            .map(|sender| {
                std::thread::spawn(move || {
                    for value in 0..5_000_u32 {
                        let mut value = value;
                        while let Err(back) = sender.try_push(value) {
                            value = back;
                            std::thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        let mut taken = 0;
        while taken < 10_000 {
            match inbox.pop() {
                Some(_) => taken += 1,
                // A lost wake-up would show as a test that runs for hours.
                None => inbox.wait(Duration::from_secs(3_600)),
            }
        }
        for producer in producers {
            producer.join().unwrap();
        }
        assert!(inbox.is_empty());
    }

    #[test]
    fn a_busy_ring_does_not_starve_the_other() {
        let (mut inbox, [busy, quiet]) = Inbox::new(PollMode::Park, [8, 8]);
        for _ in 0..8 {
            busy.try_push("busy").unwrap();
        }
        quiet.try_push("quiet").unwrap();
        let firsts: Vec<_> = (0..2).filter_map(|_| inbox.pop()).collect();
        assert!(firsts.contains(&"quiet"), "{firsts:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_ring_makes_the_sender_wait_and_counts_it() {
        let (mut inbox, [sender]) = Inbox::new(PollMode::Park, [1]);
        sender.push(1).await.unwrap();
        assert_eq!(sender.try_push(2), Err(2));
        let waiting = tokio::spawn({
            let sender = sender.clone();
            async move { sender.push(2).await }
        });
        while sender.stalls() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(inbox.pop(), Some(1));
        assert_eq!(waiting.await.unwrap(), Ok(()));
        assert_eq!(inbox.pop(), Some(2));
        drop(inbox);
        sender.try_push(3).unwrap();
        assert_eq!(sender.push(4).await, Err(Gone));
    }

    #[tokio::test]
    async fn a_waiting_receiver_hears_that_its_sender_went_away() {
        for _ in 0..2_000 {
            let (sender, mut receiver) = outbox::<u32>(1);
            let thread = std::thread::spawn(move || drop(sender));
            // A lost wake-up would show as a test that never ends.
            assert_eq!(receiver.recv().await, None);
            thread.join().unwrap();
        }
    }

    #[tokio::test]
    async fn an_outbox_delivers_what_was_pushed_before_its_sender_went_away() {
        let (mut sender, mut receiver) = outbox(4);
        let thread = std::thread::spawn(move || {
            sender.try_push(1).unwrap();
            sender.try_push(2).unwrap();
        });
        assert_eq!(receiver.recv().await, Some(1));
        assert_eq!(receiver.recv().await, Some(2));
        assert_eq!(receiver.recv().await, None);
        thread.join().unwrap();
    }
}
