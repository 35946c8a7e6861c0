//! The parameters. Those of accounts at other servers are refused by name.

use engine::{Check, ParameterRow, ParameterType, ParameterValue};

use super::credentials;
use crate::row::{checked, parameter};

const TEXT: ParameterType = ParameterType::Str(None);

/// A parameter of what is not there.
const fn absent(name: &'static str, kind: ParameterType) -> ParameterRow {
    let doc = "Accounts at other servers: not there yet, and refused.";
    checked(name, kind, ABSENT, doc)
}

const ABSENT: Check = |_| {
    let text =
        "Tandem does not register at other servers yet: leave the parameters reg_... of uac out";
    Err(text.to_owned())
};

pub(super) static PARAMETERS: &[ParameterRow] = &[
    checked(
        "rr_from_store_param",
        ParameterType::Str(Some("vsf")),
        token,
        "The Record-Route parameter that keeps how From was replaced.",
    ),
    checked(
        "rr_to_store_param",
        ParameterType::Str(Some("vst")),
        token,
        "The Record-Route parameter that keeps how To was replaced.",
    ),
    checked(
        "restore_mode",
        ParameterType::Str(Some("auto")),
        restore_mode,
        "What is put back: none, manual (replies), auto (replies and requests).",
    ),
    parameter(
        "restore_dlg",
        ParameterType::Int(0),
        "1: keep what is needed for that with the call of module dialog, where there is one.",
    ),
    parameter(
        "restore_passwd",
        TEXT,
        "Hides what is kept in Record-Route.",
    ),
    parameter(
        "restore_from_avp",
        TEXT,
        "The variable that gets the URI of From as it was.",
    ),
    parameter(
        "restore_to_avp",
        TEXT,
        "The variable that gets the URI of To as it was.",
    ),
    checked(
        "credential",
        ParameterType::Repeated,
        credentials::check,
        "user:realm:password, as often as needed.",
    ),
    parameter(
        "auth_realm_avp",
        TEXT,
        "The variable with the realm of the next two; unset or empty for any.",
    ),
    parameter(
        "auth_username_avp",
        TEXT,
        "The variable with the name to answer challenges with.",
    ),
    parameter(
        "auth_password_avp",
        TEXT,
        "The variable with the password, or HA1, to answer challenges with.",
    ),
    parameter(
        "default_socket",
        TEXT,
        "Where requests of uac_req_send() leave.",
    ),
    parameter(
        "event_callback",
        TEXT,
        "With `cfgengine`, the function that is called with the name of each event.",
    ),
    absent("reg_db_url", TEXT),
    absent("reg_db_table", TEXT),
    absent("reg_contact_addr", TEXT),
    absent("reg_timer_interval", ParameterType::Int(90)),
    absent("reg_retry_interval", ParameterType::Int(0)),
    absent("reg_random_delay", ParameterType::Int(0)),
    absent("reg_hash_size", ParameterType::Int(4)),
    absent("reg_keep_callid", ParameterType::Int(0)),
    absent("reg_active", ParameterType::Int(1)),
    absent("reg_gc_interval", ParameterType::Int(150)),
    absent("reg_use_domain", ParameterType::Int(0)),
];

fn restore_mode(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Str(text) if matches!(text.as_str(), "none" | "manual" | "auto") => Ok(()),
        _ => Err("the value must be none, manual or auto".to_owned()),
    }
}

/// The name of a parameter in Record-Route.
fn token(value: &ParameterValue) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte);
    match value {
        ParameterValue::Str(text) if !text.is_empty() && text.bytes().all(fits) => Ok(()),
        _ => Err("the value must be the name of a URI parameter".to_owned()),
    }
}
