//! `t_write_req()`, `t_write_unix()`: a request written down for another program, which answers it with the command
//! `tm.reply`. The transaction stays open until then, for `fr_timer` and a moment at the longest.

use std::io::{self, Write as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use engine::{AvpName, FunctionRow, InitError, ParameterValue, Pending, Run, Setup, errors, level};
use nix::fcntl::OFlag;
use script::{Args, Outcome, Parameter, ParameterKind};
use sip::{HeaderId, Message, Method};

use super::{State, WHERE_RELAYED};
use crate::aside;
use crate::row::{function, param};

const FILE: &[Parameter] = &[
    param("file", ParameterKind::Static),
    param("what", ParameterKind::Static),
];
const SOCKET: &[Parameter] = &[
    param("socket", ParameterKind::Static),
    param("what", ParameterKind::Static),
];

pub(super) const T_WRITE_REQ: FunctionRow = function(
    "t_write_req",
    FILE,
    WHERE_RELAYED,
    |run, args| write(run, args, Door::Fifo),
    "Writes the request into a FIFO, as NAME or NAME/APPEND with what tw_append names; needs a transaction.",
);
pub(super) const T_WRITE_UNIX: FunctionRow = function(
    "t_write_unix",
    SOCKET,
    WHERE_RELAYED,
    |run, args| write(run, args, Door::Socket),
    "Sends the request to a datagram socket of this host; as t_write_req().",
);

/// The version of the text's form.
const VERSION: &str = "0.3";
/// How long writing may take at the longest, beside `unix_tx_timeout`.
const GRACE: Duration = Duration::from_millis(500);

/// What the parameters say.
pub(super) struct Writing {
    appends: Vec<(String, Vec<Element>)>,
    timeout: Duration,
}

/// One line that is added, or the body.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Element {
    Header { label: String, name: String },
    Avp { label: String, name: AvpName },
    Body,
}

impl Writing {
    /// Reads the parameters.
    pub(super) fn new(setup: &Setup<'_>) -> Result<Self, InitError> {
        let mut appends = Vec::new();
        for value in setup.parameters.all("tm", "tw_append") {
            let ParameterValue::Str(text) = value else {
                return Err("parameter tw_append is a string".into());
            };
            appends.push(append(&text)?);
        }
        let ms = u64::try_from(setup.parameters.int("tm", "unix_tx_timeout")).unwrap_or(0);
        Ok(Self {
            appends,
            timeout: Duration::from_millis(ms.max(1)),
        })
    }

    /// The name that is written, and what is added: `NAME` or `NAME/APPEND`.
    fn find<'a>(&'a self, what: &'a str) -> Option<(&'a str, &'a [Element])> {
        let Some((name, append)) = what.split_once('/') else {
            return Some((what, &[]));
        };
        let found = self.appends.iter().find(|(known, _)| known == append)?;
        Some((name, &found.1))
    }
}

/// Checks a value of `tw_append`.
pub(super) fn check_append(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Str(text) => append(text).map(drop),
        ParameterValue::Int(_) => Err("expected NAME:ELEMENT;ELEMENT…".to_owned()),
    }
}

/// `NAME:ELEMENT;…`; an element is `msg[body]`, or `hdr[NAME]` or `avp[NAME]` with `LABEL=` before it if wanted.
fn append(text: &str) -> Result<(String, Vec<Element>), String> {
    let (name, elements) = text
        .split_once(':')
        .filter(|(name, _)| !name.trim().is_empty())
        .ok_or("expected NAME:ELEMENT;ELEMENT…")?;
    let elements: Result<Vec<_>, _> = elements.split(';').map(str::trim).map(element).collect();
    Ok((name.trim().to_owned(), elements?))
}

fn element(text: &str) -> Result<Element, String> {
    let (label, rest) = match text.split_once('=') {
        Some((label, rest)) => (Some(label.trim()), rest.trim()),
        None => (None, text),
    };
    let inner = |kind: &str| {
        rest.strip_prefix(kind)?
            .strip_prefix('[')?
            .strip_suffix(']')
    };
    let labelled = |name: &str| label.unwrap_or(name).to_owned();
    if inner("msg") == Some("body") {
        return Ok(Element::Body);
    }
    if let Some(name) = inner("hdr").filter(|name| !name.is_empty()) {
        let (label, name) = (labelled(name), name.to_owned());
        return Ok(Element::Header { label, name });
    }
    if let Some(name) = inner("avp").filter(|name| !name.is_empty()) {
        let label = labelled(name);
        let name = crate::pv::avp_name(name.as_bytes());
        return Ok(Element::Avp { label, name });
    }
    Err(format!(
        "\"{text}\": expected hdr[NAME], avp[NAME] or msg[body]"
    ))
}

#[derive(Clone, Copy)]
enum Door {
    Fifo,
    Socket,
}

