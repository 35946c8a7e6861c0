//! Phones: callers and callees that speak SIP over UDP with RFC 3261's retransmissions, and misbehave on purpose.

use std::net::SocketAddr;

use sip::{HeaderId, Message, Method};

use crate::temper::Script;

const T1_MS: u64 = 500;
const T2_MS: u64 = 4_000;
const TIMEOUT_MS: u64 = 32_000;

/// What a phone wants of the world.
pub(crate) enum Wish {
    /// Send this to the proxy.
    Send(Vec<u8>),
    /// Wake me at this time, with this note.
    Wake(u64, Note),
}

/// Why a phone is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// Repeat the request with this CSeq number, after this interval.
    Repeat {
        cseq: u32,
        interval: u64,
        since: u64,
    },
    /// Repeat the 2xx of the INVITE.
    RepeatOk { interval: u64, since: u64 },
    /// Send the next provisional reply.
    Ring,
    /// Give the final reply.
    Answer,
    /// Cancel the call that was not answered yet.
    Cancel,
    /// End the call.
    HangUp,
    /// Send a request within the call.
    Within,
    /// Stop taking part for good.
    Vanish,
}

/// A request that was sent and is not answered yet.
#[derive(Clone, Debug)]
struct Open {
    cseq: u32,
    method: &'static str,
    bytes: Vec<u8>,
    provisional: bool,
    answered: bool,
}

/// One end of one call.
pub(crate) struct Agent {
    pub(crate) address: SocketAddr,
    pub(crate) vanished: bool,
    caller: bool,
    call_id: String,
    user: String,
    tag: String,
    peer_tag: String,
    routes: Vec<String>,
    remote_target: String,
    cseq: u32,
    open: Vec<Open>,
    /// The INVITE that a callee has to answer.
    invite: Option<Vec<u8>>,
    answer: u16,
    ok: Option<Vec<u8>>,
    acknowledged: bool,
    established: bool,
    /// It sent or received a BYE.
    pub(crate) ended: bool,
    cancelled: bool,
    script: Script,
    /// The network keeps the order of what it carries.
    ordered: bool,
    /// Something that it sent reaches the proxy.
    pub(crate) was_heard: bool,
    /// An operator made the proxy forget its call: nobody counts for it any more.
    is_forgotten: bool,
    /// The requests that it received: CSeq number, From tag, branch.
    numbers: Vec<(u32, String, String)>,
    /// Two requests came with one number, or one below the last where the network keeps the order.
    pub(crate) disorder: Option<String>,
    /// Final replies to the INVITE: status and To tag.
    pub(crate) finals: Vec<(u16, String)>,
    pub(crate) invite_sent: bool,
}

impl Agent {
    pub(crate) fn new(
        address: SocketAddr,
        call_id: &str,
        user: &str,
        caller: bool,
        script: Script,
    ) -> Self {
        Self {
            address,
            vanished: false,
            caller,
            call_id: call_id.to_owned(),
            user: user.to_owned(),
            tag: format!(
                "{}{}",
                if caller { "c" } else { "s" },
                call_id.len() + user.len()
            ),
            peer_tag: String::new(),
            routes: Vec::new(),
            remote_target: String::new(),
            cseq: if caller { 10 } else { 100 },
            open: Vec::new(),
            invite: None,
            answer: 0,
            ok: None,
            acknowledged: false,
            established: false,
            ended: false,
            cancelled: false,
            script,
            ordered: false,
            was_heard: false,
            is_forgotten: false,
            numbers: Vec::new(),
            disorder: None,
            finals: Vec::new(),
            invite_sent: false,
        }
    }

    /// A tag that differs between the phones of one call.
    pub(crate) fn set_tag(&mut self, tag: String) {
        self.tag = tag;
    }

    /// The network keeps the order of what it carries.
    pub(crate) const fn set_ordered(&mut self, ordered: bool) {
        self.ordered = ordered;
    }

    /// The proxy does not keep its numbers in order any more.
    pub(crate) const fn set_forgotten(&mut self) {
        self.is_forgotten = true;
    }

    /// A caller begins.
    pub(crate) fn call(&mut self, target: &str, now: u64, out: &mut Vec<Wish>) {
        self.invite_sent = true;
        target.clone_into(&mut self.remote_target);
        self.request("INVITE", now, out);
        if let Some(after) = self.script.cancel_after {
            out.push(Wish::Wake(now + after, Note::Cancel));
        }
        self.arm_vanishing(now, out);
    }

