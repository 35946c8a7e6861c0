//! What `setavpflag()` and its kind take: an AVP in the core's own spelling, and the name of an AVP flag.

use super::{Parsed, Parser};
use crate::ast::{Expr, ExprKind};
use crate::diagnostic::Diagnostic;
use crate::lexer::TokenKind;
use crate::suggest::nearest;

impl Parser<'_> {
    /// An AVP: `"name"`, `"s:name"`, `"i:5"`, each with an index if wanted, or `$avp(name)`.
    pub(super) fn avp_name(&mut self) -> Parsed<Expr> {
        let span = self.span();
        let written = match self.kind().clone() {
            TokenKind::Str { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
            TokenKind::Variable(text) => text,
            _ => return self.expected("the name of an AVP, as a string"),
        };
        match plain(&written) {
            Ok(name) => {
                self.advance();
                Ok(Expr {
                    kind: ExprKind::Str(name.into_bytes().into()),
                    span,
                })
            }
            Err(fault) => self.fail(Diagnostic::error(span, fault)),
        }
    }

    /// The name of an AVP flag, as a word or a string; what is passed on is its number.
    pub(super) fn avp_flag(&mut self) -> Parsed<Expr> {
        let span = self.span();
        let name = match self.kind().clone() {
            TokenKind::Word(word) => word,
            TokenKind::Str { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
            _ => return self.expected("the name of an AVP flag"),
        };
        let flags = &self.config.avp_flags;
        let found = flags.iter().find(|flag| flag.name.text == name);
        let Some(number) = found.map(|flag| flag.number) else {
            let close = nearest(&name, flags.iter().map(|flag| flag.name.text.as_str()));
            let error = Diagnostic::error(span, format!("no AVP flag is named `{name}`"));
            return self.fail(match close {
                Some(_) => error.suggest(close),
                None => error.help(format!("declare it before this: `avpflags {name}`")),
            });
        };
        self.advance();
        Ok(Expr {
            kind: ExprKind::Int(i64::from(number)),
            span,
        })
    }
}

/// The name with what may stand around it taken off: `name`, `s:name` or `i:5`, and `[2]` or `[]` behind it.
fn plain(written: &str) -> Result<String, String> {
    let text = written.strip_prefix('$').unwrap_or(written);
    let text = text
        .strip_prefix("avp(")
        .and_then(|inner| inner.strip_suffix(')'))
        .unwrap_or(text);
    let (text, index) = text.split_at(text.find('[').unwrap_or(text.len()));
    if !is_index(index) {
        return Err(format!(
            "`{written}`: an index is a number from 1, or empty for all values"
        ));
    }
    let name = match text.split_once('.') {
        // The class of all AVPs that `$avp()` names.
        Some(("f" | "fr" | "from", name)) => name,
        Some((class, _)) => {
            return Err(format!(
                "Tandem has AVPs of the class `f` only, not of `{class}`"
            ));
        }
        None => text,
    };
    let bare = name.strip_prefix("s:").unwrap_or(name);
    let number = name.strip_prefix("i:");
    if bare.is_empty() || bare.contains(['$', '(', ')', ' ']) {
        return Err(format!("`{written}` is no name of an AVP"));
    }
    if number.is_some_and(|number| number.parse::<i64>().is_err()) {
        return Err(format!("`{written}`: a number has to follow `i:`"));
    }
    Ok(format!("{name}{index}"))
}

/// Nothing; `[]` for all values; `[1]` for the newest, `[2]` for the one before it.
fn is_index(text: &str) -> bool {
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let counts = |inner: &str| inner.is_empty() || inner.parse::<u32>().is_ok_and(|n| n > 0);
    text.is_empty() || inner.is_some_and(counts)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn all_spellings_of_a_name_mean_the_same() {
        for written in ["a", "$a", "$f.a", "f.a", "$fr.a", "$avp(a)"] {
            assert_eq!(plain(written).as_deref(), Ok("a"), "{written}");
        }
        assert_eq!(plain("$f.s:a[]").as_deref(), Ok("s:a[]"));
        assert_eq!(plain("i:5[2]").as_deref(), Ok("i:5[2]"));
        for wrong in [
            "", "$", "f.", "a[0]", "a[x]", "a[1", "t.a", "x.a", "i:x", "$var(a)",
        ] {
            assert!(plain(wrong).is_err(), "{wrong}");
        }
    }
}
