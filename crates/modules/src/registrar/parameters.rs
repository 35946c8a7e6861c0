//! The parameters of `registrar`.

use engine::{ParameterRow, ParameterType, ParameterValue};

use crate::row::{checked, not_negative, off, parameter, positive};

use ParameterType::{Int, Str};

/// All of them.
pub(super) static PARAMETERS: &[ParameterRow] = &[
    checked(
        "default_expires",
        Int(3600),
        positive,
        "Lifetime of a contact that asks for none, s.",
    ),
    checked(
        "default_expires_range",
        Int(0),
        percent,
        "How far that lifetime may differ at random, percent.",
    ),
    checked(
        "expires_range",
        Int(0),
        percent,
        "How much shorter a lifetime may become at random, percent.",
    ),
    checked(
        "min_expires",
        Int(60),
        not_negative,
        "Shortest lifetime, s; 0 for any.",
    ),
    parameter(
        "min_expires_mode",
        Int(0),
        "Refuse shorter lifetimes with 423, instead of raising them.",
    ),
    checked(
        "max_expires",
        Int(0),
        not_negative,
        "Longest lifetime, s; 0 for any.",
    ),
    parameter(
        "default_q",
        Int(-1),
        "Preference of contacts without q, in thousandths; -1 unknown.",
    ),
    checked(
        "max_contacts",
        Int(0),
        not_negative,
        "Most contacts of an address of record; 0 for any.",
    ),
    checked(
        "contact_max_size",
        Int(512),
        positive,
        "Longest contact, bytes.",
    ),
    parameter(
        "append_branches",
        Int(1),
        "lookup() finds all contacts, not only the best.",
    ),
    parameter(
        "case_sensitive",
        Int(0),
        "Addresses of record keep their case.",
    ),
    parameter(
        "use_expired_contacts",
        Int(0),
        "Contacts that have ended still count while usrloc keeps them.",
    ),
    parameter(
        "realm_prefix",
        Str(Some("")),
        "Taken off the domain of an address of record.",
    ),
    parameter(
        "received_param",
        Str(Some("received")),
        "The parameter of Contact that shows where the client is.",
    ),
    parameter(
        "received_avp",
        Str(None),
        "The AVP that holds where the client is.",
    ),
    parameter(
        "method_filtering",
        Int(0),
        "lookup() passes over contacts that do not take the method.",
    ),
    parameter("use_path", Int(0), "Path headers are kept (RFC 3327)."),
    checked(
        "path_mode",
        Int(2),
        path_mode,
        "0 keep Path, 1 and show it to a client that supports it, 2 refuse a client that does not.",
    ),
    parameter(
        "path_use_received",
        Int(0),
        "The received parameter of the first Path shows where the client is.",
    ),
    parameter(
        "path_check_local",
        Int(0),
        "lookup() passes over Path elements that are our own.",
    ),
    parameter(
        "retry_after",
        Int(0),
        "Seconds in Retry-After of 5xx replies; 0 for none.",
    ),
    parameter(
        "sock_flag",
        Int(-1),
        "The message flag with which the header below names the socket.",
    ),
    parameter(
        "sock_hdr_name",
        Str(None),
        "The header that names the socket of a registration.",
    ),
    checked(
        "sock_mode",
        Int(0),
        off,
        "Keeps sockets that are not our own.",
    ),
    parameter(
        "xavp_cfg",
        Str(None),
        "The XAVP in which scripts say what counts for one call: q, expires, max_contacts, socket, rlf_bflags, match_….",
    ),
    parameter(
        "xavp_rcd",
        Str(None),
        "The XAVP in which scripts find the contact of lookup() and registered(): ruid, contact, expires, received, path.",
    ),
    parameter(
        "xavp_rcd_mask",
        Int(0),
        "What that leaves out, a sum: 1 ruid, 2 contact, 4 expires, 8 received, 16 path.",
    ),
    parameter(
        "gruu_enabled",
        Int(1),
        "Gives out GRUUs to clients that support them (RFC 5627).",
    ),
    checked("outbound_mode", Int(0), off, "Outbound (RFC 5626)."),
    parameter(
        "regid_mode",
        Int(0),
        "Has no meaning without outbound_mode.",
    ),
    parameter(
        "flow_timer",
        Int(0),
        "Has no meaning without outbound_mode.",
    ),
    checked(
        "lookup_filter_mode",
        Int(0),
        flags_alone,
        "1: lookup() leaves out contacts without a branch flag of rlf_bflags in xavp_cfg.",
    ),
    parameter(
        "event_callback",
        Str(None),
        "With `cfgengine`, the function to run for usrloc:contact-expired, in the place of its event route.",
    ),
];

fn flags_alone(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0 | 1) => Ok(()),
        _ => Err(
            "Tandem does not look at a contact's connection yet: the value must be 0 or 1"
                .to_owned(),
        ),
    }
}

fn percent(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0..=100) => Ok(()),
        _ => Err("the value is a percentage, 0 to 100".to_owned()),
    }
}

fn path_mode(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0..=2) => Ok(()),
        _ => Err("path_mode is 0, 1 or 2".to_owned()),
    }
}
