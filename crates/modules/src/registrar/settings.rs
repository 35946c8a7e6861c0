//! What the parameters of `registrar` say.

use std::sync::Arc;

use engine::{Counter, InitError, LocalState, Run, Setup};
use script::Variable;

use super::xavp::{Shown, Wishes};
use crate::usrloc;

/// The parameters that an instance of the group may give another value.
const SELECTABLE: &[&str] = &[
    "default_expires",
    "default_expires_range",
    "expires_range",
    "min_expires",
    "max_expires",
    "max_contacts",
    "retry_after",
    "append_branches",
];

/// What becomes of a Path header (`path_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathMode {
    /// Kept, and never shown to the client.
    Quiet,
    /// Kept, and shown to a client that supports it.
    Lazy,
    /// Refused when the client does not support it (RFC 3327 §5.3).
    Strict,
}

/// The module's state.
#[derive(Clone)]
pub(super) struct State {
    pub(super) usrloc: Arc<usrloc::State>,
    pub(super) realm_prefix: Vec<u8>,
    pub(super) default_expires: u64,
    pub(super) default_expires_range: u64,
    pub(super) expires_range: u64,
    pub(super) min_expires: u64,
    pub(super) refuse_brief: bool,
    pub(super) max_expires: u64,
    pub(super) default_q: i32,
    pub(super) max_contacts: usize,
    pub(super) contact_max_size: usize,
    pub(super) append_branches: bool,
    pub(super) use_expired: bool,
    pub(super) method_filtering: bool,
    pub(super) received_param: String,
    pub(super) received_avp: Option<Variable>,
    pub(super) path_mode: Option<PathMode>,
    pub(super) path_use_received: bool,
    pub(super) path_check_local: bool,
    pub(super) retry_after: i64,
    pub(super) socket_flag: u32,
    pub(super) socket_header: Option<String>,
    pub(super) gruu: bool,
    /// `lookup()` leaves out contacts without the branch flags that the script wishes.
    pub(super) filters_flags: bool,
    /// The XAVP in which scripts say what they wish for one call.
    pub(super) wishes_class: Option<String>,
    pub(super) wishes: Wishes,
    pub(super) shown: Option<Shown>,
    pub(super) accepted: Counter,
    pub(super) rejected: Counter,
}

/// The state as it counts for one message.
pub(super) enum Current {
    /// As the parameters say.
    Usual(LocalState<State>),
    /// With an instance's values.
    Selected(Box<State>),
}

impl std::ops::Deref for Current {
    type Target = State;

    fn deref(&self) -> &State {
        match self {
            Self::Usual(state) => state,
            Self::Selected(state) => state,
        }
    }
}

impl State {
    /// Reads the parameters.
    pub(super) fn new(setup: &Setup<'_>, usrloc: Arc<usrloc::State>) -> Result<Self, InitError> {
        let int = |name: &str| setup.parameters.int("registrar", name);
        let on = |name: &str| int(name) != 0;
        let count = |name: &str| u64::try_from(int(name)).unwrap_or(0);
        let text = |name: &str| setup.parameters.text("registrar", name);
        let statistic = |name: &str| setup.statistics.counter("registrar", name, true, "");
        let path_mode = match int("path_mode") {
            0 => PathMode::Quiet,
            1 => PathMode::Lazy,
            _ => PathMode::Strict,
        };
        Ok(Self {
            usrloc,
            realm_prefix: text("realm_prefix").unwrap_or_default().into_bytes(),
            default_expires: count("default_expires"),
            default_expires_range: count("default_expires_range").min(100),
            expires_range: count("expires_range").min(100),
            min_expires: count("min_expires"),
            refuse_brief: on("min_expires_mode"),
            max_expires: count("max_expires"),
            default_q: i32::try_from(int("default_q"))
                .unwrap_or(-1)
                .clamp(-1, 1000),
            max_contacts: usize::try_from(int("max_contacts")).unwrap_or(0),
            contact_max_size: usize::try_from(int("contact_max_size")).unwrap_or(512),
            append_branches: on("append_branches"),
            use_expired: on("use_expired_contacts"),
            method_filtering: on("method_filtering"),
            received_param: text("received_param").unwrap_or_else(|| "received".to_owned()),
            received_avp: setup.variable("registrar", "received_avp")?,
            path_mode: on("use_path").then_some(path_mode),
            path_use_received: on("path_use_received"),
            path_check_local: on("path_check_local"),
            retry_after: int("retry_after"),
            socket_flag: flag_bit(int("sock_flag")),
            socket_header: text("sock_hdr_name"),
            gruu: on("gruu_enabled"),
            filters_flags: on("lookup_filter_mode"),
            wishes_class: text("xavp_cfg").filter(|class| !class.is_empty()),
            wishes: Wishes::default(),
            shown: Shown::new(
                text("xavp_rcd").filter(|class| !class.is_empty()),
                int("xavp_rcd_mask"),
            ),
            accepted: statistic("accepted_regs"),
            rejected: statistic("rejected_regs"),
        })
    }

    /// The state as it counts for the message at hand: with the instance that `cfg_select()` chose, and with what
    /// the script wishes, if it does.
    pub(super) fn of(run: &Run) -> Current {
        let state = run.state::<Self>();
        let value = |name: &str| crate::cfg::selected_value(run, "registrar", name);
        let class = state.wishes_class.as_deref();
        let wishes = class.and_then(|class| Wishes::of(run, class));
        if wishes.is_none() && SELECTABLE.iter().all(|name| value(name).is_none()) {
            return Current::Usual(state);
        }
        let wishes = wishes.unwrap_or_default();
        let count = |own: u64, name: &str| {
            let number = value(name).and_then(|value| value.to_int());
            number.and_then(|n| u64::try_from(n).ok()).unwrap_or(own)
        };
        Current::Selected(Box::new(Self {
            default_expires: count(state.default_expires, "default_expires"),
            default_expires_range: count(state.default_expires_range, "default_expires_range")
                .min(100),
            expires_range: count(state.expires_range, "expires_range").min(100),
            min_expires: count(state.min_expires, "min_expires"),
            max_expires: count(state.max_expires, "max_expires"),
            max_contacts: wishes
                .max_contacts
                .unwrap_or_else(|| count(state.max_contacts as u64, "max_contacts") as usize),
            retry_after: count(state.retry_after.max(0) as u64, "retry_after") as i64,
            append_branches: count(u64::from(state.append_branches), "append_branches") != 0,
            wishes,
            ..Self::clone(&state)
        }))
    }

    /// The table of this name.
    pub(super) fn domain(&self, name: &[u8]) -> Option<Arc<usrloc::Domain>> {
        self.usrloc.domain(std::str::from_utf8(name).ok()?)
    }
}

/// The bit of a flag number; none outside of 0 to 31.
fn flag_bit(flag: i64) -> u32 {
    let bit = u32::try_from(flag)
        .ok()
        .and_then(|flag| 1u32.checked_shl(flag));
    bit.unwrap_or(0)
}
