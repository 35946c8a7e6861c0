//! Calls: what `loadmodule "dialog.so"` brings. The calls themselves, their states and deadlines are kept by
//! the `dialog` crate; here messages are taken apart for it, and what it decides is carried out.

mod bye;
mod carry;
mod context;
mod control;
mod ending;
mod hooks;
mod listing;
mod manage;
mod message;
mod parameters;
mod profiles;
mod properties;
mod replies;
mod rpc;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod timeout;
mod variables;

use engine::{FunctionRow, InitError, Module, Setup};
use script::{ParameterKind, Routes};

use crate::row::{function, function_optional, param};

pub(crate) use state::State;

/// The module's row.
pub static MODULE: Module = Module {
    name: "dialog",
    requires: &["tm", "rr"],
    functions: FUNCTIONS,
    variables: variables::VARIABLES,
    parameters: parameters::PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Knows every call: its state, its profiles, its variables, its deadline.",
};

const PROFILE: script::Parameter = param("profile", ParameterKind::Static);
const VALUE: script::Parameter = param("value", ParameterKind::Str);
const SIZE: script::Parameter = param("size", ParameterKind::Target);
const FLAG: script::Parameter = param("flag", ParameterKind::Int);
const CALL_ID: script::Parameter = param("callid", ParameterKind::Str);
const FROM_TAG: script::Parameter = param("ftag", ParameterKind::Str);
const TO_TAG: script::Parameter = param("ttag", ParameterKind::Str);
const NAME: script::Parameter = param("name", ParameterKind::Str);
const TIMEOUT: script::Parameter = param("timeout", ParameterKind::Int);
const ATTRIBUTE: script::Parameter = param("attr", ParameterKind::Str);

static FUNCTIONS: &[FunctionRow] = &[
    function(
        "dlg_manage",
        &[],
        Routes::REQUEST,
        manage::dlg_manage,
        "Begins to track the call of an INVITE, or finds the call of a request within one.",
    ),
    function_optional(
        "set_dlg_profile",
        &[PROFILE, VALUE],
        1,
        Routes::ANY,
        profiles::set_dlg_profile,
        "Puts the call into a profile.",
    ),
    function_optional(
        "unset_dlg_profile",
        &[PROFILE, VALUE],
        1,
        Routes::ANY,
        profiles::unset_dlg_profile,
        "Takes the call out of a profile.",
    ),
    function_optional(
        "is_in_profile",
        &[PROFILE, VALUE],
        1,
        Routes::ANY,
        profiles::is_in_profile,
        "True when the call is in a profile, with this value if one is given.",
    ),
    function(
        "get_profile_size",
        &[PROFILE, SIZE],
        Routes::ANY,
        profiles::get_profile_size,
        "Writes into a variable how many calls are in a profile.",
    ),
    function(
        "get_profile_size",
        &[PROFILE, VALUE, SIZE],
        Routes::ANY,
        profiles::get_profile_size_of,
        "Writes into a variable how many calls are in a profile with this value.",
    ),
    function(
        "dlg_setflag",
        &[FLAG],
        Routes::ANY,
        properties::dlg_setflag,
        "Sets a flag of the call, 0 to 31.",
    ),
    function(
        "dlg_resetflag",
        &[FLAG],
        Routes::ANY,
        properties::dlg_resetflag,
        "Clears a flag of the call.",
    ),
    function(
        "dlg_isflagset",
        &[FLAG],
        Routes::ANY,
        properties::dlg_isflagset,
        "True when the flag of the call is set.",
    ),
    function(
        "dlg_bye",
        &[param("side", ParameterKind::Static)],
        Routes::ANY,
        ending::dlg_bye,
        "Ends the call by BYE to caller, callee or all; one not yet answered by a reply and CANCEL.",
    ),
    function(
        "dlg_get",
        &[CALL_ID, FROM_TAG, TO_TAG],
        Routes::ANY,
        control::dlg_get,
        "Makes another call the current one.",
    ),
    function(
        "dlg_get_var",
        &[
            CALL_ID,
            FROM_TAG,
            TO_TAG,
            NAME,
            param("dst", ParameterKind::Target),
        ],
        Routes::ANY,
        control::dlg_get_var,
        "Reads a variable of another call.",
    ),
    function(
        "dlg_set_var",
        &[CALL_ID, FROM_TAG, TO_TAG, NAME, VALUE],
        Routes::ANY,
        control::dlg_set_var,
        "Sets a variable of another call.",
    ),
    function(
        "is_known_dlg",
        &[],
        Routes::ANY,
        control::is_known_dlg,
        "True when the message belongs to a call that is tracked.",
    ),
    function(
        "dlg_set_timeout",
        &[TIMEOUT],
        Routes::ANY,
        control::dlg_set_timeout,
        "Sets the lifetime of the call in seconds.",
    ),
    function(
        "dlg_set_timeout",
        &[
            TIMEOUT,
            param("h_entry", ParameterKind::Int),
            param("h_id", ParameterKind::Int),
        ],
        Routes::ANY,
        control::dlg_set_timeout_of,
        "Sets the lifetime of the call with this id in seconds.",
    ),
    function(
        "dlg_set_property",
        &[ATTRIBUTE],
        Routes::ANY,
        properties::dlg_set_property,
        "Gives the call a property: timeout-noreset.",
    ),
    function(
        "dlg_reset_property",
        &[ATTRIBUTE],
        Routes::ANY,
        properties::dlg_reset_property,
        "Takes a property off the call.",
    ),
    function(
        "dlg_set_ruri",
        &[],
        Routes::ANY,
        control::dlg_set_ruri,
        "Makes the Contact of the other party the Request-URI.",
    ),
];

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    check_names(setup)?;
    let state = State::new(setup)?;
    profiles::check(setup, &state)?;
    state.add_statistics(setup);
    let state = setup.put_state(state);
    rpc::add(setup, &state);
    let hooks = &mut *setup.hooks;
    hooks.request_in.push(hooks::request_in);
    hooks.request_end.push(hooks::request_end);
    hooks.transaction_created.push(hooks::transaction_created);
    hooks.transaction_done.push(hooks::transaction_done);
    hooks.loose_route.push(manage::loose_route);
    hooks.reply_out.push(replies::reply_out);
    hooks.tick.push(timeout::tick);
    Ok(())
}

/// Arguments that have to be one of a few words, and are known now.
fn check_names(setup: &Setup<'_>) -> Result<(), InitError> {
    for (place, side) in setup.program.constant_arguments("dlg_bye", 0) {
        if ending::sides(side).is_none() {
            return Err(state::at(
                place,
                &format!("dlg_bye: \"{side}\" is none of all, caller, callee"),
            ));
        }
    }
    for function in ["dlg_set_property", "dlg_reset_property"] {
        for (place, attribute) in setup.program.constant_arguments(function, 0) {
            properties::bit(attribute)
                .map_err(|why| state::at(place, &format!("{function}: {why}")))?;
        }
    }
    Ok(())
}
