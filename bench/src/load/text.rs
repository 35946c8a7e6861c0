//! The caller's messages: written once with places for the numbers of a call, copied and patched for each one.

use std::net::SocketAddrV4;

/// Session description of an offer and of an answer: the size of an ordinary one.
pub const SDP: &str = "v=0\r\no=- 3890 3890 IN IP4 127.0.0.1\r\ns=bench\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

/// Users that call and that are called: this many, over and over.
pub const USERS: u32 = 1_000;

/// What all messages of a call carry, so that it is found without a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id {
    /// Its place in the table of calls.
    pub slot: u32,
    /// Its number in the run, from 0: tells it from earlier calls in that place.
    pub number: u32,
}

/// `SSSSSSSS-NNNNNNNN`.
pub const ID_BYTES: usize = 17;
const ID_PLACE: &str = "########-########";
const USER_PLACE: &str = "@@@";

impl Id {
    /// Its text.
    pub fn text(self) -> [u8; ID_BYTES] {
        let mut text = [b'-'; ID_BYTES];
        text[..8].copy_from_slice(&hex(self.slot));
        text[9..].copy_from_slice(&hex(self.number));
        text
    }

    /// From the line that begins `Call-ID: SSSSSSSS-NNNNNNNN-RRRRRRRR@`, if it is of this run.
    pub fn from_call_id(line: &[u8], run: u32) -> Option<Self> {
        let value = line
            .get(memchr::memchr(b':', line)? + 1..)?
            .trim_ascii_start();
        let (slot, number, of) = (value.get(..8)?, value.get(9..17)?, value.get(18..26)?);
        (unhex(of)? == run).then_some(Self {
            slot: unhex(slot)?,
            number: unhex(number)?,
        })
    }
}

fn hex(number: u32) -> [u8; 8] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|at| DIGITS[(number >> (28 - 4 * at) & 15) as usize])
}

fn unhex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number: u32, digit| {
        Some(number << 4 | char::from(*digit).to_digit(16)?)
    })
}

/// Text with places for the numbers of a call.
#[derive(Clone, Debug)]
pub struct Template {
    bytes: Vec<u8>,
    ids: Vec<usize>,
    users: Vec<usize>,
}

impl Template {
    fn new(text: String) -> Self {
        let places = |place| text.match_indices(place).map(|(at, _)| at).collect();
        Self {
            ids: places(ID_PLACE),
            users: places(USER_PLACE),
            bytes: text.into_bytes(),
        }
    }

    /// Appends it with the numbers of a call.
    pub fn write(&self, id: Id, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let user = id.number % USERS;
        let user = [user / 100, user / 10 % 10, user % 10].map(|digit| b'0' + digit as u8);
        let text = id.text();
        for at in &self.ids {
            out[start + at..][..ID_BYTES].copy_from_slice(&text);
        }
        for at in &self.users {
            out[start + at..][..USER_PLACE.len()].copy_from_slice(&user);
        }
    }
}

/// A request within a call: what comes before and after the route set and the To line, which the callee decides.
#[derive(Clone, Debug)]
struct Within {
    method: &'static str,
    before: Template,
    after: Template,
}

/// All that one of the caller's sockets or connections sends.
#[derive(Clone, Debug)]
pub struct Texts {
    /// INVITEs, by the callee's address.
    invites: Vec<Template>,
    /// The Request-URIs of these.
    targets: Vec<Template>,
    ack: Within,
    bye: Within,
    refused: Within,
}

/// What the messages of a run have in common.
#[derive(Clone, Debug)]
pub struct Common<'a> {
    /// `UDP` or `TCP`.
    pub transport: &'a str,
    /// Tells the runs against one proxy apart.
    pub run: u32,
    /// Hosts of Request-URIs: one for each address of the callee's, or the proxy alone.
    pub hosts: &'a [String],
}