    fn arm_vanishing(&self, now: u64, out: &mut Vec<Wish>) {
        if let Some(after) = self.script.vanish_after {
            out.push(Wish::Wake(now + after, Note::Vanish));
        }
    }

    /// The call that it takes part in.
    pub(crate) fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Whether it answered the INVITE with a 2xx.
    pub(crate) const fn has_accepted(&self) -> bool {
        self.ok.is_some()
    }

    /// A message came from the proxy.
    pub(crate) fn receive(&mut self, message: &Message, now: u64, out: &mut Vec<Wish>) {
        if self.vanished {
            return;
        }
        if message.is_request() {
            self.take_request(message, now, out);
        } else {
            self.take_reply(message, now, out);
        }
    }

    /// A time has come.
    pub(crate) fn wake(&mut self, note: Note, now: u64, out: &mut Vec<Wish>) {
        if self.vanished {
            return;
        }
        match note {
            Note::Repeat {
                cseq,
                interval,
                since,
            } => self.repeat(cseq, interval, since, now, out),
            Note::RepeatOk { interval, since } => self.repeat_ok(interval, since, now, out),
            Note::Ring => self.answer_invite(180, out),
            Note::Answer => self.give_answer(now, out),
            Note::Cancel => self.cancel(out),
            Note::HangUp => self.hang_up(now, out),
            Note::Within => {
                if self.established && !self.ended {
                    self.request("INFO", now, out);
                }
            }
            Note::Vanish => self.vanished = true,
        }
    }

    fn request(&mut self, method: &'static str, now: u64, out: &mut Vec<Wish>) {
        let cseq = self.cseq;
        self.cseq += 1;
        let bytes = self.write_request(method, cseq, &format!("{}-{cseq}-{method}", self.tag));
        self.open.push(Open {
            cseq,
            method,
            bytes: bytes.clone(),
            provisional: false,
            answered: false,
        });
        out.push(Wish::Send(bytes));
        let note = Note::Repeat {
            cseq,
            interval: T1_MS,
            since: now,
        };
        out.push(Wish::Wake(now + T1_MS, note));
    }

