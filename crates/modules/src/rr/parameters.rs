//! The parameters of module `rr`.

use engine::{ParameterRow, ParameterType, ParameterValue};

type Check = fn(&ParameterValue) -> Result<(), String>;

const fn int(
    name: &'static str,
    default: i64,
    check: Option<Check>,
    doc: &'static str,
) -> ParameterRow {
    ParameterRow {
        name,
        kind: ParameterType::Int(default),
        check,
        doc,
    }
}

pub(super) static PARAMETERS: &[ParameterRow] = &[
    int(
        "append_fromtag",
        1,
        None,
        "Add the initial caller's tag as ftag, for is_direction().",
    ),
    int(
        "enable_double_rr",
        1,
        Some(double),
        "Two headers when a request leaves by another socket than it came by; 2: always, 0: never.",
    ),
    int(
        "enable_full_lr",
        0,
        None,
        "Write lr=on, for peers that drop parameters without value.",
    ),
    int(
        "add_username",
        0,
        None,
        "Put the Request-URI's user into Record-Route.",
    ),
    int(
        "enable_socket_mismatch_warning",
        1,
        None,
        "Warn when the second of two own Routes names none of our sockets.",
    ),
    int(
        "force_send_socket",
        0,
        None,
        "Send from the socket that a single own Route names.",
    ),
    int(
        "ignore_sips",
        0,
        None,
        "Write sip: although the request was addressed with sips:.",
    ),
    int(
        "sockname_mode",
        0,
        Some(crate::row::not_negative),
        "1: Record-Route has the socket's name in sn, and loose_route() believes it.",
    ),
    int(
        "loose_route_mode",
        0,
        Some(mode),
        "1: the Request-URI is never taken for an own Route.",
    ),
    ParameterRow {
        name: "custom_user_avp",
        kind: ParameterType::Str(None),
        check: None,
        doc: "A variable with the user for Record-Route, with add_username.",
    },
];

fn double(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0..=2) => Ok(()),
        _ => Err("enable_double_rr: 0, 1 or 2".to_owned()),
    }
}

fn mode(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0 | 1) => Ok(()),
        _ => Err("loose_route_mode: 0 or 1".to_owned()),
    }
}
