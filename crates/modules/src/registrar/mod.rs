//! `registrar`: takes registrations and finds where they lead (RFC 3261 §10, RFC 3327, RFC 5627).

mod answer;
mod aor;
mod gruu;
mod lookup;
mod methods;
mod parameters;
mod profile;
mod refusal;
mod registered;
mod save;
mod settings;
mod submission;
#[cfg(test)]
mod tests;
mod xavp;

use std::sync::Arc;

use engine::{FunctionRow, InitError, KeyRule, Module, Setup, StatisticRow, VariableRow};
use script::{Parameter, ParameterKind, Routes};

use crate::row::{function, function_optional, param, reads};
use crate::usrloc;
use settings::State;

/// `registrar`.
pub static MODULE: Module = Module {
    name: "registrar",
    requires: &["usrloc"],
    functions: FUNCTIONS,
    variables: VARIABLES,
    parameters: parameters::PARAMETERS,
    statistics: STATISTICS,
    init: Some(init),
    doc: "Takes registrations and finds where they lead.",
};

const TABLE: Parameter = param("table", ParameterKind::Static);
const URI: Parameter = param("uri", ParameterKind::Str);

const IN_REQUESTS: Routes = Routes::REQUEST.or(Routes::FAILURE).or(Routes::EVENT);

static FUNCTIONS: &[FunctionRow] = &[
    function_optional(
        "save",
        &[TABLE, param("flags", ParameterKind::Int), URI],
        1,
        IN_REQUESTS.or(Routes::REPLY),
        save::save,
        "Carries out a registration and answers it: 1 new, 2 changed, 3 removed, 4 asked.",
    ),
    function_optional(
        "lookup",
        &[TABLE, URI],
        1,
        IN_REQUESTS,
        lookup::lookup,
        "Sends the request to the user's contacts; -1 none, -2 none for this method, -3 error.",
    ),
    function(
        "lookup_branches",
        &[TABLE],
        IN_REQUESTS,
        lookup::lookup_branches,
        "Looks up the Request-URI and all branches.",
    ),
    function_optional(
        "lookup_to_dset",
        &[TABLE, URI],
        1,
        IN_REQUESTS,
        lookup::lookup_to_dset,
        "Adds the user's contacts to the branches; the Request-URI stays.",
    ),
    function_optional(
        "registered",
        &[
            TABLE,
            URI,
            param("flags", ParameterKind::Int),
            param("action", ParameterKind::Int),
        ],
        1,
        Routes::ANY,
        registered::registered,
        "True when the user has a contact.",
    ),
    function_optional(
        "unregister",
        &[TABLE, URI, param("ruid", ParameterKind::Str)],
        2,
        Routes::ANY,
        registered::unregister,
        "Removes the user's contacts, or the one with this name.",
    ),
    function(
        "reg_fetch_contacts",
        &[TABLE, URI, param("profile", ParameterKind::Static)],
        IN_REQUESTS,
        profile::fetch,
        "Copies the user's contacts for $ulc to read.",
    ),
    function(
        "reg_free_contacts",
        &[param("profile", ParameterKind::Static)],
        IN_REQUESTS,
        profile::free,
        "Forgets that copy.",
    ),
    function(
        "add_sock_hdr",
        &[param("header", ParameterKind::Str)],
        Routes::REQUEST.or(Routes::EVENT),
        registered::add_sock_hdr,
        "Adds a header with the socket that the request came by.",
    ),
    function(
        "reg_send_reply",
        &[],
        IN_REQUESTS,
        registered::reg_send_reply,
        "Sends the reply that save() was told not to send.",
    ),
];

static VARIABLES: &[VariableRow] = &[reads(
    "ulc",
    KeyRule::Resolve(profile::resolve),
    profile::get,
    "An attribute of a fetched contact: $(ulc(profile=>attribute)[n]).",
)];

static STATISTICS: &[StatisticRow] = &[
    StatisticRow {
        group: "registrar",
        name: "accepted_regs",
        resettable: true,
        doc: "Registrations carried out.",
    },
    StatisticRow {
        group: "registrar",
        name: "rejected_regs",
        resettable: true,
        doc: "Registrations refused.",
    },
];

/// Functions whose first argument names a table.
const NAMING: [&str; 7] = [
    "save",
    "lookup",
    "lookup_branches",
    "lookup_to_dset",
    "registered",
    "unregister",
    "reg_fetch_contacts",
];

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let usrloc = setup
        .states
        .get::<Arc<usrloc::State>>()
        .cloned()
        .ok_or("usrloc must be loaded before it")?;
    usrloc.set_on_expired(profile::contact_expired);
    setup.event_callback("registrar", "event_callback", &[profile::EXPIRED_EVENT])?;
    let tables = Arc::clone(&usrloc);
    setup.check_program(move |program| {
        for function in NAMING {
            for (_, table) in program.constant_arguments(function, 0) {
                let made = table.as_str().and_then(|table| tables.domain(table));
                made.ok_or("more tables of locations than Tandem keeps")?;
            }
        }
        Ok(())
    })?;
    let state = State::new(setup, usrloc)?;
    for (name, value) in [
        ("default_expire", state.default_expires),
        ("default_expires_range", state.default_expires_range),
        ("expires_range", state.expires_range),
        ("max_expires", state.max_expires),
        ("max_contacts", state.max_contacts as u64),
    ] {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        let doc = "The setting of this name.";
        setup
            .statistics
            .computed("registrar", name, doc, move || value);
    }
    setup.put_state(state);
    Ok(())
}
