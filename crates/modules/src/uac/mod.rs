//! Module `uac`: credentials for challenges, other names for the parties of a call, requests of our own. Accounts
//! at other servers (`uac_reg_…`) are not there.

mod auth;
mod challenge;
mod credentials;
mod digest;
mod functions;
mod parameters;
mod replace;
mod request;
mod restore;
mod store;
#[cfg(test)]
mod tests;

use engine::{InitError, Module, Setup};
use script::Variable;
use sip::{SocketId, Tag};

pub(crate) use auth::answers;
pub(crate) use replace::SHOWN_TO_CALLEE;
pub(crate) use restore::within_call;

use credentials::Known;
use replace::Side;

/// Credentials in a request.
const CREDENTIALS: Tag = Tag::Module(b'c');

/// The module's row.
pub static MODULE: Module = Module {
    name: "uac",
    requires: &["tm"],
    functions: functions::FUNCTIONS,
    variables: request::VARIABLES,
    parameters: parameters::PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Answers challenges, replaces From and To, and sends requests of our own.",
};

/// What becomes of a replaced address afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restore {
    /// Nothing.
    None,
    /// Replies show it as it was; requests when the script says so.
    Manual,
    /// Replies and requests show it as each side knows it.
    Auto,
}

/// What the parameters say.
struct State {
    known: Known,
    restore: Restore,
    /// What is needed to restore is kept with the call, where there is one.
    restore_dlg: bool,
    /// Hides what is kept in Record-Route.
    password: Vec<u8>,
    from_param: Vec<u8>,
    to_param: Vec<u8>,
    from_avp: Option<Variable>,
    to_avp: Option<Variable>,
    /// Where requests of our own leave, unless the script says where.
    socket: Option<SocketId>,
}

impl State {
    fn new(setup: &Setup<'_>) -> Result<Self, InitError> {
        let parameters = setup.parameters;
        let text = |name| parameters.str("uac", name).unwrap_or_default();
        Ok(Self {
            known: Known::new(setup)?,
            restore: match text("restore_mode").as_str() {
                "none" => Restore::None,
                "manual" => Restore::Manual,
                _ => Restore::Auto,
            },
            restore_dlg: parameters.int("uac", "restore_dlg") != 0,
            password: text("restore_passwd").into_bytes(),
            from_param: text("rr_from_store_param").into_bytes(),
            to_param: text("rr_to_store_param").into_bytes(),
            from_avp: setup.variable("uac", "restore_from_avp")?,
            to_avp: setup.variable("uac", "restore_to_avp")?,
            socket: None,
        })
    }

    /// The Record-Route parameter that keeps a side.
    fn param(&self, side: Side) -> &[u8] {
        match side {
            Side::From => &self.from_param,
            Side::To => &self.to_param,
        }
    }

    /// The variable that shows scripts what a side was.
    const fn avp(&self, side: Side) -> Option<&Variable> {
        match side {
            Side::From => self.from_avp.as_ref(),
            Side::To => self.to_avp.as_ref(),
        }
    }
}

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let mut state = State::new(setup)?;
    if state.restore == Restore::Auto {
        needs_record_route(setup)?;
    }
    if state.restore_dlg && !setup.is_loaded("dialog") {
        return Err("module uac: restore_dlg needs module dialog".into());
    }
    state.socket = request::socket(setup)?;
    setup.event_callback("uac", "event_callback", &["uac:reply"])?;
    setup.put_state(state);
    setup.hooks.reply_in.push(restore::reply_in);
    setup.hooks.loose_route.push(restore::loose_route);
    Ok(())
}

/// The Route of a later request says which way it goes, and what was replaced.
fn needs_record_route(setup: &Setup<'_>) -> Result<(), InitError> {
    if !setup.is_loaded("rr") {
        return Err("module uac: restore_mode \"auto\" needs module rr".into());
    }
    if setup.parameters.int("rr", "append_fromtag") == 0 {
        let text = "module uac: restore_mode \"auto\" needs append_fromtag=1 of module rr";
        return Err(text.into());
    }
    Ok(())
}
