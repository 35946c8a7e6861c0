//! Reads MI requests from a stream of bytes: one look at each byte, whatever the pieces it comes in.

/// One argument, with its name if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The name of `name::value`.
    pub name: Option<String>,
    /// The value, without its quotes.
    pub value: String,
}

/// A request: a command, where its reply goes, its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Request {
    pub(crate) command: String,
    /// The name of a FIFO; empty if nobody wants to know.
    pub(crate) reply: String,
    pub(crate) arguments: Vec<Argument>,
}

/// Where in a request the stream is.
#[derive(Debug)]
enum Place {
    /// Before a request; empty lines are nothing.
    Between,
    /// In its first line.
    Head,
    /// In the line of an argument.
    Line,
    /// In a value in quotes, which may go on over several lines.
    Quoted {
        name: Option<String>,
        is_escaped: bool,
    },
    /// Behind a value in quotes.
    Behind,
    /// In something that is no request, which goes on up to the next empty line.
    Nonsense { is_line_empty: bool },
}

/// Collects bytes into requests.
#[derive(Debug)]
pub(crate) struct Framer {
    place: Place,
    /// What of the line, or of the value in quotes, was read so far.
    text: Vec<u8>,
    request: Request,
    /// Bytes of the request so far.
    len: usize,
    max: usize,
    malformed: u64,
}

impl Framer {
    /// A framer for requests of at most `max` bytes.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            place: Place::Between,
            text: Vec::new(),
            request: Request::default(),
            len: 0,
            max,
            malformed: 0,
        }
    }

    /// Takes bytes from the stream; gives the requests that end in them.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Request> {
        let mut whole = Vec::new();
        for &byte in bytes {
            whole.extend(self.byte(byte));
        }
        whole
    }

    /// Whether a request has begun and not ended.
    pub(crate) fn is_partial(&self) -> bool {
        !matches!(self.place, Place::Between)
    }

    /// Forgets what has begun.
    pub(crate) fn reset(&mut self) {
        self.begin(Place::Between);
    }

    /// How much was no request, or too long for one.
    pub(crate) fn malformed(&self) -> u64 {
        self.malformed
    }

    fn begin(&mut self, place: Place) {
        self.place = place;
        self.text.clear();
        self.request = Request::default();
        self.len = 0;
    }

    fn give_up(&mut self, is_line_empty: bool) {
        self.malformed += 1;
        self.begin(Place::Nonsense { is_line_empty });
    }

    fn byte(&mut self, byte: u8) -> Option<Request> {
        self.len += 1;
        if self.len > self.max && !matches!(self.place, Place::Nonsense { .. }) {
            self.give_up(byte == b'\n');
            return None;
        }
        match &mut self.place {
            Place::Between => match byte {
                b'\n' | b'\r' => self.len = 0,
                b':' => self.place = Place::Head,
                _ => self.give_up(false),
            },
            Place::Head => match byte {
                b'\n' => self.head(),
                byte => self.text.push(byte),
            },
            Place::Line => match byte {
                b'\n' => return self.line(),
                b'"' => self.quote(),
                byte => self.text.push(byte),
            },
            Place::Quoted { is_escaped, .. } => match (byte, *is_escaped) {
                (b'\\', false) => *is_escaped = true,
                (b'"', false) => self.unquote(),
                (byte, escaped) => {
                    if escaped && byte != b'"' && byte != b'\\' {
                        self.text.push(b'\\');
                    }
                    *is_escaped = false;
                    self.text.push(byte);
                }
            },
            Place::Behind => match byte {
                b'\n' => self.place = Place::Line,
                b' ' | b'\t' | b'\r' => {}
                _ => self.give_up(false),
            },
            Place::Nonsense { is_line_empty } => match (byte, *is_line_empty) {
                (b'\n', true) => self.begin(Place::Between),
                (b'\r', _) => {}
                (byte, _) => *is_line_empty = byte == b'\n',
            },
        }
        None
    }

    /// The first line is there: `command:reply_fifo`, behind its colon.
    fn head(&mut self) {
        let line = take_text(&mut self.text);
        let parts = line.as_deref().and_then(|line| line.split_once(':'));
        let named = parts.filter(|(command, _)| {
            !command.is_empty() && command.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let Some((command, reply)) = named else {
            self.give_up(true);
            return;
        };
        self.request.command = command.to_owned();
        self.request.reply = reply.trim().to_owned();
        self.place = Place::Line;
    }

    /// A line is there: an argument without quotes, or the end.
    fn line(&mut self) -> Option<Request> {
        if self.text.is_empty() || self.text == b"\r" {
            let request = std::mem::take(&mut self.request);
            self.begin(Place::Between);
            return Some(request);
        }
        let Some(line) = take_text(&mut self.text) else {
            self.give_up(true);
            return None;
        };
        let (name, value) = named(&line);
        let argument = Argument {
            name: name.map(str::to_owned),
            value: value.to_owned(),
        };
        self.request.arguments.push(argument);
        None
    }

    /// A quote begins a value at its very start alone.
    fn quote(&mut self) {
        let before = std::str::from_utf8(&self.text).unwrap_or("?");
        let (name, value) = named(before);
        if !value.is_empty() {
            self.text.push(b'"');
            return;
        }
        self.place = Place::Quoted {
            name: name.map(str::to_owned),
            is_escaped: false,
        };
        self.text.clear();
    }

    fn unquote(&mut self) {
        let Place::Quoted { name, .. } = std::mem::replace(&mut self.place, Place::Behind) else {
            return;
        };
        let value = String::from_utf8(std::mem::take(&mut self.text));
        match value {
            Ok(value) => self.request.arguments.push(Argument { name, value }),
            Err(_) => self.give_up(false),
        }
    }
}

/// A line's text without its carriage return; `None` if it is no UTF-8.
fn take_text(text: &mut Vec<u8>) -> Option<String> {
    let mut line = std::mem::take(text);
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).ok()
}

/// `name::value`, or a value alone. Names are words, so that a URI with an IPv6 address has none.
fn named(text: &str) -> (Option<&str>, &str) {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    match text.split_once("::") {
        Some((name, value)) if !name.is_empty() && name.bytes().all(is_word) => {
            (Some(name), value.trim_start())
        }
        _ => (None, text),
    }
}
