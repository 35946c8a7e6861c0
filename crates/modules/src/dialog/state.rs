//! What the module keeps for the whole engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use dialog::{Resettable, Tracker};
use engine::{InitError, Run, Setup};
use script::{Place, Value, Variable};
use timer::Time;

use super::bridge::Controller;
use super::subscriptions::Subscriptions;
use super::{properties, settings};

/// The calls, and what the parameters say of them.
pub(crate) struct State {
    /// Knows every call.
    pub(super) tracker: Arc<Tracker>,
    /// The Record-Route parameter that carries the cookie.
    pub(super) rr_param: Vec<u8>,
    /// The message flag that makes a call of an INVITE when its transaction is made; 0 for none.
    pub(super) dlg_flag: u32,
    /// Where scripts put a call's lifetime.
    pub(super) timeout_avp: Option<Variable>,
    /// What is recorded as the Request-URI when that is not `$ru`.
    pub(super) ruri: Option<Variable>,
    /// Who bridges and refers.
    pub(super) bridge: Controller,
    /// References under way.
    pub(super) subscriptions: Subscriptions,
    /// Header lines for each BYE.
    pub(super) bye_headers: Vec<u8>,
    /// Header lines for each BYE to a callee.
    pub(super) callee_headers: Vec<u8>,
    /// Status and reason for the caller of a call that is ended before the answer.
    pub(super) bye_early: (u16, Vec<u8>),
    /// `is_known_dlg()` makes the call of a CANCEL the current one.
    pub(super) binds_cancel: bool,
    /// Calls that came by a socket of another node are left to it.
    pub(super) is_own_only: bool,
    /// Count calls.
    pub(super) counts: bool,
    clock: Clock,
}

/// The time of the last tick, for those who are not called with the time: management commands.
struct Clock {
    time_ms: AtomicU64,
    unix: AtomicU32,
    /// The second in which the last sweep was.
    swept: AtomicU32,
}

impl State {
    pub(super) fn new(setup: &mut Setup<'_>) -> Result<Self, InitError> {
        let parameters = setup.parameters;
        let mut settings = settings::tracker(parameters)?;
        settings.seed = setup.seed ^ 0x6469_616c_6f67_5f31;
        if settings.h_id_start == u32::MAX {
            settings.h_id_start = u32::try_from(setup.settings.server_id).unwrap_or(0);
        }
        let error = |error: dialog::SettingsError| InitError(error.to_string());
        for note in settings.sanitise().map_err(error)? {
            setup.log.line(engine::level::WARNING, "dialog", &note);
        }
        let rr_param = settings.rr_param.clone().into_bytes();
        let now = moment(setup.now);
        let tracker = Tracker::new(settings, now).map_err(error)?;
        let lines = |name| settings::header_lines(parameters.text("dialog", name));
        Ok(Self {
            tracker: Arc::new(tracker),
            rr_param,
            dlg_flag: properties::flag(parameters.int("dialog", "dlg_flag")).unwrap_or(0),
            timeout_avp: setup.variable("dialog", "timeout_avp")?,
            ruri: match parameters.str("dialog", "ruri_pvar").as_deref() {
                Some("$ru") => None,
                _ => setup.variable("dialog", "ruri_pvar")?,
            },
            bridge: Controller::new(setup)?,
            subscriptions: Subscriptions::default(),
            bye_headers: lines("dlg_extra_hdrs"),
            callee_headers: lines("lreq_callee_headers"),
            bye_early: settings::early_reply(parameters),
            binds_cancel: parameters.int("dialog", "dlg_ctxiuid_mode") & 1 != 0,
            is_own_only: parameters.int("dialog", "dlg_filter_mode") & 1 != 0,
            counts: parameters.int("dialog", "enable_stats") != 0,
            clock: Clock {
                time_ms: AtomicU64::new(now.time.as_millis()),
                unix: AtomicU32::new(now.unix),
                swept: AtomicU32::new(now.unix),
            },
        })
    }

    /// Knows every call.
    pub(crate) fn tracker(&self) -> Arc<Tracker> {
        Arc::clone(&self.tracker)
    }

    /// The five statistics, unless `enable_stats` is 0.
    pub(super) fn add_statistics(&self, setup: &Setup<'_>) {
        if !self.counts {
            return;
        }
        let gauge = |name, doc, read: fn(&dialog::Statistics) -> u64| {
            let tracker = Arc::clone(&self.tracker);
            let value = move || number(read(&tracker.statistics()));
            setup.statistics.computed("dialog", name, doc, value);
        };
        gauge("active_dialogs", "Calls that were answered.", |s| s.active);
        gauge("early_dialogs", "Calls that ring.", |s| s.early);
        let counter = |name, doc, read: fn(&dialog::Statistics) -> u64, which| {
            let (tracker, owner) = (Arc::clone(&self.tracker), Arc::clone(&self.tracker));
            let value = move || number(read(&tracker.statistics()));
            let reset = move || owner.reset_statistic(which);
            setup
                .statistics
                .computed_resettable("dialog", name, doc, value, reset);
        };
        counter(
            "processed_dialogs",
            "Calls tracked so far.",
            |s| s.processed,
            Resettable::Processed,
        );
        counter(
            "expired_dialogs",
            "Calls whose lifetime ran out.",
            |s| s.expired,
            Resettable::Expired,
        );
        counter(
            "failed_dialogs",
            "Calls that were not answered.",
            |s| s.failed,
            Resettable::Failed,
        );
    }

    /// What `timeout_avp` holds, if it is a number of seconds.
    pub(super) fn lifetime(&self, run: &mut Run) -> Option<u32> {
        match self.timeout_avp.as_ref()?.get(run) {
            Value::Int(seconds) => seconds_of(seconds),
            _ => None,
        }
    }

    /// Notes the time.
    pub(super) fn tick(&self, now: dialog::Now) {
        self.clock
            .time_ms
            .store(now.time.as_millis(), Ordering::Relaxed);
        self.clock.unix.store(now.unix, Ordering::Relaxed);
    }

    /// Whether another second has begun: then what goes by itself is swept out.
    pub(super) fn sweep_is_due(&self, now: dialog::Now) -> bool {
        self.clock.swept.swap(now.unix, Ordering::Relaxed) != now.unix
    }

    /// The time of the last tick.
    pub(super) fn last_tick(&self) -> dialog::Now {
        dialog::Now {
            time: Time::from_millis(self.clock.time_ms.load(Ordering::Relaxed)),
            unix: self.clock.unix.load(Ordering::Relaxed),
        }
    }
}

/// The engine's time as the tracker takes it.
pub(super) fn moment(now: engine::Now) -> dialog::Now {
    dialog::Now {
        time: now.time,
        unix: u32::try_from(now.unix()).unwrap_or(u32::MAX),
    }
}

/// A lifetime: whole seconds above 0.
pub(super) fn seconds_of(seconds: i64) -> Option<u32> {
    u32::try_from(seconds).ok().filter(|seconds| *seconds > 0)
}

/// A mistake at a place in the configuration.
pub(super) fn at(place: Place<'_>, text: &str) -> InitError {
    InitError(format!(
        "{}:{}:{}: {text}",
        place.file, place.line, place.column
    ))
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
