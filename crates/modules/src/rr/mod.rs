//! Module `rr`: record-routing and loose routing (RFC 3261 §16.4, §16.6 item 4, §16.12).

mod direction;
mod functions;
mod loose;
mod parameters;
mod record;
#[cfg(test)]
mod tests;
mod variables;

use std::sync::Arc;

use engine::{InitError, Module, Setup};

pub(crate) use direction::own_params;

/// Module `rr`.
pub static MODULE: Module = Module {
    name: "rr",
    requires: &[],
    functions: functions::FUNCTIONS,
    variables: variables::VARIABLES,
    parameters: parameters::PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Record-Route and Route.",
};

/// The parameters, and nothing else: the module remembers nothing between messages.
struct State {
    append_from_tag: bool,
    always_double: bool,
    enable_double: bool,
    full_lr: bool,
    add_user: bool,
    warn_of_mismatch: bool,
    force_socket: bool,
    ignore_sips: bool,
    socket_names: bool,
    user_avp: Option<script::Variable>,
}

/// What `loose_route()` found in a request.
#[derive(Clone, Debug, Default)]
struct Routed {
    /// The parameters of the own Route URI, from the first semicolon.
    params: Option<Arc<[u8]>>,
    /// The next hop is the address in a Route header.
    next_hop_is_route: bool,
}

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let flag = |name| setup.parameters.int("rr", name) != 0;
    let state = State {
        append_from_tag: flag("append_fromtag"),
        always_double: setup.parameters.int("rr", "enable_double_rr") == 2,
        enable_double: flag("enable_double_rr"),
        full_lr: flag("enable_full_lr"),
        add_user: flag("add_username"),
        warn_of_mismatch: flag("enable_socket_mismatch_warning"),
        force_socket: flag("force_send_socket"),
        ignore_sips: flag("ignore_sips"),
        socket_names: flag("sockname_mode"),
        user_avp: setup.variable("rr", "custom_user_avp")?,
    };
    setup.put_state(state);
    setup.hooks.branch_out.push(record::write);
    Ok(())
}
