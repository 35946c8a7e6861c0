//! Header names: one row for each that the proxy knows by number, with its compact form (RFC 3261 §7.3.3).

use crate::block::{BLOCK, matches};

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
        if name.len() > LONGEST {
            return Self::Other;
        }
        find(name.len(), first, |spelling| {
            spelling.name.eq_ignore_ascii_case(name)
        })
    }

    /// The name that a header line begins with, and its length, if it has a number and a colon follows it at once.
    /// Unlike `from_name` it looks at words, not bytes.
    #[inline]
    pub(crate) fn before_colon(line: &[u8; WINDOW]) -> Option<(Self, usize)> {
        let words = words(line);
        let letter = words[0] as u8;
        let length = colon(line)?;
        let id = match length {
            1 => Self::from_letter(letter | 0x20),
            _ => find(length, letter, |spelling| spelling.is(&words)),
        };
        (id != Self::Other).then_some((id, length))
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
}

/// How much of a line is looked at in search of a known name: all of the longest one, and its colon.
const WINDOW: usize = 2 * BLOCK;

/// The length of the longest name.
const LONGEST: usize = 20;

type Words = [u64; 3];

/// How a name may be written.
struct Spelling {
    id: HeaderId,
    name: &'static [u8],
    /// The bits that case changes, and all those behind the name.
    ignored: Words,
    /// The name with these bits set.
    expected: Words,
    /// The next name of the same length and first letter, as a number.
    next: u8,
}

impl Spelling {
    const fn new(id: HeaderId, name: &'static str) -> Self {
        let name = name.as_bytes();
        assert!(name.len() <= LONGEST, "LONGEST is too short");
        let mut ignored = [0xff; WINDOW];
        let mut expected = [0xff; WINDOW];
        let mut at = 0;
        while at < name.len() {
            ignored[at] = if name[at].is_ascii_alphabetic() {
                0x20
            } else {
                0
            };
            expected[at] = name[at] | ignored[at];
            at += 1;
        }
        Self {
            id,
            name,
            ignored: words(&ignored),
            expected: words(&expected),
            next: HeaderId::Other as u8,
        }
    }

    /// Whether the line that begins with these words begins with the name.
    #[inline]
    fn is(&self, line: &Words) -> bool {
        let differs = |at: usize| (line[at] | self.ignored[at]) ^ self.expected[at];
        differs(0) | differs(1) | differs(2) == 0
    }
}

/// All known names, found by length and first letter.
struct Names {
    spellings: [Spelling; ROWS.len()],
    /// For each length and letter the number of the first name, or of `Other`.
    first: [[u8; 32]; 32],
}

static NAMES: Names = names();

const fn names() -> Names {
    let mut spellings = [const { Spelling::new(HeaderId::Other, "") }; ROWS.len()];
    let mut first = [[HeaderId::Other as u8; 32]; 32];
    let mut at = ROWS.len();
    while at > 0 {
        at -= 1;
        spellings[at] = Spelling::new(ROWS[at].0, ROWS[at].1);
        let name = spellings[at].name;
        let first = &mut first[name.len()][name[0] as usize % 32];
        spellings[at].next = *first;
        *first = at as u8;
    }
    Names { spellings, first }
}

/// The first known name of this length (up to 31) and first letter that fits: hardly ever are there two to try.
#[inline]
fn find(length: usize, letter: u8, fits: impl Fn(&Spelling) -> bool) -> HeaderId {
    let mut number = NAMES.first[length % 32][usize::from(letter % 32)];
    while let Some(spelling) = NAMES.spellings.get(usize::from(number)) {
        if fits(spelling) {
            return spelling.id;
        }
        number = spelling.next;
    }
    HeaderId::Other
}

#[inline]
const fn words(bytes: &[u8; WINDOW]) -> Words {
    let (chunks, _) = bytes.as_chunks::<8>();
    [
        u64::from_le_bytes(chunks[0]),
        u64::from_le_bytes(chunks[1]),
        u64::from_le_bytes(chunks[2]),
    ]
}

/// Where the first colon is.
#[inline]
fn colon(line: &[u8; WINDOW]) -> Option<usize> {
    let (blocks, _) = line.as_chunks();
    let [first, second] = blocks else {
        return None;
    };
    let found = matches(first, [b':']) | matches(second, [b':']) << BLOCK;
    (found != 0).then(|| found.trailing_zeros() as usize)
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

    #[test]
    fn before_a_colon_names_are_the_same() {
        let names = HeaderId::all().flat_map(|id| [Some(id.name()), id.compact()]);
        for name in names.flatten().chain(["X-Other", "z", "Max\rForwards"]) {
            for name in [name.to_owned(), name.to_ascii_uppercase()] {
                let mut line = [b':'; super::WINDOW];
                line[..name.len()].copy_from_slice(name.as_bytes());
                let id = HeaderId::from_name(name.as_bytes());
                let expected = (id != HeaderId::Other).then_some((id, name.len()));
                assert_eq!(HeaderId::before_colon(&line), expected, "{name}");
            }
        }
        assert_eq!(HeaderId::before_colon(&[b'V'; super::WINDOW]), None);
    }
}
