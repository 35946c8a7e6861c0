//! The characters that the lexer reads: a stack of files and of values of defines, which are read in place of
//! their names, so that a token may begin in a value and end in the text behind its use.

use std::sync::Arc;

use crate::source::{Origin, SourceMap, Span, TooMuchText};

/// A stack of texts being read.
#[derive(Default)]
pub(super) struct Input {
    frames: Vec<Frame>,
    last: Span,
}

struct Frame {
    text: Arc<[u8]>,
    base: u32,
    at: usize,
    define: Option<String>,
}

impl Input {
    /// Starts reading a file; what was being read goes on behind its end.
    pub(super) fn push_file(
        &mut self,
        map: &mut SourceMap,
        name: &str,
        text: Arc<[u8]>,
        origin: Origin,
    ) -> Result<(), TooMuchText> {
        self.push(map, name, text, origin, None)
    }

    /// Starts reading the value of a define.
    pub(super) fn push_define(
        &mut self,
        map: &mut SourceMap,
        name: &str,
        value: Arc<[u8]>,
        origin: Origin,
    ) -> Result<(), TooMuchText> {
        self.push(map, name, value, origin, Some(name.to_owned()))
    }

    fn push(
        &mut self,
        map: &mut SourceMap,
        name: &str,
        text: Arc<[u8]>,
        origin: Origin,
        define: Option<String>,
    ) -> Result<(), TooMuchText> {
        let base = map.add(name, text.clone(), origin)?;
        self.frames.push(Frame {
            text,
            base,
            at: 0,
            define,
        });
        Ok(())
    }

    /// Ends the file that is being read; false when it was the last one.
    pub(super) fn pop_file(&mut self) -> bool {
        while self
            .frames
            .pop()
            .is_some_and(|frame| frame.define.is_some())
        {}
        !self.frames.is_empty()
    }

    /// The character `ahead` places on, if it is in this file.
    pub(super) fn peek(&self, mut ahead: usize) -> Option<u8> {
        for frame in self.frames.iter().rev() {
            let left = frame.text.len() - frame.at;
            if ahead < left {
                return frame.text.get(frame.at + ahead).copied();
            }
            frame.define.as_ref()?;
            ahead -= left;
        }
        None
    }

    /// Whether the text goes on with these characters.
    pub(super) fn starts_with(&self, word: &[u8]) -> bool {
        word.iter()
            .enumerate()
            .all(|(n, c)| self.peek(n) == Some(*c))
    }

    /// How many characters from here on satisfy the test.
    pub(super) fn run(&self, from: usize, test: impl Fn(u8) -> bool) -> usize {
        (0..)
            .find(|n| !self.peek(from + n).is_some_and(&test))
            .unwrap_or(0)
    }

    /// Takes one character.
    pub(super) fn next(&mut self) -> Option<u8> {
        self.settle();
        let frame = self.frames.last_mut()?;
        let c = *frame.text.get(frame.at)?;
        let position = frame.base + frame.at as u32;
        frame.at += 1;
        self.last = Span {
            start: position,
            end: position + 1,
        };
        Some(c)
    }

    /// Takes several characters.
    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        (0..count).map_while(|_| self.next()).collect()
    }

    /// Passes over characters.
    pub(super) fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.next();
        }
    }

    /// Drops values that are read to their ends.
    fn settle(&mut self) {
        while self
            .frames
            .last()
            .is_some_and(|f| f.define.is_some() && f.at == f.text.len())
        {
            self.frames.pop();
        }
    }

    /// Where the next character is.
    pub(super) fn here(&mut self) -> Span {
        self.settle();
        self.frames.last().map_or(Span::NONE, |frame| {
            let position = frame.base + frame.at as u32;
            Span {
                start: position,
                end: position,
            }
        })
    }

    /// From a place given by `here` to the character taken last.
    pub(super) fn since(&self, start: Span, map: &SourceMap) -> Span {
        if map.same_text(start, self.last) {
            return start.to(self.last, map);
        }
        let end = map
            .source_of(start)
            .map_or(start.end, |s| s.base + s.text.len() as u32);
        Span {
            start: start.start,
            end,
        }
    }

    /// How many values are being read inside each other, and whether `name` is one of them.
    pub(super) fn expansions(&self, name: &str) -> (usize, bool) {
        let defines = || {
            self.frames
                .iter()
                .filter_map(|frame| frame.define.as_deref())
        };
        (defines().count(), defines().any(|define| define == name))
    }

    /// How many files are being read inside each other.
    pub(super) fn depth(&self) -> usize {
        self.frames
            .iter()
            .filter(|frame| frame.define.is_none())
            .count()
    }
}
