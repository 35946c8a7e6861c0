//! The callee: answers every INVITE with 180 and 200, every BYE with 200, from one thread.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sip::build::Reply;
use sip::{Message, Method};

use crate::histogram::Histogram;
use crate::message::{micros, sent_at};

/// What the callee saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// INVITEs, each once.
    pub invites: u64,
    /// ACKs.
    pub acks: u64,
    /// BYEs.
    pub byes: u64,
    /// What nobody expected.
    pub unexpected: u64,
    /// From the caller's sending of the INVITE to its arrival here.
    pub forth: Histogram,
}

/// Answers until `stop`.
///
/// # Errors
/// The socket fails.
pub fn run(socket: &UdpSocket, start: Instant, stop: &Arc<AtomicBool>) -> io::Result<Seen> {
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    let own = socket.local_addr()?;
    let mut seen = Seen::default();
    let mut buffer = vec![0; 65_536];
    let mut message = Message::parse(b"OPTIONS sip:a SIP/2.0\r\n\r\n".to_vec())
        .map_err(|_| io::Error::other("the first message is valid"))?;
    while !stop.load(Ordering::Relaxed) {
        let (length, from) = match socket.recv_from(&mut buffer) {
            Ok(received) => received,
            Err(error) if is_timeout(&error) => continue,
            Err(error) => return Err(error),
        };
        if message.refill(&buffer[..length]).is_err() {
            seen.unexpected += 1;
            continue;
        }
        answer(socket, own, from, &message, start, &mut seen)?;
    }
    Ok(seen)
}

/// Whether a read only took too long.
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

fn answer(
    socket: &UdpSocket,
    own: SocketAddr,
    from: SocketAddr,
    message: &Message,
    start: Instant,
    seen: &mut Seen,
) -> io::Result<()> {
    match message.method() {
        Method::Invite => {
            seen.invites += 1;
            let now = micros(start);
            if let Some(sent) = sent_at(message) {
                seen.forth.add(now.saturating_sub(sent));
            }
            send(socket, from, message, 180, b"Ringing", b"")?;
            let headers = format!(
                "Contact: <sip:callee@{own}>\r\nX-Sent: {}\r\n",
                micros(start)
            );
            send(socket, from, message, 200, b"OK", headers.as_bytes())
        }
        Method::Ack => {
            seen.acks += 1;
            Ok(())
        }
        Method::Bye => {
            seen.byes += 1;
            send(socket, from, message, 200, b"OK", b"")
        }
        _ => {
            seen.unexpected += 1;
            Ok(())
        }
    }
}

fn send(
    socket: &UdpSocket,
    to: SocketAddr,
    request: &Message,
    status: u16,
    reason: &[u8],
    headers: &[u8],
) -> io::Result<()> {
    let mut reply = Reply::new(status, reason);
    reply.to_tag = Some(b"callee");
    reply.headers = headers;
    socket.send_to(&reply.to_vec(request), to).map(|_| ())
}
