//! The texts that a configuration was made of, and where each token came from. Every text, be it a file or the
//! value of a define at one of its uses, occupies a range of positions of its own, so that a span of eight
//! bytes tells the file, the line and the way there through includes and expansions.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A range of positions in a [`SourceMap`]; both ends lie in the same text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// The first position.
    pub start: u32,
    /// One past the last position.
    pub end: u32,
}

impl Span {
    /// A span that points nowhere; shown without a line.
    pub const NONE: Self = Self { start: 0, end: 0 };

    /// From the start of `self` to the end of `last`, if they lie in one text in that order; else `self`.
    pub fn to(self, last: Self, map: &SourceMap) -> Self {
        if last.end >= self.start && map.same_text(self, last) {
            Self {
                start: self.start,
                end: last.end,
            }
        } else {
            self
        }
    }

    /// The position just behind.
    pub const fn after(self) -> Self {
        Self {
            start: self.end,
            end: self.end,
        }
    }
}

/// How a text came to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The file that was asked for.
    Root,
    /// The command line.
    CommandLine,
    /// A file named by the statement at this place.
    Include(Span),
    /// The value of a define, used at `used` and defined at `defined`.
    Expansion {
        /// The use.
        used: Span,
        /// The definition, or `Span::NONE` for a predefined one.
        defined: Span,
    },
}

/// One text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's name as it was opened, or the define's name.
    pub name: String,
    /// The whole text.
    pub text: Arc<[u8]>,
    /// The position of its first byte.
    pub base: u32,
    /// How it came to be read.
    pub origin: Origin,
}

/// All texts of one configuration.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
}

/// A place for people; line and column count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// The text's name.
    pub file: &'a str,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// The positions are used up: more than 4 GB of text and expansions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMuchText;

impl SourceMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text and returns its first position.
    pub fn add(&mut self, name: &str, text: Arc<[u8]>, origin: Origin) -> Result<u32, TooMuchText> {
        let base = self.next_base();
        let length = u32::try_from(text.len()).map_err(|_| TooMuchText)?;
        base.checked_add(length)
            .and_then(|end| end.checked_add(2))
            .ok_or(TooMuchText)?;
        self.sources.push(Source {
            name: name.to_owned(),
            text,
            base,
            origin,
        });
        Ok(base)
    }

    /// The text in which a span lies.
    pub fn source_of(&self, span: Span) -> Option<&Source> {
        if span == Span::NONE {
            return None;
        }
        let after = self.sources.partition_point(|s| s.base <= span.start);
        self.sources.get(after.checked_sub(1)?)
    }

    /// The bytes of a span.
    pub fn text(&self, span: Span) -> &[u8] {
        self.source_of(span)
            .and_then(|s| {
                let start = (span.start - s.base) as usize;
                let end = (span.end.max(span.start) - s.base) as usize;
                s.text.get(start..end.min(s.text.len()))
            })
            .unwrap_or_default()
    }

    /// The outermost place: the file in which the define was used rather than the define's value.
    pub fn in_file(&self, mut span: Span) -> Span {
        while let Some(Source {
            origin: Origin::Expansion { used, .. },
            ..
        }) = self.source_of(span)
        {
            span = *used;
        }
        span
    }

    /// File, line and column of a span's start, outside of any expansion.
    pub fn locate(&self, span: Span) -> Option<Location<'_>> {
        let span = self.in_file(span);
        let source = self.source_of(span)?;
        let (line, column) = source.line_and_column(span.start);
        Some(Location {
            file: &source.name,
            line,
            column,
        })
    }

    /// Whether two spans lie in the same text.
    pub fn same_text(&self, a: Span, b: Span) -> bool {
        match (self.source_of(a), self.source_of(b)) {
            (Some(a), Some(b)) => a.base == b.base,
            _ => false,
        }
    }

    fn next_base(&self) -> u32 {
        // Position 0 is Span::NONE; one position behind each text is its end of file.
        self.sources
            .last()
            .map_or(1, |s| s.base + s.text.len() as u32 + 1)
    }
}

impl Source {
    /// The span of a range of byte offsets.
    pub fn span(&self, start: usize, end: usize) -> Span {
        Span {
            start: self.base + start as u32,
            end: self.base + end as u32,
        }
    }

    /// Line and column, both from 1, of a position in this text.
    pub fn line_and_column(&self, position: u32) -> (u32, u32) {
        let (start, _) = self.line_bounds(position);
        let offset = self.offset(position);
        let line = memchr::memchr_iter(b'\n', &self.text[..start]).count() as u32 + 1;
        let column = String::from_utf8_lossy(&self.text[start..offset])
            .chars()
            .count() as u32
            + 1;
        (line, column)
    }

    /// The byte offsets of the line around a position, without its line end.
    pub fn line_bounds(&self, position: u32) -> (usize, usize) {
        let offset = self.offset(position);
        let start = memchr::memrchr(b'\n', &self.text[..offset]).map_or(0, |at| at + 1);
        let end =
            memchr::memchr(b'\n', &self.text[offset..]).map_or(self.text.len(), |n| offset + n);
        (start, end)
    }

    fn offset(&self, position: u32) -> usize {
        (position.saturating_sub(self.base) as usize).min(self.text.len())
    }
}

/// Reads files for `include_file` and the root; tests read from memory.
pub trait Loader {
    /// The bytes of a file, or why not (shown to people).
    fn load(&self, path: &Path) -> Result<Vec<u8>, LoadError>;

    /// The value of an environment variable, for `#!defenv`.
    fn environment(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// There is none of that name; `import_file` does not mind.
    NotFound,
    /// It exists, but: the reason.
    Unreadable(String),
}

/// The real file system and environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileLoader;

impl Loader for FileLoader {
    fn load(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => LoadError::NotFound,
            _ => LoadError::Unreadable(error.to_string()),
        })
    }

    fn environment(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// Files in memory: name and text.
#[derive(Clone, Debug, Default)]
pub struct MemoryLoader {
    /// The files.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// The environment.
    pub environment: Vec<(String, String)>,
}

impl MemoryLoader {
    /// A loader with one file.
    pub fn one(name: &str, text: &str) -> Self {
        Self::default().with(name, text)
    }

    /// One file more.
    pub fn with(mut self, name: &str, text: &str) -> Self {
        self.files
            .push((PathBuf::from(name), text.as_bytes().to_vec()));
        self
    }
}

impl Loader for MemoryLoader {
    fn load(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        let found = self.files.iter().find(|(name, _)| name == path);
        found
            .map(|(_, text)| text.clone())
            .ok_or(LoadError::NotFound)
    }

    fn environment(&self, name: &str) -> Option<String> {
        self.environment
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.clone())
    }
}
