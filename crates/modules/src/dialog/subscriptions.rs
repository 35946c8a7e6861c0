//! What REFERs of our own bring back: NOTIFYs that say how the reference fares (RFC 3515 §2.4.4), and the
//! BYE of somebody who was called only to be referred.

use std::collections::HashMap;

use engine::Run;
use parking_lot::Mutex;
use sip::Method;
use timer::Time;

use super::state::State;

/// A reference may take this long.
const OPEN_MS: u64 = 180_000;
/// Its last word may be repeated for this long (RFC 3261 timer H).
const CLOSED_MS: u64 = 32_000;
/// References under way at most.
const MAX: usize = 100_000;

/// Call-ID, and the tag of the party that was referred.
type Key = (Vec<u8>, Vec<u8>);

#[derive(Debug)]
struct Reference {
    until: Time,
    /// The dialog is one of our own making: whatever ends it is for us, too.
    is_own: bool,
}

/// The references under way.
#[derive(Debug, Default)]
pub(super) struct Subscriptions(Mutex<HashMap<Key, Reference>>);

impl Subscriptions {
    /// Expects word of a reference. False when too many are under way.
    pub(super) fn open(&self, call_id: &[u8], tag: &[u8], is_own: bool, now: Time) -> bool {
        let until = now.plus_millis(OPEN_MS);
        let mut open = self.0.lock();
        if open.len() >= MAX {
            return false;
        }
        let key = (call_id.to_vec(), tag.to_vec());
        open.insert(key, Reference { until, is_own });
        true
    }

    /// Forgets those that nothing more comes of. To be called about once a second.
    pub(super) fn sweep(&self, now: Time) {
        self.0.lock().retain(|_, reference| reference.until > now);
    }

    /// Whether a request is about a reference; its last word leaves only repetitions to come.
    fn takes(&self, key: &Key, method: Method, is_last: bool, now: Time) -> bool {
        let mut open = self.0.lock();
        let Some(reference) = open.get_mut(key) else {
            return false;
        };
        if method == Method::Bye && !reference.is_own {
            return false;
        }
        if is_last {
            reference.until = reference.until.min(now.plus_millis(CLOSED_MS));
        }
        true
    }
}

/// Answers a request that a reference brought, so that no script has to know of it.
pub(super) fn request_in(run: &mut Run) {
    let message = &run.msg.message;
    let method = message.method();
    if !matches!(method, Method::Notify | Method::Bye) || message.to_tag().is_none() {
        return;
    }
    let header = |name: &[u8]| message.header_by_name(name).map(|header| header.value);
    let is_refer = |value: &[u8]| value.trim_ascii_start().starts_with(b"refer");
    if method == Method::Notify && !header(b"Event").is_some_and(is_refer) {
        return;
    }
    let (Some(call_id), Some(tag)) = (message.call_id(), message.from_tag()) else {
        return;
    };
    let key = (sip::trim(call_id).to_vec(), tag.to_vec());
    let is_last = header(b"Subscription-State")
        .is_none_or(|value| value.trim_ascii_start().starts_with(b"terminated"));
    let now = run.now.time;
    if run
        .state::<State>()
        .subscriptions
        .takes(&key, method, is_last, now)
    {
        run.answer_stateless(200, b"OK");
        run.finished = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_may_be_repeated_for_a_while() {
        let subscriptions = Subscriptions::default();
        let key = (b"id".to_vec(), b"tag".to_vec());
        let at = Time::from_millis;
        let takes = |method, is_last, ms| subscriptions.takes(&key, method, is_last, at(ms));
        assert!(!takes(Method::Notify, false, 0));
        assert!(subscriptions.open(b"id", b"tag", false, at(0)));
        assert!(takes(Method::Notify, false, 1));
        assert!(!takes(Method::Bye, true, 1));
        assert!(takes(Method::Notify, true, 1000));
        subscriptions.sweep(at(32_000));
        assert!(takes(Method::Notify, true, 32_500));
        subscriptions.sweep(at(33_000));
        assert!(!takes(Method::Notify, true, 33_000));
    }
}
