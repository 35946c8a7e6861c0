//! Many calls at once: what memory one takes, what a further call costs beside them, and listing them.

use std::io;
use std::time::Duration;

use super::Suite;
use super::contender::Contender;
use super::listing;
use super::place::Place;
use super::run::{Bench, PROFILES, Run};
use super::section::{Section, or_dash, ratio, whole};
use crate::load::Hold;
use crate::server::Kind;

/// How long a transaction may outlive its call: bench.cfg asks for a second, RFC 6026 for 32.
const TRANSACTIONS: Duration = Duration::from_secs(40);
/// Calls begun a second beside those that are held.
pub(super) const BESIDE_RATE: u64 = 1_000;
/// Transactions of a run at the rate at which calls are made: what they need is there before memory is read.
const FILLING: Duration = Duration::from_secs(4);
/// Memory of a call is that of calls beyond this many: the first use what transactions left behind.
const MEMORY_FROM: u64 = 1_000;

/// With a number of calls up, and no transactions.
struct Level {
    calls: u64,
    resident: u64,
    /// What the server's own allocator gave out: Kamailio's shared memory.
    allocated: Option<u64>,
    run: Run,
}

pub(super) fn measure(suite: &Suite<'_>) -> Vec<Section> {
    let mut memory = Section::new(
        "Memory of a confirmed call",
        "Resident bytes of one call with two profiles and one `$dlg_var`, transactions gone: what was resident then, \
         less what was at the level before, for each of the calls between.",
        &[
            "calls up",
            "server",
            "resident bytes",
            "× Kamailio",
            "given out by its own allocator",
        ],
    );
    let mut flat = Section::new(
        "Cost of a call beside many others",
        format!("{BESIDE_RATE} calls/s of half a second, while others are up."),
        &[
            "calls up",
            "server",
            "CPU µs",
            "× the first level",
            "p50 µs",
            "p99 µs",
            "p99.9 µs",
            "failed",
        ],
    );
    let mut lists = listing::section();
    let mut kamailio: Vec<(u64, f64)> = Vec::new();
    for contender in suite.proxies() {
        eprintln!("{}, calls held:", contender.name);
        let levels = memory.attempt(&contender.name, |memory| {
            climb(suite, contender, memory, &mut lists)
        });
        let levels = levels.unwrap_or_default();
        print_memory(contender, &levels, &mut kamailio, &mut memory);
        print_flatness(contender, &levels, &mut flat);
    }
    let mut sections = vec![memory, flat];
    if suite.options.lists {
        sections.push(lists);
    }
    sections
}

/// From level to level, on one server.
fn climb(
    suite: &Suite<'_>,
    contender: &Contender,
    section: &mut Section,
    lists: &mut Section,
) -> io::Result<Vec<Level>> {
    let options = suite.options;
    let mut bench = Bench::start(contender, PROFILES[0], Place::TwoCores, options)?;
    bench.run(keep_rate(suite, contender), FILLING)?;
    let mut levels: Vec<Level> = Vec::new();
    let mut up = 0;
    for calls in options.levels.iter().copied() {
        let done = section.attempt(&contender.name, |section| {
            up += raise(
                suite,
                &mut bench,
                contender,
                calls.saturating_sub(up),
                section,
            )?;
            check(&bench, up, contender, section);
            let (resident, allocated) = (bench.server.memory(), allocated(&bench, contender.kind));
            let run = bench.run(BESIDE_RATE, Duration::from_secs(options.seconds))?;
            eprintln!("  beside {up} calls: {:.1} us a call", run.cpu.total());
            if contender.kind == Kind::Tandem && !run.report.is_clean() {
                section.fault(format!(
                    "{} beside {up} calls: {}",
                    contender.name, run.report
                ));
            }
            levels.push(Level {
                calls: up,
                resident,
                allocated,
                run,
            });
            Ok(())
        });
        if done.is_none() || !bench.server.is_alive() {
            break;
        }
    }
    if options.lists && bench.server.is_alive() && up > 0 {
        listing::measure(contender, &mut bench, up, lists);
    }
    Ok(levels)
}