impl Texts {
    /// For a caller at this address.
    pub fn new(own: SocketAddrV4, common: &Common<'_>) -> Self {
        let Common {
            transport,
            run,
            hosts,
        } = common;
        let parameter = if *transport == "TCP" {
            ";transport=tcp"
        } else {
            ""
        };
        let via = |of: &str| {
            format!(
                "Via: SIP/2.0/{transport} {own};branch=z9hG4bK{ID_PLACE}-{of};rport\r\nMax-Forwards: 70\r\n"
            )
        };
        let from = format!(
            "From: \"Caller {USER_PLACE}\" <sip:caller{USER_PLACE}@bench.example.org>;tag=f{ID_PLACE}\r\n"
        );
        let call_id = format!("Call-ID: {ID_PLACE}-{run:08x}@127.0.0.1\r\n");
        let target = |host: &String| format!("sip:callee{USER_PLACE}@{host}");
        let within = |method, of: &str, cseq: u8| Within {
            method,
            before: Template::new(via(of)),
            after: Template::new(format!(
                "{from}{call_id}CSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n"
            )),
        };
        let invite = |host| {
            let (target, via) = (target(host), via("I"));
            Template::new(format!(
                "INVITE {target} SIP/2.0\r\n{via}{from}\
                 To: <sip:callee{USER_PLACE}@bench.example.org>\r\n\
                 {call_id}CSeq: 1 INVITE\r\n\
                 Contact: <sip:caller{USER_PLACE}@{own}{parameter}>\r\n\
                 User-Agent: tandem-bench\r\n\
                 Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO\r\n\
                 Supported: replaces, timer, 100rel\r\n\
                 Session-Expires: 1800;refresher=uac\r\n\
                 Min-SE: 90\r\n\
                 P-Asserted-Identity: <sip:caller{USER_PLACE}@bench.example.org>\r\n\
                 Content-Type: application/sdp\r\n\
                 Content-Length: {}\r\n\r\n{SDP}",
                SDP.len()
            ))
        };
        Self {
            invites: hosts.iter().map(invite).collect(),
            targets: hosts
                .iter()
                .map(|host| Template::new(target(host)))
                .collect(),
            ack: within("ACK", "A", 1),
            bye: within("BYE", "B", 2),
            refused: within("ACK", "I", 1),
        }
    }

    /// Which of the hosts a call goes to.
    fn host(&self, id: Id) -> usize {
        id.number as usize % self.invites.len()
    }

    /// The INVITE.
    pub fn invite(&self, id: Id, out: &mut Vec<u8>) {
        self.invites[self.host(id)].write(id, out);
    }

    /// The ACK for a 200.
    pub fn ack(&self, id: Id, dialog: &Dialog, out: &mut Vec<u8>) {
        self.ack.write(id, dialog, out);
    }

    /// The BYE.
    pub fn bye(&self, id: Id, dialog: &Dialog, out: &mut Vec<u8>) {
        self.bye.write(id, dialog, out);
    }

    /// The ACK for a refusal: of the INVITE's own transaction and to its own target (RFC 3261 §17.1.1.3).
    pub fn ack_refusal(&self, id: Id, to: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"ACK ");
        self.targets[self.host(id)].write(id, out);
        out.extend_from_slice(b" SIP/2.0\r\n");
        self.refused.before.write(id, out);
        out.extend_from_slice(to);
        self.refused.after.write(id, out);
    }
}

impl Within {
    fn write(&self, id: Id, dialog: &Dialog, out: &mut Vec<u8>) {
        out.extend_from_slice(self.method.as_bytes());
        out.push(b' ');
        out.extend_from_slice(dialog.target());
        out.extend_from_slice(b" SIP/2.0\r\n");
        self.before.write(id, out);
        out.extend_from_slice(dialog.routes_and_to());
        self.after.write(id, out);
    }
}

/// A call as the 200 describes it to the caller (RFC 3261 §12.1.2). Its memory is used again for the next call.
#[derive(Clone, Debug, Default)]
pub struct Dialog {
    text: Vec<u8>,
    target_bytes: usize,
}

impl Dialog {
    /// Remembers where requests go, the Route lines and the To line.
    pub fn set(
        &mut self,
        target: &[u8],
        each_route: impl FnOnce(&mut dyn FnMut(&[u8])),
        to: &[u8],
    ) {
        self.text.clear();
        self.text.extend_from_slice(target);
        self.target_bytes = target.len();
        let text = &mut self.text;
        each_route(&mut |route| {
            text.extend_from_slice(b"Route: ");
            text.extend_from_slice(route);
            text.extend_from_slice(b"\r\n");
        });
        self.text.extend_from_slice(to);
    }

    fn target(&self) -> &[u8] {
        &self.text[..self.target_bytes]
    }

    fn routes_and_to(&self) -> &[u8] {
        &self.text[self.target_bytes..]
    }

    /// The To line.
    pub fn to(&self) -> &[u8] {
        let routes = self.routes_and_to();
        let before = memchr::memmem::rfind(&routes[..routes.len().saturating_sub(2)], b"\r\n");
        &routes[before.map_or(0, |at| at + 2)..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_call_come_back_from_its_call_id() {
        let id = Id {
            slot: 0x00ab_cdef,
            number: 7,
        };
        let line = format!(
            "Call-ID: {}-0000002a@h\r\n",
            String::from_utf8_lossy(&id.text())
        );
        assert_eq!(Id::from_call_id(line.as_bytes(), 42), Some(id));
        assert_eq!(Id::from_call_id(line.as_bytes(), 43), None);
        assert_eq!(Id::from_call_id(b"Call-ID: x\r\n", 42), None);
    }

    #[test]
    fn a_template_gets_the_numbers_of_the_call() {
        let template = Template::new(format!("<{USER_PLACE}> {ID_PLACE}!"));
        let mut out = b"before ".to_vec();
        let id = Id {
            slot: 1,
            number: 1_042,
        };
        template.write(id, &mut out);
        assert_eq!(out, b"before <042> 00000001-00000412!");
    }
}
