//! Prints what was measured, as Markdown.

use crate::build::Kind;
use crate::measure::{Held, Measured, Run};
use crate::options::Options;

/// Prints everything.
pub fn print(options: &Options, measured: &[Measured]) {
    println!("{}\n", machine());
    println!(
        "CPU of one call, of all threads and processes of the server, in microseconds; one way through it, INVITE and \
         200 together; {} s each, calls held for {} ms.\n",
        options.seconds,
        options.hold.as_millis()
    );
    println!(
        "| calls/s | server | CPU | user | kernel | × forwarder | × Kamailio | p50 µs | p99 µs | p99.9 µs | failed | the load's CPU |"
    );
    println!("|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for at in 0..options.rates.len() {
        let at_rate: Vec<(&Measured, &Run)> = measured
            .iter()
            .filter_map(|measured| Some((measured, measured.runs.get(at)?)))
            .collect();
        let cpu_of = |kind| {
            let of_kind = at_rate.iter().find(|(measured, _)| measured.kind == kind);
            of_kind.map(|(_, run)| run.cpu.total())
        };
        for (measured, run) in &at_rate {
            print_run(
                measured,
                run,
                [cpu_of(Kind::Forwarder), cpu_of(Kind::Kamailio)],
            );
        }
    }
    print_held(measured);
}

fn print_run(measured: &Measured, run: &Run, others: [Option<f64>; 2]) {
    let latency = run.report.latency();
    let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| latency.quantile(share));
    let [forwarder, kamailio] = others.map(|other| ratio(run.cpu.total(), other));
    println!(
        "| {} | {} | {:.0} | {:.0} | {:.0} | {forwarder} | {kamailio} | {p50} | {p99} | {p999} | {} | {:.0} |",
        run.rate,
        measured.name,
        run.cpu.total(),
        run.cpu.user,
        run.cpu.system,
        run.report.failed(),
        run.report.cpu.micros_each(run.report.caller.begun).total(),
    );
}

fn print_held(measured: &[Measured]) {
    let held: Vec<(&Measured, &Held)> = measured
        .iter()
        .filter_map(|measured| Some((measured, measured.held.as_ref()?)))
        .collect();
    let Some((_, first)) = held.first() else {
        return;
    };
    let kamailio = held
        .iter()
        .find(|(measured, _)| measured.kind == Kind::Kamailio)
        .map(|(_, held)| held.resident);
    println!(
        "\nMemory of one confirmed call, of {} beside as many others, transactions gone, in bytes.\n",
        first.calls
    );
    println!(
        "| server | resident | × Kamailio | given out by its own allocator | calls in the profile | transactions left | failed |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for (measured, held) in &held {
        println!(
            "| {} | {:.0} | {} | {} | {} | {} | {} |",
            measured.name,
            held.resident,
            ratio(held.resident, kamailio),
            held.allocated
                .map_or("–".to_owned(), |bytes| format!("{bytes:.0}")),
            or_dash(held.counted),
            or_dash(held.transactions),
            held.report.failed(),
        );
    }
}

fn ratio(own: f64, other: Option<f64>) -> String {
    match other {
        Some(other) if other > 0.0 => format!("{:.2}", own / other),
        _ => "–".to_owned(),
    }
}

fn or_dash(number: Option<u64>) -> String {
    number.map_or("–".to_owned(), |number| number.to_string())
}

/// The machine, and how busy others keep it: that is what makes figures of two runs differ.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(':'))
        .map_or("unknown CPU", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let loads = read("/proc/loadavg");
    let load = loads.split(' ').nth(1).unwrap_or("?").to_owned();
    format!(
        "{cores} cores of {model}, Linux {}; load average over 5 minutes at the end {load}.",
        kernel.trim()
    )
}