    fn write_request(&self, method: &str, cseq: u32, branch: &str) -> Vec<u8> {
        let mut text = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{}{branch}\r\nMax-Forwards: 70\r\n",
            self.remote_target, self.address, self.call_id
        );
        for route in &self.routes {
            text.push_str(&format!("Route: {route}\r\n"));
        }
        let peer = if self.peer_tag.is_empty() {
            String::new()
        } else {
            format!(";tag={}", self.peer_tag)
        };
        text.push_str(&format!(
            "From: <sip:{}@sim>;tag={}\r\nTo: <sip:peer@sim>{peer}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:{}@{}>\r\nX-Plan: {}\r\nContent-Length: 0\r\n\r\n",
            self.user, self.tag, self.call_id, self.user, self.address, self.script.plan
        ));
        text.into_bytes()
    }

    fn repeat(&mut self, cseq: u32, interval: u64, since: u64, now: u64, out: &mut Vec<Wish>) {
        let Some(open) = self.open.iter().find(|open| open.cseq == cseq) else {
            return;
        };
        let quiet = open.method == "INVITE" && open.provisional;
        if open.answered || quiet || now - since > TIMEOUT_MS {
            return;
        }
        out.push(Wish::Send(open.bytes.clone()));
        let doubled = if open.method == "INVITE" {
            interval * 2
        } else {
            (interval * 2).min(T2_MS)
        };
        out.push(Wish::Wake(
            now + doubled,
            Note::Repeat {
                cseq,
                interval: doubled,
                since,
            },
        ));
    }

    fn take_reply(&mut self, reply: &Message, now: u64, out: &mut Vec<Wish>) {
        let (Some(status), Some(cseq)) = (reply.status(), reply.cseq()) else {
            return;
        };
        let (number, method) = (cseq.number, cseq.method);
        if let Some(open) = self.open.iter_mut().find(|open| open.cseq == number) {
            if method == Method::Cancel {
                return;
            }
            open.provisional = true;
            open.answered |= status >= 200;
        }
        if method == Method::Invite && self.caller {
            self.take_invite_reply(reply, status, number, now, out);
        }
    }

    fn take_invite_reply(
        &mut self,
        reply: &Message,
        status: u16,
        cseq: u32,
        now: u64,
        out: &mut Vec<Wish>,
    ) {
        if status < 200 {
            return;
        }
        let tag = String::from_utf8_lossy(reply.to_tag().unwrap_or_default()).into_owned();
        let known = self
            .finals
            .iter()
            .any(|(seen, of)| *seen == status && *of == tag);
        if !known {
            self.finals.push((status, tag.clone()));
        }
        if status >= 300 {
            // The proxy acknowledges towards the callee; we acknowledge the proxy's final reply.
            if !self.established {
                let mut ack =
                    self.write_request("ACK", cseq, &format!("{}-{cseq}-INVITE", self.tag));
                let to = format!("To: <sip:peer@sim>;tag={tag}");
                ack = String::from_utf8_lossy(&ack)
                    .replace("To: <sip:peer@sim>", &to)
                    .into_bytes();
                out.push(Wish::Send(ack));
            }
            return;
        }
        if !self.script.acknowledges {
            return;
        }
        if !self.established {
            self.established = true;
            self.peer_tag.clone_from(&tag);
            self.routes = routes(reply, true);
            self.remote_target = contact(reply);
            self.begin_talking(now, out);
        }
        if tag == self.peer_tag {
            let ack = self.write_request("ACK", cseq, &format!("{}-{cseq}-ACK", self.tag));
            out.push(Wish::Send(ack));
        }
    }

    fn begin_talking(&self, now: u64, out: &mut Vec<Wish>) {
        if let Some(after) = self.script.within_after {
            out.push(Wish::Wake(now + after, Note::Within));
        }
        if let Some(after) = self.script.hang_up_after {
            out.push(Wish::Wake(now + after, Note::HangUp));
        }
    }

    /// Looks at the number of a request: each new one must be above all before it.
    fn note_number(&mut self, request: &Message) {
        let (Some(cseq), Some(via)) = (request.cseq(), request.top_via()) else {
            return;
        };
        // After a BYE the proxy may have forgotten the call too.
        if self.ended
            || self.is_forgotten
            || matches!(request.method(), Method::Ack | Method::Cancel)
        {
            return;
        }
        let branch = String::from_utf8_lossy(via.branch().unwrap_or_default()).into_owned();
        let tag = String::from_utf8_lossy(request.from_tag().unwrap_or_default()).into_owned();
        if self.numbers.iter().any(|(.., known)| *known == branch) {
            return;
        }
        let mut before = self.numbers.iter().filter(|(_, of, _)| *of == tag);
        let clash = before.any(|(number, ..)| match self.ordered {
            true => *number >= cseq.number,
            false => *number == cseq.number,
        });
        if clash && self.disorder.is_none() {
            self.disorder = Some(format!(
                "{} of {} came with CSeq {} after {:?}",
                String::from_utf8_lossy(request.method_bytes()),
                self.call_id,
                cseq.number,
                self.numbers
            ));
        }
        self.numbers.push((cseq.number, tag, branch));
    }

    /// Whether an ACK has the number of the INVITE that was taken.
    fn is_of_invite(&self, ack: &Message) -> bool {
        let invite = self
            .invite
            .clone()
            .and_then(|bytes| Message::parse(bytes).ok());
        let number = |message: &Message| message.cseq().map(|cseq| cseq.number);
        invite.is_some_and(|invite| number(&invite) == number(ack))
    }

    fn challenge(&self, request: &Message, out: &mut Vec<Wish>) {
        let header = "Proxy-Authenticate: Digest realm=\"sim\", nonce=\"now\", qop=\"auth\"\r\n";
        out.push(Wish::Send(reply(request, 407, &self.tag, header)));
    }

    fn take_request(&mut self, request: &Message, now: u64, out: &mut Vec<Wish>) {
        self.note_number(request);
        let has_credentials = request.header(HeaderId::ProxyAuthorization).is_some();
        match request.method() {
            Method::Invite if self.script.challenges && !has_credentials => {
                self.challenge(request, out);
            }
            // That of a challenge, come late.
            Method::Ack if !self.caller && !self.is_of_invite(request) => {}
            Method::Invite if self.invite.is_none() => {
                self.invite = Some(request.bytes().to_vec());
                self.routes = routes(request, false);
                self.remote_target = contact(request);
                self.peer_tag =
                    String::from_utf8_lossy(request.from_tag().unwrap_or_default()).into_owned();
                if self.script.ring {
                    out.push(Wish::Wake(now + 20, Note::Ring));
                }
                out.push(Wish::Wake(
                    now + 30 + self.script.answer_after,
                    Note::Answer,
                ));
                self.arm_vanishing(now, out);
            }
            Method::Invite => {
                if let Some(ok) = &self.ok {
                    out.push(Wish::Send(ok.clone()));
                } else if self.answer >= 300 {
                    self.answer_invite(self.answer, out);
                }
            }
            Method::Ack => {
                self.acknowledged = true;
                if self.ok.is_some() && !self.established {
                    self.established = true;
                    self.begin_talking(now, out);
                }
            }
            Method::Cancel => {
                out.push(Wish::Send(reply(request, 200, &self.tag, "")));
                if self.answer < 200 {
                    self.answer = 487;
                    self.answer_invite(487, out);
                }
            }
            Method::Bye => {
                self.ended = true;
                self.acknowledged = true;
                out.push(Wish::Send(reply(request, 200, &self.tag, "")));
            }
            _ => out.push(Wish::Send(reply(request, 200, &self.tag, ""))),
        }
    }

    fn answer_invite(&mut self, status: u16, out: &mut Vec<Wish>) {
        if status < 200 && self.answer >= 200 {
            return;
        }
        let Some(invite) = &self.invite else { return };
        let Ok(invite) = Message::parse(invite.clone()) else {
            return;
        };
        let contact = format!("Contact: <sip:{}@{}>\r\n", self.user, self.address);
        out.push(Wish::Send(reply(&invite, status, &self.tag, &contact)));
    }

    fn give_answer(&mut self, now: u64, out: &mut Vec<Wish>) {
        if self.answer >= 200 || self.script.answer == 0 {
            return;
        }
        self.answer = self.script.answer;
        self.answer_invite(self.answer, out);
        let interval = T1_MS;
        if let (200, Some(Wish::Send(ok))) = (self.answer, out.last()) {
            self.ok = Some(ok.clone());
        }
        out.push(Wish::Wake(
            now + interval,
            Note::RepeatOk {
                interval,
                since: now,
            },
        ));
    }

    /// Repeats the final reply until it is acknowledged (RFC 3261 §13.3.1.4, §17.2.1).
    fn repeat_ok(&mut self, interval: u64, since: u64, now: u64, out: &mut Vec<Wish>) {
        if self.acknowledged {
            return;
        }
        if now - since > TIMEOUT_MS {
            // Nobody acknowledged: the call is ended (RFC 3261 §13.3.1.4).
            if self.ok.is_some() && !self.ended {
                self.ended = true;
                self.request("BYE", now, out);
            }
            return;
        }
        self.answer_invite(self.answer, out);
        let doubled = (interval * 2).min(T2_MS);
        out.push(Wish::Wake(
            now + doubled,
            Note::RepeatOk {
                interval: doubled,
                since,
            },
        ));
    }

    fn cancel(&mut self, out: &mut Vec<Wish>) {
        let Some(invite) = self.open.iter().find(|open| open.method == "INVITE") else {
            return;
        };
        if invite.answered || !invite.provisional || self.cancelled {
            return;
        }
        self.cancelled = true;
        let cseq = invite.cseq;
        let bytes = self.write_request("CANCEL", cseq, &format!("{}-{cseq}-INVITE", self.tag));
        // Sent three times at once: what matters here is that one arrives, and that the others are absorbed.
        out.extend((0..3).map(|_| Wish::Send(bytes.clone())));
    }

    fn hang_up(&mut self, now: u64, out: &mut Vec<Wish>) {
        if self.established && !self.ended {
            self.ended = true;
            self.request("BYE", now, out);
        }
    }
}

/// The route set that a message gives: the caller reverses what the reply carries.
fn routes(message: &Message, reverse: bool) -> Vec<String> {
    let mut routes: Vec<String> = message
        .values(HeaderId::RecordRoute)
        .map(|value| String::from_utf8_lossy(value.text).into_owned())
        .collect();
    if reverse {
        routes.reverse();
    }
    routes
}

fn contact(message: &Message) -> String {
    let contact = message
        .contacts()
        .next()
        .map(|contact| contact.uri.to_vec());
    String::from_utf8_lossy(&contact.unwrap_or_default()).into_owned()
}

fn reply(request: &Message, status: u16, tag: &str, headers: &str) -> Vec<u8> {
    let mut reply = sip::build::Reply::new(status, b"Simulated");
    reply.to_tag = Some(tag.as_bytes());
    reply.headers = headers.as_bytes();
    reply.to_vec(request)
}
