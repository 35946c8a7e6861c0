//! A caller and a callee as RFC 3261 wants them, with retransmissions of their own.

use std::collections::BTreeMap;

use sip::{HeaderId, Message, Method};

use super::messages::{INVITE, Request, own_via};

/// Something to be sent to a port.
pub(super) type Packet = (u16, String);

/// Doubling up to T2, for 32 seconds.
#[derive(Clone)]
struct Repeat {
    packet: Packet,
    next_ms: u64,
    interval_ms: u64,
    end_ms: u64,
}

impl Repeat {
    fn start(packet: Packet, now_ms: u64) -> Self {
        Self {
            packet,
            next_ms: now_ms + 500,
            interval_ms: 500,
            end_ms: now_ms + 32_000,
        }
    }

    fn run(&mut self, now_ms: u64, out: &mut Vec<Packet>) {
        if self.next_ms <= now_ms && now_ms < self.end_ms {
            out.push(self.packet.clone());
            self.interval_ms = (self.interval_ms * 2).min(4_000);
            self.next_ms = now_ms + self.interval_ms;
        }
    }
}

#[derive(Default)]
pub(super) struct Caller {
    cancel_at_ms: Option<u64>,
    provisional: bool,
    pub(super) negatives: Vec<u16>,
    pub(super) answers: usize,
    pub(super) negative_after_answer: bool,
    invite: Option<Repeat>,
    cancel: Option<Repeat>,
}

impl Caller {
    pub(super) fn cancelling_at(cancel_at_ms: Option<u64>) -> Self {
        Self {
            cancel_at_ms,
            ..Self::default()
        }
    }

    pub(super) fn start(&mut self, proxy: u16, out: &mut Vec<Packet>) {
        let packet = (proxy, INVITE.text(""));
        out.push(packet.clone());
        self.invite = Some(Repeat::start(packet, 0));
    }

    pub(super) fn tick(&mut self, now_ms: u64, proxy: u16, out: &mut Vec<Packet>) {
        let is_final = self.answers > 0 || !self.negatives.is_empty();
        if self.cancel_at_ms.is_some_and(|at| at <= now_ms) && self.provisional && !is_final {
            self.cancel_at_ms = None;
            let packet = (
                proxy,
                Request {
                    method: "CANCEL",
                    ..INVITE
                }
                .text(""),
            );
            out.push(packet.clone());
            self.cancel = Some(Repeat::start(packet, now_ms));
        }
        for repeat in self.invite.iter_mut().chain(&mut self.cancel) {
            repeat.run(now_ms, out);
        }
    }

    pub(super) fn receive(&mut self, reply: &Message, proxy: u16, out: &mut Vec<Packet>) {
        let status = reply.status().expect("a reply");
        if reply.method() == Method::Cancel {
            self.cancel = None;
            return;
        }
        self.provisional = true;
        self.invite = None;
        let tag = String::from_utf8_lossy(reply.to_tag().unwrap_or_default()).into_owned();
        let to_tag = format!(";tag={tag}");
        let ack = Request {
            method: "ACK",
            to_tag: &to_tag,
            ..INVITE
        };
        match status {
            ..200 => {}
            200..300 => {
                self.answers += 1;
                let branch = format!("z9hG4bKack{tag}");
                out.push((
                    proxy,
                    Request {
                        branch: &branch,
                        ..ack
                    }
                    .text(""),
                ));
            }
            _ => {
                self.negative_after_answer |= self.answers > 0;
                self.negatives.push(status);
                out.push((proxy, ack.text("")));
            }
        }
    }
}

/// What a callee does with an INVITE.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) ring_ms: u64,
    pub(super) final_ms: u64,
    pub(super) status: u16,
}

pub(super) struct Callee {
    pub(super) port: u16,
    plan: Plan,
    calls: BTreeMap<Vec<u8>, Ringing>,
}

struct Ringing {
    invite: Message,
    since_ms: u64,
    rings: bool,
    last: Option<Packet>,
    answer: Option<Repeat>,
    is_final: bool,
}

