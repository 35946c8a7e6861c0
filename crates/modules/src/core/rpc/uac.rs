//! Commands that send a request of our own: `tm.t_uac_start` and those that wait for its reply.

use std::sync::Arc;

use engine::{Done, Engine, LocalRequest, Run, hex, local_job};
use rpc::{Call, Fault, Kind, Reply, Struct};
use sip::{HeaderId, Message, SocketId, Uri};
use tokio::sync::oneshot;

use crate::command::{CommandParameter, CommandRow, busy, command, list_command, needs, takes};

const PARAMETERS: &[CommandParameter] = &[
    needs("method", Kind::Str),
    needs("ruri", Kind::Str),
    needs("nexthop", Kind::Str),
    needs("socket", Kind::Str),
    needs("headers", Kind::Str),
    takes("body", Kind::Str),
];

pub(super) static COMMANDS: &[CommandRow] = &[
    command(
        "tm.t_uac_start",
        PARAMETERS,
        start,
        "Sends a request; its reply is not waited for.",
    ),
    list_command(
        "tm.t_uac_wait",
        PARAMETERS,
        wait,
        "Sends a request and answers code, reason, URI, next hop, dialog and headers of its reply.",
    ),
    command(
        "tm.t_uac_wait_block",
        PARAMETERS,
        wait_block,
        "Sends a request and answers code and reason of its reply.",
    ),
];

/// The final reply to a request of our own: its status, and the message unless it stands for none.
type Final = (u16, Option<Arc<Message>>);

#[derive(Debug)]
struct Report(oneshot::Sender<Final>);

impl Done for Report {
    fn done(self: Box<Self>, _: &mut Run, status: u16, reply: Option<Arc<Message>>) {
        // Whoever waited may have gone.
        let _ = self.0.send((status, reply));
    }
}

fn start(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let request = scan(engine, call)?;
    send(engine, request)
}

fn wait_block(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let answer = ask(engine, call)?;
    call.defer(async move {
        let (status, reply) = answer.await.map_err(|_| given_up())?;
        let mut result = Reply::new();
        result.add(
            Struct::new()
                .with("code", status)
                .with("text", reason(status, reply.as_deref()).as_slice()),
        );
        Ok(result)
    });
    Ok(())
}

fn wait(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let answer = ask(engine, call)?;
    call.defer(async move {
        let (status, reply) = answer.await.map_err(|_| given_up())?;
        let headers = reply.as_deref().map_or(&[][..], header_block);
        let mut result = Reply::list();
        result.add(status);
        result.add(reason(status, reply.as_deref()).as_slice());
        for _ in ["ruri", "next_hop", "dialog"] {
            result.add("");
        }
        result.add(headers);
        Ok(result)
    });
    Ok(())
}

fn given_up() -> Fault {
    Fault::new(500, "The request was given up")
}

fn reason(status: u16, reply: Option<&Message>) -> Vec<u8> {
    match reply {
        Some(reply) => reply.reason().to_vec(),
        None if status == 408 => b"Request Timeout".to_vec(),
        None => engine::errors::status(-i32::from(status))
            .1
            .as_bytes()
            .to_vec(),
    }
}

/// The header lines of a message.
fn header_block(message: &Message) -> &[u8] {
    let begin = usize::from(message.first_line_span().end);
    let lines = message
        .bytes()
        .get(begin..usize::from(message.headers_end()));
    let lines = lines.unwrap_or_default();
    lines.strip_prefix(b"\r\n").unwrap_or(lines)
}

/// Sends the request that a call describes; the receiver gets its outcome.
fn ask(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<oneshot::Receiver<Final>, Fault> {
    let mut request = scan(engine, call)?;
    let (sender, receiver) = oneshot::channel();
    request.done = Some(Box::new(Report(sender)));
    send(engine, request)?;
    Ok(receiver)
}

fn send(engine: &Engine, request: LocalRequest) -> Result<(), Fault> {
    let key = engine.call_key(&request.call_id);
    engine.post(key, local_job(request)).map_err(busy)
}

fn scan(engine: &Engine, call: &mut Call<'_>) -> Result<LocalRequest, Fault> {
    let given = call.remaining();
    if given < 5 {
        return Err(Fault::new(400, format!("too few parameters ({given}/5)")));
    }
    let described = Described {
        method: call.text()?,
        uri: call.text()?,
        next_hop: call.text()?,
        socket: call.text()?,
        headers: call.text()?,
        body: call.opt_text()?.unwrap_or_default(),
    };
    described.request(engine)
}

/// A request as the commands and `t_uac_send()` describe it.
pub(crate) struct Described {
    /// The method.
    pub(crate) method: String,
    /// The Request-URI.
    pub(crate) uri: String,
    /// Where to send it; empty or `.` for the first route or the Request-URI.
    pub(crate) next_hop: String,
    /// The socket to send from; empty or `.` for any.
    pub(crate) socket: String,
    /// Header lines; From and To are among them.
    pub(crate) headers: String,
    /// The body.
    pub(crate) body: String,
}

impl Described {
    /// The request, or what is wrong with the description.
    pub(crate) fn request(self, engine: &Engine) -> Result<LocalRequest, Fault> {
        let Self {
            method,
            uri,
            next_hop,
            socket: from,
            headers,
            body,
        } = self;
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Fault::new(400, "Invalid method"));
        }
        if !is_uri(&uri) {
            return Err(Fault::new(400, format!("Invalid request uri \"{uri}\"")));
        }
        let next_hop = Some(next_hop).filter(|text| !text.is_empty() && text != ".");
        if let Some(next_hop) = next_hop.as_deref().filter(|text| !is_uri(text)) {
            return Err(Fault::new(
                400,
                format!("Invalid next-hop uri \"{next_hop}\""),
            ));
        }
        let socket = socket(engine, &from)?;
        let fields = header_lines(&headers).filter(|fields| !fields.is_empty());
        let fields = fields.ok_or(Fault::new(400, "Invalid headers"))?;
        let mut request = from_fields(engine, &fields, !body.is_empty())?;
        request.method = method.into_bytes();
        request.uri = uri.into_bytes();
        request.next_hop = next_hop.map(String::into_bytes);
        request.socket = socket;
        request.body = body.into_bytes();
        Ok(request)
    }
}