fn write(run: &mut Run, args: &mut Args<'_>, door: Door) -> Outcome<Pending> {
    let function = args.function();
    let complain = |run: &Run, text: &str| {
        run.log(level::ERROR, "tm", &format!("{function}: {text}"));
        Outcome::Code(-1)
    };
    let (Some(path), Some(what)) = (args.str(0).as_str(), args.str(1).as_str()) else {
        return complain(run, "the arguments are not UTF-8");
    };
    let state = run.state::<State>();
    let Some((name, elements)) = state.writing.find(what) else {
        return complain(run, &format!("no tw_append is named as in \"{what}\""));
    };
    let Some(text) = describe(run, name, elements) else {
        return complain(run, "there is no transaction, or the request is incomplete");
    };
    let (path, limit) = (path.to_owned(), state.writing.timeout);
    let work = move || match door {
        Door::Fifo => to_fifo(&path, &text),
        Door::Socket => to_socket(&path, &text, limit),
    };
    match aside::work(run, limit + GRACE, work, written) {
        Ok(outcome) => outcome,
        Err(error) => complain(run, &error.to_string()),
    }
}

/// The request has been handed over: somebody else answers it.
fn written(run: &mut Run, result: Option<io::Result<()>>) -> Outcome<Pending> {
    let failure = match result {
        Some(Ok(())) => None,
        Some(Err(error)) => Some(error.to_string()),
        None => Some("nobody took the request in time".to_owned()),
    };
    if let Some(text) = failure {
        run.error = errors::SERVER;
        run.log(
            level::ERROR,
            "tm",
            &format!("the request was not written: {text}"),
        );
        return Outcome::Code(-1);
    }
    let now = run.now.time;
    if let Some(tx) = &mut run.tx {
        let limit = tx.settings().timers.fr_timer;
        tx.data.suspended = true;
        tx.set_max_lifetime(limit, limit, now);
    }
    Outcome::Code(1)
}

/// A FIFO that nobody reads is an error; what is no FIFO is not written to.
fn to_fifo(path: &str, text: &[u8]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path)?;
    if !file.metadata()?.file_type().is_fifo() {
        return Err(io::Error::other(format!("{path} is no FIFO")));
    }
    file.write_all(text)
}

fn to_socket(path: &str, text: &[u8], limit: Duration) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(limit))?;
    socket.send_to(text, path).map(drop)
}

/// A text of lines.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn add(&mut self, text: impl AsRef<[u8]>) {
        self.0.extend_from_slice(text.as_ref());
        self.0.push(b'\n');
    }
}

/// The request as text: one line for each of its parts, what is added, a dot, the body.
fn describe(run: &Run, name: &str, elements: &[Element]) -> Option<Vec<u8>> {
    let mut lines = Lines::default();
    lines.add(VERSION);
    lines.add(format!("sip_request.{name}"));
    add_request(&mut lines, run)?;
    add_route(&mut lines, &run.msg.message);
    for element in elements {
        add_element(&mut lines, run, element);
    }
    lines.add(".");
    let message = &run.msg.message;
    let with_body = message.method() == Method::Invite || elements.contains(&Element::Body);
    lines.add(if with_body { message.body() } else { b"." });
    Some(lines.0)
}

/// Method, destination, our address, contact, the header fields that name the call, the transaction.
fn add_request(lines: &mut Lines, run: &Run) -> Option<()> {
    let id = run.tx.as_deref()?.id();
    let message = &run.msg.message;
    let from = message.from()?;
    let uri = sip::Uri::parse(run.msg.uri()).ok()?;
    let own = run.engine.sockets.get(run.msg.hop.socket)?.address;
    let contact = message.contacts().next();
    lines.add(message.method_bytes());
    lines.add(uri.user.unwrap_or_default());
    lines.add(uri.host);
    lines.add(own.ip().to_string());
    lines.add(own.port().to_string());
    lines.add(message.request_uri());
    lines.add(contact.map_or(from.uri, |contact| contact.uri));
    lines.add([b"<", from.uri, b">"].concat());
    lines.add(message.value(HeaderId::To)?);
    lines.add(message.call_id()?);
    lines.add(message.from_tag().unwrap_or_default());
    lines.add(message.to_tag().unwrap_or_default());
    lines.add(message.cseq_number_bytes());
    lines.add(format!("{}:{}", id.index, id.label));
    Some(())
}

/// The route of requests in the other direction, and its first hop; a dot each when it is empty.
fn add_route(lines: &mut Lines, message: &Message) {
    let routes: Vec<&[u8]> = message
        .values(HeaderId::RecordRoute)
        .map(|route| route.text)
        .collect();
    match message.record_routes().next() {
        Some(first) => {
            lines.add(routes.join(&b","[..]));
            lines.add(first.uri);
        }
        None => {
            lines.add(".");
            lines.add(".");
        }
    }
}

