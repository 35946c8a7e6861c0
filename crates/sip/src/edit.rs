//! Changes to one message, kept beside it and applied once, when the outgoing bytes are written.
//!
//! Positions are those of the message as it came, so the order in which changes are recorded matters only between
//! changes at one place. Nothing here touches the message itself.

mod apply;
mod header;
mod values;

use smallvec::SmallVec;

use crate::lex::Span;

pub use apply::Framing;

/// What a change is for, so that all changes of one kind can be found again or withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Tag {
    /// Asked for by the script.
    #[default]
    Script,
    /// The proxy's own Via.
    Via,
    /// `received` and `rport` in the Via of the previous hop.
    Received,
    /// Record-Route.
    RecordRoute,
    /// Route.
    Route,
    /// The Request-URI or the first line.
    FirstLine,
    /// Max-Forwards.
    MaxForwards,
    /// From.
    From,
    /// To.
    To,
    /// Contact.
    Contact,
    /// Path.
    Path,
    /// The body.
    Body,
    /// A module's own; the number is its business.
    Module(u8),
}

/// Where a change stands among others at the same offset. Derives its order from that of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    After,
    First,
    Before,
    Via,
    Within,
    Replace,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    /// A range of the arena.
    Own(u32, u32),
    /// Not a replacement but the deletion of an element of the list with this value.
    Element(Span),
}

#[derive(Clone, Copy, Debug)]
struct Edit {
    span: Span,
    rank: Rank,
    tag: Tag,
    text: Text,
}

/// One change, as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EditView<'a> {
    /// What it is for.
    pub tag: Tag,
    /// What it takes away; an empty span marks the place of an insertion.
    pub span: Span,
    /// What it puts there.
    pub text: &'a [u8],
}

/// A list of changes to one message.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    list: SmallVec<[Edit; 6]>,
    text: Vec<u8>,
    refused: u32,
}

impl Edits {
    /// The most changes that one list holds.
    pub const MAX_EDITS: usize = 2048;
    /// The most bytes of new text that one list holds.
    pub const MAX_TEXT: usize = 256 * 1024;

    /// Room for as much is made with the first change, so that the text of a usual list never moves.
    const USUAL_TEXT: usize = 256;

    /// No changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all changes and keeps the storage.
    pub fn clear(&mut self) {
        self.list.clear();
        self.text.clear();
        self.refused = 0;
    }

    /// Puts `text` in the place of `span`. Of several changes of one span the last one counts.
    pub fn replace(&mut self, tag: Tag, span: Span, text: &[u8]) {
        self.push(tag, span, Rank::Replace, text);
    }

    /// Takes `span` out; with it go all changes inside it.
    pub fn delete(&mut self, tag: Tag, span: Span) {
        self.push(tag, span, Rank::Replace, &[]);
    }

    /// Puts `text` in at an offset within a line. Insertions at one place keep their order.
    pub fn insert_at(&mut self, tag: Tag, offset: u16, text: &[u8]) {
        self.insert(tag, offset, Rank::Within, text);
    }

    /// Withdraws all changes of one kind; tells how many.
    pub fn withdraw(&mut self, tag: Tag) -> usize {
        self.withdraw_if(|edit| edit.tag == tag)
    }

    /// Withdraws the changes that `unwanted` names; tells how many.
    pub fn withdraw_if(&mut self, mut unwanted: impl FnMut(EditView<'_>) -> bool) -> usize {
        let before = self.list.len();
        let text = &self.text;
        self.list.retain(|edit| !unwanted(show(edit, text)));
        if self.list.is_empty() {
            self.text.clear();
        }
        before - self.list.len()
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// How many changes were refused because the list was full.
    pub const fn refused(&self) -> u32 {
        self.refused
    }

    /// The changes in the order in which they were made.
    pub fn iter(&self) -> impl Iterator<Item = EditView<'_>> {
        self.list.iter().map(|edit| show(edit, &self.text))
    }

    /// The text that the last change of exactly this span puts there.
    pub fn replacement(&self, span: Span) -> Option<&[u8]> {
        let same = |edit: &&Edit| edit.span == span && edit.rank == Rank::Replace;
        self.list
            .iter()
            .rev()
            .find(same)
            .map(|edit| show(edit, &self.text).text)
    }

    fn insert(&mut self, tag: Tag, offset: u16, rank: Rank, text: &[u8]) {
        self.push(
            tag,
            Span {
                start: offset,
                end: offset,
            },
            rank,
            text,
        );
    }

    fn push(&mut self, tag: Tag, span: Span, rank: Rank, text: &[u8]) {
        self.push_with(tag, span, rank, |out| out.extend_from_slice(text));
    }

    /// As `push`, with a text that is written right where it stays.
    fn push_with(&mut self, tag: Tag, span: Span, rank: Rank, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.text.len();
        if start == 0 {
            self.text.reserve(Self::USUAL_TEXT);
        }
        write(&mut self.text);
        let end = self.text.len();
        if self.list.len() >= Self::MAX_EDITS || end > Self::MAX_TEXT {
            self.text.truncate(start);
            self.refused = self.refused.saturating_add(1);
            return;
        }
        self.list.push(Edit {
            span,
            rank,
            tag,
            text: Text::Own(start as u32, end as u32),
        });
    }

    fn push_element(&mut self, tag: Tag, element: Span, line_value: Span) {
        if self.list.len() >= Self::MAX_EDITS {
            self.refused = self.refused.saturating_add(1);
            return;
        }
        let text = Text::Element(line_value);
        self.list.push(Edit {
            span: element,
            rank: Rank::Replace,
            tag,
            text,
        });
    }
}

fn show<'a>(edit: &Edit, arena: &'a [u8]) -> EditView<'a> {
    let text = match edit.text {
        Text::Own(start, end) => arena.get(start as usize..end as usize).unwrap_or_default(),
        Text::Element(_) => &[],
    };
    EditView {
        tag: edit.tag,
        span: edit.span,
        text,
    }
}

#[cfg(test)]
mod tests;
