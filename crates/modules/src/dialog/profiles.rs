//! Profiles in scripts. Before there is a call, memberships wait with the message.

use dialog::{ProfileError, ProfileId, Tracker};
use engine::{InitError, Pending, Run, level};
use script::{Args, Outcome, Program, Routes, Str, Value};

use super::bulk::SetTimeouts;
use super::context::{self, Context};
use super::state::{self, State, seconds_of};

const FUNCTIONS: [&str; 6] = [
    "set_dlg_profile",
    "unset_dlg_profile",
    "is_in_profile",
    "get_profile_size",
    "dlg_set_timeout_by_profile",
    "dlg_profile_admit",
];

/// Refuses names of profiles that were not declared.
pub(super) fn check(program: &Program, state: &State) -> Result<(), InitError> {
    for function in FUNCTIONS {
        for (place, name) in program.constant_arguments(function, 0) {
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

pub(super) fn dlg_profile_admit(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let Some(id) = find(&state.tracker, args.str(0)) else {
        return NO;
    };
    let Some(call) = context::current(run, &state) else {
        let text = "dlg_profile_admit: there is no call to admit; dlg_manage() comes first";
        run.log(level::ERROR, "dialog", text);
        return NO;
    };
    let limit = usize::try_from(args.int(2)).unwrap_or(0);
    let value = Some(args.str(1).as_bytes());
    match state.tracker.set_profile_below(call, id, value, limit) {
        Ok(_) => YES,
        Err(ProfileError::Full) => NO,
        Err(error) => fail(run, error),
    }
}

pub(super) fn dlg_set_timeout_by_profile(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_timeouts(run, args, false, 1)
}

pub(super) fn dlg_set_timeout_by_value(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_timeouts(run, args, true, 2)
}

fn set_timeouts(run: &mut Run, args: &Args<'_>, with_value: bool, at: usize) -> Outcome<Pending> {
    let state = run.state::<State>();
    let lifetime = seconds_of(args.int(at));
    let (Some(profile), Some(lifetime)) = (named(&state, args, with_value), lifetime) else {
        return NO;
    };
    let calls = state.tracker.profile_members(profile.id, profile.value);
    SetTimeouts { calls, lifetime }.start(run);
    YES
}

pub(super) fn dlg_remote_profile(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let Some(profile) = find(&state.tracker, args.str(1)) else {
        run.log(
            level::ERROR,
            "dialog",
            "dlg_remote_profile: there is no such profile",
        );
        return NO;
    };
    let (value, uid) = (Some(args.str(2).as_bytes()), args.str(3).as_bytes());
    let done = match args.str(0).as_bytes() {
        b"add" => {
            let expires = u32::try_from(args.int(4).max(0)).unwrap_or(u32::MAX);
            state.tracker.add_remote(profile, value, uid, expires)
        }
        // Nothing there to be taken out is as good as taken out.
        b"rm" if !uid.is_empty() => state.tracker.remove_remote(profile, value, uid).map(drop),
        b"rm" => Err(ProfileError::BadUid),
        _ => {
            run.log(
                level::ERROR,
                "dialog",
                "dlg_remote_profile: the command is add or rm",
            );
            return NO;
        }
    };
    match done {
        Ok(()) => YES,
        Err(error) => fail(run, error),
    }
}
