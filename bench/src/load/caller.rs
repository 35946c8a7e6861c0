//! The caller: begins calls, acknowledges, ends them.

use super::calls::{Missing, State, Task, seen};
use super::net::Outbox;
use super::shared::{Sending, Shared};
use super::tally::{Latencies, Tally};
use super::text::{ID_BYTES, Id, Texts};
use super::wire::{BRANCH, Read, Start, TAG, after};

/// T1 of RFC 3261 §17, and T2, in milliseconds.
pub const T1_MS: u16 = 500;
/// The longest wait between repetitions.
pub const T2_MS: u16 = 4_000;
/// Nanoseconds of a millisecond.
pub const MS: u64 = 1_000_000;

/// Begins a call.
pub fn begin(shared: &mut Shared, texts: &[Texts], now: u64, out: &mut Outbox) {
    let number = shared.tally.counts.begun as u32;
    let slot = shared.calls.begin(number);
    let id = Id { slot, number };
    let port = number as usize / shared.plan.sockets % texts.len();
    if let Ok(call) = shared.calls.find(id) {
        call.port = port as u16;
    }
    shared.sending.push((id, Sending::Invite));
    texts[port].invite(id, out.message(port, shared.plan.proxy));
    shared.tally.counts.begun += 1;
    if shared.plan.retransmits {
        let at = now + u64::from(T1_MS) * MS;
        shared.calls.plan(at, Task::InviteAgain(T1_MS), id);
    }
}

/// Does what is due for a call; the callee's part is left to it.
pub fn due(shared: &mut Shared, texts: &[Texts], task: Task, id: Id, now: u64, out: &mut Outbox) {
    let Ok(call) = shared.calls.find(id) else {
        return;
    };
    let (port, proxy) = (usize::from(call.port), shared.plan.proxy);
    let wait = match (task, call.state) {
        (Task::Bye, State::Up) => {
            call.state = State::Ending;
            shared.sending.push((id, Sending::Bye));
            texts[port].bye(id, &call.dialog, out.message(port, proxy));
            shared.plan.retransmits.then_some(Task::ByeAgain(T1_MS))
        }
        (Task::InviteAgain(waited), State::Invited) if !call.has(seen::TRYING | seen::RINGING) => {
            texts[port].invite(id, out.message(port, proxy));
            shared.tally.counts.sent_again += 1;
            Some(Task::InviteAgain(waited.saturating_mul(2)))
        }
        (Task::ByeAgain(waited), State::Ending) => {
            texts[port].bye(id, &call.dialog, out.message(port, proxy));
            shared.tally.counts.sent_again += 1;
            Some(Task::ByeAgain((waited * 2).min(T2_MS)))
        }
        _ => None,
    };
    // 64 times T1 is the end of a transaction.
    if let Some(task) = wait
        && let Task::InviteAgain(wait) | Task::ByeAgain(wait) = task
        && wait < 64 * (T1_MS / 2)
    {
        shared.calls.plan(now + u64::from(wait) * MS, task, id);
    }
}

/// Takes a message that came to one of the caller's ports, and was read later.
pub fn take(
    shared: &mut Shared,
    texts: &[Texts],
    bytes: &[u8],
    (came, now): (u64, u64),
    out: &mut Outbox,
) {
    let read = match Read::message(bytes) {
        Ok(read) => read,
        Err(wrong) => return shared.tally.complain(wrong, bytes),
    };
    let Start::Reply(status) = read.start else {
        return shared.tally.complain("a request for the caller", bytes);
    };
    let Some(id) = Id::from_call_id(read.call_id, shared.run) else {
        return shared.tally.complain("of no call of ours", bytes);
    };
    let text = id.text();
    let is_ours = |rest: Option<&[u8]>| rest.and_then(|rest| rest.get(..ID_BYTES)) == Some(&text);
    let via_is_ours = read.vias.iter().all(|via| is_ours(after(&BRANCH, via)));
    // Our tag begins with a letter.
    let tag = after(&TAG, read.from).and_then(|tag| tag.get(1..));
    if read.vias.iter().count() != 1 || !via_is_ours || !is_ours(tag) {
        let what = "with Vias or a From that are not ours";
        return shared.tally.complain(what, bytes);
    }
    let reply = Reply {
        id,
        status,
        read,
        bytes,
        came,
        now,
    };
    match (read.cseq_method, status) {
        (b"INVITE", 100..200) => provisional(shared, &reply),
        (b"INVITE", 200) => answered(shared, texts, &reply, out),
        (b"INVITE", 300..) => refused(shared, texts, &reply, out),
        (b"BYE", 200..) => ended(shared, &reply),
        _ => shared.tally.complain("a reply to nothing", bytes),
    }
}

/// A reply that came to the caller.
struct Reply<'a> {
    id: Id,
    status: u16,
    read: Read<'a>,
    bytes: &'a [u8],
    came: u64,
    now: u64,
}

