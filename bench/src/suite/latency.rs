//! How long messages take at a half and at nine tenths of what two cores carry.

use std::time::Duration;

use super::Suite;
use super::place::Place;
use super::run::{Bench, PROFILES};
use super::section::Section;
use crate::histogram::Histogram;
use crate::server::Kind;

/// Percent of what is carried without a loss.
const SHARES: [u64; 2] = [50, 90];

pub(super) fn measure(suite: &Suite<'_>) -> Section {
    let mut section = Section::new(
        "Latency",
        "At a share of the highest rate that each carries on two cores; p50 / p99 / p99.9 in microseconds. One way is \
         INVITE and 200 together. All of it contains the kernel, the peers' wake-ups, and on a machine with no further \
         core the waiting for the load itself: the forwarder's rows show how much that is.",
        &[
            "of its capacity",
            "server",
            "calls/s",
            "one way",
            "INVITE to 100",
            "INVITE to 180",
            "INVITE to 200",
            "BYE to 200",
            "failed",
        ],
    );
    for contender in suite.contenders {
        let place = match contender.kind {
            Kind::Forwarder => Place::OneCore,
            Kind::Kamailio | Kind::Tandem => Place::TwoCores,
        };
        eprintln!("{}, latency:", contender.name);
        section.attempt(&contender.name, |section| {
            let capacity = suite.capacity(contender, place)?.run.rate;
            let mut bench = Bench::start(contender, PROFILES[0], place, suite.options)?;
            for share in SHARES {
                let rate = (capacity * share / 100).max(1);
                let run = bench.run(rate, Duration::from_secs(suite.options.seconds))?;
                if contender.kind == Kind::Tandem && !run.report.is_clean() {
                    let text = format!("{} at {share} %: {}", contender.name, run.report);
                    section.fault(text);
                }
                let all = run.report.tally.all_latencies();
                let shown = [all.one_way(), all.to_100, all.to_180, all.to_200, all.bye];
                let mut cells = vec![
                    format!("{share} %"),
                    contender.name.clone(),
                    rate.to_string(),
                ];
                cells.extend(shown.iter().map(quantiles));
                cells.push(run.report.failed().to_string());
                section.row(cells);
            }
            Ok(())
        });
    }
    section
}

/// p50 / p99 / p99.9.
pub(super) fn quantiles(histogram: &Histogram) -> String {
    if histogram.count() == 0 {
        return "–".to_owned();
    }
    let [p50, p99, p999] = histogram.usual();
    format!("{p50} / {p99} / {p999}")
}
