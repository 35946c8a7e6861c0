//! From a request's bytes to the response, which is written chunk by chunk.

use std::borrow::Cow;

use super::request::Request;
use super::write::{write_name, write_value};
use crate::call::Dialect;
use crate::reply::{Outcome, Reply};
use crate::{Fault, Registry, Struct, Value};

/// A response that has still to be written.
#[derive(Debug)]
pub struct Response {
    /// 200, or the fault's code; HTTP answers with it.
    pub code: u16,
    /// `OK`, or the fault's text.
    pub reason: Cow<'static, str>,
    id: Option<Value>,
    pretty: bool,
    stage: Stage,
    /// Bytes of the next piece, more or less.
    piece_bytes: usize,
}

#[derive(Debug)]
enum Stage {
    Fault,
    Start(Reply),
    Elements { reply: Reply, written: usize },
    Done,
}

impl Response {
    /// The next bytes, few at first, then a hundred kilobytes or so; `None` at the end.
    pub fn next_chunk(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.next_into(&mut out).then_some(out)
    }

    /// The same into a buffer that is used again; false at the end.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        while out.len() < self.piece_bytes {
            if !self.advance(out) {
                break;
            }
        }
        self.piece_bytes = (2 * self.piece_bytes).min(CHUNK_BYTES);
        !out.is_empty()
    }

    /// The whole response; it takes as much memory as it needs: not for listings.
    pub fn into_bytes(mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while self.advance(&mut out) {}
        out
    }

    /// Writes the next piece; answers whether there may be more.
    fn advance(&mut self, out: &mut Vec<u8>) -> bool {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Fault => self.write_fault(out),
            Stage::Start(reply) => self.write_start(out, reply),
            Stage::Elements { reply, written } => self.write_elements(out, reply, written),
            Stage::Done => return false,
        };
        true
    }

    fn write_fault(&self, out: &mut Vec<u8>) -> Stage {
        self.write_head(out, "error");
        let error = Struct::new()
            .with("code", self.code)
            .with("message", self.reason.as_ref());
        write_value(out, &Value::Struct(error), self.pretty, 1);
        self.write_tail(out)
    }

    fn write_start(&self, out: &mut Vec<u8>, mut reply: Reply) -> Stage {
        self.write_head(out, "result");
        match reply.settled_len() {
            Some(0) if !reply.is_list() => {
                write_value(out, &Value::Struct(Struct::new()), self.pretty, 1);
                self.write_tail(out)
            }
            Some(1) if !reply.is_list() => {
                for value in reply.next_page().into_iter().flatten() {
                    write_value(out, &value, self.pretty, 1);
                }
                self.write_tail(out)
            }
            _ => {
                out.push(b'[');
                Stage::Elements { reply, written: 0 }
            }
        }
    }

    fn write_elements(&self, out: &mut Vec<u8>, mut reply: Reply, written: usize) -> Stage {
        match reply.next_json(out, self.pretty, written) {
            Some(more) => Stage::Elements {
                reply,
                written: written + more,
            },
            None => {
                out.push(b']');
                self.write_tail(out)
            }
        }
    }

    fn write_head(&self, out: &mut Vec<u8>, member: &str) {
        out.push(b'{');
        self.line(out);
        write_name(out, "jsonrpc", self.pretty, 1);
        out.extend_from_slice(b"\"2.0\",");
        self.line(out);
        write_name(out, member, self.pretty, 1);
    }

    fn write_tail(&self, out: &mut Vec<u8>) -> Stage {
        if let Some(id) = &self.id {
            out.push(b',');
            self.line(out);
            write_name(out, "id", self.pretty, 1);
            write_value(out, id, self.pretty, 1);
        }
        self.line(out);
        out.push(b'}');
        Stage::Done
    }

    fn line(&self, out: &mut Vec<u8>) {
        if self.pretty {
            out.push(b'\n');
        }
    }

    fn new(id: Option<Value>, pretty: bool, reply: Result<Reply, Fault>) -> Self {
        let (code, reason, stage) = match reply {
            Ok(reply) => (200, Cow::Borrowed("OK"), Stage::Start(reply)),
            Err(fault) => (fault.code, fault.text, Stage::Fault),
        };
        Self {
            code,
            reason,
            id,
            pretty,
            stage,
            piece_bytes: FIRST_BYTES,
        }
    }
}

/// Runs the request. A command whose reply comes later gets fault 600.
pub fn answer(registry: &Registry, request: Request, pretty: bool) -> Response {
    let id = request.id.clone();
    let reply = run(registry, request).and_then(Outcome::now);
    Response::new(id, pretty, reply)
}

/// Runs the request and waits for the reply if the command defers it.
pub async fn answer_async(registry: &Registry, request: Request, pretty: bool) -> Response {
    let id = request.id.clone();
    let reply = match run(registry, request) {
        Ok(outcome) => outcome.wait().await,
        Err(fault) => Err(fault),
    };
    Response::new(id, pretty, reply)
}

/// The response that refuses a request.
pub fn refuse(request: Request, fault: Fault, pretty: bool) -> Response {
    Response::new(request.id, pretty, Err(fault))
}

/// Runs the request in `body` and answers with code, reason and document; `None` if `body` is not
/// JSON, which nobody answers.
pub fn execute(
    registry: &Registry,
    body: &[u8],
    pretty: bool,
) -> Option<(u16, Cow<'static, str>, Vec<u8>)> {
    let response = answer(registry, Request::parse(body)?, pretty);
    let (code, reason) = (response.code, response.reason.clone());
    Some((code, reason, response.into_bytes()))
}

/// A request that does not claim to be JSON-RPC 2.0 or names no command gets an empty result.
fn run(registry: &Registry, request: Request) -> Result<Outcome, Fault> {
    let method = match request.method {
        Some(method) if request.is_version_2 => method,
        _ => return Ok(Outcome::Ready(Reply::new())),
    };
    if registry.find(&method).is_none() {
        return Err(Fault::new(500, "Method Not Found"));
    }
    registry.invoke(&method, request.parameters, Dialect::Json)
}

/// The first piece is short: it tells that there is an answer.
const FIRST_BYTES: usize = 8 * 1024;
/// The longer a piece, the less often reader and writer of a FIFO wake each other.
const CHUNK_BYTES: usize = 128 * 1024;
