//! Writing a message with its changes: one walk over the changes in the order of their places.

use std::cmp::Reverse;

use smallvec::SmallVec;

use super::{Edits, Rank, Text, show, values};
use crate::lex::{Span, number, push_number};
use crate::message::Message;
use crate::name::HeaderId;

/// Whether the receiver finds the message's end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A datagram: Content-Length may be missing.
    Datagram,
    /// A stream: Content-Length is added if it is missing, and put right if it is wrong.
    Stream,
}

#[derive(Clone, Copy)]
struct Item<'a> {
    span: Span,
    rank: Rank,
    text: &'a [u8],
}

type Items<'a> = SmallVec<[Item<'a>; 24]>;

/// Removed elements of list headers: the value of the line, and the element.
type Elements = SmallVec<[(Span, Span); 4]>;

impl Edits {
    /// Appends the message to `out` with these changes and, above them, those of `extra` in their order.
    ///
    /// Of two changes of one span the one of the later list counts. Content-Length is put right if the body's length
    /// changes; otherwise every byte that is not changed leaves as it came.
    pub fn apply(&self, extra: &[&Self], message: &Message, framing: Framing, out: &mut Vec<u8>) {
        let bytes = message.bytes();
        let mut items = Items::new();
        let mut elements = Elements::new();
        collect(self, &mut items, &mut elements);
        for edits in extra {
            collect(edits, &mut items, &mut elements);
        }
        if !elements.is_empty() {
            resolve(message, &elements, &mut items);
        }
        items.sort_by_key(|item| (item.span.start, item.rank, Reverse(item.span.end)));

        let body_start = message.body_span().start;
        let body_at = items.partition_point(|item| item.span.start < body_start);
        let (headers, body) = items.split_at(body_at);
        let body_range = usize::from(body_start)..bytes.len();
        let mut length = body_range.len();
        if !body.is_empty() {
            length = 0;
            walk(body, bytes, body_range.clone(), |part| length += part.len());
        }
        let header_range = 0..usize::from(body_start);
        if length_is_right(message, headers, length, framing, !body.is_empty()) {
            walk(headers, bytes, header_range, |part| {
                out.extend_from_slice(part)
            });
        } else {
            let mut text = Vec::with_capacity(32);
            let headers = with_length(message, headers, length, framing, &mut text);
            walk(&headers, bytes, header_range, |part| {
                out.extend_from_slice(part)
            });
        }
        walk(body, bytes, body_range, |part| out.extend_from_slice(part));
    }

    /// The message with these changes, on its own.
    pub fn applied(&self, message: &Message, framing: Framing) -> Vec<u8> {
        let mut out = Vec::with_capacity(message.bytes().len() + self.text.len() + 32);
        self.apply(&[], message, framing, &mut out);
        out
    }
}

/// Sorts the changes of one list into those that can be carried out and removed elements of list headers.
fn collect<'a>(edits: &'a Edits, items: &mut Items<'a>, elements: &mut Elements) {
    for edit in &edits.list {
        match edit.text {
            Text::Element(line_value) => elements.push((line_value, edit.span)),
            Text::Own(..) => {
                let text = show(edit, &edits.text).text;
                items.push(Item {
                    span: edit.span,
                    rank: edit.rank,
                    text,
                });
            }
        }
    }
}

/// Makes deletions of the removed elements: only all of them together tell which commas go.
fn resolve(message: &Message, elements: &[(Span, Span)], items: &mut Items<'_>) {
    let mut lines: SmallVec<[Span; 4]> = elements.iter().map(|(line, _)| *line).collect();
    lines.sort_by_key(|line| line.start);
    lines.dedup();
    for line in lines {
        let of_line = elements
            .iter()
            .filter(|(of, _)| *of == line)
            .map(|(_, span)| *span);
        let removed: SmallVec<[Span; 4]> = of_line.collect();
        for span in values::spans_to_delete(message, line, &removed) {
            items.push(Item {
                span,
                rank: Rank::Replace,
                text: &[],
            });
        }
    }
}

/// Gives the bytes of `range` as the changes leave them, piece by piece.
fn walk(
    items: &[Item<'_>],
    bytes: &[u8],
    range: std::ops::Range<usize>,
    mut put: impl FnMut(&[u8]),
) {
    let mut cursor = range.start;
    let mut items = items.iter().peekable();
    while let Some(item) = items.next() {
        let (start, end) = (usize::from(item.span.start), usize::from(item.span.end));
        let superseded = items.peek().is_some_and(|next| {
            next.span == item.span && next.rank == item.rank && item.rank == Rank::Replace
        });
        if superseded {
            continue;
        }
        if start >= cursor {
            put(bytes.get(cursor..start).unwrap_or_default());
            put(item.text);
        }
        // A change inside what is already gone is gone with it.
        cursor = cursor.max(end);
    }
    put(bytes.get(cursor..range.end).unwrap_or_default());
}

fn length_is_right(
    message: &Message,
    headers: &[Item<'_>],
    length: usize,
    framing: Framing,
    body_changed: bool,
) -> bool {
    if framing == Framing::Datagram && !body_changed {
        return true;
    }
    let mut lines = lines(message).peekable();
    let is_right = |(value, line): (Span, Span)| {
        number(value.of(message.bytes())).is_some_and(|declared| declared as usize == length)
            && !headers.iter().any(|item| is_inside(item, line))
            && !is_deleted(headers, line)
    };
    lines.peek().is_some() && lines.all(is_right)
}

/// The header changes with those that make Content-Length right. `text` keeps the number that they refer to.
fn with_length<'a>(
    message: &Message,
    headers: &[Item<'a>],
    length: usize,
    framing: Framing,
    text: &'a mut Vec<u8>,
) -> Items<'a> {
    const NAME: &[u8] = b"Content-Length: ";
    text.extend_from_slice(NAME);
    push_number(text, length as u32);
    text.extend_from_slice(b"\r\n");
    let line_text: &'a [u8] = text;
    let number = line_text
        .get(NAME.len()..line_text.len() - 2)
        .unwrap_or_default();
    let mut items = Items::from_slice(headers);
    let mut present = false;
    for (value, line) in lines(message) {
        if !is_deleted(headers, line) {
            present = true;
            items.retain(|item| !is_inside(item, line));
            items.push(Item {
                span: value,
                rank: Rank::Replace,
                text: number,
            });
        }
    }
    if !present && framing == Framing::Stream {
        let span = Span::empty_at(message.headers_end());
        items.push(Item {
            span,
            rank: Rank::End,
            text: line_text,
        });
    }
    items.sort_by_key(|item| (item.span.start, item.rank, Reverse(item.span.end)));
    items
}

/// The Content-Length lines: value and whole line.
fn lines(message: &Message) -> impl Iterator<Item = (Span, Span)> {
    message
        .headers_of(HeaderId::ContentLength)
        .map(|header| (header.value_span, header.span))
}

/// Whether a change is one of the line's content.
const fn is_inside(item: &Item<'_>, line: Span) -> bool {
    line.start < item.span.start && item.span.end < line.end
}

fn is_deleted(items: &[Item<'_>], line: Span) -> bool {
    items
        .iter()
        .any(|item| item.rank == Rank::Replace && item.span.contains(line))
}
