//! Why a message, or a part of it, cannot be understood.

use std::fmt;

/// What is wrong. The text of each is fit for the reason phrase of a 400 (`ParseError::reason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing but line ends.
    Empty,
    /// More than 65,535 bytes.
    TooLong,
    /// More header lines than `Index::MAX_LINES`.
    TooManyHeaders,
    /// The first line is neither a request line nor a status line.
    FirstLine,
    /// The status code is not three digits between 100 and 699.
    Status,
    /// A header line without a name or a colon.
    HeaderLine,
    /// The topmost Via.
    Via,
    /// From.
    From,
    /// To.
    To,
    /// An empty Call-ID.
    CallId,
    /// CSeq: no number below 2³¹, or no method (RFC 3261 §8.1.1.5).
    CSeq,
    /// Max-Forwards: not a number from 0 to 255 (RFC 3261 §20.22).
    MaxForwards,
    /// Content-Length: not a number, or two that differ.
    ContentLength,
    /// Fewer bytes of body came than Content-Length says (RFC 3261 §18.3).
    Truncated,
}

impl Fault {
    /// A reason phrase.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Empty => "Empty Message",
            Self::TooLong => "Message Too Large",
            Self::TooManyHeaders => "Too Many Header Fields",
            Self::FirstLine => "Bad First Line",
            Self::Status => "Bad Status Code",
            Self::HeaderLine => "Bad Header Field",
            Self::Via => "Bad Via Header",
            Self::From => "Bad From Header",
            Self::To => "Bad To Header",
            Self::CallId => "Bad Call-ID Header",
            Self::CSeq => "Bad CSeq Header",
            Self::MaxForwards => "Bad Max-Forwards Header",
            Self::ContentLength => "Bad Content-Length Header",
            Self::Truncated => "Content-Length mis-match",
        }
    }
}

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Offset of the offending byte or line in the bytes that were given.
    pub offset: usize,
    /// What it is.
    pub fault: Fault,
}

impl ParseError {
    /// A reason phrase for a 400.
    pub const fn reason(&self) -> &'static str {
        self.fault.reason()
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason(), self.offset)
    }
}

impl std::error::Error for ParseError {}

/// Bytes that are no SIP message, given back with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The bytes as they were given.
    pub bytes: Vec<u8>,
    /// What is wrong with them.
    pub error: ParseError,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Rejected {}
