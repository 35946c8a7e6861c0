//! Replies to the request at hand: made here, or received on a branch and passed on.

use std::sync::Arc;

use script::{BlockId, Completion, Outcome, Routes};
use sip::build::{Reply, Source};
use sip::{HeaderId, Hop, Message, Tag};
use transaction::Origin;

use crate::engine::Tx;
use crate::errors;
use crate::events::Event;
use crate::hooks::{Onward, ReplyOut};
use crate::leaving::Leaving;
use crate::outgoing::reply_hop;
use crate::pending::{Pending, Resume};
use crate::redirection::RichRedirect;
use crate::run::Run;
use crate::slots::Slots;
use crate::working::Working;

const DONE: Outcome<Pending> = Outcome::Code(1);

impl Run {
    /// Answers, with the request's transaction if it has one. False when that is not possible: the request
    /// is an ACK, or a final reply was sent before.
    pub fn answer(&mut self, status: u16, reason: &[u8]) -> bool {
        if self.tx.is_some() {
            self.answer_stateful(status, reason)
        } else {
            self.answer_stateless(status, reason)
        }
    }

    /// Answers with the transaction at hand.
    pub fn answer_stateful(&mut self, status: u16, reason: &[u8]) -> bool {
        let now = self.now.time;
        let Some(tx) = &self.tx else { return false };
        if tx.requester().is_none() || (tx.is_answered() && status >= 300) {
            return false;
        }
        let own_tag = match status {
            ..=100 => Vec::new(),
            _ => self.own_to_tag(tx),
        };
        let working = if Arc::ptr_eq(tx.request(), &self.msg.message) {
            &self.msg
        } else {
            &tx.data.working
        };
        let rich = self.engine.settings.relaying.rich_redirect;
        let bytes = self.local_reply(working, status, reason, &own_tag, rich);
        if status > 100 {
            let out = ReplyOut {
                status,
                message: None,
                own_tag,
                hop: None,
                own_record_routes: 0,
            };
            if self.run_reply_out(&out) == Onward::Withhold {
                return false;
            }
        }
        let Some(tx) = &mut self.tx else { return false };
        if !tx.send_reply(status, bytes, Origin::Local, now, &mut self.out) {
            return false;
        }
        if let Some(block) = self.script.blocks.local_response {
            let working = Working::clone(&tx.data.working);
            self.after_reply(block, working);
        }
        true
    }

    /// The To tag of replies that are made here to the request of a transaction.
    pub fn own_to_tag(&self, tx: &Tx) -> Vec<u8> {
        let given = tx.data.to_tag.clone();
        given.unwrap_or_else(|| self.engine.identity.stateful_to_tag(tx.request()))
    }

    fn after_reply(&mut self, block: BlockId, working: Working) {
        let (routes, slots) = (Routes::EVENT, Slots::default());
        self.events.push_back(Event {
            block,
            routes,
            working,
            slots,
        });
    }

    /// Answers with a status that stands for a reply that never came.
    pub(crate) fn answer_made_up(&mut self, status: u16) -> bool {
        let reason = self.made_up_reason(status);
        self.answer_stateful(status, &reason)
    }

    /// Answers without a transaction.
    pub fn answer_stateless(&mut self, status: u16, reason: &[u8]) -> bool {
        let message = Arc::clone(&self.msg.message);
        if !message.is_request() || message.method() == sip::Method::Ack || self.msg.faked {
            return false;
        }
        let to_tag = self.engine.identity.stateless_to_tag(&message);
        let rich = self.engine.settings.rich_redirect_stateless;
        let bytes = self.local_reply(&self.msg, status, reason, &to_tag, rich);
        let hop = reply_hop(&self.msg, self.engine.settings.reply_to_via);
        self.out.push(transaction::Output::Send { hop, bytes });
        let engine = self.engine.clone();
        for hook in &engine.hooks.stateless_reply {
            hook(self, status);
        }
        if let Some(block) = self.script.blocks.stateless_response {
            let working = self.msg.clone();
            self.after_reply(block, working);
        }
        true
    }

