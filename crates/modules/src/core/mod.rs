//! What the language itself brings: core actions and the operands of core conditions.

mod actions;
mod avpflags;
mod exec;
mod flags;
mod operands;
pub(crate) mod rpc;
pub(crate) mod streams;
#[cfg(test)]
mod tests;
mod uri;

pub(crate) use flags::bit as flag_bit;

use engine::{FunctionRow, InitError, Module, Setup};

/// The core's own names; always loaded.
pub static MODULE: Module = Module {
    name: "core",
    requires: &[],
    functions: FUNCTIONS,
    variables: operands::VARIABLES,
    parameters: &[],
    statistics: &[],
    init: Some(init),
    doc: "Core actions and conditions.",
};

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    setup.put_state(crate::aside::Aside::default());
    rpc::init(setup)?;
    crate::cfg::init(setup)
}

static FUNCTIONS: &[FunctionRow] = &[
    actions::FORWARD,
    actions::FORWARD_UDP,
    actions::FORWARD_TCP,
    actions::LOG,
    actions::ERROR,
    exec::EXEC,
    actions::FORCE_RPORT,
    actions::ADD_LOCAL_RPORT,
    actions::FORCE_SEND_SOCKET,
    actions::SET_ADVERTISED_ADDRESS,
    actions::SET_ADVERTISED_PORT,
    actions::UDP_MTU_TRY_PROTO,
    actions::REMOVE_BRANCH,
    actions::CLEAR_BRANCHES,
    streams::FORCE_TCP_ALIAS,
    streams::SET_FORWARD_NO_CONNECT,
    streams::SET_FORWARD_CLOSE,
    streams::SET_REPLY_NO_CONNECT,
    streams::SET_REPLY_CLOSE,
    crate::cfg::CFG_SELECT,
    crate::cfg::CFG_RESET,
    flags::SETFLAG,
    flags::RESETFLAG,
    flags::ISFLAGSET,
    avpflags::SETAVPFLAG,
    avpflags::RESETAVPFLAG,
    avpflags::ISAVPFLAGSET,
    uri::SETURI,
    uri::REVERT_URI,
    uri::SETHOST,
    uri::SETHOSTPORT,
    uri::SETHOSTPORTTRANS,
    uri::SETUSER,
    uri::SETUSERPASS,
    uri::SETPORT,
    uri::PREFIX,
    uri::STRIP,
    uri::STRIP_TAIL,
    uri::USERPHONE,
];
