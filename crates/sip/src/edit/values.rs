//! The removal of elements from list headers: which bytes go depends on which neighbours stay.

use smallvec::SmallVec;

use crate::lex::Span;
use crate::message::Message;

/// The spans to delete so that the elements at `removed` are gone from the list with the value `line_value`.
///
/// A run of removed elements takes the comma behind it along, or, at the end of the list, the comma before it. A
/// list that would be empty goes with its line.
pub(super) fn spans_to_delete(
    message: &Message,
    line_value: Span,
    removed: &[Span],
) -> SmallVec<[Span; 4]> {
    let mut out = SmallVec::new();
    let Some(header) = message
        .headers()
        .find(|header| header.value_span == line_value)
    else {
        return out;
    };
    let (mut run, mut kept): (Option<u16>, Option<u16>) = (None, None);
    for value in message.values_of(&header) {
        if removed.iter().any(|span| span.contains(value.span)) {
            run.get_or_insert(value.span.start);
            continue;
        }
        if let Some(start) = run.take() {
            out.push(Span {
                start,
                end: value.span.start,
            });
        }
        kept = Some(value.span.end);
    }
    match (run, kept) {
        (Some(_), Some(end)) => out.push(Span {
            start: end,
            end: line_value.end,
        }),
        (Some(_), None) => out.push(header.span),
        (None, _) => {}
    }
    out
}
