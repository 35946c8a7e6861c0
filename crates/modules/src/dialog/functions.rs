//! The script functions: their names, parameters, and the routes that they may be used in.

use engine::FunctionRow;
use script::{ParameterKind, Routes};

use super::{bridge, control, database, ending, manage, profiles, properties, refer, within};
use crate::row::{WITH_MESSAGES, function, function_optional, param};

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
const SIDE: script::Parameter = param("side", ParameterKind::Static);
const METHOD: script::Parameter = param("method", ParameterKind::Str);
const HEADERS: script::Parameter = param("headers", ParameterKind::Str);
const CONTENT_TYPE: script::Parameter = param("content_type", ParameterKind::Str);
const CONTENT: script::Parameter = param("content", ParameterKind::Str);

pub(super) static FUNCTIONS: &[FunctionRow] = &[
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
        WITH_MESSAGES,
        profiles::set_dlg_profile,
        "Puts the call into a profile.",
    ),
    function_optional(
        "unset_dlg_profile",
        &[PROFILE, VALUE],
        1,
        WITH_MESSAGES,
        profiles::unset_dlg_profile,
        "Takes the call out of a profile.",
    ),
    function_optional(
        "is_in_profile",
        &[PROFILE, VALUE],
        1,
        WITH_MESSAGES,
        profiles::is_in_profile,
        "True when the call is in a profile, with this value if one is given.",
    ),
    function(
        "get_profile_size",
        &[PROFILE, SIZE],
        WITH_MESSAGES,
        profiles::get_profile_size,
        "Writes into a variable how many calls are in a profile.",
    ),
    function(
        "get_profile_size",
        &[PROFILE, VALUE, SIZE],
        WITH_MESSAGES,
        profiles::get_profile_size_of,
        "Writes into a variable how many calls are in a profile with this value.",
    ),
    function(
        "dlg_setflag",
        &[FLAG],
        WITH_MESSAGES,
        properties::dlg_setflag,
        "Sets a flag of the call, 0 to 31.",
    ),
    function(
        "dlg_resetflag",
        &[FLAG],
        WITH_MESSAGES,
        properties::dlg_resetflag,
        "Clears a flag of the call.",
    ),
    function(
        "dlg_isflagset",
        &[FLAG],
        WITH_MESSAGES,
        properties::dlg_isflagset,
        "True when the flag of the call is set.",
    ),
    function(
        "dlg_bye",
        &[SIDE],
        Routes::ANY,
        ending::dlg_bye,
        "Ends the call by BYE to caller, callee or all; one not yet answered by a reply and CANCEL.",
    ),
    function(
        "dlg_get",
        &[CALL_ID, FROM_TAG, TO_TAG],
        WITH_MESSAGES,
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
        WITH_MESSAGES,
        control::dlg_get_var,
        "Reads a variable of another call.",
    ),
    function(
        "dlg_set_var",
        &[CALL_ID, FROM_TAG, TO_TAG, NAME, VALUE],
        WITH_MESSAGES,
        control::dlg_set_var,
        "Sets a variable of another call.",
    ),
    function(
        "is_known_dlg",
        &[],
        WITH_MESSAGES,
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
        "Gives the call a property: ka-src, ka-dst or timeout-noreset.",
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
    function(
        "dlg_set_timeout_by_profile",
        &[PROFILE, TIMEOUT],
        Routes::ANY,
        profiles::dlg_set_timeout_by_profile,
        "Sets the lifetime of all calls in a profile, in seconds.",
    ),
    function(
        "dlg_set_timeout_by_profile",
        &[PROFILE, VALUE, TIMEOUT],
        Routes::ANY,
        profiles::dlg_set_timeout_by_value,
        "Sets the lifetime of all calls in a profile with this value, in seconds.",
    ),
    function(
        "dlg_remote_profile",
        &[
            param("cmd", ParameterKind::Str),
            param("profile", ParameterKind::Str),
            VALUE,
            param("uid", ParameterKind::Str),
            param("expires", ParameterKind::Int),
        ],
        Routes::ANY,
        profiles::dlg_remote_profile,
        "Counts a call of another node in a profile (add), or no longer (rm).",
    ),
    function(
        "dlg_profile_admit",
        &[PROFILE, VALUE, param("max", ParameterKind::Int)],
        Routes::ANY,
        profiles::dlg_profile_admit,
        "Puts the call into a profile unless that has max calls with this value; only in Tandem.",
    ),
    function(
        "dlg_refer",
        &[SIDE, param("address", ParameterKind::Str)],
        WITH_MESSAGES,
        refer::dlg_refer,
        "Refers caller or callee to another address; when it goes, the call ends.",
    ),
    function(
        "dlg_bridge",
        &[
            param("from", ParameterKind::Str),
            param("to", ParameterKind::Str),
            param("op", ParameterKind::Str),
        ],
        WITH_MESSAGES,
        bridge::dlg_bridge,
        "Calls one address and refers it to another, through a proxy unless that is empty.",
    ),
    function(
        "dlg_req_within",
        &[SIDE, METHOD],
        Routes::ANY,
        within::plain,
        "Sends a request within the call to caller, callee or all.",
    ),
    function(
        "dlg_req_within",
        &[SIDE, METHOD, HEADERS],
        Routes::ANY,
        within::with_headers,
        "Sends a request within the call with further headers.",
    ),
    function(
        "dlg_req_within",
        &[SIDE, METHOD, CONTENT_TYPE, CONTENT],
        Routes::ANY,
        within::with_body,
        "Sends a request within the call with a body.",
    ),
    function(
        "dlg_req_within",
        &[SIDE, METHOD, HEADERS, CONTENT_TYPE, CONTENT],
        Routes::ANY,
        within::with_both,
        "Sends a request within the call with further headers and a body.",
    ),
    function(
        "dlg_db_load_callid",
        &[CALL_ID],
        Routes::ANY,
        database::dlg_db_load_callid,
        "Reads the calls with a Call-ID from the database; there is none yet.",
    ),
    function(
        "dlg_db_load_extra",
        &[],
        Routes::ANY,
        database::dlg_db_load_extra,
        "Reads all calls from the database; there is none yet.",
    ),
];
