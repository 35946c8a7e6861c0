//! From a request packet to the packet that answers it.

use super::decode::{DecodeError, Header, Records};
use super::{Encoder, PacketKind, encode_packet};
use crate::call::Dialect;
use crate::reply::{Outcome, Reply};
use crate::{Fault, Registry, Value};

/// How a binrpc door reads and how much it writes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a request's records that are accepted.
    pub request_bytes_max: usize,
    /// Bytes of a reply's records that are sent; a longer reply becomes fault 500.
    pub reply_bytes_max: usize,
    /// Convert parameters to the type that the command asks for.
    pub autoconversion: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes_max: 64 * 1024,
            reply_bytes_max: 32 * 1024,
            autoconversion: false,
        }
    }
}

/// Answers one whole packet. A command whose reply comes later gets fault 600.
pub fn respond(registry: &Registry, packet: &[u8], limits: &Limits) -> Vec<u8> {
    let (cookie, outcome) = run(registry, packet, limits);
    let mut answer = Answer::new(outcome.and_then(Outcome::now), limits);
    while answer.advance() {}
    answer.finish(cookie)
}

/// Answers one whole packet, waiting for the reply if the command defers it. Others have their turn while a long reply
/// is made.
pub async fn respond_async(registry: &Registry, packet: &[u8], limits: &Limits) -> Vec<u8> {
    let (cookie, outcome) = run(registry, packet, limits);
    let reply = match outcome {
        Ok(outcome) => outcome.wait().await,
        Err(fault) => Err(fault),
    };
    let mut answer = Answer::new(reply, limits);
    while answer.advance() {
        // Who waits for this core, and who waits for this thread.
        std::thread::yield_now();
        tokio::task::yield_now().await;
    }
    answer.finish(cookie)
}

/// The fault packet for bytes that are no request; the cookie is unknown.
pub fn refuse(error: DecodeError) -> Vec<u8> {
    fault_packet(0, &Fault::new(400, format!("bad request: {error}")))
}

/// The fault packet for a request whose reply does not fit into a datagram.
pub fn too_big(request: &[u8]) -> Vec<u8> {
    let header = Header::parse(request).ok().flatten();
    let cookie = header.map_or(0, |header| header.cookie);
    fault_packet(cookie, &Fault::new(500, "reply is too big for a datagram"))
}

fn run(registry: &Registry, packet: &[u8], limits: &Limits) -> (u32, Result<Outcome, Fault>) {
    let header = match Header::parse(packet) {
        Ok(Some(header)) => header,
        Ok(None) => return (0, Err(bad_request(DecodeError::Truncated))),
        Err(error) => return (0, Err(bad_request(error))),
    };
    if header.kind != PacketKind::Request {
        return (header.cookie, Err(bad_request(DecodeError::Corrupted)));
    }
    let outcome = match packet.get(header.header_len..header.packet_len()) {
        Some(body) => run_body(registry, body, limits),
        None => Err(bad_request(DecodeError::Truncated)),
    };
    (header.cookie, outcome)
}

fn run_body(registry: &Registry, body: &[u8], limits: &Limits) -> Result<Outcome, Fault> {
    let mut records = Records { rest: body };
    let method = records
        .next_value()
        .and_then(|value| match value {
            Some(Value::Str(name)) => Ok(name),
            Some(_) => Err(DecodeError::WrongType),
            None => Err(DecodeError::EndOfPacket),
        })
        .map_err(|error| Fault::new(400, format!("bad request method: {error}")))?;
    let mut parameters = Vec::new();
    while let Some(value) = records
        .next_value()
        .map_err(|error| Fault::at_parameter(parameters.len(), "any", &error.to_string()))?
    {
        parameters.push(value);
    }
    let dialect = Dialect::Binrpc {
        autoconversion: limits.autoconversion,
    };
    registry.invoke(&String::from_utf8_lossy(&method), parameters, dialect)
}

/// An answer in the making.
struct Answer<'a> {
    reply: Result<Reply, Fault>,
    records: Encoder,
    limits: &'a Limits,
}

impl<'a> Answer<'a> {
    fn new(reply: Result<Reply, Fault>, limits: &'a Limits) -> Self {
        Self {
            reply,
            records: Encoder::new(limits.reply_bytes_max),
            limits,
        }
    }

    /// Writes the next records, a fraction of a millisecond's worth; false when all are written, or do not fit.
    fn advance(&mut self) -> bool {
        let Ok(reply) = &mut self.reply else {
            return false;
        };
        let more = (0..PAGES_AT_A_TIME).all(|_| reply.next_binrpc(&mut self.records));
        if self.records.check().is_err() {
            self.reply = Err(over_limit(self.limits));
            return false;
        }
        more
    }

    fn finish(self, cookie: u32) -> Vec<u8> {
        match self.reply {
            Ok(_) => encode_packet(PacketKind::Reply, cookie, self.records.finish()),
            Err(fault) => fault_packet(cookie, &fault),
        }
    }
}

/// Pages of a long reply that are written before others have their turn.
const PAGES_AT_A_TIME: usize = 4;

fn over_limit(limits: &Limits) -> Fault {
    let kilobytes = limits.reply_bytes_max / 1024;
    Fault::new(
        500,
        format!("reply is bigger than binrpc_max_body_size ({kilobytes} KB)"),
    )
}

fn bad_request(error: DecodeError) -> Fault {
    Fault::new(400, format!("bad request: {error}"))
}

fn fault_packet(cookie: u32, fault: &Fault) -> Vec<u8> {
    let mut encoder = Encoder::new(FAULT_BYTES_MAX);
    let text = encoder
        .value(&Value::from(fault.code))
        .and_then(|()| encoder.value(&Value::from(fault.text.as_ref())));
    let body = match text {
        Ok(()) => encoder.finish(),
        Err(_) => return fault_packet(cookie, &Fault::new(fault.code, "Server error")),
    };
    encode_packet(PacketKind::Fault, cookie, body)
}

const FAULT_BYTES_MAX: usize = 4096;
