//! The messages of a call, written from what the other side sent.

use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use sip::{HeaderId, Message};

/// The header that carries a time of the sender's, in microseconds since the start of the run.
pub const TIME_HEADER: &[u8] = b"X-Sent";

/// Session description of the INVITE: the size of an ordinary one.
const SDP: &str = "v=0\r\no=- 3890 3890 IN IP4 127.0.0.1\r\ns=bench\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

/// Microseconds since the start of the run.
pub fn micros(start: Instant) -> u64 {
    start.elapsed().as_micros() as u64
}

/// A message to be refilled with what is received.
///
/// # Errors
/// None that can happen: the message is valid.
pub fn blank() -> io::Result<Message> {
    Message::parse(b"OPTIONS sip:a SIP/2.0\r\n\r\n".to_vec())
        .map_err(|_| io::Error::other("the blank message is not valid"))
}

/// The INVITE of a call.
pub fn invite(number: u64, run: u64, own: SocketAddr, proxy: SocketAddr, sent: u64) -> Vec<u8> {
    let user = number % 1000;
    format!(
        "INVITE sip:callee{user}@{proxy} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {own};branch=z9hG4bKb{run}-{number}-INVITE;rport\r\n\
         Max-Forwards: 70\r\n\
         From: \"Caller {user}\" <sip:caller{user}@bench.example.org>;tag=f{number}\r\n\
         To: <sip:callee{user}@bench.example.org>\r\n\
         Call-ID: {number}-{run}@127.0.0.1\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:caller{user}@{own}>\r\n\
         User-Agent: tandem-bench\r\n\
         Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO\r\n\
         Supported: replaces, timer, 100rel\r\n\
         Session-Expires: 1800;refresher=uac\r\n\
         Min-SE: 90\r\n\
         P-Asserted-Identity: <sip:caller{user}@bench.example.org>\r\n\
         X-Sent: {sent}\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{SDP}",
        SDP.len()
    )
    .into_bytes()
}

/// A request within a call.
pub struct Within<'a> {
    /// The method.
    pub method: &'a str,
    /// The method whose transaction it belongs to: an ACK for a refusal belongs to the INVITE's.
    pub transaction: &'a str,
    /// The number of the call.
    pub number: u64,
    /// The number of the run.
    pub run: u64,
    /// CSeq.
    pub cseq: u32,
    /// The sender's address.
    pub own: SocketAddr,
    /// The dialog as the 200 gave it.
    pub dialog: &'a Dialog,
}

/// A call as the 200 describes it to the caller.
#[derive(Clone, Debug, Default)]
pub struct Dialog {
    /// The To header's value, with its tag.
    pub to: String,
    /// Where requests go: the callee's Contact.
    pub target: String,
    /// The route set, in order.
    pub routes: Vec<String>,
}

impl Dialog {
    /// From the 200 that the caller received; `None` when something is missing.
    pub fn from_ok(ok: &Message) -> Option<Self> {
        ok.to_tag()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut routes: Vec<String> = ok
            .values(HeaderId::RecordRoute)
            .map(|value| text(value.text))
            .collect();
        routes.reverse();
        let target = text(ok.contacts().next()?.uri);
        Some(Self {
            to: text(ok.value(HeaderId::To)?),
            target,
            routes,
        })
    }

    /// What the ACK for a refused INVITE needs: To as the reply has it, and the INVITE's own Request-URI.
    pub fn from_refusal(refusal: &Message, number: u64, proxy: SocketAddr) -> Option<Self> {
        Some(Self {
            to: String::from_utf8_lossy(refusal.value(HeaderId::To)?).into_owned(),
            target: format!("sip:callee{}@{proxy}", number % 1000),
            routes: Vec::new(),
        })
    }
}

impl Within<'_> {
    /// The bytes.
    pub fn write(&self) -> Vec<u8> {
        let Self {
            method,
            transaction,
            number,
            run,
            cseq,
            own,
            dialog,
        } = self;
        let user = number % 1000;
        let mut text = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKb{run}-{number}-{transaction};rport\r\n\
             Max-Forwards: 70\r\n",
            dialog.target
        );
        for route in &dialog.routes {
            text.push_str("Route: ");
            text.push_str(route);
            text.push_str("\r\n");
        }
        let _ = write!(
            text,
            "From: \"Caller {user}\" <sip:caller{user}@bench.example.org>;tag=f{number}\r\nTo: {}\r\n\
             Call-ID: {number}-{run}@127.0.0.1\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n",
            dialog.to
        );
        text.into_bytes()
    }
}

/// The number of the call that a message belongs to, if it is of this run.
pub fn call_number(message: &Message, run: u64) -> Option<u64> {
    let call_id = std::str::from_utf8(message.call_id()?).ok()?;
    let (number, rest) = call_id.split_once('-')?;
    let (of_run, _) = rest.split_once('@')?;
    (of_run.parse() == Ok(run))
        .then(|| number.parse().ok())
        .flatten()
}

/// The time that the sender wrote into a message.
pub fn sent_at(message: &Message) -> Option<u64> {
    let header = message.header_by_name(TIME_HEADER)?;
    std::str::from_utf8(header.value).ok()?.trim().parse().ok()
}
