//! Module `tm`: what scripts do with transactions. The machinery is the engine's; here are its names.

mod arm;
mod ask;
mod check;
mod configure;
mod contacts;
mod parameters;
mod relay;
mod reply;
mod settings;
#[cfg(test)]
mod tests;
mod uac;
mod write;

pub(crate) use ask::status;

use engine::{FunctionRow, Module};
use script::Routes;

/// Module `tm`.
pub static MODULE: Module = Module {
    name: "tm",
    requires: &[],
    functions: FUNCTIONS,
    variables: &[],
    parameters: parameters::PARAMETERS,
    statistics: &[],
    init: Some(configure::init),
    doc: "Stateful relaying, forking, failure routes.",
};

/// What the functions need of the parameters.
struct State {
    fr_timer: Option<script::Variable>,
    fr_inv_timer: Option<script::Variable>,
    has_contacts: bool,
    writing: write::Writing,
    /// Timers and policy as the parameters give them.
    defaults: transaction::Settings,
}

/// Where a request is at hand that came from outside.
const IN_REQUEST: Routes = Routes::REQUEST.or(Routes::EVENT);
/// The same, or a failure route.
const WHERE_RELAYED: Routes = IN_REQUEST.or(Routes::FAILURE);
/// Wherever a transaction may be at hand.
const WITH_TRANSACTION: Routes = WHERE_RELAYED.or(Routes::BRANCH).or(Routes::ONREPLY);

static FUNCTIONS: &[FunctionRow] = &[
    relay::T_RELAY,
    relay::T_RELAY_TO,
    relay::T_RELAY_TO_UDP,
    relay::T_RELAY_TO_TCP,
    relay::T_RELAY_TO_TLS,
    relay::T_FORWARD_NONACK,
    relay::T_FORWARD_NONACK_URI,
    relay::T_FORWARD_NONACK_UDP,
    relay::T_FORWARD_NONACK_TCP,
    relay::T_FORWARD_NONACK_TLS,
    relay::T_FORWARD_NONACK_TO,
    relay::T_RELAY_CANCEL,
    relay::T_REPLICATE,
    relay::T_REPLICATE_UDP,
    relay::T_REPLICATE_TCP,
    relay::T_REPLICATE_TLS,
    relay::T_REPLICATE_TO,
    reply::T_NEWTRAN,
    reply::T_REPLY,
    reply::T_SEND_REPLY,
    reply::T_RELEASE,
    reply::T_RETRANSMIT_REPLY,
    reply::T_CHECK_TRANS,
    reply::T_LOOKUP_REQUEST,
    reply::T_LOOKUP_CANCEL,
    reply::T_SAVE_LUMPS,
    reply::T_CLEAN,
    reply::T_EXISTS,
    arm::T_ON_FAILURE,
    arm::T_ON_REPLY,
    arm::T_ON_BRANCH,
    arm::T_ON_BRANCH_FAILURE,
    arm::T_IS_SET,
    ask::T_IS_CANCELED,
    ask::T_IS_EXPIRED,
    ask::T_CHECK_STATUS,
    ask::T_GREP_STATUS,
    ask::T_GET_STATUS_CODE,
    ask::T_BRANCH_TIMEOUT,
    ask::T_BRANCH_REPLIED,
    ask::T_ANY_TIMEOUT,
    ask::T_ANY_REPLIED,
    ask::T_IS_RETR_ASYNC_REPLY,
    settings::T_SET_FR,
    settings::T_RESET_FR,
    settings::T_SET_RETR,
    settings::T_RESET_RETR,
    settings::T_SET_MAX_LIFETIME,
    settings::T_RESET_MAX_LIFETIME,
    settings::T_SET_AUTO_INV_100,
    settings::T_SET_DISABLE_6XX,
    settings::T_SET_DISABLE_FAILOVER,
    settings::T_SET_NO_E2E_CANCEL_REASON,
    settings::T_DISABLE_E2E_CANCEL_REASON,
    settings::T_SET_DISABLE_INTERNAL_REPLY,
    settings::T_DROP_REPLIES,
    settings::T_USE_UAC_HEADERS,
    contacts::T_LOAD_CONTACTS,
    contacts::T_NEXT_CONTACTS,
    contacts::T_NEXT_CONTACT_FLOW,
    write::T_WRITE_REQ,
    write::T_WRITE_UNIX,
    uac::T_UAC_SEND,
];