fn is_uri(text: &str) -> bool {
    Uri::parse(text.as_bytes()).is_ok()
}

fn socket(engine: &Engine, text: &str) -> Result<Option<SocketId>, Fault> {
    if text.is_empty() || text == "." {
        return Ok(None);
    }
    let found = engine.sockets.find_text(text);
    let found = found.ok_or_else(|| Fault::new(400, format!("Invalid local socket \"{text}\"")))?;
    Ok(Some(found.id))
}

/// Names and values of header lines; a folded line is one value. `None` when a line is no header.
pub(crate) fn header_lines(text: &str) -> Option<Vec<(String, String)>> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut()?;
            value.push(' ');
            value.push_str(line.trim());
            continue;
        }
        let (name, value) = line.split_once(':')?;
        let name = name.trim_end();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        fields.push((name.to_owned(), value.trim().to_owned()));
    }
    Some(fields)
}

/// A request with these headers: those that we write ourselves are taken out of the block.
fn from_fields(
    engine: &Engine,
    fields: &[(String, String)],
    has_body: bool,
) -> Result<LocalRequest, Fault> {
    let mut request = LocalRequest {
        cseq: 10,
        ..LocalRequest::default()
    };
    let mut has_type = false;
    for (name, value) in fields {
        let value = value.as_bytes();
        let id = HeaderId::from_name(name.as_bytes());
        match id {
            HeaderId::From => request.from = value.to_vec(),
            HeaderId::To => request.to = value.to_vec(),
            HeaderId::CallId => request.call_id = value.to_vec(),
            HeaderId::CSeq => request.cseq = first_number(value).unwrap_or(request.cseq),
            HeaderId::Route => {
                if !request.route.is_empty() {
                    request.route.extend_from_slice(b", ");
                }
                request.route.extend_from_slice(value);
            }
            HeaderId::Via | HeaderId::ContentLength => continue,
            _ => {
                has_type |= id == HeaderId::ContentType;
                request.has_max_forwards |= id == HeaderId::MaxForwards;
                request.headers.extend_from_slice(name.as_bytes());
                request.headers.extend_from_slice(b": ");
                request.headers.extend_from_slice(value);
                request.headers.extend_from_slice(b"\r\n");
            }
        }
    }
    if has_body && !has_type {
        return Err(Fault::new(400, "Content-Type missing"));
    }
    for (value, fault) in [(&request.from, "From missing"), (&request.to, "To missing")] {
        if value.is_empty() {
            return Err(Fault::new(400, fault));
        }
    }
    add_names(engine, &mut request);
    Ok(request)
}

fn first_number(value: &[u8]) -> Option<u32> {
    std::str::from_utf8(value)
        .ok()?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// The From tag and the Call-ID, where they were not given.
pub(crate) fn add_names(engine: &Engine, request: &mut LocalRequest) {
    let tagged = sip::NameAddr::parse(&request.from).is_some_and(|from| from.tag().is_some());
    if !tagged {
        let tag = hex(&fastrand::u128(..).to_be_bytes());
        request.from.extend_from_slice(b";tag=");
        request.from.extend_from_slice(tag.as_bytes());
        let end = format!("-{:08x}", fastrand::u32(..));
        request.from.extend_from_slice(end.as_bytes());
    }
    if request.call_id.is_empty() {
        let host = engine
            .sockets
            .iter()
            .next()
            .map_or("tandem", |socket| &socket.host);
        let id = hex(&fastrand::u64(..).to_be_bytes());
        request.call_id = format!("{id}-{}@{host}", std::process::id()).into_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_blocks_are_read_line_by_line() {
        let fields = header_lines("From: <sip:a@b>\r\nX:\n  folded\r\n\tagain\nTo : t\n").unwrap();
        let expected = [("From", "<sip:a@b>"), ("X", " folded again"), ("To", "t")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(fields, expected);
        assert!(header_lines("no header").is_none());
        assert!(header_lines(" folded first").is_none());
        assert!(header_lines("").unwrap().is_empty());
    }
}
