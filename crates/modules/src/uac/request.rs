//! `$uac_req(...)` and `uac_req_send()`: a script describes a request and has it sent; `event_route[uac:reply]`
//! hears what became of it.

use std::sync::Arc;

use engine::{
    Done, Event, InitError, Interner, KeyRule, LocalRequest, Pending, Retry, Run, Setup, Slots,
    VariableRow, Working, level,
};
use script::{Args, Index, Key, KeySpec, Outcome, Routes, SetError, Value};
use sip::{Message, SocketId};

use super::State;
use super::auth;
use super::credentials::Credential;
use crate::core::rpc::uac::{add_names, header_lines};

pub(super) static VARIABLES: &[VariableRow] = &[VariableRow {
    name: "uac_req",
    key: KeyRule::Resolve(resolve),
    get,
    set: Some(set),
    doc: "The request that uac_req_send() sends, and in event_route[uac:reply] what became of it.",
}];

/// What a script says of a request. Lives as long as the message at hand.
#[derive(Clone, Debug, Default)]
struct Described {
    texts: [Vec<u8>; TEXTS.len()],
    /// When `event_route[uac:reply]` runs: [`ON_REPLY`], [`ON_FAILURE`].
    evroute: i64,
    /// The status of the reply, or what stands for one.
    evcode: i64,
    /// 1: a reply came; 2: none did.
    evtype: i64,
}

/// `evroute`: for each final reply.
const ON_REPLY: i64 = 1;
/// `evroute`: when the request failed.
const ON_FAILURE: i64 = 2;

const TEXTS: [&str; 12] = [
    "method", "ruri", "furi", "turi", "ouri", "hdrs", "body", "callid", "sock", "auser", "apasswd",
    "evparam",
];
const METHOD: usize = 0;
const RURI: usize = 1;
const FURI: usize = 2;
const TURI: usize = 3;
const OURI: usize = 4;
const HDRS: usize = 5;
const BODY: usize = 6;
const CALLID: usize = 7;
const SOCK: usize = 8;
const AUSER: usize = 9;
const APASSWD: usize = 10;

const NUMBERS: [&str; 4] = ["all", "evroute", "evcode", "evtype"];
const ALL: u32 = TEXTS.len() as u32;
const EVROUTE: u32 = ALL + 1;
const EVCODE: u32 = ALL + 2;
const EVTYPE: u32 = ALL + 3;

fn resolve(_: &Interner, name: &str) -> Result<KeySpec, String> {
    let names = || TEXTS.into_iter().chain(NUMBERS);
    match names().position(|known| known == name.trim()) {
        Some(at) => Ok(KeySpec::Attr(at as u32)),
        None => {
            let known: Vec<_> = names().collect();
            let known = known.join(", ");
            Err(format!("no attribute \"{name}\"; there are {known}"))
        }
    }
}

const fn number_of(key: &Key) -> u32 {
    match key {
        Key::Attr(at) => *at,
        _ => u32::MAX,
    }
}

fn get(run: &mut Run, key: &Key, _: Index) -> Value {
    let Some(described) = run.slots.get::<Described>() else {
        return match number_of(key) {
            EVROUTE | EVCODE | EVTYPE => Value::Int(0),
            _ => Value::Null,
        };
    };
    match number_of(key) {
        EVROUTE => Value::Int(described.evroute),
        EVCODE => Value::Int(described.evcode),
        EVTYPE => Value::Int(described.evtype),
        at => {
            let text = described.texts.get(at as usize);
            let text = text.filter(|text| !text.is_empty());
            text.map_or(Value::Null, |text| Value::from(text.as_slice()))
        }
    }
}

fn set(run: &mut Run, key: &Key, _: Index, value: Value) -> Result<(), SetError> {
    let described = run.slots.entry::<Described>();
    let wrong = |text: &str| Err(SetError(text.to_owned()));
    match (number_of(key), value) {
        (ALL, Value::Null) => *described = Described::default(),
        (ALL, _) => return wrong("$uac_req(all) takes $null only"),
        (EVROUTE, Value::Null) => described.evroute = 0,
        (EVROUTE, Value::Int(number)) => described.evroute = number,
        (EVROUTE, Value::Str(_)) => return wrong("$uac_req(evroute) is a number"),
        (EVCODE | EVTYPE, _) => return wrong("the variable is read-only"),
        (at, value) => {
            let Some(text) = described.texts.get_mut(at as usize) else {
                return wrong("no such attribute");
            };
            *text = match value {
                Value::Null => Vec::new(),
                Value::Str(given) => given.to_vec(),
                Value::Int(_) => return wrong("the attribute is a text"),
            };
        }
    }
    Ok(())
}

/// The socket of the parameter `default_socket`.
pub(super) fn socket(setup: &Setup<'_>) -> Result<Option<SocketId>, InitError> {
    let Some(text) = setup.parameters.str("uac", "default_socket") else {
        return Ok(None);
    };
    match setup.sockets.find_text(&text) {
        Some(socket) => Ok(Some(socket.id)),
        None => {
            let text =
                format!("module uac: default_socket \"{text}\" is none of the sockets listened on");
            Err(text.into())
        }
    }
}