/// What is not there is left out.
fn add_element(lines: &mut Lines, run: &Run, element: &Element) {
    let (label, value) = match element {
        Element::Header { label, name } => {
            let header = run.msg.message.header_by_name(name.as_bytes());
            (label, header.map(|header| header.value.to_vec()))
        }
        Element::Avp { label, name } => {
            let value = run.shared_ref().avps.get(name, 0);
            (label, value.map(|value| value.to_str().as_bytes().to_vec()))
        }
        Element::Body => return,
    };
    if let Some(value) = value {
        lines.add([label.as_bytes(), b": ", &value].concat());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::testing::Bench;

    const REQUEST: &str = "MESSAGE sip:b@10.0.0.8 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKa\n\
        From: <sip:a@x>;tag=1\nTo: <sip:b@x>;tag=2\nCall-ID: c\nCSeq: 7 MESSAGE\n\
        Record-Route: <sip:r1;lr>\nRecord-Route: <sip:r2;lr>\nContact: <sip:a@10.0.0.9>\n\
        X-A: one\nContent-Type: text/plain\nContent-Length: 2\n\nhi";

    fn config(call: &str) -> String {
        format!(
            "loadmodule \"tm.so\"\nloadmodule \"pv.so\"\nloadmodule \"xlog.so\"\n\
             modparam(\"tm\", \"tw_append\", \"more:hdr[X-A];mine=avp[q];hdr[None];msg[body]\")\n\
             request_route {{ t_newtran(); $avp(q) = 5; $ru = \"sip:new@host.test\"; {call}; xinfo(\"code $rc\"); }}\n"
        )
    }

    /// The lines, without the one that names the transaction.
    fn lines(text: &str) -> Vec<&str> {
        let all = text.lines().enumerate();
        all.filter(|(at, _)| *at != 15)
            .map(|(_, line)| line)
            .collect()
    }

    #[test]
    fn a_request_is_written_line_by_line_and_stays_open() {
        let directory = std::env::temp_dir().join(format!("tandem-write-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        let path = directory.join("fifo");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
        let reader = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(&path);
        let mut reader = reader.expect("the FIFO opens");
        let call = format!("t_write_req(\"{}\", \"app/more\")", path.display());
        let mut bench = Bench::new(&config(&call));
        bench.receive("10.0.0.9:5060", REQUEST);
        let sent = bench.open_gates();
        assert!(sent.is_empty(), "{sent:?}");
        assert!(bench.log().join("\n").contains("code 1"));
        let mut text = vec![0; 4096];
        let length = reader.read(&mut text).expect("something was written");
        let text = String::from_utf8_lossy(&text[..length]).into_owned();
        let expected = "0.3\nsip_request.app\nMESSAGE\nnew\nhost.test\n10.0.0.1\n5060\n\
            sip:b@10.0.0.8\nsip:a@10.0.0.9\n<sip:a@x>\n<sip:b@x>;tag=2\nc\n1\n2\n7\n\
            <sip:r1;lr>,<sip:r2;lr>\nsip:r1;lr\nX-A: one\nmine: 5\n.\nhi";
        assert_eq!(lines(&text), expected.lines().collect::<Vec<_>>());
        let late = bench.advance(36_000);
        assert_eq!(late[0].first_line(), "SIP/2.0 408 Request Timeout");
        std::fs::remove_dir_all(&directory).expect("the directory goes");
    }

    #[test]
    fn what_nobody_reads_is_an_error() {
        for call in [
            "t_write_req(\"/nowhere/fifo\", \"app\")",
            "t_write_req(\"/dev/null\", \"app\")",
            "t_write_unix(\"/nowhere/socket\", \"app\")",
        ] {
            let mut bench = Bench::new(&config(call));
            bench.receive("10.0.0.9:5060", REQUEST);
            bench.open_gates();
            assert!(bench.log().join("\n").contains("code -1"), "{call}");
        }
        let mut bench = Bench::new(&config("t_write_req(\"/dev/null\", \"app/other\")"));
        bench.receive("10.0.0.9:5060", REQUEST);
        assert!(bench.log().join("\n").contains("no tw_append"));
    }

    #[test]
    fn elements_are_headers_avps_and_the_body() {
        let (name, elements) = append("a: hdr[X]; l=avp[i:5] ;msg[body]").expect("it is right");
        assert_eq!((name.as_str(), elements.len()), ("a", 3));
        let named = AvpName::Number(5);
        let label = "l".to_owned();
        assert_eq!(elements[1], Element::Avp { label, name: named });
        for wrong in [
            "a",
            ":hdr[X]",
            "a:",
            "a:x",
            "a:ru=$ru",
            "a:@ruri",
            "a:msg[header]",
            "a:hdr[]",
        ] {
            assert!(append(wrong).is_err(), "{wrong}");
        }
    }
}
