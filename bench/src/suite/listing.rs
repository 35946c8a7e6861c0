//! Listing all calls that are held, while others begin and end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::contender::Contender;
use super::held::BESIDE_RATE;
use super::run::Bench;
use super::section::Section;
use crate::control::{Door, Listed};
use crate::load::tally::Latencies;
use crate::load::{self, Live, Report};
use crate::server::Kind;

/// After this a list is given up.
const LIMIT: Duration = Duration::from_secs(90);
/// Calls before the list is asked for: their latencies are the measure.
const BEFORE: Duration = Duration::from_secs(5);
/// And after it.
const AFTER: Duration = Duration::from_secs(1);

pub(super) fn section() -> Section {
    Section::new(
        "Listing calls",
        format!(
            "All calls that are up, listed while {BESIDE_RATE} calls/s go on. Their latencies one way, before the list \
             was asked for and until it was there."
        ),
        &[
            "calls listed",
            "server",
            "command",
            "through",
            "first byte ms",
            "all ms",
            "MB",
            "p99 µs before",
            "p99 µs meanwhile",
            "p99.9 µs before",
            "p99.9 µs meanwhile",
            "failed",
        ],
    )
}

pub(super) fn measure(contender: &Contender, bench: &mut Bench, up: u64, section: &mut Section) {
    let doors = [Door::Json, Door::Binrpc, Door::Kamcmd];
    for command in ["dlg.list", "dlg.briefing"] {
        for door in doors {
            if !bench.server.is_alive() {
                section.fault(format!("{} has ended", contender.name));
                return;
            }
            let name = format!("{}, {command}, {}", contender.name, door.name());
            eprintln!("  {command}, {}", door.name());
            match list(bench, door, command) {
                Ok((listed, report)) => {
                    if contender.kind == Kind::Tandem && listed.calls < up && door != Door::Kamcmd {
                        section.fault(format!("{name}: {} of {up} calls listed", listed.calls));
                    }
                    section.row(cells(contender, command, door, &listed, &report));
                }
                Err(error) => section.note(format!("{name}: {error}")),
            }
            // What a list that failed left behind has to go first.
            bench.server.wait_for_transactions(Duration::from_secs(10));
        }
    }
}

/// Calls in a thread, the list in this one.
fn list(bench: &Bench, door: Door, command: &str) -> io::Result<(Listed, Report)> {
    let seconds = (BEFORE + LIMIT + AFTER).as_secs();
    let mut plan = bench.plan(BESIDE_RATE, BESIDE_RATE * seconds);
    plan.registers = false;
    let live = Arc::new(Live::default());
    plan.live = Arc::clone(&live);
    let (listed, report) = std::thread::scope(|scope| {
        let making = scope.spawn(|| load::run(plan));
        std::thread::sleep(BEFORE);
        live.phase.store(1, Ordering::Relaxed);
        let listed = bench.server.control.list(door, command, LIMIT);
        live.phase.store(2, Ordering::Relaxed);
        std::thread::sleep(AFTER);
        live.stop.store(true, Ordering::Relaxed);
        (listed, making.join())
    });
    let report = report.map_err(|_| io::Error::other("the load panicked"))??;
    Ok((listed?, report))
}

fn cells(
    contender: &Contender,
    command: &str,
    door: Door,
    listed: &Listed,
    report: &Report,
) -> Vec<String> {
    let millis = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
    let usual = |latencies: &Latencies| latencies.one_way().usual();
    let [_, p99_before, p999_before] = usual(&report.tally.latencies[0]);
    let [_, p99_meanwhile, p999_meanwhile] = usual(&report.tally.latencies[1]);
    vec![
        listed.calls.to_string(),
        contender.name.clone(),
        command.to_owned(),
        door.name().to_owned(),
        millis(listed.first),
        millis(listed.total),
        format!("{:.1}", listed.bytes as f64 / 1e6),
        p99_before.to_string(),
        p99_meanwhile.to_string(),
        p999_before.to_string(),
        p999_meanwhile.to_string(),
        report.failed().to_string(),
    ]
}
