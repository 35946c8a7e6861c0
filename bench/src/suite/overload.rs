//! Twice what a server can carry: how much of its best it goes on carrying, and what becomes of the rest.

use std::io;
use std::time::Duration;

use super::Suite;
use super::contender::Contender;
use super::latency::quantiles;
use super::place::Place;
use super::run::{Bench, PROFILES};
use super::section::{Section, ratio};
use crate::load::tally::Counts;
use crate::server::Kind;

pub(super) fn measure(suite: &Suite<'_>) -> Section {
    let mut section = Section::new(
        "Overload",
        "Twice the highest rate that each carries on one core, the load on another one; what is not answered is sent \
         again, as phones do. Accepted is what was not refused with 503 and Retry-After; refused calls never reached the \
         callee. Lost before are calls of which no INVITE ever reached the callee, and nobody answered.",
        &[
            "offered/s",
            "server",
            "carried/s",
            "of its best",
            "refused with 503",
            "lost before",
            "accepted and failed",
            "sent again",
            "INVITE to 503 µs",
            "INVITE to 200 µs",
            "BYE to 200 µs",
        ],
    );
    for contender in suite.proxies() {
        eprintln!("{}, overload:", contender.name);
        section.attempt(&contender.name, |section| one(suite, contender, section));
    }
    section
}

fn one(suite: &Suite<'_>, contender: &Contender, section: &mut Section) -> io::Result<()> {
    let place = Place::OneCore;
    let best = suite.capacity(contender, place)?.run.rate;
    let mut bench = Bench::start(contender, PROFILES[0], place, suite.options)?;
    let offered = best * 2;
    let mut plan = bench.plan(offered, offered * suite.options.seconds);
    plan.retransmits = true;
    let report = bench.run_plan(plan)?.report;
    let counts = &report.tally.counts;
    let offering = suite.options.seconds as f64;
    let carried = report.carried() as f64 / offering;
    let broken = broken(counts);
    if contender.kind == Kind::Tandem && broken + counts.unexpected > 0 {
        section.fault(format!("{}: {report}", contender.name));
    } else {
        section.note(format!("{}: {counts}", contender.name));
    }
    let all = report.tally.all_latencies();
    section.row(vec![
        offered.to_string(),
        contender.name.clone(),
        format!("{carried:.0}"),
        ratio(carried, Some(best as f64)),
        counts.refused.to_string(),
        counts.lost_invites.to_string(),
        broken.to_string(),
        counts.sent_again.to_string(),
        quantiles(&all.to_refusal),
        quantiles(&all.to_200),
        quantiles(&all.bye),
    ]);
    // Calls that were given up may still be up in the server.
    bench.server.wait_for_transactions(Duration::from_secs(5));
    Ok(())
}

/// Calls that were accepted and did not go as they should.
fn broken(counts: &Counts) -> u64 {
    counts.rejected
        + counts.byes_rejected
        + counts.lost_answers
        + counts.lost_acks
        + counts.lost_byes
        + counts.lost_bye_oks
}
