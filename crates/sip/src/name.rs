//! Header names: one row for each that the proxy knows by number, with its compact form (RFC 3261 §7.3.3).

macro_rules! headers {
    ($($id:ident $name:literal $compact:literal),+ $(,)?) => {
        /// A header's name as a number. Names that are not listed here share `Other`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum HeaderId {
            $(#[doc = $name] $id,)+
            /// A name that has no number.
            Other,
        }

        const ROWS: &[(HeaderId, &str, &str)] = &[$((HeaderId::$id, $name, $compact)),+];
    };
}

headers! {
    Via "Via" "v",
    From "From" "f",
    To "To" "t",
    CallId "Call-ID" "i",
    CSeq "CSeq" "",
    MaxForwards "Max-Forwards" "",
    ContentLength "Content-Length" "l",
    Contact "Contact" "m",
    Route "Route" "",
    RecordRoute "Record-Route" "",
    ContentType "Content-Type" "c",
    Expires "Expires" "",
    Require "Require" "",
    ProxyRequire "Proxy-Require" "",
    Supported "Supported" "k",
    Unsupported "Unsupported" "",
    Allow "Allow" "",
    Accept "Accept" "",
    AcceptEncoding "Accept-Encoding" "",
    AcceptLanguage "Accept-Language" "",
    Authorization "Authorization" "",
    ProxyAuthorization "Proxy-Authorization" "",
    WwwAuthenticate "WWW-Authenticate" "",
    ProxyAuthenticate "Proxy-Authenticate" "",
    AuthenticationInfo "Authentication-Info" "",
    UserAgent "User-Agent" "",
    Server "Server" "",
    Subject "Subject" "s",
    Date "Date" "",
    Event "Event" "o",
    AllowEvents "Allow-Events" "u",
    SubscriptionState "Subscription-State" "",
    ReferTo "Refer-To" "r",
    ReferredBy "Referred-By" "b",
    ReferSub "Refer-Sub" "",
    Replaces "Replaces" "",
    Join "Join" "",
    SessionExpires "Session-Expires" "x",
    MinSe "Min-SE" "",
    MinExpires "Min-Expires" "",
    Path "Path" "",
    ServiceRoute "Service-Route" "",
    Privacy "Privacy" "",
    PAssertedIdentity "P-Asserted-Identity" "",
    PPreferredIdentity "P-Preferred-Identity" "",
    RemotePartyId "Remote-Party-ID" "",
    Diversion "Diversion" "",
    Reason "Reason" "",
    RAck "RAck" "",
    RSeq "RSeq" "",
    Organization "Organization" "",
    Priority "Priority" "",
    RetryAfter "Retry-After" "",
    Warning "Warning" "",
    Timestamp "Timestamp" "",
    ContentEncoding "Content-Encoding" "e",
    ContentDisposition "Content-Disposition" "",
    ContentLanguage "Content-Language" "",
    MimeVersion "MIME-Version" "",
    Identity "Identity" "y",
    IdentityInfo "Identity-Info" "n",
    InReplyTo "In-Reply-To" "",
    ReplyTo "Reply-To" "",
    CallInfo "Call-Info" "",
    AlertInfo "Alert-Info" "",
    ErrorInfo "Error-Info" "",
    HistoryInfo "History-Info" "",
    SipEtag "SIP-ETag" "",
    SipIfMatch "SIP-If-Match" "",
    RequestDisposition "Request-Disposition" "d",
    AcceptContact "Accept-Contact" "a",
    RejectContact "Reject-Contact" "j",
}

impl HeaderId {
    /// How many there are, `Other` included.
    pub const COUNT: usize = ROWS.len() + 1;

