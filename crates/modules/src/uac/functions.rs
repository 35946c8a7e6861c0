//! The script functions: their names, parameters, and the routes that they may be used in.

use engine::FunctionRow;
use script::{Parameter, ParameterKind, Routes};

use super::{auth, replace, request, restore};
use crate::row::{IN_REQUESTS, WITH_MESSAGES, function, function_optional, param};

const URI: &[Parameter] = &[param("uri", ParameterKind::Str)];
const PARTY: &[Parameter] = &[
    param("display", ParameterKind::Str),
    param("uri", ParameterKind::Str),
];
const MODE: &[Parameter] = &[param("mode", ParameterKind::Int)];
const WHERE_REPLACED: Routes = IN_REQUESTS.or(Routes::BRANCH);

pub(super) static FUNCTIONS: &[FunctionRow] = &[
    function(
        "uac_replace_from",
        URI,
        WHERE_REPLACED,
        replace::replace_from,
        "Gives the request another URI in From.",
    ),
    function(
        "uac_replace_from",
        PARTY,
        WHERE_REPLACED,
        replace::replace_from,
        "Gives the request another name and URI in From; an empty URI stays, an empty name goes.",
    ),
    function(
        "uac_restore_from",
        &[],
        IN_REQUESTS,
        restore::restore_from,
        "Puts the URI in From that the receiver knows.",
    ),
    function(
        "uac_replace_to",
        URI,
        WHERE_REPLACED,
        replace::replace_to,
        "Gives the request another URI in To.",
    ),
    function(
        "uac_replace_to",
        PARTY,
        WHERE_REPLACED,
        replace::replace_to,
        "Gives the request another name and URI in To; an empty URI stays, an empty name goes.",
    ),
    function(
        "uac_restore_to",
        &[],
        IN_REQUESTS,
        restore::restore_to,
        "Puts the URI in To that the receiver knows.",
    ),
    function_optional(
        "uac_auth",
        MODE,
        0,
        Routes::FAILURE,
        auth::uac_auth,
        "Answers the challenge of the branch that failed; mode 1: passwords are given as HA1.",
    ),
    function(
        "uac_auth_mode",
        MODE,
        Routes::FAILURE,
        auth::uac_auth,
        "The same.",
    ),
    function(
        "uac_req_send",
        &[],
        WITH_MESSAGES,
        request::uac_req_send,
        "Sends the request that $uac_req(...) describes.",
    ),
];