pub(super) fn uac_req_send(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let described = run.slots.get::<Described>().cloned().unwrap_or_default();
    match described.request(run) {
        Ok(mut request) => {
            request.done = Some(Box::new(Sent { described }));
            run.send_local(request);
            Outcome::Code(1)
        }
        Err(why) => {
            run.log(level::ERROR, "uac", &format!("uac_req_send: {why}"));
            Outcome::Code(-1)
        }
    }
}

impl Described {
    fn text(&self, at: usize) -> &[u8] {
        self.texts.get(at).map_or(&[], |text| text)
    }

    fn request(&self, run: &Run) -> Result<LocalRequest, &'static str> {
        let (method, ruri) = (self.text(METHOD), self.text(RURI));
        if method.is_empty() || !method.iter().all(u8::is_ascii_graphic) {
            return Err("there is no method");
        }
        if sip::Uri::parse(ruri).is_err() {
            return Err("there is no Request-URI");
        }
        let party = |at| match self.text(at) {
            b"" => bracketed(ruri),
            text => bracketed(text),
        };
        let next_hop = Some(self.text(OURI)).filter(|uri| !uri.is_empty());
        if next_hop.is_some_and(|uri| sip::Uri::parse(uri).is_err()) {
            return Err("the outbound address is none");
        }
        let mut request = LocalRequest {
            method: method.to_vec(),
            uri: ruri.to_vec(),
            from: party(FURI).ok_or("the address for From is none")?,
            to: party(TURI).ok_or("the address for To is none")?,
            call_id: self.text(CALLID).to_vec(),
            cseq: 10,
            body: self.text(BODY).to_vec(),
            next_hop: next_hop.map(<[u8]>::to_vec),
            socket: self.socket(run)?,
            ..LocalRequest::default()
        };
        if !request.call_id.iter().all(u8::is_ascii_graphic) {
            return Err("the Call-ID is none");
        }
        self.add_headers(&mut request)?;
        add_names(&run.engine, &mut request);
        Ok(request)
    }

    fn socket(&self, run: &Run) -> Result<Option<SocketId>, &'static str> {
        match self.text(SOCK) {
            b"" => Ok(run.state::<State>().socket),
            text => {
                let text = std::str::from_utf8(text).unwrap_or_default();
                let socket = run.engine.sockets.find_text(text);
                let socket = socket.ok_or("this is no socket of ours")?;
                Ok(Some(socket.id))
            }
        }
    }

    fn add_headers(&self, request: &mut LocalRequest) -> Result<(), &'static str> {
        let text = std::str::from_utf8(self.text(HDRS)).unwrap_or("?");
        let lines = header_lines(text).ok_or("these are no header lines")?;
        for (name, value) in lines {
            request.has_max_forwards |= name.eq_ignore_ascii_case("Max-Forwards");
            let line = format!("{name}: {value}\r\n");
            request.headers.extend_from_slice(line.as_bytes());
        }
        Ok(())
    }
}

/// An address between brackets, unless it is so already. `None` if it is none.
fn bracketed(text: &[u8]) -> Option<Vec<u8>> {
    if text.iter().any(|&byte| byte < 0x20) {
        return None;
    }
    let address = sip::NameAddr::parse(text)?;
    sip::Uri::parse(address.uri).ok()?;
    Some(match address.bracketed {
        true => text.to_vec(),
        false => [b"<", text, b">"].concat(),
    })
}

/// A request that a script had sent.
#[derive(Debug)]
struct Sent {
    described: Described,
}

impl Sent {
    fn tell(&self, run: &mut Run, status: u16, has_reply: bool) {
        let wanted = match self.described.evroute {
            ON_REPLY => has_reply || status == 408,
            ON_FAILURE => status >= 300,
            _ => false,
        };
        let Some(block) = run.script.event("uac:reply").filter(|_| wanted) else {
            return;
        };
        let mut slots = Slots::default();
        slots.put(Described {
            evcode: i64::from(status),
            evtype: if has_reply { 1 } else { 2 },
            ..self.described.clone()
        });
        let working = match has_reply {
            true => Working::new(Arc::clone(&run.msg.message), run.msg.hop),
            false => engine::stand_in(),
        };
        run.events.push_back(Event {
            block,
            routes: Routes::EVENT,
            working,
            slots,
        });
    }
}

impl Done for Sent {
    fn done(self: Box<Self>, run: &mut Run, status: u16, reply: Option<Arc<Message>>) {
        self.tell(run, status, reply.is_some());
    }

    fn challenged(&mut self, run: &mut Run, reply: &Message) -> Option<Retry> {
        let (username, password) = (self.described.text(AUSER), self.described.text(APASSWD));
        if username.is_empty() {
            return None;
        }
        let known = [Credential::anywhere(username, password)];
        let credentials = auth::answers_of(run, reply, &known)?;
        let cseq = run.tx.as_ref()?.request().cseq()?.number;
        self.tell(run, reply.status().unwrap_or(401), true);
        Some(Retry {
            credentials,
            cseq: cseq.saturating_add(1),
        })
    }
}
