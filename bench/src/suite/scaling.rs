//! What a call costs with one worker and with two.

use std::time::Duration;

use super::Suite;
use super::place::Place;
use super::run::{Bench, PROFILES};
use super::section::{Section, ratio};
use crate::server::Kind;

pub(super) fn measure(suite: &Suite<'_>) -> Section {
    let mut section = Section::new(
        "Scaling over cores",
        "CPU of a call with one worker on one core and with two on two. On a machine with two cores the load shares them \
         with the two workers.",
        &[
            "calls/s",
            "server",
            "1 worker, CPU µs",
            "2 workers, CPU µs",
            "2 against 1",
            "failed",
        ],
    );
    let is_tandem = |contender: &&super::Contender| contender.kind == Kind::Tandem;
    for contender in suite.contenders.iter().filter(is_tandem) {
        eprintln!("{}, one worker and two:", contender.name);
        section.attempt(&contender.name, |section| {
            let mut benches = Vec::new();
            for place in [Place::OneCore, Place::TwoCores] {
                let mut runs = Vec::new();
                let mut bench = Bench::start(contender, PROFILES[0], place, suite.options)?;
                for rate in suite.options.rates.iter().copied() {
                    runs.push(bench.run(rate, Duration::from_secs(suite.options.seconds))?);
                }
                benches.push(runs);
            }
            let [one, two] = benches.as_slice() else {
                return Ok(());
            };
            for (one, two) in one.iter().zip(two) {
                section.row(vec![
                    one.rate.to_string(),
                    contender.name.clone(),
                    format!("{:.1}", one.cpu.total()),
                    format!("{:.1}", two.cpu.total()),
                    ratio(two.cpu.total(), Some(one.cpu.total())),
                    (one.report.failed() + two.report.failed()).to_string(),
                ]);
            }
            if !suite.options.saturated.is_empty() {
                let one = suite.capacity(contender, Place::OneCore)?.run;
                let two = suite.capacity(contender, Place::TwoCores)?.run;
                section.note(format!(
                    "at most {} calls/s with one worker, {} with two",
                    one.rate, two.rate
                ));
            }
            Ok(())
        });
    }
    section
}
