//! The callee: rings and answers every INVITE, on one of its branches if it has several, and answers what follows.

use std::net::SocketAddrV4;

use super::answer::{Answer, Request};
use super::caller::{MS, T1_MS, T2_MS};
use super::calls::{Missing, State, Task, seen};
use super::net::Outbox;
use super::shared::{Sending, Shared};
use super::text::Id;
use super::wire::{Read, Start};

/// The most branches that a call is forked to.
pub const BRANCHES_MAX: usize = 4;

/// What the callee keeps of a call beyond the bits of [`seen`].
#[derive(Clone, Debug, Default)]
pub struct Branches {
    /// The heads of later replies.
    heads: [Vec<u8>; BRANCHES_MAX],
    /// Branches of which the INVITE came, one bit each.
    invited: u8,
    /// Those that were cancelled.
    cancelled: u8,
    /// Those of which the 487 was acknowledged.
    acknowledged: u8,
    /// The 200, which may have to be sent again, and where to.
    answer: Vec<u8>,
    answered_to: Option<(usize, SocketAddrV4)>,
}

impl Branches {
    /// Forgets an earlier call, and keeps its memory.
    fn clear(&mut self) {
        (self.invited, self.cancelled, self.acknowledged) = (0, 0, 0);
        self.answered_to = None;
    }
}

/// A message as it came to one of the callee's ports.
#[derive(Clone, Copy, Debug)]
pub struct Came<'a> {
    /// The port.
    pub port: usize,
    /// The sender.
    pub from: SocketAddrV4,
    /// The callee's own address there.
    pub own: SocketAddrV4,
    /// When, in nanoseconds since the start of the run.
    pub came: u64,
    /// When it was read.
    pub now: u64,
    /// All of it.
    pub bytes: &'a [u8],
}

/// Takes a message.
pub fn take(shared: &mut Shared, came: Came<'_>, out: &mut Outbox) {
    let bytes = came.bytes;
    let read = match Read::message(bytes) {
        Ok(read) => read,
        Err(wrong) => return shared.tally.complain(wrong, bytes),
    };
    let Start::Request(method, uri) = read.start else {
        return shared.tally.complain("a reply for the callee", bytes);
    };
    let Some(id) = Id::from_call_id(read.call_id, shared.run) else {
        return shared.tally.complain("of no call of ours", bytes);
    };
    if read.has_route || read.cseq_method != method {
        return shared
            .tally
            .complain("with a Route left, or another CSeq", bytes);
    }
    let request = Request {
        id,
        branch: branch(shared, uri),
        port: came.port,
        from: came.from,
        own: came.own,
        came: came.came,
        now: came.now,
        bytes,
        read,
    };
    match (shared.calls.find(id).err(), method) {
        (Some(Missing::Unknown), _) => shared.tally.complain("of a call that never was", bytes),
        // Answered again, without a call (RFC 3261 §12.2.2): its 200 may have been lost.
        (Some(Missing::Over), b"BYE") => {
            shared.tally.counts.late += 1;
            request.reply("200 OK", Answer::Plain, out);
        }
        (Some(Missing::Over), _) => shared.tally.counts.late += 1,
        (None, b"INVITE") => invite(shared, &request, out),
        (None, b"ACK") => ack(shared, &request),
        (None, b"BYE") => bye(shared, &request, out),
        (None, b"CANCEL") => cancel(shared, &request, out),
        _ => shared.tally.complain("a method that nobody uses", bytes),
    }
}

/// `sip:b2@…` is the branch 2; without forking, all is the branch 0.
fn branch(shared: &Shared, uri: &[u8]) -> usize {
    match uri.strip_prefix(b"sip:b") {
        Some([digit, b'@', ..]) if shared.plan.branches > 1 => {
            usize::from(digit.wrapping_sub(b'0')).min(BRANCHES_MAX - 1)
        }
        _ => 0,
    }
}

fn invite(shared: &mut Shared, request: &Request<'_>, out: &mut Outbox) {
    let phase = shared.phase();
    let keeps_branches = shared.keeps_branches();
    let Ok(call) = shared.calls.find(request.id) else {
        return;
    };
    if request.read.to_tag().is_some() {
        let what = "an INVITE within a call";
        return shared.tally.complain(what, request.bytes);
    }
    if call.see(seen::INVITE) {
        let took = request.came.saturating_sub(call.invited_at) / 1_000;
        shared.tally.latencies[phase].invite.add(took);
        if let Some(branches) = shared.branches.get_mut(request.id.slot as usize) {
            branches.clear();
        }
    } else if !keeps_branches {
        shared.tally.counts.repeated += 1;
        return answer(request, out);
    }
    if keeps_branches {
        return ring(shared, request, out);
    }
    shared.tally.counts.invites += 1;
    call.see(seen::ANSWERED);
    shared.sending.push((request.id, Sending::Answer));
    answer(request, out);
}

