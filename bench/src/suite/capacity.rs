//! The highest rate that a server carries without losing a call.

use std::io;
use std::time::Duration;

use super::Suite;
use super::contender::Contender;
use super::place::Place;
use super::run::{Bench, PROFILES, Profile, Run};

/// What was found.
#[derive(Clone, Debug)]
pub struct Capacity {
    /// The highest rate without a loss, with what it cost.
    pub run: Run,
    /// Whether the load could not make more.
    pub is_of_the_load: bool,
}

/// A capacity that was found before.
#[derive(Clone, Debug)]
pub struct Known {
    name: String,
    profile: &'static str,
    place: Place,
    capacity: Capacity,
}

/// Each try.
const TRY: Duration = Duration::from_secs(4);
/// Where the search begins.
const FIRST_RATE: u64 = 800;
/// The most that is looked for.
const HIGHEST_RATE: u64 = 200_000;
/// Tries in all.
const TRIES_MAX: u32 = 40;
/// How near to the true rate is near enough.
const PRECISION: f64 = 1.04;
/// How late the load may begin a call before it counts as too slow itself.
const LATE: Duration = Duration::from_millis(100);
/// For transactions of a try that failed; those of lost messages take longer, and matter less.
const CALM: Duration = Duration::from_secs(3);
/// After this time a phone sends its request again (RFC 3261 §17.1.1.2): 99 of 100 calls are answered before.
const T1: Duration = Duration::from_millis(500);
/// With more than this share of the calls failed, it was no accident.
const ACCIDENT: f64 = 0.02;

impl Suite<'_> {
    /// The capacity of the contender with the base profile, found once.
    ///
    /// # Errors
    /// The server or the load fails.
    pub fn capacity(&self, contender: &Contender, place: Place) -> io::Result<Capacity> {
        self.capacity_with(contender, PROFILES[0], place)
    }

    /// The capacity of the contender with a profile, found once.
    ///
    /// # Errors
    /// The server or the load fails.
    pub fn capacity_with(
        &self,
        contender: &Contender,
        profile: Profile,
        place: Place,
    ) -> io::Result<Capacity> {
        let is_it = |known: &&Known| {
            known.name == contender.name && known.profile == profile.name && known.place == place
        };
        if let Some(known) = self.capacities.borrow().iter().find(is_it) {
            return Ok(known.capacity.clone());
        }
        let capacity = self.search(contender, profile, place)?;
        self.capacities.borrow_mut().push(Known {
            name: contender.name.clone(),
            profile: profile.name,
            place,
            capacity: capacity.clone(),
        });
        Ok(capacity)
    }

    /// The capacity of the contender with the base profile, if it was found before.
    pub fn known_capacity(&self, contender: &Contender, place: Place) -> Option<u64> {
        let known = self.capacities.borrow();
        let found = known.iter().find(|known| {
            known.name == contender.name
                && known.profile == PROFILES[0].name
                && known.place == place
        });
        found.map(|known| known.capacity.run.rate)
    }

    fn search(
        &self,
        contender: &Contender,
        profile: Profile,
        place: Place,
    ) -> io::Result<Capacity> {
        let mut bench = Bench::start(contender, profile, place, self.options)?;
        let (mut good, mut bad): (Option<Run>, Option<u64>) = (None, None);
        let mut rate = FIRST_RATE;
        let mut is_of_the_load = false;
        let mut is_proven = false;
        for _ in 0..TRIES_MAX {
            let run = carries(&mut bench, rate)?;
            let is_late = run.report.late_by > LATE || run.report.own_drops > 0;
            if is_clean(&run) && !is_late {
                good = Some(run);
            } else {
                is_of_the_load = is_late;
                bad = Some(rate);
            }
            eprintln!(
                "  {rate} calls/s: {}",
                if bad == Some(rate) {
                    "too many"
                } else {
                    "carried"
                }
            );
            let low = good.as_ref().map_or(0, |run| run.rate);
            rate = match bad {
                None => (rate * 3 / 2).min(HIGHEST_RATE),
                Some(high) if low == 0 => high / 3,
                Some(high) if high as f64 > low as f64 * PRECISION => (low + high) / 2,
                // The rate that was too much is tried again: it may have been one bad moment.
                Some(high) if !is_proven => {
                    is_proven = true;
                    bad = None;
                    high
                }
                Some(_) => break,
            };
            if rate == 0 || low == HIGHEST_RATE {
                break;
            }
        }
        let name = &contender.name;
        let good = good.ok_or_else(|| io::Error::other(format!("{name} carries nothing")))?;
        // Once more, as long as other runs: that one counts, if it is good.
        let run = bench.run(good.rate, Duration::from_secs(self.options.seconds))?;
        let run = if is_clean(&run) { run } else { good };
        eprintln!(
            "  {}, {}: {name} carries {} calls/s at {:.1} us",
            profile.name,
            place.name(),
            run.rate,
            run.cpu.total()
        );
        Ok(Capacity {
            run,
            is_of_the_load,
        })
    }
}

/// A rate that fails by little is tried twice: others on the machine may have been the reason.
fn carries(bench: &mut Bench, rate: u64) -> io::Result<Run> {
    let first = bench.run(rate, TRY)?;
    if is_clean(&first) {
        return Ok(first);
    }
    bench.server.wait_for_transactions(CALM);
    let counts = &first.report.tally.counts;
    let failed = (first.report.failed() + counts.refused) as f64;
    if failed > counts.begun as f64 * ACCIDENT {
        return Ok(first);
    }
    let second = bench.run(rate, TRY)?;
    if !is_clean(&second) {
        bench.server.wait_for_transactions(CALM);
    }
    Ok(second)
}

/// No call lost or refused, and none answered so late that a phone would have asked again; a provisional reply may
/// be lost. Over TCP nothing is lost, however long it waits.
fn is_clean(run: &Run) -> bool {
    let counts = &run.report.tally.counts;
    let [_, slowest, _] = run.report.tally.all_latencies().to_200.usual();
    run.report.failed() + counts.refused + counts.unexpected == 0
        && Duration::from_micros(slowest) < T1
}
