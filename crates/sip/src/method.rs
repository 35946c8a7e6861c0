//! Request methods.

use std::fmt;

/// A request method. Names are case-sensitive (RFC 3261 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Method {
    /// RFC 3261 §13.
    Invite,
    /// RFC 3261 §9.
    Cancel,
    /// RFC 3261 §13, §17.1.1.3.
    Ack,
    /// RFC 3261 §15.
    Bye,
    /// RFC 6086.
    Info,
    /// RFC 3261 §10.
    Register,
    /// RFC 6665.
    Subscribe,
    /// RFC 6665.
    Notify,
    /// RFC 3428.
    Message,
    /// RFC 3261 §11.
    Options,
    /// RFC 3262.
    Prack,
    /// RFC 3311.
    Update,
    /// RFC 3515.
    Refer,
    /// RFC 3903.
    Publish,
    /// Kamailio's method between the nodes of a cluster.
    Kdmq,
    /// Any other; the text is in the message.
    #[default]
    Extension,
}

impl Method {
    /// Reads a method name.
    #[inline]
    pub fn from_bytes(name: &[u8]) -> Self {
        match name {
            b"INVITE" => Self::Invite,
            b"CANCEL" => Self::Cancel,
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"INFO" => Self::Info,
            b"REGISTER" => Self::Register,
            b"SUBSCRIBE" => Self::Subscribe,
            b"NOTIFY" => Self::Notify,
            b"MESSAGE" => Self::Message,
            b"OPTIONS" => Self::Options,
            b"PRACK" => Self::Prack,
            b"UPDATE" => Self::Update,
            b"REFER" => Self::Refer,
            b"PUBLISH" => Self::Publish,
            b"KDMQ" => Self::Kdmq,
            _ => Self::Extension,
        }
    }

    /// The name; empty for an extension, whose name only the message knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invite => "INVITE",
            Self::Cancel => "CANCEL",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Info => "INFO",
            Self::Register => "REGISTER",
            Self::Subscribe => "SUBSCRIBE",
            Self::Notify => "NOTIFY",
            Self::Message => "MESSAGE",
            Self::Options => "OPTIONS",
            Self::Prack => "PRACK",
            Self::Update => "UPDATE",
            Self::Refer => "REFER",
            Self::Publish => "PUBLISH",
            Self::Kdmq => "KDMQ",
            Self::Extension => "",
        }
    }

    /// Kamailio's bit for the method (`$rmid`, masks of the modules).
    pub const fn mask(self) -> u32 {
        match self {
            Self::Extension => 1 << 19,
            known => 1 << known as u32,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn names_and_masks() {
        for (name, mask) in [
            ("INVITE", 1),
            ("CANCEL", 2),
            ("ACK", 4),
            ("BYE", 8),
            ("OPTIONS", 512),
        ] {
            let method = Method::from_bytes(name.as_bytes());
            assert_eq!((method.name(), method.mask()), (name, mask));
        }
        assert_eq!(Method::from_bytes(b"invite"), Method::Extension);
        assert_eq!(Method::Extension.mask(), 1 << 19);
    }
}
