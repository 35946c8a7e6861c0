//! A SIP message as the tests see it: start line, headers in order, body. Deliberately not the proxy's own parser.

use std::fmt;

/// One message, sent or received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub start: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Message {
    /// Reads a message; `None` if there is no header section.
    pub fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let start = lines.next()?.to_owned();
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if let (true, Some((_, value))) = (line.starts_with([' ', '\t']), headers.last_mut()) {
                value.push_str("\r\n");
                value.push_str(line);
            } else {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                headers.push((name.to_owned(), value.trim().to_owned()));
            }
        }
        Some(Self {
            start,
            headers,
            body: body.to_owned(),
        })
    }

    /// The first header of that name, or "".
    pub fn header(&self, name: &str) -> &str {
        let found = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map_or("", |(_, v)| v.as_str())
    }

    /// All values of a header, one for each header line.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// All values of a comma-separated header of name-addrs.
    pub fn addresses(&self, name: &str) -> Vec<String> {
        self.all(name)
            .flat_map(|v| v.split(','))
            .map(|v| v.trim().to_owned())
            .collect()
    }

    /// The method: of the start line in a request, of CSeq in a reply.
    pub fn method(&self) -> &str {
        match self.status() {
            None => self.start.split(' ').next().unwrap_or_default(),
            Some(_) => self.header("CSeq").split(' ').nth(1).unwrap_or_default(),
        }
    }

    /// The status code of a reply.
    pub fn status(&self) -> Option<u16> {
        self.start.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    /// `INVITE` for a request, `180 INVITE` for a reply: what tests expect by.
    pub fn kind(&self) -> String {
        match self.status() {
            None => self.method().to_owned(),
            Some(code) => format!("{code} {}", self.method()),
        }
    }

    /// The Request-URI.
    pub fn uri(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// The tag of a From or To header.
    pub fn tag(&self, header: &str) -> Option<&str> {
        parameter(self.header(header), "tag")
    }

    /// The URI between the angle brackets of a header.
    pub fn address(&self, header: &str) -> &str {
        bracketed(self.header(header))
    }

    /// The number of CSeq.
    pub fn cseq(&self) -> u32 {
        self.header("CSeq")
            .split(' ')
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or_default()
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\r\n", self.start)?;
        for (name, value) in &self.headers {
            write!(f, "{name}: {value}\r\n")?;
        }
        write!(f, "\r\n{}", self.body)
    }
}

/// The URI between angle brackets, or the whole value.
pub fn bracketed(value: &str) -> &str {
    let inner = value
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(value, |(uri, _)| uri)
}

fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let after = value.rsplit_once('>').map_or(value, |(_, rest)| rest);
    after
        .split(';')
        .find_map(|p| p.trim().strip_prefix(name)?.strip_prefix('='))
}
