//! One side of a dialog (RFC 3261 §12): builds its requests and replies, learns tags, target and route set.

use super::agent::Agent;
use super::message::Message;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";

/// What one party knows of its dialog.
#[derive(Clone, Debug)]
pub struct Leg {
    pub call_id: String,
    pub local: String,
    pub remote: String,
    pub local_tag: String,
    pub remote_tag: Option<String>,
    pub target: String,
    pub routes: Vec<String>,
    pub cseq: u32,
}

impl Leg {
    /// The calling side of a new call, before its INVITE.
    pub fn caller(agent: &Agent, call_id: &str, target: &str) -> Self {
        Self {
            call_id: call_id.to_owned(),
            local: format!("sip:{}@test.example", agent.name),
            remote: "sip:callee@test.example".to_owned(),
            local_tag: format!("{}-tag", agent.name),
            remote_tag: None,
            target: target.to_owned(),
            routes: Vec::new(),
            cseq: 10,
        }
    }

    /// The called side, from the INVITE that it received.
    pub fn callee(invite: &Message, tag: &str) -> Self {
        Self {
            call_id: invite.header("Call-ID").to_owned(),
            local: invite.address("To").to_owned(),
            remote: invite.address("From").to_owned(),
            local_tag: tag.to_owned(),
            remote_tag: invite.tag("From").map(str::to_owned),
            target: invite.address("Contact").to_owned(),
            routes: invite.addresses("Record-Route"),
            cseq: 0,
        }
    }

    /// Takes the to-tag, the target and the route set from a reply to the INVITE.
    pub fn learn(&mut self, reply: &Message) {
        self.remote_tag = reply.tag("To").map(str::to_owned);
        self.target = reply.address("Contact").to_owned();
        self.routes = reply.addresses("Record-Route");
        self.routes.reverse();
    }

    /// A request of this leg with the next CSeq.
    pub fn request(&mut self, agent: &mut Agent, method: &str) -> Message {
        self.cseq += 1;
        self.build(agent, method, self.cseq)
    }

    /// The first INVITE.
    pub fn invite(&self, agent: &mut Agent) -> Message {
        self.build(agent, "INVITE", self.cseq)
    }

    /// The ACK for a 2xx.
    pub fn ack(&self, agent: &mut Agent) -> Message {
        self.build(agent, "ACK", self.cseq)
    }

    fn build(&self, agent: &mut Agent, method: &str, cseq: u32) -> Message {
        let to_tag = self
            .remote_tag
            .as_ref()
            .map(|t| format!(";tag={t}"))
            .unwrap_or_default();
        let mut headers = vec![
            ("Via", agent.via()),
            ("From", format!("<{}>;tag={}", self.local, self.local_tag)),
            ("To", format!("<{}>{to_tag}", self.remote)),
            ("Call-ID", self.call_id.clone()),
            ("CSeq", format!("{cseq} {method}")),
            ("Contact", format!("<{}>", agent.uri())),
            ("Max-Forwards", "70".to_owned()),
        ];
        headers.extend(self.routes.iter().map(|r| ("Route", r.clone())));
        let body = if matches!(method, "INVITE" | "UPDATE") {
            SDP
        } else {
            ""
        };
        if !body.is_empty() {
            headers.push(("Content-Type", "application/sdp".to_owned()));
        }
        headers.push(("Content-Length", body.len().to_string()));
        request(method, &self.target, headers, body)
    }
}

/// A request from its parts.
pub fn request(method: &str, uri: &str, headers: Vec<(&str, String)>, body: &str) -> Message {
    let headers = headers
        .into_iter()
        .map(|(n, v)| (n.to_owned(), v))
        .collect();
    Message {
        start: format!("{method} {uri} SIP/2.0"),
        headers,
        body: body.to_owned(),
    }
}

/// A request outside any dialog, to `uri`.
pub fn standalone(agent: &mut Agent, method: &str, uri: &str, call_id: &str) -> Message {
    Leg::caller(agent, call_id, uri).build(agent, method, 1)
}

/// The CANCEL of an INVITE, or the ACK of its negative reply: same R-URI, top Via and number (RFC 3261 §9.1, §17.1.1.3).
pub fn follow(invite: &Message, method: &str, to: &str) -> Message {
    let via = invite.header("Via").to_owned();
    let headers = vec![
        ("Via", via),
        ("From", invite.header("From").to_owned()),
        ("To", to.to_owned()),
        ("Call-ID", invite.header("Call-ID").to_owned()),
        ("CSeq", format!("{} {method}", invite.cseq())),
        ("Max-Forwards", "70".to_owned()),
        ("Content-Length", "0".to_owned()),
    ];
    request(method, invite.uri(), headers, "")
}

/// A reply to a request with the given to-tag; 1xx above 100 and 2xx to INVITE carry Contact and Record-Route.
pub fn reply(agent: &Agent, to: &Message, code: u16, phrase: &str, tag: &str) -> Message {
    let makes_dialog = to.method() == "INVITE" && (101..300).contains(&code);
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut copy =
        |name: &'static str| headers.extend(to.all(name).map(|v| (name.to_owned(), v.to_owned())));
    copy("Via");
    if makes_dialog {
        copy("Record-Route");
    }
    copy("From");
    copy("To");
    copy("Call-ID");
    copy("CSeq");
    if code > 100
        && to.tag("To").is_none()
        && let Some((_, value)) = headers.iter_mut().find(|(n, _)| n == "To")
    {
        value.push_str(";tag=");
        value.push_str(tag);
    }
    let mut body = "";
    if makes_dialog {
        headers.push(("Contact".to_owned(), format!("<{}>", agent.uri())));
        if code >= 200 {
            body = SDP;
            headers.push(("Content-Type".to_owned(), "application/sdp".to_owned()));
        }
    }
    headers.push(("Content-Length".to_owned(), body.len().to_string()));
    Message {
        start: format!("SIP/2.0 {code} {phrase}"),
        headers,
        body: body.to_owned(),
    }
}
