//! What a script wishes for one call of a function, in an XAVP (`xavp_cfg`), and what it is shown of the contact that
//! was found, in another (`xavp_rcd`).

use engine::Run;
use script::{Str, Value};
use sip::SocketId;

use crate::pv::{Kind, Level, Node, Trees, trees};
use crate::usrloc::Contact;

/// What a script wishes. Values of another type, or out of range where nothing else is said, count as not given.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    /// `q` of all contacts, in thousandths; what is not within 0 to 1000 is refused.
    pub(super) q: Option<i64>,
    /// Lifetime of all contacts, s.
    pub(super) expires: Option<u32>,
    /// Contacts of the address of record.
    pub(super) max_contacts: Option<usize>,
    /// The socket that requests to the contact leave by.
    pub(super) socket: Option<SocketId>,
    /// A contact has to have one of these branch flags (`rlf_bflags`).
    pub(super) branch_flags: Option<u32>,
    /// What `registered()` compares, in the order of its flags: Call-ID, received, contact.
    pub(super) matches: [Option<Str>; 3],
}

/// The names behind the flags of `registered()`.
const MATCHES: [&str; 3] = ["match_callid", "match_received", "match_contact"];

impl Wishes {
    /// What the newest XAVP of this class says; `None` without one.
    pub(super) fn of(run: &Run, class: &str) -> Option<Self> {
        let trees = run.shared_ref().slots.get::<Trees>()?;
        let root = trees
            .level(Kind::Plain)
            .node(Kind::Plain, class.as_bytes(), 0)?;
        let Node::Level(level) = root else {
            return None;
        };
        let int = |name| match value(level, name) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        };
        let text = |name| match value(level, name) {
            Some(Value::Str(text)) => Some(text.clone()),
            _ => None,
        };
        let socket = text("socket").and_then(|text| {
            let text = std::str::from_utf8(&text).ok()?;
            Some(run.engine.sockets.find_text(text.trim())?.id)
        });
        Some(Self {
            q: int("q"),
            expires: int("expires").and_then(|number| u32::try_from(number).ok()),
            max_contacts: int("max_contacts").and_then(|number| usize::try_from(number).ok()),
            socket,
            branch_flags: int("rlf_bflags").map(|flags| flags as u32),
            matches: MATCHES.map(text),
        })
    }

    /// Whether a contact fits what `registered()` was told to compare.
    pub(super) fn fit(&self, contact: &Contact, flags: i64) -> bool {
        let own = [
            Some(&contact.call_id),
            contact.received.as_ref(),
            Some(&contact.address),
        ];
        let mut compared = own.into_iter().zip(&self.matches).enumerate();
        compared.all(|(bit, (own, wanted))| match wanted {
            Some(wanted) if flags & 1 << bit != 0 => own.is_some_and(|own| **own == **wanted),
            _ => true,
        })
    }
}

fn value<'a>(level: &'a Level, name: &str) -> Option<&'a Value> {
    match level.node(Kind::Plain, name.as_bytes(), 0)? {
        Node::Value(value) => Some(value),
        Node::Level(_) => None,
    }
}

/// How a script is shown the contact that was found.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    class: String,
    /// Which values are left out: 1 ruid, 2 contact, 4 expires, 8 received, 16 path.
    mask: i64,
}

impl Shown {
    pub(super) fn new(class: Option<String>, mask: i64) -> Option<Self> {
        class.map(|class| Self { class, mask })
    }

    /// Puts a contact's values in the place of those shown before.
    pub(super) fn show(&self, run: &mut Run, contact: &Contact) {
        let left = contact.expires.saturating_sub(run.now.unix());
        let text = |text: &[u8]| Value::Str(Str::new(text));
        let values = [
            (1, "ruid", Some(text(&contact.ruid))),
            (8, "received", contact.received.as_deref().map(text)),
            (2, "contact", Some(text(&contact.address))),
            (
                4,
                "expires",
                Some(Value::Int(i64::try_from(left).unwrap_or(i64::MAX))),
            ),
            (16, "path", contact.path.as_deref().map(text)),
        ];
        let mut level = Level::default();
        for (bit, name, value) in values {
            if let Some(value) = value.filter(|_| self.mask & bit == 0) {
                // A level of five has room for five.
                let _ = level.push(name.as_bytes(), Node::Value(value));
            }
        }
        let root = trees(run).level_mut(Kind::Plain);
        let class = self.class.as_bytes();
        if !root.replace(Kind::Plain, class, 0, Node::Level(level.clone())) {
            // A script that has filled its trees sees no more.
            let _ = root.push(class, Node::Level(level));
        }
    }
}
