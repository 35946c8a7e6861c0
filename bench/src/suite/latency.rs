//! How long messages take at a half and at nine tenths of what a server carries.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Suite;
use super::place::Place;
use super::run::{Bench, PROFILES};
use super::section::Section;
use crate::histogram::Histogram;
use crate::load::tally::Latencies;
use crate::load::{self, Live, Report};
use crate::server::Kind;

/// Percent of what is carried without a loss.
const SHARES: [u64; 2] = [50, 90];
/// What happens so long after the first call is not counted: the server's memory grows to what this rate needs.
const SETTLING: Duration = Duration::from_secs(4);

pub(super) fn measure(suite: &Suite<'_>) -> Section {
    let mut section = Section::new(
        "Latency",
        "At a share of the highest rate that each carries, on two cores, or on one where the load would have to share \
         them; p50 / p99 / p99.9 in microseconds, without the first four seconds. One way is INVITE and 200 together, from \
         before the system call that sends it to the kernel's receipt of it at the other end: so the server's own wake-up \
         is part of it, and the load's is not. The forwarder's rows show what the kernel and the machine alone take.",
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
            Kind::Kamailio | Kind::Tandem => Place::with(suite.options.cores),
        };
        eprintln!("{}, latency:", contender.name);
        section.attempt(&contender.name, |section| {
            let capacity = suite.capacity(contender, place)?.run.rate;
            let mut bench = Bench::start(contender, PROFILES[0], place, suite.options)?;
            for share in SHARES {
                let rate = (capacity * share / 100).max(1);
                let (all, report) = run(&mut bench, rate, suite.options.seconds)?;
                if contender.kind == Kind::Tandem && !report.is_clean() {
                    section.fault(format!("{} at {share} %: {report}", contender.name));
                }
                let shown = [all.one_way(), all.to_100, all.to_180, all.to_200, all.bye];
                let mut cells = vec![
                    format!("{share} %"),
                    contender.name.clone(),
                    rate.to_string(),
                ];
                cells.extend(shown.iter().map(quantiles));
                cells.push(report.failed().to_string());
                section.row(cells);
            }
            Ok(())
        });
    }
    section
}

/// The latencies of so many seconds at a rate, once the server has settled.
fn run(bench: &mut Bench, rate: u64, seconds: u64) -> io::Result<(Latencies, Report)> {
    let mut plan = bench.plan(rate, rate * (seconds + SETTLING.as_secs()));
    let live = Arc::new(Live::default());
    plan.live = Arc::clone(&live);
    let report = std::thread::scope(|scope| {
        let making = scope.spawn(|| load::run(plan));
        std::thread::sleep(SETTLING);
        live.phase.store(1, Ordering::Relaxed);
        making.join()
    });
    let report = report.map_err(|_| io::Error::other("the load panicked"))??;
    Ok((report.tally.latencies[1].clone(), report))
}

/// p50 / p99 / p99.9.
pub(super) fn quantiles(histogram: &Histogram) -> String {
    if histogram.count() == 0 {
        return "–".to_owned();
    }
    let [p50, p99, p999] = histogram.usual();
    format!("{p50} / {p99} / {p999}")
}
