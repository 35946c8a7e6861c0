//! Commands of module cfgutils.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use engine::{Engine, InitError, hex};
use md5::{Digest, Md5};
use rpc::{Call, Fault, Kind};

use super::State;
use crate::command::{CommandParameter, CommandRow, command, needs};

const MASK: &[CommandParameter] = &[needs("mask", Kind::Int)];

pub(super) static COMMANDS: &[CommandRow] = &[
    command(
        "cfgutils.rand_set_prob",
        &[needs("percent", Kind::Int)],
        set_probability,
        "How often rand_event() is true (percent).",
    ),
    command(
        "cfgutils.rand_reset_prob",
        &[],
        reset_probability,
        "Puts the configured probability back.",
    ),
    command(
        "cfgutils.rand_get_prob",
        &[],
        probability,
        "How often rand_event() is true.",
    ),
    command(
        "cfgutils.set_gflag",
        MASK,
        set_flags,
        "Sets flags of the whole server, given as a bit mask.",
    ),
    command(
        "cfgutils.reset_gflag",
        MASK,
        reset_flags,
        "Clears flags of the whole server, given as a bit mask.",
    ),
    command(
        "cfgutils.is_gflag",
        MASK,
        are_flags,
        "Whether all flags of a bit mask are set.",
    ),
    command(
        "cfgutils.get_gflags",
        &[],
        flags,
        "The flags of the whole server.",
    ),
    command(
        "cfgutils.get_config_hash",
        &[],
        config_hash,
        "The MD5 of the file in parameter hash_file, as it was at the start.",
    ),
    command(
        "cfgutils.check_config_hash",
        &[],
        check_hash,
        "Whether that file is as it was at the start.",
    ),
];

/// A file and its MD5 at the start.
pub(super) struct FileHash {
    path: String,
    hash: String,
}

impl FileHash {
    /// Reads the file.
    pub(super) fn of(path: String) -> Result<Self, InitError> {
        let hash = md5_of(&path);
        let hash = hash.map_err(|error| format!("parameter hash_file: {path}: {error}"))?;
        Ok(Self { path, hash })
    }
}

fn md5_of(path: &str) -> std::io::Result<String> {
    Ok(hex(&Md5::digest(std::fs::read(path)?)))
}

fn state(engine: &Engine) -> Result<Arc<State>, Fault> {
    engine
        .state::<State>()
        .ok_or(Fault::new(500, "Not initialised"))
}

fn set_probability(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let percent = call.int()?;
    if !(0..=100).contains(&percent) {
        return Err(Fault::new(500, "Invalid Percent"));
    }
    state(engine)?.probability.store(percent, Ordering::Relaxed);
    Ok(())
}

fn reset_probability(engine: &Arc<Engine>, _: &mut Call<'_>) -> Result<(), Fault> {
    let state = state(engine)?;
    state
        .probability
        .store(state.initial_probability, Ordering::Relaxed);
    Ok(())
}

fn probability(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let percent = state(engine)?.probability.load(Ordering::Relaxed);
    call.add(format!("actual probability: {percent} percent"));
    Ok(())
}

fn scan_mask(call: &mut Call<'_>) -> Result<u32, Fault> {
    let mask = u32::try_from(call.int()?).ok().filter(|mask| *mask != 0);
    mask.ok_or(Fault::new(500, "Invalid flag mask"))
}

fn set_flags(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let mask = scan_mask(call)?;
    state(engine)?.flags.fetch_or(mask, Ordering::Relaxed);
    Ok(())
}

fn reset_flags(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let mask = scan_mask(call)?;
    state(engine)?.flags.fetch_and(!mask, Ordering::Relaxed);
    Ok(())
}

fn are_flags(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let mask = scan_mask(call)?;
    let set = state(engine)?.flags.load(Ordering::Relaxed) & mask == mask;
    call.add(if set { "TRUE" } else { "FALSE" });
    Ok(())
}

fn flags(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let flags = state(engine)?.flags.load(Ordering::Relaxed);
    call.add(format!("0x{flags:X} ({flags})"));
    Ok(())
}

fn config_hash(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let state = state(engine)?;
    call.add(state.hash.as_ref().map_or("", |file| &file.hash));
    Ok(())
}

fn check_hash(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let state = state(engine)?;
    let file = state.hash.as_ref().ok_or(Fault::new(500, "No hash file"))?;
    let now = md5_of(&file.path).map_err(|error| Fault::new(500, error.to_string()))?;
    if now != file.hash {
        return Err(Fault::new(
            406,
            "The actual config file hash is DIFFERENT to the stored one.",
        ));
    }
    call.add("The actual config file hash is identical to the stored one.");
    Ok(())
}