    /// Every known name.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.0)
    }

    /// The long name as RFCs write it; empty for `Other`.
    pub fn name(self) -> &'static str {
        ROWS.get(self as usize).map_or("", |row| row.1)
    }

    /// The one-letter name, if there is one.
    pub fn compact(self) -> Option<&'static str> {
        ROWS.get(self as usize)
            .map(|row| row.2)
            .filter(|name| !name.is_empty())
    }

    /// Reads a name, long or compact, in any case.
    #[inline]
    pub fn from_name(name: &[u8]) -> Self {
        let Some(&first) = name.first() else {
            return Self::Other;
        };
        if name.len() == 1 {
            return Self::from_letter(first | 0x20);
        }
        Self::candidates(name.len(), first | 0x20)
            .iter()
            .copied()
            .find(|id| id.name().as_bytes().eq_ignore_ascii_case(name))
            .unwrap_or(Self::Other)
    }

    const fn from_letter(letter: u8) -> Self {
        match letter {
            b'v' => Self::Via,
            b'f' => Self::From,
            b't' => Self::To,
            b'i' => Self::CallId,
            b'l' => Self::ContentLength,
            b'm' => Self::Contact,
            b'c' => Self::ContentType,
            b'k' => Self::Supported,
            b's' => Self::Subject,
            b'o' => Self::Event,
            b'u' => Self::AllowEvents,
            b'r' => Self::ReferTo,
            b'b' => Self::ReferredBy,
            b'x' => Self::SessionExpires,
            b'e' => Self::ContentEncoding,
            b'y' => Self::Identity,
            b'n' => Self::IdentityInfo,
            b'd' => Self::RequestDisposition,
            b'a' => Self::AcceptContact,
            b'j' => Self::RejectContact,
            _ => Self::Other,
        }
    }

    /// The names of this length that begin with this letter: hardly ever more than one.
    const fn candidates(length: usize, letter: u8) -> &'static [Self] {
        match (length, letter) {
            (2, b't') => &[Self::To],
            (3, b'v') => &[Self::Via],
            (4, b'c') => &[Self::CSeq],
            (4, b'd') => &[Self::Date],
            (4, b'f') => &[Self::From],
            (4, b'j') => &[Self::Join],
            (4, b'p') => &[Self::Path],
            (4, b'r') => &[Self::RAck, Self::RSeq],
            (5, b'a') => &[Self::Allow],
            (5, b'e') => &[Self::Event],
            (5, b'r') => &[Self::Route],
            (6, b'a') => &[Self::Accept],
            (6, b'm') => &[Self::MinSe],
            (6, b'r') => &[Self::Reason],
            (6, b's') => &[Self::Server],
            (7, b'c') => &[Self::CallId, Self::Contact],
            (7, b'e') => &[Self::Expires],
            (7, b'p') => &[Self::Privacy],
            (7, b'r') => &[Self::Require],
            (7, b's') => &[Self::Subject],
            (7, b'w') => &[Self::Warning],
            (8, b'i') => &[Self::Identity],
            (8, b'p') => &[Self::Priority],
            (8, b'r') => &[Self::ReferTo, Self::Replaces, Self::ReplyTo],
            (8, b's') => &[Self::SipEtag],
            (9, b'c') => &[Self::CallInfo],
            (9, b'd') => &[Self::Diversion],
            (9, b'r') => &[Self::ReferSub],
            (9, b's') => &[Self::Supported],
            (9, b't') => &[Self::Timestamp],
            (10, b'a') => &[Self::AlertInfo],
            (10, b'e') => &[Self::ErrorInfo],
            (10, b'u') => &[Self::UserAgent],
            (11, b'i') => &[Self::InReplyTo],
            (11, b'm') => &[Self::MinExpires],
            (11, b'r') => &[Self::ReferredBy, Self::RetryAfter],
            (11, b'u') => &[Self::Unsupported],
            (12, b'a') => &[Self::AllowEvents],
            (12, b'c') => &[Self::ContentType],
            (12, b'h') => &[Self::HistoryInfo],
            (12, b'm') => &[Self::MaxForwards, Self::MimeVersion],
            (12, b'o') => &[Self::Organization],
            (12, b'r') => &[Self::RecordRoute],
            (12, b's') => &[Self::SipIfMatch],
            (13, b'a') => &[Self::Authorization],
            (13, b'i') => &[Self::IdentityInfo],
            (13, b'p') => &[Self::ProxyRequire],
            (13, b's') => &[Self::ServiceRoute],
            (14, b'a') => &[Self::AcceptContact],
            (14, b'c') => &[Self::ContentLength],
            (14, b'r') => &[Self::RejectContact],
            (15, b'a') => &[Self::AcceptEncoding, Self::AcceptLanguage],
            (15, b'r') => &[Self::RemotePartyId],
            (15, b's') => &[Self::SessionExpires],
            (16, b'c') => &[Self::ContentEncoding, Self::ContentLanguage],
            (16, b'w') => &[Self::WwwAuthenticate],
            (18, b'p') => &[Self::ProxyAuthenticate],
            (18, b's') => &[Self::SubscriptionState],
            (19, b'a') => &[Self::AuthenticationInfo],
            (19, b'c') => &[Self::ContentDisposition],
            (19, b'p') => &[Self::ProxyAuthorization, Self::PAssertedIdentity],
            (19, b'r') => &[Self::RequestDisposition],
            (20, b'p') => &[Self::PPreferredIdentity],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HeaderId;

    #[test]
    fn every_name_is_found_by_its_long_and_compact_form_in_any_case() {
        for id in HeaderId::all() {
            assert_eq!(HeaderId::from_name(id.name().as_bytes()), id);
            assert_eq!(
                HeaderId::from_name(id.name().to_ascii_uppercase().as_bytes()),
                id
            );
            if let Some(compact) = id.compact() {
                assert_eq!(HeaderId::from_name(compact.as_bytes()), id);
                assert_eq!(
                    HeaderId::from_name(compact.to_ascii_uppercase().as_bytes()),
                    id
                );
            }
        }
        for name in ["", "X-Other", "z", "Vib", "Contact-", "[ia"] {
            assert_eq!(
                HeaderId::from_name(name.as_bytes()),
                HeaderId::Other,
                "{name}"
            );
        }
    }
}
