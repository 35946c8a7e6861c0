//! The functions of module `rr`.

use std::sync::Arc;

use engine::{FunctionRow, Pending, RecordRoute, Run, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};

use super::direction::{is_upstream, own_params};
use super::loose::{Mode, loose_route};
use super::{Routed, State, record};
use crate::row::{function, function_optional, param};

const IN_REQUEST: Routes = Routes::REQUEST.or(Routes::EVENT);
const WHERE_SENT: Routes = IN_REQUEST.or(Routes::FAILURE).or(Routes::BRANCH);
const PARAMS: &[Parameter] = &[param("parameters", ParameterKind::Str)];
const ADDRESS: &[Parameter] = &[param("address", ParameterKind::Str)];
const ADDRESSES: &[Parameter] = &[
    param("address", ParameterKind::Str),
    param("second", ParameterKind::Str),
];

pub(super) static FUNCTIONS: &[FunctionRow] = &[
    function_optional(
        "record_route",
        PARAMS,
        0,
        WHERE_SENT,
        record_route,
        "Stays in the way of the dialog: adds Record-Route when the request is sent.",
    ),
    function_optional(
        "record_route_preset",
        ADDRESSES,
        1,
        WHERE_SENT,
        record_route_preset,
        "The same with given addresses, the first one on top.",
    ),
    function(
        "record_route_advertised_address",
        ADDRESS,
        WHERE_SENT,
        record_route_advertised_address,
        "The same with a given address on both sides.",
    ),
    function(
        "add_rr_param",
        PARAMS,
        WHERE_SENT,
        add_rr_param,
        "Adds parameters to Record-Route.",
    ),
    function(
        "remove_record_route",
        &[],
        IN_REQUEST.or(Routes::FAILURE),
        remove_record_route,
        "Takes the Record-Route back that was not sent yet.",
    ),
    function(
        "loose_route",
        &[],
        IN_REQUEST,
        loose_route_function,
        "Follows the Route headers: 1, -1 without, -3 for a preloaded own Route alone.",
    ),
    function(
        "loose_route_mode",
        &[param("mode", ParameterKind::Int)],
        IN_REQUEST,
        loose_route_mode,
        "The same; mode 1 never takes the Request-URI for an own Route.",
    ),
    function(
        "loose_route_preloaded",
        &[],
        IN_REQUEST,
        loose_route_preloaded,
        "The same for requests that begin a dialog only.",
    ),
    function(
        "check_route_param",
        &[param("expression", ParameterKind::Regex)],
        IN_REQUEST,
        check_route_param,
        "Whether the parameters of the own Route match.",
    ),
    function(
        "is_direction",
        &[param("direction", ParameterKind::Static)],
        IN_REQUEST,
        is_direction,
        "Whether the request goes downstream, as the first one did, or upstream.",
    ),
    function(
        "rr_next_hop_route",
        &[],
        Routes::ANY,
        rr_next_hop_route,
        "Whether the next hop was taken from a Route header.",
    ),
];

fn truth(holds: bool) -> Outcome<Pending> {
    Outcome::Code(if holds { 1 } else { -1 })
}

/// Remembers the wish; only one is granted.
fn wish(run: &mut Run, wish: RecordRoute) -> Outcome<Pending> {
    if run.msg.record_route.is_some() {
        run.log(
            level::ERROR,
            "rr",
            "Record-Route is there already: added only once",
        );
        return Outcome::Code(-1);
    }
    run.msg.record_route = Some(wish);
    Outcome::Code(1)
}

fn record_route(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let user = record::user(run, &state);
    let params = args.str(0).as_bytes().to_vec();
    wish(run, RecordRoute::Own { params, user })
}

fn record_route_preset(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let addresses = [args.opt_str(0), args.opt_str(1)].into_iter().flatten();
    let addresses = addresses
        .map(|address| address.as_bytes().to_vec())
        .collect();
    wish(run, RecordRoute::Preset(addresses))
}

fn record_route_advertised_address(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let address = args.str(0).as_bytes().to_vec();
    wish(run, RecordRoute::Advertised(address))
}

fn add_rr_param(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.record_route_params.extend_from_slice(args.str(0));
    Outcome::Code(1)
}

fn remove_record_route(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.record_route = None;
    run.msg.record_route_params.clear();
    Outcome::Code(1)
}

fn loose_route_function(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    Outcome::Code(loose_route(run, Mode::Usual))
}

fn loose_route_mode(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let mode = if args.int(0) & 1 == 0 {
        Mode::Usual
    } else {
        Mode::RoutesOnly
    };
    Outcome::Code(loose_route(run, mode))
}

fn loose_route_preloaded(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    Outcome::Code(loose_route(run, Mode::PreloadedOnly))
}

fn check_route_param(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let (Some(params), Some(expression)) = (own_params(run, &message), args.regex(0)) else {
        return truth(false);
    };
    truth(!params.is_empty() && expression.is_match(params))
}

fn is_direction(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let wants_upstream = args.str(0).to_ascii_lowercase().starts_with(b"u");
    let message = Arc::clone(&run.msg.message);
    truth(is_upstream(run, &message) == wants_upstream)
}

fn rr_next_hop_route(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    truth(
        run.slots
            .get::<Routed>()
            .is_some_and(|routed| routed.next_hop_is_route),
    )
}
