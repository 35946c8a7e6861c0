//! Why a registration is refused, and what the client is told.

/// Why a registration is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The header does not parse.
    ContactSyntax,
    /// `*` beside something else.
    StarAndMore,
    /// `*` without `Expires: 0`.
    StarExpires,
    /// No usable To or Call-ID or CSeq.
    Message,
    /// The address of record does not parse.
    Aor,
    /// It is too long.
    AorLength,
    /// The contact or where it was received is too long.
    ContactLength,
    /// `q` is no number between 0 and 1.
    Preference,
    /// `reg-id` is no number above 0.
    RegId,
    /// The lifetime is too short.
    TooBrief,
    /// The registration is older than the one that is there.
    OutOfOrder,
    /// There would be too many contacts.
    TooMany,
    /// Path, from a client that does not support it.
    PathUnsupported,
    /// Path does not parse.
    PathSyntax,
    /// The table is full.
    Full,
}

impl Refusal {
    /// Status, reason and the text of `P-Registrar-Error`.
    pub(super) const fn answer(self) -> (u16, &'static str, &'static str) {
        const BAD: &str = "Bad Request";
        match self {
            Self::ContactSyntax => (400, BAD, "Contact parse error"),
            Self::StarAndMore => (400, BAD, "* used in contact and more than 1 contact"),
            Self::StarExpires => (400, BAD, "* used in contact and expires is not zero"),
            Self::Message => (400, BAD, "Message parse error"),
            Self::Aor => (400, BAD, "Error while parsing AOR"),
            Self::AorLength => (500, "Server Internal Error", "Address Of Record too long"),
            Self::ContactLength => (400, BAD, "Contact/received too long"),
            Self::Preference => (400, BAD, "Invalid q param in contact"),
            Self::RegId => (400, BAD, "Invalid Reg-Id number"),
            Self::TooBrief => (423, "Interval Too Brief", "Interval too brief"),
            Self::OutOfOrder => (400, BAD, "Invalid CSeq number"),
            Self::TooMany => (503, "Service Unavailable", "Too many registered contacts"),
            Self::PathUnsupported => (420, "Bad Extension", "No support for found Path indicated"),
            Self::PathSyntax => (400, BAD, "Path parse error"),
            Self::Full => (503, "Service Unavailable", "No room for another user"),
        }
    }

    /// The message can't be understood; nothing was looked up for it.
    pub(super) const fn is_syntax(self) -> bool {
        matches!(
            self,
            Self::ContactSyntax | Self::StarAndMore | Self::StarExpires | Self::Message
        )
    }

    /// The script function's code.
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::TooMany | Self::Full => -2,
            _ => -1,
        }
    }
}
