//! `$C(xy)`: switches the terminal's colours, where the log is on one.

use engine::{Interner, KeyRule, Run, VariableRow};
use script::{Index, Key, KeySpec, Value};

use super::State;
use crate::row::reads;

pub(super) const ROWS: &[VariableRow] = &[reads(
    "C",
    KeyRule::Resolve(key),
    colour,
    "Switches the terminal's colours: of the text, and behind it.",
)];

/// The sequence for two letters: the text's colour, in capitals bold, and the one behind it.
pub(super) fn sequence(letters: &str) -> Result<String, String> {
    let mut letters = letters.chars();
    let (Some(front), Some(back), None) = (letters.next(), letters.next(), letters.next()) else {
        return Err("expected two letters, for the text and behind it".to_owned());
    };
    let weight = u32::from(front.is_ascii_uppercase());
    match (code(30, front.to_ascii_lowercase()), code(40, back)) {
        (Some(front), Some(back)) => Ok(format!("\x1b[{weight};{front};{back}m")),
        _ => Err("colours are x, s, r, g, y, b, p, c and w".to_owned()),
    }
}

fn code(base: u32, letter: char) -> Option<u32> {
    match letter {
        'x' => Some(base + 9),
        letter => "srgybpcw".find(letter).map(|at| base + at as u32),
    }
}

fn key(names: &Interner, inner: &str) -> Result<KeySpec, String> {
    sequence(inner).map(|text| KeySpec::Attr(names.intern(&text)))
}

fn colour(run: &mut Run, key: &Key, _: Index) -> Value {
    let shown = run.engine.log.is_to_terminal() || run.state::<State>().force_color;
    match key {
        Key::Attr(number) if shown => {
            let text = run.engine.catalog.interner().name(*number);
            Value::Str(text.as_str().into())
        }
        _ => Value::Str("".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::sequence;

    #[test]
    fn letters_are_the_colours_of_kamailio() {
        for (letters, wanted) in [
            ("rx", "\x1b[0;31;49m"),
            ("xg", "\x1b[0;39;42m"),
            ("sw", "\x1b[0;30;47m"),
            ("Rx", "\x1b[1;31;49m"),
        ] {
            assert_eq!(sequence(letters).as_deref(), Ok(wanted), "{letters}");
        }
        for wrong in ["", "r", "rrr", "zx", "xX"] {
            assert!(sequence(wrong).is_err(), "{wrong}");
        }
    }
}