/// Calls begun a second on the way to a level: half of what is carried, if that is known.
fn keep_rate(suite: &Suite<'_>, contender: &Contender) -> u64 {
    let known = suite.known_capacity(contender, Place::TwoCores);
    let careful = match contender.kind {
        Kind::Tandem => suite.options.keep_rate,
        Kind::Forwarder | Kind::Kamailio => BESIDE_RATE,
    };
    let most = known.map_or(careful, |carried| carried / 2);
    suite.options.keep_rate.min(most).max(1)
}

/// Makes calls that nobody ends; how many were answered.
fn raise(
    suite: &Suite<'_>,
    bench: &mut Bench,
    contender: &Contender,
    calls: u64,
    section: &mut Section,
) -> io::Result<u64> {
    if calls == 0 {
        return Ok(0);
    }
    let rate = keep_rate(suite, contender);
    eprintln!("  {calls} more calls at {rate} calls/s");
    let mut plan = bench.plan(rate, calls);
    plan.hold = Hold::Forever;
    plan.retransmits = true;
    let report = bench.run_plan(plan)?.report;
    let counts = &report.tally.counts;
    if report.failed() + counts.unexpected > 0 {
        section.note(format!("{}, {calls} calls held: {report}", contender.name));
    }
    let left = bench.server.wait_for_transactions(TRANSACTIONS);
    if left != Some(0) {
        let left = or_dash(left);
        section.note(format!("{}: {left} transactions were left", contender.name));
    }
    Ok(counts.answered)
}

/// The server counts as many calls as the load.
fn check(bench: &Bench, up: u64, contender: &Contender, section: &mut Section) {
    let counted = bench.server.calls();
    if counted == Some(up) {
        return;
    }
    let text = format!(
        "{}: {up} calls are up, the profile has {}",
        contender.name,
        or_dash(counted)
    );
    if contender.kind == Kind::Tandem {
        section.fault(text);
    } else {
        section.note(text);
    }
}

fn allocated(bench: &Bench, kind: Kind) -> Option<u64> {
    match kind {
        Kind::Kamailio => bench.server.control.number(&["core.shmmem"], "used"),
        Kind::Forwarder | Kind::Tandem => None,
    }
}

fn print_memory(
    contender: &Contender,
    levels: &[Level],
    kamailio: &mut Vec<(u64, f64)>,
    section: &mut Section,
) {
    let levels: Vec<&Level> = levels
        .iter()
        .filter(|level| level.calls >= MEMORY_FROM)
        .collect();
    for pair in levels.windows(2) {
        let [before, after] = pair else {
            continue;
        };
        let calls = (after.calls - before.calls).max(1) as f64;
        let each = |after: u64, before: u64| (after as f64 - before as f64) / calls;
        let resident = each(after.resident, before.resident);
        if contender.kind == Kind::Kamailio {
            kamailio.push((after.calls, resident));
        }
        let same = |(calls, _): &&(u64, f64)| calls.abs_diff(after.calls) < after.calls / 100 + 1;
        let other = kamailio.iter().find(same).map(|(_, bytes)| *bytes);
        let given = after.allocated.zip(before.allocated);
        section.row(vec![
            after.calls.to_string(),
            contender.name.clone(),
            whole(resident),
            ratio(resident, other),
            or_dash(given.map(|(after, before)| whole(each(after, before)))),
        ]);
    }
}

fn print_flatness(contender: &Contender, levels: &[Level], section: &mut Section) {
    let first = levels.first().map(|level| level.run.cpu.total());
    for level in levels {
        let cpu = level.run.cpu.total();
        let [p50, p99, p999] = level.run.one_way().map(|micros| micros.to_string());
        section.row(vec![
            level.calls.to_string(),
            contender.name.clone(),
            format!("{cpu:.1}"),
            ratio(cpu, first),
            p50,
            p99,
            p999,
            level.run.report.failed().to_string(),
        ]);
    }
}
