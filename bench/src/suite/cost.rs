//! What a call costs: CPU at each rate and saturated, beside the forwarder at the same rate and beside Kamailio.

use std::time::Duration;

use super::Suite;
use super::capacity::Capacity;
use super::contender::Contender;
use super::place::Place;
use super::run::{Bench, PROFILES, Profile, Run};
use super::section::{Section, ratio, whole};
use crate::server::Kind;

/// One row to be.
struct Measured {
    contender: usize,
    place: Place,
    is_saturated: bool,
    run: Run,
    remark: &'static str,
}

impl Measured {
    /// A contender at the most that it carries.
    fn at_most(contender: usize, place: Place, found: Capacity) -> Self {
        Self {
            contender,
            place,
            is_saturated: true,
            run: found.run,
            remark: if found.is_of_the_load {
                " (the load's limit)"
            } else {
                ""
            },
        }
    }
}

const COLUMNS: [&str; 13] = [
    "calls/s",
    "on",
    "server",
    "CPU µs",
    "user",
    "kernel",
    "× forwarder",
    "× Kamailio",
    "CPUs busy",
    "p50 µs",
    "p99 µs",
    "p99.9 µs",
    "failed",
];

/// One section for each profile.
pub(super) fn measure(suite: &Suite<'_>) -> Vec<Section> {
    let wanted = |profile: &&Profile| {
        suite
            .options
            .profiles
            .iter()
            .any(|name| name == profile.name)
    };
    let profiles = PROFILES.iter().filter(wanted);
    profiles
        .map(|profile| measure_profile(suite, *profile))
        .collect()
}

fn measure_profile(suite: &Suite<'_>, profile: Profile) -> Section {
    let options = suite.options;
    let intro = format!(
        "CPU of one whole call, of all threads and processes of the server; one way through it, INVITE and 200 \
         together; {} s each, calls held for {} ms. A row marked = is the forwarder at a rate that another one \
         carried at most.",
        options.seconds,
        options.hold.as_millis()
    );
    let mut section = Section::new(
        format!("Cost of a call: {}", profile.title),
        intro,
        &COLUMNS,
    );
    let mut measured = Vec::new();
    for (at, contender) in suite.contenders.iter().enumerate() {
        if contender.kind == Kind::Forwarder {
            continue;
        }
        eprintln!("{}, {}:", contender.name, profile.name);
        section.attempt(&contender.name, |section| {
            at_rates(suite, at, profile, &mut measured, section)
        });
        for place in options.saturated.iter().copied().map(Place::with) {
            section.attempt(&contender.name, |_| {
                let found = suite.capacity_with(contender, profile, place)?;
                measured.push(Measured::at_most(at, place, found));
                Ok(())
            });
        }
    }
    // It takes datagrams of one branch: for anything else there is no such floor.
    if ["base", "edits"].contains(&profile.name) {
        measure_forwarder(suite, &mut measured, &mut section);
    }
    print(suite.contenders, measured, &mut section);
    section
}

fn at_rates(
    suite: &Suite<'_>,
    at: usize,
    profile: Profile,
    measured: &mut Vec<Measured>,
    section: &mut Section,
) -> std::io::Result<()> {
    let options = suite.options;
    let contender = &suite.contenders[at];
    let place = Place::with(options.cores);
    let mut bench = Bench::start(contender, profile, place, options)?;
    for rate in options.rates.iter().copied() {
        let run = bench.run(rate, Duration::from_secs(options.seconds))?;
        eprintln!("  {rate} calls/s: {:.1} us a call", run.cpu.total());
        if !run.report.is_clean() {
            let text = format!("{} at {rate} calls/s: {}", contender.name, run.report);
            if contender.kind == Kind::Tandem {
                section.fault(text);
            } else {
                section.note(text);
            }
            bench.server.wait_for_transactions(Duration::from_secs(15));
        }
        measured.push(Measured {
            contender: at,
            place,
            is_saturated: false,
            run,
            remark: "",
        });
    }
    Ok(())
}

/// At each rate, and at each rate that another one carried at most.
fn measure_forwarder(suite: &Suite<'_>, measured: &mut Vec<Measured>, section: &mut Section) {
    let is_it = |contender: &Contender| contender.kind == Kind::Forwarder;
    let Some(at) = suite.contenders.iter().position(is_it) else {
        return;
    };
    eprintln!("forwarder:");
    let mut rates: Vec<(u64, Place, bool)> = measured
        .iter()
        .map(|of| (of.run.rate, of.place, of.is_saturated))
        .collect();
    if rates.is_empty() {
        let place = Place::with(suite.options.cores);
        rates.extend(suite.options.rates.iter().map(|rate| (*rate, place, false)));
    }
    rates.sort_by_key(|(rate, place, is_saturated)| (*is_saturated, place.workers(), *rate));
    rates.dedup();
    for (rate, place, is_saturated) in rates {
        section.attempt("forwarder", |_| {
            let mut bench = Bench::start(&suite.contenders[at], PROFILES[0], place, suite.options)?;
            let run = bench.run(rate, Duration::from_secs(suite.options.seconds))?;
            eprintln!("  {rate} calls/s: {:.1} us a call", run.cpu.total());
            measured.push(Measured {
                contender: at,
                place,
                is_saturated,
                run,
                remark: if is_saturated { " =" } else { "" },
            });
            Ok(())
        });
    }
    if !suite.options.saturated.is_empty() {
        section.attempt("forwarder", |_| {
            let found = suite.capacity(&suite.contenders[at], Place::OneCore)?;
            measured.push(Measured::at_most(at, Place::OneCore, found));
            Ok(())
        });
    }
}

fn print(contenders: &[Contender], mut measured: Vec<Measured>, section: &mut Section) {
    measured.sort_by_key(|of| {
        let by_rate = if of.is_saturated { 0 } else { of.run.rate };
        (
            of.is_saturated,
            by_rate,
            of.place.workers(),
            of.contender,
            of.run.rate,
        )
    });
    for of in &measured {
        let same = |kind: Kind, same_rate: bool| {
            let others = measured.iter().filter(|other| {
                contenders[other.contender].kind == kind
                    && (other.place, other.is_saturated) == (of.place, of.is_saturated)
            });
            let mut others = others.filter(|other| !same_rate || other.run.rate == of.run.rate);
            others.next().map(|other| other.run.cpu.total())
        };
        section.row(cells(
            of,
            &contenders[of.contender].name,
            [same(Kind::Forwarder, true), same(Kind::Kamailio, false)],
        ));
    }
}

fn cells(of: &Measured, name: &str, others: [Option<f64>; 2]) -> Vec<String> {
    let run = &of.run;
    let [forwarder, kamailio] = others.map(|other| ratio(run.cpu.total(), other));
    let [p50, p99, p999] = run.one_way().map(|micros| micros.to_string());
    let most = if of.is_saturated { "at most " } else { "" };
    vec![
        format!("{most}{}", run.rate),
        of.place.name().to_owned(),
        format!("{name}{}", of.remark),
        format!("{:.1}", run.cpu.total()),
        format!("{:.1}", run.cpu.user),
        format!("{:.1}", run.cpu.system),
        forwarder,
        kamailio,
        format!("{:.2}", run.busy),
        p50,
        p99,
        p999,
        whole(run.report.failed() as f64),
    ]
}
