//! What a phone is like: how it answers, when it hangs up, and how it misbehaves.

use crate::random::Random;

/// What a phone will do, drawn at its birth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub(crate) ring: bool,
    pub(crate) answer: u16,
    pub(crate) answer_after: u64,
    pub(crate) cancel_after: Option<u64>,
    pub(crate) hang_up_after: Option<u64>,
    pub(crate) within_after: Option<u64>,
    pub(crate) vanish_after: Option<u64>,
    pub(crate) acknowledges: bool,
    /// It wants credentials from whoever calls it.
    pub(crate) challenges: bool,
    /// What its call is to go through.
    pub(crate) plan: &'static str,
}

/// What `proxy.cfg` knows to do with a call.
const PLANS: [&str; 14] = [
    "",
    "",
    "",
    "",
    "bye",
    "bye caller",
    "bye twice",
    "refer",
    "refer callee",
    "bridge",
    "within",
    "within",
    "profiles",
    "short",
];

impl Script {
    /// A phone of the given temper.
    pub(crate) fn draw(random: &mut Random, caller: bool) -> Self {
        let within = |random: &mut Random| Some(random.between(500, 20_000));
        Self {
            ring: random.percent(80),
            answer: *random.pick(&[200, 200, 200, 200, 200, 200, 486, 404, 503, 603, 302, 0]),
            answer_after: random.between(1, 9_000),
            cancel_after: (caller && random.percent(15)).then(|| random.between(1, 9_000)),
            hang_up_after: if random.percent(60) {
                within(random)
            } else {
                None
            },
            within_after: if random.percent(30) {
                within(random)
            } else {
                None
            },
            vanish_after: if random.percent(8) {
                within(random)
            } else {
                None
            },
            acknowledges: random.percent(97),
            challenges: !caller && random.percent(20),
            plan: *random.pick(&PLANS[..]),
        }
    }
}
