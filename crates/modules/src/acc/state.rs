//! What the module keeps: the settings for the whole engine, and a note with each transaction.

use engine::{InitError, Parameters, Setup};
use script::{Value, Variable};

use super::extra::Extra;
use super::parameters::statuses;

/// The settings.
#[derive(Debug)]
pub(super) struct State {
    /// Message flags as masks, 0 for none.
    pub(super) log: u32,
    pub(super) missed: u32,
    pub(super) failed: u32,
    pub(super) prepare: u32,
    pub(super) prepare_always: bool,
    /// Statuses that `failed` does not bring.
    pub(super) failed_filter: Vec<u16>,
    pub(super) early_media: bool,
    pub(super) report_ack: bool,
    pub(super) report_cancels: bool,
    pub(super) reason_from_hf: bool,
    /// `$rdir(id)`, with `detect_direction`.
    pub(super) direction: Option<Variable>,
    pub(super) level: i32,
    pub(super) facility: Option<u8>,
    pub(super) extra: Extra,
    pub(super) time: TimeMode,
}

/// The facility of the lines, where the configuration names one.
fn facility(setup: &Setup<'_>) -> Option<u8> {
    if !setup.parameters.is_given("acc", "log_facility") {
        return None;
    }
    let name = setup.parameters.str("acc", "log_facility")?;
    script::log_facility(&name)
}

/// The second time of a line.
#[derive(Debug)]
pub(super) enum TimeMode {
    None,
    Microseconds { name: String },
    Thousandths { name: String },
    Local { name: String, format: String },
    Universal { name: String, format: String },
}

/// Kept with a transaction that may be accounted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Accounted {
    /// The request goes from the callee to the caller.
    pub(super) is_upstream: bool,
    /// An ACK to the 2xx was logged.
    pub(super) is_acknowledged: bool,
}

impl State {
    pub(super) fn new(setup: &Setup<'_>) -> Result<Self, InitError> {
        let parameters = setup.parameters;
        let int = |name| parameters.int("acc", name);
        let is_on = |name| int(name) != 0;
        let mask = |name| flag_mask(int(name));
        let filter = parameters.str("acc", "failed_filter").unwrap_or_default();
        Ok(Self {
            log: mask("log_flag"),
            missed: mask("log_missed_flag"),
            failed: mask("failed_transaction_flag"),
            prepare: mask("acc_prepare_flag"),
            prepare_always: is_on("acc_prepare_always"),
            failed_filter: statuses(&filter)?,
            early_media: is_on("early_media"),
            report_ack: is_on("report_ack"),
            report_cancels: is_on("report_cancels"),
            reason_from_hf: is_on("reason_from_hf"),
            direction: direction(setup)?,
            level: i32::try_from(int("log_level")).unwrap_or(engine::level::NOTICE),
            facility: facility(setup),
            extra: extra(setup)?,
            time: time(parameters)?,
        })
    }

    /// Whether a reply with this status is logged for a request with these flags.
    pub(super) fn counts(&self, flags: u32, status: u16, has_body: bool) -> bool {
        let counts = match status {
            ..200 => self.early_media && has_body,
            200..300 => true,
            _ => flags & self.failed != 0 && !self.failed_filter.contains(&status),
        };
        counts && flags & self.log != 0
    }

    /// Whether the request at hand goes from the callee to the caller.
    pub(super) fn is_upstream(&self, run: &mut engine::Run) -> bool {
        self.direction
            .as_ref()
            .is_some_and(|direction| direction.get(run) == Value::Int(2))
    }
}

fn flag_mask(flag: i64) -> u32 {
    let flag = u32::try_from(flag).ok();
    flag.and_then(|flag| 1_u32.checked_shl(flag)).unwrap_or(0)
}

fn direction(setup: &Setup<'_>) -> Result<Option<Variable>, InitError> {
    if setup.parameters.int("acc", "detect_direction") == 0 {
        return Ok(None);
    }
    if !setup.is_loaded("rr") || setup.parameters.int("rr", "append_fromtag") == 0 {
        return Err(InitError(
            "acc: detect_direction needs module rr with append_fromtag = 1".to_owned(),
        ));
    }
    Variable::parse(b"$rdir(id)", setup.catalog)
        .map(Some)
        .map_err(|error| InitError(error.to_string()))
}

fn extra(setup: &Setup<'_>) -> Result<Extra, InitError> {
    let Some(text) = setup.parameters.text("acc", "log_extra") else {
        return Ok(Extra::default());
    };
    let most = usize::try_from(setup.parameters.int("acc", "acc_extra_size")).unwrap_or(64);
    Extra::parse(&text, most, setup.catalog)
        .map_err(|why| InitError(format!("acc: log_extra: {why}")))
}

fn time(parameters: &Parameters) -> Result<TimeMode, InitError> {
    let text = |name| parameters.str("acc", name).unwrap_or_default();
    let (name, format) = (text("time_attr"), text("time_format"));
    if let Err(why) = jiff::fmt::strtime::format(&format, &jiff::Zoned::default()) {
        return Err(InitError(format!("acc: time_format \"{format}\": {why}")));
    }
    Ok(match parameters.int("acc", "time_mode") {
        1 => TimeMode::Microseconds {
            name: text("time_exten"),
        },
        2 => TimeMode::Thousandths { name },
        3 => TimeMode::Local { name, format },
        4 => TimeMode::Universal { name, format },
        _ => TimeMode::None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_bits() {
        assert_eq!(flag_mask(-1), 0);
        assert_eq!(flag_mask(0), 1);
        assert_eq!(flag_mask(31), 1 << 31);
        assert_eq!(flag_mask(32), 0);
    }
}
