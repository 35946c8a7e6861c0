//! Module `siputils`: questions about a message, URIs, contacts that hide an address, answers to OPTIONS.

mod base64;
mod contact;
mod identity;
mod message;
mod uri;

use engine::{FunctionRow, InitError, Module, ParameterRow, ParameterType, Setup};
use script::Variable;

use crate::row::{join, parameter, total};

/// Questions about SIP messages.
pub(crate) static MODULE: Module = Module {
    name: "siputils",
    requires: &[],
    functions: &FUNCTIONS,
    variables: identity::VARIABLES,
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Questions about a message, URIs, contacts that hide an address, answers to OPTIONS.",
};

const TABLES: &[&[FunctionRow]] = &[message::ROWS, uri::ROWS, contact::ROWS, identity::ROWS];

static FUNCTIONS: [FunctionRow; total(TABLES)] = join(TABLES);

static PARAMETERS: &[ParameterRow] = &[
    parameter(
        "options_accept",
        ParameterType::Str(Some("*/*")),
        "Accept in answers to OPTIONS.",
    ),
    parameter(
        "options_accept_encoding",
        ParameterType::Str(Some("")),
        "Accept-Encoding in answers to OPTIONS.",
    ),
    parameter(
        "options_accept_language",
        ParameterType::Str(Some("en")),
        "Accept-Language in answers to OPTIONS.",
    ),
    parameter(
        "options_support",
        ParameterType::Str(Some("")),
        "Supported in answers to OPTIONS.",
    ),
    parameter(
        "contact_flds_separator",
        ParameterType::Str(Some("*")),
        "What separates the fields in an encoded contact; its first character counts.",
    ),
    parameter(
        "rpid_prefix",
        ParameterType::Str(Some("")),
        "Stands before the URI in Remote-Party-ID.",
    ),
    parameter(
        "rpid_suffix",
        ParameterType::Str(Some(";party=calling;id-type=subscriber;screen=yes")),
        "Stands behind the URI in Remote-Party-ID.",
    ),
    parameter(
        "rpid_avp",
        ParameterType::Str(Some("$avp(s:rpid)")),
        "The variable that holds the URI of Remote-Party-ID.",
    ),
];

/// What the module keeps for all messages.
struct State {
    /// The header lines of an answer to OPTIONS.
    capabilities: Vec<u8>,
    contact_separator: u8,
    rpid: Option<Variable>,
    rpid_prefix: String,
    rpid_suffix: String,
}

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let text = |name: &str| setup.parameters.str("siputils", name).unwrap_or_default();
    let lines = [
        ("Accept", "options_accept"),
        ("Accept-Encoding", "options_accept_encoding"),
        ("Accept-Language", "options_accept_language"),
        ("Supported", "options_support"),
    ];
    let capabilities: String = lines
        .iter()
        .map(|(header, name)| format!("{header}: {}\r\n", text(name)))
        .collect();
    let separator = text("contact_flds_separator");
    // Without module pv the default names nothing, and only a variable that was asked for is an error.
    let wanted = setup.is_loaded("pv") || setup.parameters.is_given("siputils", "rpid_avp");
    let rpid = match wanted {
        true => setup.variable("siputils", "rpid_avp")?,
        false => None,
    };
    let state = State {
        capabilities: capabilities.into_bytes(),
        contact_separator: separator.bytes().next().unwrap_or(b'*'),
        rpid,
        rpid_prefix: text("rpid_prefix"),
        rpid_suffix: text("rpid_suffix"),
    };
    setup.put_state(state);
    Ok(())
}
