//! When more comes in than can be worked on, new calls are refused at once, so that those that are there go on.
//! What decides is how long datagrams have waited in the socket, and not how many there are.

use std::time::Duration;

use sip::build::{Reply, Source};
use sip::{Hop, Message, Method};
use timer::Time;
use transaction::Output;

use crate::engine::Engine;
use crate::local::Local;
use crate::outgoing::reply_way;

/// How long datagrams may wait, and for how long that may last, before new calls are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The wait above which new calls are refused; zero never refuses any.
    pub wait: Duration,
    /// How long the queue must not have been empty, with every batch over the limit: a short stall is no overload.
    pub standing_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wait: Duration::from_millis(20),
            standing_ms: 50,
        }
    }
}

/// What one read of a socket tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// How long the datagram that waited longest had waited.
    pub waited: Duration,
    /// The queue was longer than the batch.
    pub was_full: bool,
    /// The kernel has dropped datagrams since the read before: the queue has no room for a long wait.
    pub dropped: bool,
}

/// Whether one worker is overloaded.
///
/// | state | the queue was emptied, or had not waited long | it stands: the batch is full and had waited too long, or datagrams were dropped |
/// |---|---|---|
/// | calm | calm | standing; overloaded if datagrams were dropped |
/// | standing | calm | overloaded, once it has lasted or datagrams were dropped |
/// | overloaded | takes calls; calm, once it has lasted | refuses calls |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overload {
    state: State,
    refuses: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Calm,
    /// Since then, every batch was full and had waited too long.
    Standing(Time),
    /// Overloaded, and never over the limit since then.
    Overloaded(Time),
}

impl Overload {
    /// Takes note of a batch, before the messages in it are worked on.
    pub fn observe(&mut self, batch: Batch, limits: &Limits, now: Time) {
        let too_long = batch.waited > limits.wait || batch.dropped;
        let stands = batch.was_full && too_long && !limits.wait.is_zero();
        let lasted = |since: Time| now.millis_since(since) >= limits.standing_ms;
        self.state = match self.state {
            State::Calm if stands && batch.dropped => State::Overloaded(now),
            State::Calm if stands => State::Standing(now),
            State::Standing(since) if stands && (batch.dropped || lasted(since)) => {
                State::Overloaded(now)
            }
            State::Standing(since) if stands => State::Standing(since),
            State::Overloaded(_) if stands => State::Overloaded(now),
            State::Overloaded(since) if !lasted(since) => State::Overloaded(since),
            State::Calm | State::Standing(_) | State::Overloaded(_) => State::Calm,
        };
        self.refuses = stands && matches!(self.state, State::Overloaded(_));
    }

    /// Whether it is, or was a moment ago.
    pub const fn is_calm(&self) -> bool {
        !matches!(self.state, State::Overloaded(_))
    }

    /// Whether new calls are to be refused now.
    pub const fn refuses(&self) -> bool {
        self.refuses
    }
}

/// Whether a request would begin something new. What belongs to a call, or to a transaction, goes on.
pub(crate) fn begins(message: &Message) -> bool {
    message.is_request()
        && !matches!(message.method(), Method::Ack | Method::Cancel)
        && message.to_tag().is_none_or(<[u8]>::is_empty)
}

/// Whether a message is the ACK to a refusal: nothing is to be done about it.
pub(crate) fn acknowledges(engine: &Engine, message: &Message) -> bool {
    let of_ours = || engine.identity.stateless_to_tag(message);
    message.method() == Method::Ack
        && message.is_request()
        && message.to_tag().is_some_and(|tag| tag == of_ours())
}

/// The lengths of refusals are multiples of this: those to one peer are then mostly alike, and sent together.
const REFUSAL_MULTIPLE: usize = 64;

/// The refusal of a request: 503, and when to come back, not at the same time for all (RFC 3261 §21.5.4).
pub(crate) fn refusal(engine: &Local, request: &Message, hop: Hop, key: u64) -> Output {
    let to_tag = engine.identity.stateless_to_tag(request);
    let mut retry_after = *b"Retry-After: 1\r\n";
    retry_after[13] += (key % 9) as u8;
    let force_rport = engine.settings.force_rport;
    let reply = Reply {
        to_tag: Some(&to_tag),
        source: Some(Source {
            address: hop.remote,
            force_rport,
        }),
        headers: &retry_after,
        multiple_of: REFUSAL_MULTIPLE,
        ..Reply::new(503, b"Service Unavailable")
    };
    Output::Send {
        hop: reply_way(request, hop, force_rport, engine.settings.reply_to_via),
        bytes: engine.bytes(|bytes| reply.write(request, bytes)),
    }
}

/// Appends refusals, those of one length to one peer side by side.
pub(crate) fn send_together(refusals: &mut Vec<Output>, outputs: &mut Vec<Output>) {
    refusals.sort_by_key(|Output::Send { hop, bytes }| (hop.socket, hop.remote, bytes.len()));
    outputs.append(refusals);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        wait: Duration::from_millis(20),
        standing_ms: 50,
    };

    /// What is refused when batches come every 10 ms with these waits in ms; 0 stands for an emptied queue.
    fn refused(waits: &[u64], dropped: bool) -> Vec<bool> {
        let mut overload = Overload::default();
        let step = |(at, wait): (usize, &u64)| {
            let batch = Batch {
                waited: Duration::from_millis(*wait),
                was_full: *wait > 0,
                dropped,
            };
            overload.observe(batch, &LIMITS, Time::from_millis(1_000 + 10 * at as u64));
            overload.refuses()
        };
        waits.iter().enumerate().map(step).collect()
    }

    #[test]
    fn a_short_stall_refuses_nobody() {
        assert!(!refused(&[80, 80, 60, 40, 0, 90, 70, 50, 10, 90], false).contains(&true));
    }

    #[test]
    fn a_standing_queue_refuses_calls_while_it_is_too_long() {
        let waits = [25, 30, 40, 50, 60, 70, 60, 19, 30, 0, 30];
        let expected = [
            false, false, false, false, false, true, true, false, true, false, true,
        ];
        assert_eq!(refused(&waits, false), expected);
    }

    #[test]
    fn it_is_over_when_the_queue_has_been_short_for_a_while() {
        let mut waits = vec![30; 7];
        waits.extend([5; 6]);
        waits.push(30);
        let seen = refused(&waits, false);
        assert_eq!(&seen[5..7], [true, true]);
        assert!(!seen[7..].contains(&true));
    }

    #[test]
    fn a_full_socket_is_overload_at_once() {
        assert_eq!(refused(&[21, 1, 0, 21], true), [true, true, false, true]);
    }

    #[test]
    fn no_limit_refuses_nobody() {
        let mut overload = Overload::default();
        let batch = Batch {
            waited: Duration::from_secs(9),
            was_full: true,
            dropped: true,
        };
        let limits = Limits {
            wait: Duration::ZERO,
            ..LIMITS
        };
        overload.observe(batch, &limits, Time::from_millis(5));
        assert!(!overload.refuses());
    }
}
