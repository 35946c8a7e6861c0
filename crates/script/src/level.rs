//! The names that a configuration has for log levels and for the facilities of the system log.

use crate::value::parse_int;

/// The level that a text like `L_INFO` names, from -5 (alert) to 3 (debug): of a name only the third letter counts.
/// A number is a level itself.
pub fn log_level(text: &[u8]) -> Option<i32> {
    if let Some(number) = parse_int(text) {
        return i32::try_from(number).ok();
    }
    Some(match text.get(2)? {
        b'A' => -5,
        b'B' => -4,
        b'C' => -2,
        b'E' => -1,
        b'W' => 0,
        b'N' => 1,
        b'I' => 2,
        b'D' => 3,
        _ => return None,
    })
}

/// The facilities of the system log by number (RFC 5424 §6.2.1), up to the first local one.
const FACILITIES: [&str; 12] = [
    "KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON", "AUTHPRIV",
    "FTP",
];

/// The number of the system log's facility that a name like `LOG_LOCAL0` means.
pub fn log_facility(name: &str) -> Option<u8> {
    let name = name.strip_prefix("LOG_")?;
    if let Some(local) = name.strip_prefix("LOCAL") {
        return match local.as_bytes() {
            [digit @ b'0'..=b'7'] => Some(16 + digit - b'0'),
            _ => None,
        };
    }
    let at = FACILITIES.iter().position(|known| *known == name)?;
    u8::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facilities_have_the_numbers_of_the_system_log() {
        assert_eq!(log_facility("LOG_KERN"), Some(0));
        assert_eq!(log_facility("LOG_DAEMON"), Some(3));
        assert_eq!(log_facility("LOG_FTP"), Some(11));
        assert_eq!(log_facility("LOG_LOCAL7"), Some(23));
        for wrong in ["LOCAL0", "LOG_LOCAL8", "LOG_LOCAL", "LOG_X", ""] {
            assert_eq!(log_facility(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_third_letter_is_the_level() {
        for (text, wanted) in [
            ("L_ERR", Some(-1)),
            ("L_WARN", Some(0)),
            ("L_Ixyz", Some(2)),
            ("xxI", Some(2)),
            ("3", Some(3)),
            ("-1", Some(-1)),
            ("INFO", None),
            ("L_x", None),
            ("L_", None),
        ] {
            assert_eq!(log_level(text.as_bytes()), wanted, "{text}");
        }
    }
}
