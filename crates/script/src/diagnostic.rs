//! Messages about a configuration, and how they are shown: place, the line with a marker under the words that
//! are meant, what was expected, and what to write instead. Shown text never goes further than a string.

use std::fmt::Write as _;

use crate::source::{Location, Origin, SourceMap, Span};

/// Errors beyond this number are counted, not kept.
const LIMIT: usize = 100;

/// How many steps of includes and expansions are shown.
const TRACE: usize = 8;

/// Longer lines are cut around the marker, in characters.
const WIDTH: usize = 160;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Notice,
    /// Runs, but not as its author may think.
    Warning,
    /// The configuration is refused.
    Error,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Where; `Span::NONE` when there is no place.
    pub span: Span,
    /// One line, lower case, no full stop.
    pub message: String,
    /// Written beside the marker: what was expected there.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// Another place, and why it matters.
    pub note: Option<(Span, String)>,
}

impl Diagnostic {
    /// An error.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, span, message.into())
    }

    /// A warning.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, span, message.into())
    }

    /// A notice.
    pub fn notice(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Notice, span, message.into())
    }

    /// With words beside the marker.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With "did you mean" if there is a name to offer.
    pub fn suggest(self, name: Option<&str>) -> Self {
        match name {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// With another place.
    pub fn note(mut self, span: Span, text: impl Into<String>) -> Self {
        self.note = Some((span, text.into()));
        self
    }

    /// The message as text: several lines, each ended. `color` adds terminal escapes.
    pub fn render(&self, map: &SourceMap, color: bool) -> String {
        let mut out = String::new();
        let style = Style { color };
        style.headline(
            &mut out,
            map.locate(self.span),
            self.severity,
            &self.message,
        );
        excerpt(&mut out, map, self.span, self.label.as_deref(), style);
        if let Some((span, text)) = &self.note {
            style.headline(&mut out, map.locate(*span), Severity::Notice, text);
            excerpt(&mut out, map, *span, None, style);
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "      = help: {help}");
        }
        trace(&mut out, map, self.span);
        out
    }

    fn new(severity: Severity, span: Span, message: String) -> Self {
        Self {
            severity,
            span,
            message,
            label: None,
            help: None,
            note: None,
        }
    }
}

/// All messages about one configuration, in the order of their discovery.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    errors: usize,
}

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one. Beyond a hundred errors they are only counted.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        if self.errors <= LIMIT {
            self.list.push(diagnostic);
        }
    }

    /// Adds those of another stage.
    pub fn append(&mut self, other: Self) {
        let unseen = other.errors.saturating_sub(LIMIT);
        other.list.into_iter().for_each(|d| self.push(d));
        self.errors += unseen;
    }

    /// Whether the configuration must be refused.
    pub const fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many errors there were, kept or not.
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// The messages.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// All messages as text.
    pub fn render(&self, map: &SourceMap, color: bool) -> String {
        let mut out: String = self.list.iter().map(|d| d.render(map, color)).collect();
        if self.errors > LIMIT {
            let _ = writeln!(
                out,
                "error: {} more errors are not shown",
                self.errors - LIMIT
            );
        }
        out
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[derive(Clone, Copy)]
struct Style {
    color: bool,
}

impl Style {
    fn headline(
        self,
        out: &mut String,
        place: Option<Location<'_>>,
        severity: Severity,
        text: &str,
    ) {
        let (word, code) = match severity {
            Severity::Error => ("error", "1;31"),
            Severity::Warning => ("warning", "1;33"),
            Severity::Notice => ("note", "1;36"),
        };
        if let Some(Location { file, line, column }) = place {
            let _ = write!(out, "{file}:{line}:{column}: ");
        }
        let _ = writeln!(out, "{}: {text}", self.paint(word, code));
    }

    fn paint(self, text: &str, code: &str) -> String {
        if self.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The line of a span with a marker under it; tabs become four blanks.
fn excerpt(out: &mut String, map: &SourceMap, span: Span, label: Option<&str>, style: Style) {
    let span = map.in_file(span);
    let Some(source) = map.source_of(span) else {
        return;
    };
    let (line, _) = source.line_and_column(span.start);
    let (from, to) = source.line_bounds(span.start);
    let start = ((span.start - source.base) as usize).min(to);
    let end = ((span.end.max(span.start) - source.base) as usize).clamp(start, to);
    let mut before = printable(&source.text[from..start]);
    let marked = printable(&source.text[start..end]);
    let mut behind = printable(&source.text[end..to]);
    shorten_left(&mut before);
    shorten_right(&mut behind);
    let marker = "^".repeat(marked.chars().count().clamp(1, WIDTH));
    let indent = " ".repeat(before.chars().count());
    let _ = writeln!(out, "{line:>5} | {before}{marked}{behind}");
    let tail = label.map_or_else(String::new, |label| format!(" {label}"));
    let _ = writeln!(
        out,
        "      | {indent}{}",
        style.paint(&format!("{marker}{tail}"), "1;31")
    );
}

fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        match c {
            '\t' => text.push_str("    "),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text
}

fn shorten_left(text: &mut String) {
    let surplus = text.chars().count().saturating_sub(WIDTH);
    if surplus > 0 {
        *text = "…".chars().chain(text.chars().skip(surplus)).collect();
    }
}

fn shorten_right(text: &mut String) {
    if text.chars().count() > WIDTH {
        *text = text.chars().take(WIDTH).chain("…".chars()).collect();
    }
}

/// How the place was reached: expansions outwards, then includes.
fn trace(out: &mut String, map: &SourceMap, mut span: Span) {
    for _ in 0..TRACE {
        let Some(source) = map.source_of(span) else {
            return;
        };
        match source.origin {
            Origin::Root | Origin::CommandLine => return,
            Origin::Expansion { used, defined } => {
                let value = printable(&source.text);
                let place = map.locate(defined).map_or_else(
                    || "predefined".to_owned(),
                    |at| format!("defined at {}:{}", at.file, at.line),
                );
                let _ = writeln!(out, "      = in `{}` = `{value}`, {place}", source.name);
                span = used;
            }
            Origin::Include(from) => {
                if let Some(Location { file, line, .. }) = map.locate(from) {
                    let _ = writeln!(out, "      = in a file included at {file}:{line}");
                }
                span = from;
            }
        }
    }
}