    /// `100` to an INVITE, so that the client stops repeating it.
    pub fn answer_trying(&mut self) {
        let reason = self.engine.settings.relaying.auto_inv_100_reason.clone();
        self.answer_stateful(100, &reason);
    }

    /// The reply that an internal error becomes.
    pub fn answer_error(&mut self, error: i32, part: &str) -> bool {
        let (status, _) = errors::status(error);
        self.answer(status, errors::reason(error, part).as_bytes())
    }

    /// The INVITE at hand was cancelled before it went anywhere.
    pub(crate) fn answer_invite_cancelled(&mut self) {
        self.answer_stateful(487, b"Request canceled");
    }

    /// Passes the reply being worked on to the client.
    pub(crate) fn forward_branch_reply(&mut self, branch: usize, status: u16) -> Outcome<Pending> {
        let engine = self.engine.clone();
        if status < 300 && !engine.hooks.reply_forwarding.is_empty() {
            let mut working = self.msg.clone();
            for hook in &engine.hooks.reply_forwarding {
                hook(self, &mut working);
            }
            self.msg = working;
        }
        let Some(requester) = self.tx.as_ref().and_then(|tx| tx.requester()) else {
            return DONE;
        };
        let to = requester.reply_to;
        let passing = Passing {
            bytes: self.reply_bytes(&self.msg, to.transport),
            message: Arc::clone(&self.msg.message),
            hop: self.msg.hop,
            branch,
            status,
        };
        match Leaving::reply(self, to, &passing.bytes, |run| run.msg.clone()) {
            None => passing.send(self),
            Some(start) => start.run(|leaving| Pending::native(Shown { leaving, passing })),
        }
    }

    /// Sends the best reply of all branches to the client.
    pub(crate) fn send_winner(&mut self, branch: usize) -> Outcome<Pending> {
        let Some(tx) = &self.tx else { return DONE };
        let Some(winner) = tx.winner(branch) else {
            return DONE;
        };
        let remap = self.engine.settings.relaying.remap_503_500;
        match winner.reply {
            Some(_) if winner.status == 503 && remap => {
                self.answer_stateful(500, b"Service Unavailable");
                DONE
            }
            Some(reply) => {
                let mut working = match tx.branch(branch).and_then(|b| b.data.reply.as_deref()) {
                    Some(kept) if Arc::ptr_eq(&kept.message, &reply) => kept.clone(),
                    _ => Working::new(reply, crate::input::nowhere()),
                };
                self.add_challenges(branch, &mut working);
                let Some(requester) = tx.requester() else {
                    return DONE;
                };
                let to = requester.reply_to;
                let passing = Passing {
                    bytes: self.reply_bytes(&working, to.transport),
                    message: Arc::clone(&working.message),
                    hop: working.hop,
                    branch,
                    status: winner.status,
                };
                match Leaving::reply(self, to, &passing.bytes, |_| working) {
                    None => passing.send(self),
                    Some(start) => start.run(|leaving| Pending::native(Shown { leaving, passing })),
                }
            }
            None => {
                self.answer_made_up(winner.status);
                DONE
            }
        }
    }

    /// The challenges of the other branches go into the one 401 or 407 (RFC 3261 §16.7 item 7).
    fn add_challenges(&self, winner: usize, working: &mut Working) {
        let Some(tx) = &self.tx else { return };
        for other in tx.challenges(winner) {
            let Some(reply) = tx.branch(other).and_then(|branch| branch.reply()) else {
                continue;
            };
            for line in challenge_lines(reply) {
                let message = Arc::clone(&working.message);
                working.edits.append_last(Tag::Script, &message, &line);
            }
        }
    }

    fn made_up_reason(&self, status: u16) -> Vec<u8> {
        let policy = &self.engine.settings.transactions.policy;
        match status {
            487 => b"Request Terminated".to_vec(),
            _ if status == policy.timeout_status => {
                self.engine.settings.relaying.reply_408_reason.clone()
            }
            _ => errors::status(-i32::from(status)).1.as_bytes().to_vec(),
        }
    }

