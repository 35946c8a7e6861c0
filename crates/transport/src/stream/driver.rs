//! The task of one connection: reads, splits, hands on, writes, and watches the time. It stops
//! reading while the peer does not read, and never waits for anything but the stream.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::time::{Instant, Sleep, sleep_until};

use super::connection::Connection;
use super::input::{Input, Next};
use super::worker::Worker;
use super::{ByteStream, CloseReason, Event, Incoming};

/// Reads and writes of one turn, after which other tasks of the worker have theirs.
const TURN: usize = 16;

/// Runs a connection until it ends; its output is why it did.
pub(super) struct Driver<S> {
    stream: S,
    connection: Rc<Connection>,
    worker: Rc<Worker>,
    input: Input,
    last_activity: Instant,
    /// Since when a message has been incomplete.
    partial_since: Option<Instant>,
    /// Since when the peer has not taken what waits for it.
    blocked_since: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
}

/// `Ready(Ok)` is progress, `Pending` nothing to do, an error the end.
type Step = Poll<Result<(), CloseReason>>;

impl<S: ByteStream> Driver<S> {
    pub(super) fn new(stream: S, connection: Rc<Connection>, worker: Rc<Worker>) -> Self {
        let now = Instant::now();
        let sleep = Box::pin(sleep_until(later(now, worker.settings().lifetime)));
        Self {
            stream,
            connection,
            worker,
            input: Input::new(),
            last_activity: now,
            partial_since: None,
            blocked_since: None,
            sleep,
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        for _ in 0..TURN {
            if let Some(reason) = self.connection.close_reason() {
                return Poll::Ready(reason);
            }
            let read = self.read(cx);
            let written = self.write(cx);
            self.connection.set_blocked(self.blocked_since.is_some());
            match (read, written) {
                (Poll::Ready(Err(reason)), _) | (_, Poll::Ready(Err(reason))) => {
                    return Poll::Ready(reason);
                }
                (Poll::Pending, Poll::Pending) => return self.watch(cx),
                _ => {}
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Step {
        // A peer that does not read its answers gets no more questions in.
        if self.connection.output().borrow().len() > self.worker.settings().connection_queue / 2 {
            return Poll::Pending;
        }
        let mut buffer = ReadBuf::new(self.input.room());
        let result = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
        let count = buffer.filled().len();
        if let Err(error) = result {
            return Poll::Ready(Err(CloseReason::Lost(error.kind())));
        }
        if count == 0 {
            return Poll::Ready(Err(CloseReason::Peer));
        }
        self.input.filled(count);
        self.worker.counters().received_bytes.add(count as u64);
        self.last_activity = Instant::now();
        Poll::Ready(self.split())
    }

    /// Hands on every whole message that has been read.
    fn split(&mut self) -> Result<(), CloseReason> {
        let counters = self.worker.counters();
        let settings = self.worker.settings();
        let mut taken = false;
        loop {
            match self.input.next(settings.length_optional) {
                Next::Message(range) => {
                    taken = true;
                    counters.received.increment();
                    self.worker.notify(Event::Message(Incoming {
                        bytes: self.input.message(range),
                        hop: self.connection.hop,
                    }));
                    if let Some(reason) = self.connection.close_reason() {
                        return Err(reason);
                    }
                }
                Next::KeepAlive(wants_pong) => {
                    counters.keepalives.increment();
                    if wants_pong && settings.crlf_ping {
                        self.connection.send_pong(settings, counters);
                    }
                }
                Next::Partial => break,
                Next::Bad(reason) => return Err(CloseReason::Framing(reason)),
            }
        }
        self.partial_since = match self.partial_since {
            _ if !self.input.has_begun_message() => None,
            Some(since) if !taken => Some(since),
            _ => Some(self.last_activity),
        };
        Ok(())
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Step {
        let connection = self.connection.clone();
        let mut output = connection.output().borrow_mut();
        let mut progress = false;
        while let Some(front) = output.front() {
            if output.is_at_end() {
                return self.end(cx);
            }
            let written = match Pin::new(&mut self.stream).poll_write(cx, front) {
                Poll::Ready(Ok(0)) => return lost(io::ErrorKind::WriteZero),
                Poll::Ready(Ok(written)) => written,
                Poll::Ready(Err(error)) => return lost(error.kind()),
                Poll::Pending => {
                    if progress || self.blocked_since.is_none() {
                        self.last_activity = Instant::now();
                        self.blocked_since = Some(self.last_activity);
                    }
                    return Poll::Pending;
                }
            };
            progress = true;
            let counters = self.worker.counters();
            counters.sent_bytes.add(written as u64);
            counters.queued_bytes.subtract(written as u64);
            counters.sent.add(u64::from(output.advance(written)));
        }
        if !progress && self.blocked_since.is_none() {
            return Poll::Pending;
        }
        // Plain TCP has nothing to flush; a stream that encrypts may keep a record back.
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(Ok(())) => {
                self.blocked_since = None;
                self.last_activity = Instant::now();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => lost(error.kind()),
            Poll::Pending => {
                self.blocked_since.get_or_insert_with(Instant::now);
                Poll::Pending
            }
        }
    }

    /// Everything before the end was written: the stream closes as soon as it has passed that on.
    fn end(&mut self, cx: &mut Context<'_>) -> Step {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Err(CloseReason::Requested)),
            Poll::Ready(Err(error)) => lost(error.kind()),
            Poll::Pending => {
                self.blocked_since.get_or_insert_with(Instant::now);
                Poll::Pending
            }
        }
    }

    /// Waits for the earliest deadline, when there is nothing else to do.
    fn watch(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        loop {
            let (deadline, reason) = self.deadline();
            // The timer is moved only towards us; if it fires early it is set again.
            if deadline < self.sleep.deadline() {
                self.sleep.as_mut().reset(deadline);
            }
            ready!(self.sleep.as_mut().poll(cx));
            if deadline <= Instant::now() {
                return Poll::Ready(reason);
            }
            self.sleep.as_mut().reset(deadline);
        }
    }

    fn deadline(&self) -> (Instant, CloseReason) {
        let settings = self.worker.settings();
        let idle = (
            later(self.last_activity, settings.lifetime),
            CloseReason::Idle,
        );
        let read = self.partial_since.map(|since| {
            (
                later(since, settings.message_timeout),
                CloseReason::ReadStalled,
            )
        });
        let write = self.blocked_since.map(|since| {
            (
                later(since, settings.send_timeout),
                CloseReason::WriteStalled,
            )
        });
        [read, write]
            .into_iter()
            .flatten()
            .fold(idle, |a, b| if b.0 < a.0 { b } else { a })
    }
}

impl<S: ByteStream> Future for Driver<S> {
    type Output = CloseReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let connection = self.connection.clone();
        connection.enter(cx.waker());
        let result = self.turn(cx);
        connection.leave();
        result
    }
}

fn lost(kind: io::ErrorKind) -> Step {
    Poll::Ready(Err(CloseReason::Lost(kind)))
}

/// `start` plus `duration`, or so late that it never comes.
fn later(start: Instant, duration: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    start + duration.min(NEVER)
}