fn missing(shared: &mut Shared, missing: Missing, bytes: &[u8]) {
    match missing {
        Missing::Over => shared.tally.counts.late += 1,
        Missing::Unknown => shared.tally.complain("of a call that never was", bytes),
    }
}

fn micros_since(then: u64, now: u64) -> u64 {
    now.saturating_sub(then) / 1_000
}

fn provisional(shared: &mut Shared, reply: &Reply<'_>) {
    let (status, came) = (reply.status, reply.came);
    let phase = shared.phase();
    let Ok(call) = shared.calls.find(reply.id) else {
        shared.tally.counts.late += 1;
        return;
    };
    if call.state != State::Invited {
        shared.tally.counts.overtaken += 1;
    }
    let (bit, took) = match status {
        100 => (seen::TRYING, &mut phase_of(&mut shared.tally, phase).to_100),
        _ => (
            seen::RINGING,
            &mut phase_of(&mut shared.tally, phase).to_180,
        ),
    };
    // Several branches may ring.
    if call.see(bit) {
        took.add(micros_since(call.invited_at, came));
    } else if status == 100 {
        shared.tally.counts.repeated += 1;
    }
}

fn phase_of(tally: &mut Tally, phase: usize) -> &mut Latencies {
    &mut tally.latencies[phase]
}

fn answered(shared: &mut Shared, texts: &[Texts], reply: &Reply<'_>, out: &mut Outbox) {
    let Reply {
        id,
        read,
        bytes,
        came,
        now,
        ..
    } = *reply;
    let phase = shared.phase();
    let call = match shared.calls.find(id) {
        Ok(call) => call,
        Err(why) => return missing(shared, why, bytes),
    };
    let port = usize::from(call.port);
    if call.state != State::Invited {
        if call.dialog.to() != read.to {
            return shared
                .tally
                .complain("a second 200 from somebody else", bytes);
        }
        shared.tally.counts.repeated += 1;
        texts[port].ack(id, &call.dialog, out.message(port, shared.plan.proxy));
        return;
    }
    let (Some(target), Some(_)) = (read.contact, read.to_tag()) else {
        return shared.tally.complain("a 200 without Contact or tag", bytes);
    };
    call.state = State::Up;
    call.dialog
        .set(target, |take| read.each_route_reversed(take), read.to);
    texts[port].ack(id, &call.dialog, out.message(port, shared.plan.proxy));
    let counts = &mut shared.tally.counts;
    counts.answered += 1;
    counts.missing_100 += u64::from(!call.has(seen::TRYING));
    counts.missing_180 += u64::from(!call.has(seen::RINGING));
    let latencies = phase_of(&mut shared.tally, phase);
    latencies.to_200.add(micros_since(call.invited_at, came));
    latencies.ok.add(micros_since(call.answered_at, came));
    if let Some(hold) = shared.plan.hold.draw(&mut shared.random) {
        shared.calls.plan(now + hold, Task::Bye, id);
    }
}

fn refused(shared: &mut Shared, texts: &[Texts], reply: &Reply<'_>, out: &mut Outbox) {
    let Reply {
        id,
        read,
        bytes,
        came,
        ..
    } = *reply;
    let phase = shared.phase();
    let call = match shared.calls.find(id) {
        Ok(call) => call,
        Err(why) => return missing(shared, why, bytes),
    };
    if call.state != State::Invited {
        return shared
            .tally
            .complain("a refusal of a call that is up", bytes);
    }
    let port = usize::from(call.port);
    texts[port].ack_refusal(id, read.to, out.message(port, shared.plan.proxy));
    let is_polite = read.start == Start::Reply(503) && read.has_retry_after;
    if is_polite && !call.has(seen::INVITE) {
        shared.tally.counts.refused += 1;
        let took = micros_since(call.invited_at, came);
        phase_of(&mut shared.tally, phase).to_refusal.add(took);
    } else {
        shared.tally.counts.rejected += 1;
        shared.tally.note("rejected", bytes);
    }
    shared.calls.end(id.slot);
}

fn ended(shared: &mut Shared, reply: &Reply<'_>) {
    let Reply {
        id,
        status,
        bytes,
        came,
        ..
    } = *reply;
    let phase = shared.phase();
    let call = match shared.calls.find(id) {
        Ok(call) => call,
        Err(why) => return missing(shared, why, bytes),
    };
    if call.state != State::Ending {
        return shared
            .tally
            .complain("a reply to a BYE that was not sent", bytes);
    }
    let took = micros_since(call.bye_at, came);
    let had_ack = call.has(seen::ACK);
    shared.tally.counts.lost_acks += u64::from(!had_ack);
    phase_of(&mut shared.tally, phase).bye.add(took);
    if status == 200 {
        shared.tally.counts.ended += 1;
    } else {
        shared.tally.counts.byes_rejected += 1;
        shared.tally.note("rejected", bytes);
    }
    shared.calls.end(id.slot);
}
