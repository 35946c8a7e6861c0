//! Log lines about scripts that take long (`latency_limit_action`, `latency_limit_cfg`). The time that a run waits
//! does not count: it holds nobody up.

use script::Place;

use crate::log::Log;

/// What is measured, and by which clock.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// A clock, in microseconds from any start.
    pub clock: fn() -> u64,
    /// Function calls that take at least so long are logged, µs; 0 none.
    pub action_limit: u64,
    /// At this level.
    pub action_level: i32,
    /// Requests and replies that take at least so long are logged, µs; 0 all.
    pub run_limit: u64,
    /// At this level.
    pub run_level: i32,
}

impl Latency {
    /// What a configuration wants measured; none if nobody would see it.
    pub fn wanted(settings: &script::Settings, log: &Log, clock: fn() -> u64) -> Option<Self> {
        let number = |name: &str| u64::try_from(settings.int(name)).unwrap_or(0);
        let level = |name: &str| i32::try_from(settings.int(name)).unwrap_or(0);
        let latency = Self {
            clock,
            action_limit: number("latency_limit_action"),
            action_level: level("latency_log"),
            run_limit: number("latency_limit_cfg"),
            run_level: level("latency_cfg_log"),
        };
        let asked = settings.is_set("latency_cfg_log") || latency.run_limit > 0;
        let runs = asked && log.enabled(latency.run_level);
        (runs || latency.action_limit > 0).then_some(latency)
    }

    /// A function call that began at `start` has ended.
    pub(crate) fn called(&self, log: &Log, start: u64, function: &str, place: Place<'_>) {
        let took = (self.clock)().saturating_sub(start);
        if self.action_limit == 0 || took < self.action_limit || !log.enabled(self.action_level) {
            return;
        }
        let text = format!(
            "alert - action [{function}] cfg [{}:{}] took too long [{took} us]",
            place.file, place.line
        );
        log.line(self.action_level, "core", &text);
    }

    /// A message has been worked on for so long, µs.
    pub(crate) fn worked(&self, log: &Log, is_request: bool, took: u64) {
        if took < self.run_limit || !log.enabled(self.run_level) {
            return;
        }
        let kind = if is_request { "request" } else { "reply" };
        let text = format!("{kind}-route executed in: {took} usec");
        log.line(self.run_level, "core", &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency(run_limit: u64) -> Latency {
        Latency {
            clock: || 100,
            action_limit: 30,
            action_level: -1,
            run_limit,
            run_level: 1,
        }
    }

    #[test]
    fn what_is_quick_is_not_told() {
        let (log, lines) = Log::memory(3);
        let place = Place {
            file: "a.cfg",
            line: 7,
            column: 1,
            block: "request_route",
        };
        latency(10).called(&log, 71, "xlog", place);
        latency(10).worked(&log, true, 9);
        assert!(lines.lock().is_empty());
        latency(10).called(&log, 60, "xlog", place);
        latency(10).worked(&log, false, 12);
        let told = [
            "ERROR: <core>: alert - action [xlog] cfg [a.cfg:7] took too long [40 us]",
            "NOTICE: <core>: reply-route executed in: 12 usec",
        ];
        assert_eq!(*lines.lock(), told);
    }
}
