//! Log lines as JSON objects, as `--log-engine=json:FLAGS` and `log_engine_type = "json"` ask for them.

use std::fmt::Write as _;

use super::{Context, Line, level};

/// How the objects look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonStyle {
    /// `a`: names begin with `kamailio.`.
    prefixed: bool,
    /// `c`: with the Call-ID of the message at hand.
    call_id: bool,
    /// `j`: prefix and text are objects themselves.
    nested: bool,
    /// `M`: the text without its line end.
    bare: bool,
    /// `N`: no line end behind an object.
    joined: bool,
}

impl JsonStyle {
    /// The style that the flags of `log_engine_data` ask for; others change nothing, as in Kamailio.
    pub fn from_flags(flags: &str) -> Self {
        let has = |flag| flags.contains(flag);
        Self {
            prefixed: has('a'),
            call_id: has('c'),
            nested: has('j'),
            bare: has('M'),
            joined: has('N'),
        }
    }

    /// Whether an object shows the Call-ID.
    pub(super) const fn shows_call_id(self) -> bool {
        self.call_id
    }

    /// What follows an object.
    pub(super) const fn end(self) -> &'static str {
        if self.joined { "" } else { "\n" }
    }

    /// One line as an object.
    pub(super) fn object(self, line: &Line, context: Option<&Context>) -> String {
        let name = if self.prefixed { "kamailio." } else { "" };
        let mut out = format!(
            "{{ \"{name}idx\": 0, \"{name}pid\": {}, \"{name}level\": \"{}\", \"{name}module\": ",
            std::process::id(),
            level::name(line.level)
        );
        push_text(&mut out, &line.part);
        let _ = write!(
            out,
            ", \"{name}file\": \"\", \"{name}line\": 0, \"{name}function\": \"\""
        );
        if self.call_id {
            let _ = write!(out, ", \"{name}callid\": ");
            push_text(&mut out, context.map_or("", |context| &context.call_id));
        }
        let _ = write!(out, ", \"{name}logprefix\": ");
        self.push_value(&mut out, context.map_or("", |context| &context.prefix));
        let _ = write!(out, ", \"{name}message\": ");
        let text = match (line.text.strip_suffix('\n'), self.bare) {
            (Some(text), true) => text,
            _ => &line.text,
        };
        self.push_value(&mut out, text);
        out.push_str(" }");
        out
    }

    fn push_value(self, out: &mut String, text: &str) {
        if self.nested {
            out.push_str("{ \"text\": ");
            push_text(out, text);
            out.push_str(" }");
        } else {
            push_text(out, text);
        }
    }
}

/// A JSON string (RFC 8259 §7).
fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if (control as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", control as u32);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line {
            level: level::INFO,
            facility: None,
            part: "xlog".into(),
            mark: "<script>: ".into(),
            text: "a \"b\"\u{1}\n".to_owned(),
        }
    }

    fn shown(flags: &str) -> String {
        let context = Context {
            prefix: "{c1} ".to_owned(),
            call_id: "c1".to_owned(),
        };
        let pid = format!("{}", std::process::id());
        JsonStyle::from_flags(flags)
            .object(&line(), Some(&context))
            .replace(&pid, "PID")
    }

    #[test]
    fn flags_shape_the_object() {
        assert_eq!(
            shown("M"),
            r#"{ "idx": 0, "pid": PID, "level": "INFO", "module": "xlog", "file": "", "line": 0, "function": "", "logprefix": "{c1} ", "message": "a \"b\"\u0001" }"#
        );
        assert!(shown("").ends_with(r#""message": "a \"b\"\u0001\n" }"#));
        assert!(shown("cM").contains(r#""function": "", "callid": "c1", "logprefix""#));
        assert!(
            shown("jM").contains(r#""logprefix": { "text": "{c1} " }, "message": { "text": "a"#)
        );
        assert!(shown("aM").starts_with(r#"{ "kamailio.idx": 0, "kamailio.pid": PID"#));
        assert_eq!(JsonStyle::from_flags("N").end(), "");
    }
}
