//! Inputs in any order: nothing panics, every deadline is kept, and in the end nothing is left.

use std::sync::Arc;

use proptest::prelude::*;
use sip::Transport;
use timer::Time;

use super::call::table;
use super::messages::{INVITE, Request, hop, own_via, reply, requester};
use crate::{
    Forget, Origin, Output, ReplyVerdict, Settings, SilentBranch, TimerEvent, Transaction, Which,
};

#[derive(Clone, Debug)]
enum Step {
    AddBranch,
    Reply {
        branch: usize,
        status: u16,
        is_cancel: bool,
        decide: bool,
    },
    BranchFailed(usize),
    SendReply(u16),
    Retransmitted,
    Ack,
    Cancel,
    CancelOnly(usize),
    Conclude,
    Release,
    SetFr(u32),
    Pass(u64),
}

fn status() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![
        100, 180, 183, 200, 202, 302, 401, 404, 486, 487, 503, 603,
    ])
}

fn step() -> impl Strategy<Value = Step> {
    let reply = (
        0..4usize,
        status(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.8),
    );
    prop_oneof![
        4 => Just(Step::AddBranch),
        8 => reply.prop_map(|(branch, status, is_cancel, decide)| Step::Reply {
            branch, status, is_cancel, decide,
        }),
        1 => (0..4usize).prop_map(Step::BranchFailed),
        2 => status().prop_map(Step::SendReply),
        1 => Just(Step::Retransmitted),
        1 => Just(Step::Ack),
        1 => Just(Step::Cancel),
        1 => (0..4usize).prop_map(Step::CancelOnly),
        1 => Just(Step::Conclude),
        1 => Just(Step::Release),
        1 => (0..3_000u32).prop_map(Step::SetFr),
        4 => (0..40_000u64).prop_map(Step::Pass),
    ]
}

fn settings() -> impl Strategy<Value = Settings> {
    let method = prop::sample::select(vec![
        SilentBranch::Fake487,
        SilentBranch::WaitForProvisional,
        SilentBranch::CancelAnyway,
    ]);
    let forget = prop::sample::select(vec![Forget::Nothing, Forget::All, Forget::LastLeg]);
    (method, forget, any::<bool>()).prop_map(|(method, forget, unblocked)| {
        let mut settings = Settings::default();
        settings.policy.cancel_b_method = method;
        settings.policy.failure_reply_mode = forget;
        settings.policy.disable_6xx_block = unblocked;
        settings
    })
}

struct Run {
    request: Request<'static>,
    transport: Transport,
    now: Time,
    out: Vec<Output>,
}

impl Run {
    fn apply(&mut self, tx: &mut Transaction<(), ()>, step: &Step) {
        let (now, out) = (self.now, &mut self.out);
        match *step {
            Step::AddBranch => {
                let bytes = self
                    .request
                    .text(&own_via(&tx.next_branch_value()))
                    .into_bytes();
                let is_allowed = tx.may_add_branch(now);
                let added = tx.add_branch(hop(6_000, self.transport), bytes.into(), (), now, out);
                assert_eq!(added.map(|_| ()), is_allowed);
            }
            Step::Reply {
                branch,
                status,
                is_cancel,
                decide,
            } => {
                let method = if is_cancel {
                    "CANCEL"
                } else {
                    self.request.method
                };
                let cseq = format!("1 {method}");
                let reply = reply(&tx.branch_value(branch), status, &cseq, "b");
                let verdict = tx.reply_received(branch, &reply, now, out);
                if verdict == ReplyVerdict::Deliver && decide {
                    tx.decide(branch, status, now, out);
                }
            }
            Step::BranchFailed(branch) => {
                if tx.branch_failed(branch, now) {
                    tx.decide(branch, 477, now, out);
                }
            }
            Step::SendReply(status) => {
                let was_answered = tx.is_answered();
                let bytes = Arc::from(&b"SIP/2.0"[..]);
                let sent = tx.send_reply(status, bytes, Origin::Local, now, out);
                let is_success = tx.is_invite() && (200..300).contains(&status);
                assert!(!sent || !was_answered || is_success, "a second final reply");
            }
            Step::Retransmitted => tx.retransmitted(out),
            Step::Ack => tx.ack_received(now),
            Step::Cancel => {
                tx.cancel(Some(b"SIP;cause=1"), now, out);
            }
            Step::CancelOnly(branch) => {
                tx.cancel_branches(Which::Only(branch), crate::Reason::None, now, out);
            }
            Step::Conclude => {
                tx.conclude_failure();
            }
            Step::Release => tx.release(now),
            Step::SetFr(timeout_ms) => tx.set_fr(timeout_ms, timeout_ms, now),
            Step::Pass(_) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_transaction_ends(
        steps in prop::collection::vec(step(), 1..40),
        settings in settings(),
        is_invite in any::<bool>(),
        is_reliable in any::<bool>(),
        is_local in any::<bool>(),
    ) {
        let table = table();
        let method = if is_invite { "INVITE" } else { "OPTIONS" };
        let transport = if is_reliable { Transport::Tcp } else { Transport::Udp };
        let request = Request { method, ..INVITE };
        let mut run = Run { request, transport, now: Time::ZERO, out: Vec::new() };
        let message = request.message();
        let mut tx = if is_local {
            table.create_local(message, settings, (), run.now)
        } else {
            table.create(message, requester(transport), settings, (), run.now)
        }
        .expect("a complete request");
        run.apply(&mut tx, &Step::AddBranch);
        let id = tx.id();
        table.check_in(tx);
        let ends = [Step::Pass(200_000), Step::Pass(200_000), Step::Pass(200_000)];
        for step in steps.iter().chain(&ends) {
            if let Some(mut tx) = table.checkout(id) {
                run.apply(&mut tx, step);
                prop_assert!(tx.is_finished() || tx.next_deadline() != Time::NEVER);
                table.check_in(tx);
            }
            let Step::Pass(ms) = *step else { continue };
            let end = run.now.plus_millis(ms);
            let shard = id.index as usize;
            while let Some(next) = table.next_deadline(shard).filter(|&next| next <= end) {
                run.now = run.now.max(next);
                let mut due = Vec::new();
                table.advance(shard, run.now, &mut due);
                for due in due {
                    let mut tx = table.checkout(due.id).expect("it exists");
                    for event in tx.on_timer(run.now, &mut run.out) {
                        if let TimerEvent::BranchTimeout { branch } = event {
                            tx.decide(branch, 408, run.now, &mut run.out);
                        }
                    }
                    prop_assert!(tx.is_finished() || tx.next_deadline() > run.now);
                    table.check_in(tx);
                }
            }
            run.now = end;
        }
        prop_assert!(table.is_empty());
        prop_assert!(run.out.len() < 800, "{} messages", run.out.len());
    }
}
