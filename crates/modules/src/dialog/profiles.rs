//! Profiles in scripts. Before there is a call, memberships wait with the message.

use dialog::{ProfileError, ProfileId, Tracker};
use engine::{InitError, Pending, Run, Setup, level};
use script::{Args, Outcome, Routes, Str, Value};

use super::context::{self, Context};
use super::state::{self, State};

const FUNCTIONS: [&str; 4] = [
    "set_dlg_profile",
    "unset_dlg_profile",
    "is_in_profile",
    "get_profile_size",
];

/// Refuses names of profiles that were not declared.
pub(super) fn check(setup: &Setup<'_>, state: &State) -> Result<(), InitError> {
    for function in FUNCTIONS {
        for (place, name) in setup.program.constant_arguments(function, 0) {
            if find(&state.tracker, name).is_none() {
                let text = format!("{function}: profile \"{name}\" is not declared");
                return Err(state::at(place, &text));
            }
        }
    }
    Ok(())
}

fn find(tracker: &Tracker, name: &Str) -> Option<ProfileId> {
    tracker.profile(name.as_str()?)
}

/// A profile and the value given with it.
struct Named<'a> {
    id: ProfileId,
    value: Option<&'a [u8]>,
}

/// `None` for an unknown profile, and for an empty value.
fn named<'a>(state: &State, args: &Args<'a>, value: bool) -> Option<Named<'a>> {
    let id = find(&state.tracker, args.str(0))?;
    let value = value.then(|| args.opt_str(1)).flatten();
    match value {
        Some(value) if value.is_empty() => None,
        value => Some(Named {
            id,
            value: value.map(|value| value.as_bytes()),
        }),
    }
}

const YES: Outcome<Pending> = Outcome::Code(1);
const NO: Outcome<Pending> = Outcome::Code(-1);

fn truth(holds: bool) -> Outcome<Pending> {
    if holds { YES } else { NO }
}

pub(super) fn set_dlg_profile(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let Some(profile) = named(&state, args, true) else {
        return NO;
    };
    let with_value = state.tracker.profile_has_value(profile.id);
    if with_value && profile.value.is_none() {
        return fail(run, ProfileError::NoValue);
    }
    if let Some(id) = context::current(run, &state) {
        return match state.tracker.set_profile(id, profile.id, profile.value) {
            Ok(_) => YES,
            Err(error) => fail(run, error),
        };
    }
    if !run.routes.intersects(Routes::REQUEST) {
        return fail(run, ProfileError::NoCall);
    }
    let value = profile.value.filter(|_| with_value).unwrap_or_default();
    let waiting = (profile.id, value.to_vec());
    let pending = &mut run.slots.entry::<Context>().profiles;
    if !pending.contains(&waiting) {
        pending.push(waiting);
    }
    YES
}

fn fail(run: &Run, error: ProfileError) -> Outcome<Pending> {
    run.log(level::ERROR, "dialog", &error.to_string());
    NO
}

pub(super) fn unset_dlg_profile(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let Some(profile) = named(&state, args, true) else {
        return NO;
    };
    if let Some(id) = context::current(run, &state) {
        let removed = state.tracker.unset_profile(id, profile.id, profile.value);
        return truth(removed.unwrap_or(false));
    }
    let with_value = state.tracker.profile_has_value(profile.id);
    let value = profile.value.filter(|_| with_value).unwrap_or_default();
    let pending = &mut run.slots.entry::<Context>().profiles;
    let before = pending.len();
    pending.retain(|(id, has)| *id != profile.id || has != value);
    truth(pending.len() < before)
}

pub(super) fn is_in_profile(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let (Some(profile), Some(id)) = (named(&state, args, true), context::current(run, &state))
    else {
        return NO;
    };
    truth(state.tracker.is_in_profile(id, profile.id, profile.value))
}

pub(super) fn get_profile_size(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    size(run, args, false, 1)
}

pub(super) fn get_profile_size_of(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    size(run, args, true, 2)
}

fn size(run: &mut Run, args: &Args<'_>, with_value: bool, target: usize) -> Outcome<Pending> {
    let state = run.state::<State>();
    let (Some(profile), Some(target)) = (named(&state, args, with_value), args.variable(target))
    else {
        return NO;
    };
    let size = state.tracker.profile_size(profile.id, profile.value);
    let size = Value::Int(i64::try_from(size).unwrap_or(i64::MAX));
    match target.set(run, size) {
        Ok(()) => YES,
        Err(error) => {
            run.log(level::ERROR, "dialog", &error.0);
            NO
        }
    }
}
