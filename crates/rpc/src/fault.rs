//! A command's refusal, as every door reports it.

use std::borrow::Cow;

/// A code (4xx the caller's fault, 5xx ours) and a sentence for the person who called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} {text}")]
#[non_exhaustive]
pub struct Fault {
    /// The code, in the manner of SIP's.
    pub code: u16,
    /// The sentence.
    pub text: Cow<'static, str>,
    missing: bool,
}

impl Fault {
    /// A fault with this code and sentence.
    pub fn new(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            text: text.into(),
            missing: false,
        }
    }

    /// Whether the command stopped because a parameter that it needs was not given.
    /// JSON-RPC answers this with what the command had added so far, as Kamailio does.
    pub fn is_missing_parameter(&self) -> bool {
        self.missing
    }

    pub(crate) fn unknown_command(name: &str) -> Self {
        let shown: String = name.chars().take(SHOWN_NAME_CHARS).collect();
        Self::new(500, format!("command {shown} not found"))
    }

    pub(crate) fn missing_parameter(index: usize, expected: &str) -> Self {
        let reason = "end of packet encountered";
        Self {
            missing: true,
            ..Self::at_parameter(index, expected, reason)
        }
    }

    pub(crate) fn wrong_parameter(index: usize, expected: &str) -> Self {
        Self::at_parameter(index, expected, "record doesn't match type")
    }

    pub(crate) fn at_parameter(index: usize, expected: &str, reason: &str) -> Self {
        Self::new(
            400,
            format!("error at parameter {index}: expected {expected} type but {reason}"),
        )
    }

    pub(crate) fn cannot_wait() -> Self {
        Self::new(
            600,
            "Reply wait/async mode not supported by this rpc transport",
        )
    }
}

/// How much of an unknown command's name a fault repeats.
const SHOWN_NAME_CHARS: usize = 128;
