//! The names that a configuration has for log levels.

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

#[cfg(test)]
mod tests {
    use super::*;

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
