//! When to send again, and when to stop waiting: the two deadlines of anything that was sent.

use timer::Time;

use crate::settings::Timers;

/// The retransmission interval and the deadline of one request, reply or CANCEL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    repeat_at: Time,
    interval_ms: u32,
    expires_at: Time,
}

impl Pace {
    /// Nothing is sent again and nothing ends.
    pub(crate) const IDLE: Self = Self {
        repeat_at: Time::NEVER,
        interval_ms: 0,
        expires_at: Time::NEVER,
    };

    /// No retransmission until `expires_at`.
    pub(crate) const fn until(expires_at: Time) -> Self {
        Self {
            repeat_at: Time::NEVER,
            interval_ms: 0,
            expires_at,
        }
    }

    /// Retransmission from T1 on, unless the transport repeats by itself, until `expires_at`.
    pub(crate) fn start(now: Time, timers: &Timers, reliable: bool, expires_at: Time) -> Self {
        let interval_ms = timers.retr_timer1.max(1);
        let repeat_at = if reliable {
            Time::NEVER
        } else {
            now.plus_millis(u64::from(interval_ms))
        };
        Self {
            repeat_at,
            interval_ms,
            expires_at,
        }
    }

    pub(crate) const fn stop_repeating(&mut self) {
        self.repeat_at = Time::NEVER;
    }

    /// Goes over to T2 (RFC 3261 §17.1.2.2), if it repeats at all.
    pub(crate) fn slow_down(&mut self, now: Time, timers: &Timers) {
        if self.repeat_at != Time::NEVER {
            self.interval_ms = timers.retr_timer2.max(1);
            self.repeat_at = now.plus_millis(u64::from(self.interval_ms));
        }
    }

    /// Notes a retransmission: the interval doubles up to T2.
    pub(crate) fn repeated(&mut self, now: Time, timers: &Timers) {
        self.interval_ms = self
            .interval_ms
            .saturating_mul(2)
            .min(timers.retr_timer2.max(1));
        self.repeat_at = now.plus_millis(u64::from(self.interval_ms));
    }

    pub(crate) const fn expire_at(&mut self, at: Time) {
        self.expires_at = at;
    }

    pub(crate) fn expire_by(&mut self, at: Time) {
        self.expires_at = self.expires_at.min(at);
    }

    pub(crate) fn repeat_is_due(&self, now: Time) -> bool {
        self.repeat_at <= now
    }

    pub(crate) fn has_expired(&self, now: Time) -> bool {
        self.expires_at <= now
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.next() == Time::NEVER
    }

    pub(crate) fn next(&self) -> Time {
        self.repeat_at.min(self.expires_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_double_up_to_t2() {
        let timers = Timers::default();
        let mut pace = Pace::start(Time::ZERO, &timers, false, Time::from_millis(30_000));
        let mut sent = Vec::new();
        while !pace.has_expired(pace.next()) {
            let now = pace.next();
            sent.push(now.as_millis());
            pace.repeated(now, &timers);
        }
        assert_eq!(
            sent,
            [
                500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500
            ]
        );
    }

    #[test]
    fn a_reliable_transport_is_left_alone() {
        let timers = Timers::default();
        let mut pace = Pace::start(Time::ZERO, &timers, true, Time::from_millis(30_000));
        pace.slow_down(Time::ZERO, &timers);
        assert_eq!(pace.next(), Time::from_millis(30_000));
    }
}
