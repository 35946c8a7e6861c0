//! The callee: answers every INVITE with 180 and 200, every BYE with 200, from one thread.

use std::io::{self, Write};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sip::build::Reply;
use sip::{Message, Method};

use crate::histogram::Histogram;
use crate::message::{blank, call_number, micros, sent_at};

/// What the callee saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// INVITEs, each once.
    pub invites: u64,
    /// ACKs, each once.
    pub acks: u64,
    /// BYEs, each once.
    pub byes: u64,
    /// INVITEs, ACKs and BYEs that came again.
    pub repeated: u64,
    /// What nobody expected.
    pub unexpected: u64,
    /// The first line of the first of them.
    pub first_unexpected: Option<String>,
    /// From the caller's sending of the INVITE to its arrival here.
    pub forth: Histogram,
}

/// Answers the calls of a run until `stop`.
///
/// # Errors
/// The socket fails.
pub fn run(socket: &UdpSocket, of_run: u64, start: Instant, stop: &AtomicBool) -> io::Result<Seen> {
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    let mut callee = Callee {
        own: socket.local_addr()?,
        socket,
        of_run,
        start,
        calls: Vec::new(),
        out: Vec::with_capacity(2_048),
        headers: Vec::with_capacity(256),
        seen: Seen::default(),
    };
    let mut buffer = vec![0; 65_536];
    let mut message = blank()?;
    while !stop.load(Ordering::Relaxed) {
        let (length, from) = match socket.recv_from(&mut buffer) {
            Ok(received) => received,
            Err(error) if is_timeout(&error) => continue,
            Err(error) => return Err(error),
        };
        match message.refill(&buffer[..length]) {
            Ok(()) => callee.take(&message, from)?,
            Err(_) => callee.seen.unexpected += 1,
        }
    }
    Ok(callee.seen)
}

/// Whether a read only took too long.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

struct Callee<'a> {
    own: SocketAddr,
    socket: &'a UdpSocket,
    of_run: u64,
    start: Instant,
    /// Which requests of each call came already, one bit each.
    calls: Vec<u8>,
    out: Vec<u8>,
    headers: Vec<u8>,
    seen: Seen,
}

const INVITE: u8 = 1;
const ACK: u8 = 2;
const BYE: u8 = 4;

impl Callee<'_> {
    fn take(&mut self, message: &Message, from: SocketAddr) -> io::Result<()> {
        let (kind, Some(number)) = (kind(message.method()), call_number(message, self.of_run))
        else {
            self.unexpected(message);
            return Ok(());
        };
        let is_first = self.is_first(number as usize, kind);
        self.seen.repeated += u64::from(!is_first);
        let once = u64::from(is_first);
        match kind {
            INVITE => {
                self.seen.invites += once;
                if is_first && let Some(sent) = sent_at(message) {
                    let now = micros(self.start);
                    self.seen.forth.add(now.saturating_sub(sent));
                }
                self.answer(message, from)
            }
            ACK => {
                self.seen.acks += once;
                Ok(())
            }
            BYE => {
                self.seen.byes += once;
                self.headers.clear();
                self.reply(message, from, 200, b"OK")
            }
            _ => {
                self.unexpected(message);
                Ok(())
            }
        }
    }

    fn answer(&mut self, invite: &Message, from: SocketAddr) -> io::Result<()> {
        self.headers.clear();
        self.reply(invite, from, 180, b"Ringing")?;
        let (own, now) = (self.own, micros(self.start));
        write!(
            self.headers,
            "X-Sent: {now}\r\nContact: <sip:callee@{own}>\r\n"
        )?;
        self.reply(invite, from, 200, b"OK")
    }

    fn reply(
        &mut self,
        request: &Message,
        to: SocketAddr,
        status: u16,
        reason: &[u8],
    ) -> io::Result<()> {
        let mut reply = Reply::new(status, reason);
        reply.to_tag = Some(b"callee");
        reply.headers = &self.headers;
        self.out.clear();
        reply.write(request, &mut self.out);
        self.socket.send_to(&self.out, to).map(|_| ())
    }

    fn is_first(&mut self, number: usize, kind: u8) -> bool {
        if self.calls.len() <= number {
            self.calls.resize(number + 1, 0);
        }
        let already = self.calls[number];
        self.calls[number] |= kind;
        already & kind == 0
    }

    fn unexpected(&mut self, message: &Message) {
        self.seen.unexpected += 1;
        self.seen.first_unexpected.get_or_insert_with(|| {
            String::from_utf8_lossy(message.first_line())
                .trim()
                .to_owned()
        });
    }
}

fn kind(method: Method) -> u8 {
    match method {
        Method::Invite => INVITE,
        Method::Ack => ACK,
        Method::Bye => BYE,
        _ => 0,
    }
}