impl Callee {
    pub(super) const fn new(port: u16, plan: Plan) -> Self {
        Self {
            port,
            plan,
            calls: BTreeMap::new(),
        }
    }

    /// How many INVITEs came, and whether each is over and acknowledged.
    pub(super) fn is_at_rest(&self) -> (usize, bool) {
        let at_rest = |call: &Ringing| call.is_final && call.answer.is_none();
        (self.calls.len(), self.calls.values().all(at_rest))
    }

    pub(super) fn tick(&mut self, now_ms: u64, proxy: u16, out: &mut Vec<Packet>) {
        let (plan, tag) = (self.plan, format!("c{}", self.port));
        for call in self.calls.values_mut() {
            let elapsed_ms = now_ms - call.since_ms;
            if !call.is_final && elapsed_ms >= plan.final_ms {
                call.finish(plan.status, now_ms, (proxy, &tag), out);
            } else if !call.is_final && !call.rings && elapsed_ms >= plan.ring_ms {
                call.rings = true;
                let packet = (proxy, reply_to(&call.invite, 180, &tag));
                call.last = Some(packet.clone());
                out.push(packet);
            }
            if let Some(answer) = &mut call.answer {
                answer.run(now_ms, out);
            }
        }
    }

    pub(super) fn receive(
        &mut self,
        request: Message,
        now_ms: u64,
        proxy: u16,
        out: &mut Vec<Packet>,
    ) {
        let tag = format!("c{}", self.port);
        let branch = request
            .top_via()
            .and_then(|via| via.branch())
            .expect("a branch")
            .to_vec();
        match request.method() {
            Method::Invite => {
                if let Some(call) = self.calls.get(&branch) {
                    out.extend(call.last.clone());
                    return;
                }
                let call = Ringing {
                    invite: request,
                    since_ms: now_ms,
                    rings: false,
                    last: None,
                    answer: None,
                    is_final: false,
                };
                self.calls.insert(branch, call);
            }
            Method::Cancel => {
                let known = self.calls.get_mut(&branch);
                let status = if known.is_some() { 200 } else { 481 };
                out.push((proxy, reply_to(&request, status, &tag)));
                if let Some(call) = known.filter(|call| !call.is_final) {
                    call.finish(487, now_ms, (proxy, &tag), out);
                }
            }
            _ => {
                for call in self.calls.values_mut() {
                    call.answer = None;
                }
            }
        }
    }
}

impl Ringing {
    fn finish(&mut self, status: u16, now_ms: u64, to: (u16, &str), out: &mut Vec<Packet>) {
        let packet = (to.0, reply_to(&self.invite, status, to.1));
        out.push(packet.clone());
        self.last = Some(packet.clone());
        self.answer = Some(Repeat::start(packet, now_ms));
        self.is_final = true;
    }
}

/// A reply as a user agent makes it.
pub(super) fn reply_to(request: &Message, status: u16, tag: &str) -> String {
    let text =
        |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    let vias: String = request
        .headers_of(HeaderId::Via)
        .map(|via| format!("Via: {}\r\n", text(Some(via.value))))
        .collect();
    let tag = if tag.is_empty() {
        String::new()
    } else {
        format!(";tag={tag}")
    };
    format!(
        "SIP/2.0 {status} Text\r\n{vias}From: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Content-Length: 0\r\n\r\n",
        text(request.value(HeaderId::From)),
        text(request.value(HeaderId::To)),
        text(request.call_id()),
        text(request.value(HeaderId::CSeq)),
    )
}

/// A request with a Via of ours on top.
pub(super) fn forwarded(request: &Message, branch_value: &[u8]) -> String {
    let text = String::from_utf8_lossy(request.bytes()).into_owned();
    let via = own_via(branch_value);
    text.replacen("\r\n", &format!("\r\n{via}"), 1)
}

/// A reply without its first Via.
pub(super) fn stripped(reply: &Message) -> String {
    let text = String::from_utf8_lossy(reply.bytes()).into_owned();
    let start = text.find("Via:").expect("our Via");
    let end = start + text[start..].find("\r\n").expect("a line end") + 2;
    format!("{}{}", &text[..start], &text[end..])
}