fn answer(request: &Request<'_>, out: &mut Outbox) {
    request.reply("180 Ringing", Answer::Tagged, out);
    request.reply("200 OK", Answer::Session, out);
}

/// One of several branches: the one whose turn it is answers once all of them ring.
fn ring(shared: &mut Shared, request: &Request<'_>, out: &mut Outbox) {
    let (id, branch) = (request.id, request.branch);
    let slot = id.slot as usize;
    if shared.branches.len() <= slot {
        shared.branches.resize_with(slot + 1, Branches::default);
    }
    let branches = &mut shared.branches[slot];
    request.reply("180 Ringing", Answer::Tagged, out);
    if branches.invited & 1 << branch != 0 {
        shared.tally.counts.repeated += 1;
        return;
    }
    branches.invited |= 1 << branch;
    shared.tally.counts.invites += 1;
    let head = &mut branches.heads[branch];
    head.clear();
    request.write_head(head);
    if branches.invited.count_ones() as usize != shared.plan.branches {
        return;
    }
    let winner = winner(shared.plan.branches, id);
    branches.answer.clear();
    request.write_answer(winner, &branches.heads[winner], &mut branches.answer);
    branches.answered_to = Some((request.port, request.from));
    let message = out.message(request.port, request.from);
    message.extend_from_slice(&branches.answer);
    if let Ok(call) = shared.calls.find(id) {
        call.see(seen::ANSWERED);
    }
    shared.sending.push((id, Sending::Answer));
    if shared.plan.retransmits {
        let at = request.now + u64::from(T1_MS) * MS;
        shared.calls.plan(at, Task::AnswerAgain(T1_MS), id);
    }
}

fn winner(branches: usize, id: Id) -> usize {
    id.number as usize % branches.max(1)
}

/// Sends the 200 again until the ACK is there (RFC 3261 §13.3.1.4).
pub fn due(shared: &mut Shared, waited: u16, id: Id, now: u64, out: &mut Outbox) {
    let Ok(call) = shared.calls.find(id) else {
        return;
    };
    let branches = shared.branches.get(id.slot as usize);
    let Some((branches, (port, to))) = branches.and_then(|b| Some((b, b.answered_to?))) else {
        return;
    };
    if call.has(seen::ACK) {
        return;
    }
    let given_up_at = call.answered_at + 64 * u64::from(T1_MS) * MS;
    out.message(port, to).extend_from_slice(&branches.answer);
    shared.tally.counts.sent_again += 1;
    let wait = (waited * 2).min(T2_MS);
    if now < given_up_at {
        let at = now + u64::from(wait) * MS;
        shared.calls.plan(at, Task::AnswerAgain(wait), id);
    }
}

fn ack(shared: &mut Shared, request: &Request<'_>) {
    let bit = 1 << request.branch;
    let Ok(call) = shared.calls.find(request.id) else {
        return;
    };
    let branches = shared.branches.get_mut(request.id.slot as usize);
    if let Some(branches) = branches.filter(|branches| branches.cancelled & bit != 0) {
        let is_new = branches.acknowledged & bit == 0;
        branches.acknowledged |= bit;
        shared.tally.counts.negative_acks += u64::from(is_new);
        shared.tally.counts.repeated += u64::from(!is_new);
        return;
    }
    if request.read.to_tag().is_none() || call.state == State::Invited {
        let what = "an ACK without a 200";
        return shared.tally.complain(what, request.bytes);
    }
    let is_new = call.see(seen::ACK);
    shared.tally.counts.acks += u64::from(is_new);
    shared.tally.counts.repeated += u64::from(!is_new);
}

fn bye(shared: &mut Shared, request: &Request<'_>, out: &mut Outbox) {
    let Ok(call) = shared.calls.find(request.id) else {
        return;
    };
    if call.state != State::Ending {
        let what = "a BYE that was not sent";
        return shared.tally.complain(what, request.bytes);
    }
    let is_new = call.see(seen::BYE);
    shared.tally.counts.byes += u64::from(is_new);
    shared.tally.counts.repeated += u64::from(!is_new);
    request.reply("200 OK", Answer::Plain, out);
}

fn cancel(shared: &mut Shared, request: &Request<'_>, out: &mut Outbox) {
    let bit = 1 << request.branch;
    let is_winner = winner(shared.plan.branches, request.id) == request.branch;
    let branches = shared.branches.get_mut(request.id.slot as usize);
    let Some(branches) = branches.filter(|b| b.invited & bit != 0 && !is_winner) else {
        let what = "a CANCEL of what was answered or never came";
        return shared.tally.complain(what, request.bytes);
    };
    request.reply("200 OK", Answer::Tagged, out);
    if branches.cancelled & bit != 0 {
        shared.tally.counts.repeated += 1;
        return;
    }
    branches.cancelled |= bit;
    shared.tally.counts.cancels += 1;
    let head = &branches.heads[request.branch];
    request.write_terminated(head, out.message(request.port, request.from));
}