    fn local_reply(
        &self,
        working: &Working,
        status: u16,
        reason: &[u8],
        to_tag: &[u8],
        rich: RichRedirect,
    ) -> Arc<[u8]> {
        let server = &self.engine.identity.server;
        let mut headers = Vec::new();
        headers.reserve_exact(working.reply_headers.len() + server.len() + 2);
        headers.extend_from_slice(&working.reply_headers);
        if (300..400).contains(&status) {
            headers.extend_from_slice(&crate::redirection::contacts(working, rich));
        }
        if !server.is_empty() {
            headers.extend_from_slice(server);
            headers.extend_from_slice(b"\r\n");
        }
        if self.engine.settings.sip_warning {
            headers.extend_from_slice(&self.warning(working));
        }
        let source = Source {
            address: working.hop.remote,
            force_rport: working.force_rport,
        };
        let reply = Reply {
            code: status,
            reason,
            to_tag: (status > 100).then_some(to_tag),
            source: Some(source),
            headers: &headers,
            server: None,
            body: working
                .reply_body
                .as_ref()
                .map(|(kind, body)| (&kind[..], &body[..])),
            multiple_of: 0,
        };
        self.engine
            .bytes(|bytes| reply.write(&working.message, bytes))
    }

    /// The Warning line that `sip_warning` asks for: who answered, and what was understood of the request.
    fn warning(&self, working: &Working) -> Vec<u8> {
        let message = &working.message;
        let socket = self.engine.sockets.get(working.hop.socket);
        let own = socket.map_or_else(String::new, |socket| {
            format!("{}:{}", socket.host, socket.address.port())
        });
        let remote = working.hop.remote;
        format!(
            "Warning: 392 {own} \"Noisy feedback tells:  pid={} req_src_ip={} req_src_port={} in_uri={} out_uri={} \
             via_cnt=={}\"\r\n",
            std::process::id(),
            remote.ip(),
            remote.port(),
            String::from_utf8_lossy(message.request_uri()),
            String::from_utf8_lossy(working.uri()),
            message.vias().count(),
        )
        .into_bytes()
    }

    fn run_reply_out(&mut self, out: &ReplyOut) -> Onward {
        let engine = self.engine.clone();
        for hook in &engine.hooks.reply_out {
            if hook(self, out) == Onward::Withhold {
                return Onward::Withhold;
            }
        }
        Onward::Send
    }
}

/// A reply of a branch on its way to the client, written already.
struct Passing {
    bytes: Arc<[u8]>,
    message: Arc<Message>,
    /// The way that it came.
    hop: Hop,
    branch: usize,
    status: u16,
}

impl Passing {
    fn send(self, run: &mut Run) -> Outcome<Pending> {
        let now = run.now.time;
        let record = run.tx.as_ref().and_then(|tx| tx.branch(self.branch));
        let out = ReplyOut {
            status: self.status,
            message: Some(self.message),
            own_tag: Vec::new(),
            hop: Some(self.hop),
            own_record_routes: record.map_or(0, |record| record.data.own_record_routes),
        };
        let (status, bytes) = (self.status, self.bytes);
        if run.run_reply_out(&out) == Onward::Send
            && let Some(tx) = &mut run.tx
            && tx.send_reply(status, bytes, Origin::Relayed, now, &mut run.out)
        {
            run.engine.counters.fwd_replies.increment();
        }
        DONE
    }
}

/// A reply that `onsend_route` sees before it is sent.
struct Shown {
    leaving: Leaving,
    passing: Passing,
}

impl Resume for Shown {
    fn resume(self: Box<Self>, run: &mut Run, with: Completion) -> Outcome<Pending> {
        if self.leaving.end(run, &with).is_some() {
            return self.passing.send(run);
        }
        run.engine.counters.drop_replies.increment();
        DONE
    }
}

fn challenge_lines(reply: &Message) -> Vec<Vec<u8>> {
    let wanted = [HeaderId::WwwAuthenticate, HeaderId::ProxyAuthenticate];
    let lines = wanted.into_iter().flat_map(|id| reply.headers_of(id));
    lines
        .map(|header| header.span.of(reply.bytes()).to_vec())
        .collect()
}
