//! From the module's parameters to what the tracker takes.

use dialog::{MatchMode, Settings};
use engine::{InitError, ParameterValue, Parameters};

/// The tracker's settings; `h_id_start` is `u32::MAX` where the server's id is meant.
pub(super) fn tracker(parameters: &Parameters) -> Result<Settings, InitError> {
    let int = |name| parameters.int("dialog", name);
    let natural = |name| u32::try_from(int(name)).unwrap_or(0);
    let is_on = |name| int(name) != 0;
    let match_mode = int("dlg_match_mode");
    let mut settings = Settings {
        hash_size: natural("hash_size"),
        h_id_start: match int("h_id_start") {
            -1 => u32::MAX,
            start => u32::try_from(start).unwrap_or(0),
        },
        h_id_step: natural("h_id_step"),
        rr_param: parameters.str("dialog", "rr_param").unwrap_or_default(),
        match_mode: MatchMode::from_number(match_mode)
            .ok_or_else(|| format!("invalid value {match_mode} for seq_match_mode param!!"))?,
        default_timeout: natural("default_timeout"),
        early_timeout: natural("early_timeout"),
        noack_timeout: natural("noack_timeout"),
        end_timeout: natural("end_timeout"),
        timeout_noreset: is_on("timeout_noreset"),
        tells_created: is_on("initial_cbs_inscript"),
        detect_spirals: is_on("detect_spirals"),
        send_bye: is_on("send_bye"),
        wait_ack: is_on("wait_ack"),
        track_cseq: is_on("track_cseq_updates"),
        keep_proxy_rr: keep_proxy_rr(parameters)?,
        keep_alive_interval: match natural("ka_timer") {
            0 => 0,
            _ => natural("ka_interval"),
        },
        keep_alive_spread: natural("ka_timer"),
        keep_alive_limit: natural("ka_failed_limit").max(1),
        ..Settings::default()
    };
    for (name, with_value) in [("profiles_with_value", true), ("profiles_no_value", false)] {
        if let Some(names) = parameters.text("dialog", name) {
            settings.declare_profiles(&names, with_value);
        }
    }
    Ok(settings)
}

/// A number, which the documentation calls a string.
fn keep_proxy_rr(parameters: &Parameters) -> Result<u8, InitError> {
    let number = match parameters.all("dialog", "keep_proxy_rr").pop() {
        None => Some(0),
        Some(ParameterValue::Int(number)) => u8::try_from(number).ok(),
        Some(ParameterValue::Str(text)) => text.trim().parse().ok(),
    };
    number
        .filter(|number| *number <= 3)
        .ok_or_else(|| InitError("invalid value for keep_proxy_rr".to_owned()))
}

/// Header lines given as one text: each line ends as it has to.
pub(super) fn header_lines(text: Option<String>) -> Vec<u8> {
    let mut lines = text.unwrap_or_default().into_bytes();
    if !lines.is_empty() && !lines.ends_with(b"\n") {
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// What the caller of an unanswered call is told when it is ended here.
pub(super) fn early_reply(parameters: &Parameters) -> (u16, Vec<u8>) {
    let code = u16::try_from(parameters.int("dialog", "bye_early_code")).unwrap_or(480);
    let reason = parameters.str("dialog", "bye_early_reason");
    (code, reason.unwrap_or_default().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines_end_with_a_line_end() {
        let lines = |text: &str| header_lines(Some(text.to_owned()));
        assert_eq!(lines("X-A: 1"), b"X-A: 1\r\n");
        assert_eq!(lines("X-A: 1\r\n"), b"X-A: 1\r\n");
        assert!(header_lines(None).is_empty());
    }
}
