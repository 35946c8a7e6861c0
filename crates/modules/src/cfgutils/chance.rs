//! Chance, flags of the whole server, hashes, and memory in the log.

use std::sync::atomic::Ordering;

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};

use super::State;
use super::hash;
use crate::core::flag_bit;
use crate::core::rpc::Memory;
use crate::row::{function, param};

const FLAG: &[Parameter] = &[param("flag", ParameterKind::Int)];
const PERCENT: &[Parameter] = &[param("percent", ParameterKind::Int)];
const HASHED: &[Parameter] = &[
    param("first", ParameterKind::Str),
    param("second", ParameterKind::Str),
    param("bits", ParameterKind::Int),
];
const ANY: Routes = Routes::ANY;

pub(super) const FUNCTIONS: &[FunctionRow] = &[
    function(
        "rand_set_prob",
        PERCENT,
        ANY,
        set_probability,
        "How often rand_event() is true (percent), for the whole server.",
    ),
    function(
        "rand_reset_prob",
        &[],
        ANY,
        reset_probability,
        "Puts the configured probability back.",
    ),
    function(
        "rand_get_prob",
        &[],
        ANY,
        probability,
        "Returns the probability (percent).",
    ),
    function(
        "rand_event",
        &[],
        ANY,
        event,
        "True as often as the probability says.",
    ),
    function(
        "set_gflag",
        FLAG,
        ANY,
        set_flag,
        "Sets a flag of the whole server, 0 to 31.",
    ),
    function(
        "reset_gflag",
        FLAG,
        ANY,
        reset_flag,
        "Clears a flag of the whole server.",
    ),
    function(
        "is_gflag",
        FLAG,
        ANY,
        is_flag,
        "True when the flag of the whole server is set.",
    ),
    function(
        "core_hash",
        HASHED,
        ANY,
        core_hash,
        "Returns one more than the hash of two texts, which is below 2^bits.",
    ),
    function(
        "pkg_status",
        &[],
        ANY,
        memory,
        "Logs the memory of the process.",
    ),
    function(
        "pkg_summary",
        &[],
        ANY,
        memory,
        "Logs the memory of the process.",
    ),
    function(
        "shm_status",
        &[],
        ANY,
        memory,
        "Logs the memory of the process.",
    ),
    function(
        "shm_summary",
        &[],
        ANY,
        memory,
        "Logs the memory of the process.",
    ),
];

const fn truth(is: bool) -> Outcome<Pending> {
    Outcome::Code(if is { 1 } else { -1 })
}

fn set_probability(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let percent = args.int(0);
    if !(0..=100).contains(&percent) {
        let text = format!("rand_set_prob: {percent} is not a number of percent");
        run.log(level::ERROR, "cfgutils", &text);
        return truth(false);
    }
    run.state::<State>()
        .probability
        .store(percent, Ordering::Relaxed);
    truth(true)
}

fn reset_probability(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    state
        .probability
        .store(state.initial_probability, Ordering::Relaxed);
    truth(true)
}

fn probability(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    // 0 would end the script, as it does in Kamailio.
    Outcome::Code(run.state::<State>().probability.load(Ordering::Relaxed))
}

fn event(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let percent = run.state::<State>().probability.load(Ordering::Relaxed);
    truth(fastrand::i64(0..100) < percent)
}

fn set_flag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let bit = flag_bit(args.int(0));
    run.state::<State>().flags.fetch_or(bit, Ordering::Relaxed);
    truth(bit != 0)
}

fn reset_flag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let bit = flag_bit(args.int(0));
    run.state::<State>()
        .flags
        .fetch_and(!bit, Ordering::Relaxed);
    truth(bit != 0)
}

fn is_flag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let flags = run.state::<State>().flags.load(Ordering::Relaxed);
    truth(flags & flag_bit(args.int(0)) != 0)
}

fn core_hash(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let hash = hash::core_hash(args.str(0), args.str(1), args.int(2));
    Outcome::Code(i64::from(hash) + 1)
}

fn memory(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let memory = Memory::now();
    let text = format!(
        "{}: {} bytes used, {} at most so far, {} free in the machine",
        args.function(),
        memory.resident,
        memory.peak,
        memory.free
    );
    run.log(level::NOTICE, "cfgutils", &text);
    truth(true)
}
