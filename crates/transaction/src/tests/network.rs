//! Caller, proxy and callees over a network that loses, doubles and delays: whatever happens, every
//! party comes to rest and the table ends up empty. `wt_timer` is as long as RFC 3261 timer D: with
//! less, a final reply may still be repeated when its transaction is gone.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use fastrand::Rng;
use sip::{Message, Transport};
use timer::Time;

use super::call::{TestTable, table};
use super::messages::{BRANCH_PORT, CALLER_PORT, hop, requester};
use super::peers::{Callee, Caller, Packet, Plan, forwarded, reply_to, stripped};
use crate::{
    Conclusion, Decision, Due, Match, Origin, Output, ReplyVerdict, SHARDS, Settings, TimerEvent,
    Transaction, TransactionId,
};

const PROXY: u16 = 5_060;
const STEP_MS: u64 = 10;

type Record = Box<Transaction<(), ()>>;

/// The least that an embedding program does.
struct Proxy {
    table: TestTable,
    branches: usize,
    now: Time,
    out: Vec<Output>,
}

impl Proxy {
    fn request(&mut self, request: Arc<Message>) {
        match self.table.match_request(&request) {
            Match::New => self.relay(request),
            Match::Retransmission(id) => self.with(id, |_, tx, out| tx.retransmitted(out)),
            Match::AckNegative(id) => self.with(id, |now, tx, _| tx.ack_received(now)),
            Match::AckTwoHundred(_) => self.forward_ack(&request),
            Match::Cancel { invite } => self.cancel(request, invite),
        }
    }

    fn relay(&mut self, request: Arc<Message>) {
        let mut tx = self.create(Arc::clone(&request));
        let trying = reply_to(&request, 100, "").into_bytes().into();
        tx.send_reply(100, trying, Origin::Local, self.now, &mut self.out);
        for number in 0..self.branches {
            let bytes = forwarded(&request, &tx.next_branch_value()).into_bytes();
            let hop = hop(BRANCH_PORT + number as u16, Transport::Udp);
            tx.add_branch(hop, bytes.into(), (), self.now, &mut self.out)
                .expect("allowed");
        }
        self.table.check_in(tx);
    }

    fn cancel(&mut self, request: Arc<Message>, invite: Option<TransactionId>) {
        let mut tx = self.create(Arc::clone(&request));
        let status = if invite.is_some() { 200 } else { 481 };
        let bytes = reply_to(&request, status, "p").into_bytes().into();
        tx.send_reply(status, bytes, Origin::Local, self.now, &mut self.out);
        self.table.check_in(tx);
        if let Some(id) = invite {
            self.with(id, |now, tx, out| {
                tx.cancel(None, now, out);
            });
        }
    }

    /// By the To tag, which names the callee's port.
    fn forward_ack(&mut self, ack: &Message) {
        let tag = String::from_utf8_lossy(ack.to_tag().unwrap_or_default()).into_owned();
        if let Some(port) = tag.strip_prefix('c').and_then(|port| port.parse().ok()) {
            let bytes = forwarded(ack, &self.table.stateless_branch(ack)).into_bytes();
            self.out.push(Output::Send {
                hop: hop(port, Transport::Udp),
                bytes: bytes.into(),
            });
        }
    }

    fn reply(&mut self, reply: Arc<Message>) {
        let Some(found) = self.table.match_reply(&reply) else {
            let bytes = stripped(&reply).into_bytes().into();
            self.out.push(Output::Send {
                hop: hop(CALLER_PORT, Transport::Udp),
                bytes,
            });
            return;
        };
        self.with(found.id, |now, tx, out| {
            if tx.reply_received(found.branch, &reply, now, out) == ReplyVerdict::Deliver {
                let status = reply.status().expect("a reply");
                let decision = tx.decide(found.branch, status, now, out);
                Self::act(tx, decision, Some(&reply), now, out);
            }
        });
    }

    fn act(
        tx: &mut Record,
        decision: Decision,
        reply: Option<&Message>,
        now: Time,
        out: &mut Vec<Output>,
    ) {
        let (status, text) = match (decision, reply) {
            (Decision::ForwardNow, Some(reply)) => {
                (reply.status().expect("a reply"), stripped(reply))
            }
            (Decision::AllFinal { .. }, _) => {
                let Conclusion::Relay { winner } = tx.conclude_failure() else {
                    return;
                };
                let winner = tx.winner(winner).expect("a verdict");
                let made = || reply_to(tx.request(), winner.status, "p");
                (
                    winner.status,
                    winner.reply.as_deref().map_or_else(made, stripped),
                )
            }
            _ => return,
        };
        let bytes = text.into_bytes().into();
        assert!(
            tx.send_reply(status, bytes, Origin::Relayed, now, out),
            "{status} was refused"
        );
    }

    fn tick(&mut self) {
        let mut due = Vec::new();
        let shard = self.table.call_key(b"call-1") as usize % SHARDS;
        self.table.advance(shard, self.now, &mut due);
        for Due { id, .. } in due {
            self.with(id, |now, tx, out| {
                for event in tx.on_timer(now, out) {
                    if let TimerEvent::BranchTimeout { branch } = event {
                        let decision = tx.decide(branch, 408, now, out);
                        Self::act(tx, decision, None, now, out);
                    }
                    assert_ne!(event, TimerEvent::Unanswered);
                }
            });
        }
    }

    fn create(&self, request: Arc<Message>) -> Record {
        let requester = requester(Transport::Udp);
        let mut settings = Settings::default();
        settings.timers.wt_timer = 32_000;
        self.table
            .create(request, requester, settings, (), self.now)
            .expect("a complete request")
    }

    fn with(&mut self, id: TransactionId, f: impl FnOnce(Time, &mut Record, &mut Vec<Output>)) {
        let mut tx = self.table.checkout(id).expect("it exists");
        f(self.now, &mut tx, &mut self.out);
        self.table.check_in(tx);
    }
}

struct Network {
    rng: Rng,
    lossy: bool,
    packets: BinaryHeap<Reverse<(u64, u64, Packet)>>,
    number: u64,
}

impl Network {
    fn carry(&mut self, now_ms: u64, packets: impl IntoIterator<Item = Packet>) {
        for packet in packets {
            let copies = match (self.lossy, self.rng.u8(..100)) {
                (true, ..15) => 0,
                (true, 15..25) => 2,
                _ => 1,
            };
            for _ in 0..copies {
                let delay_ms = if self.lossy { self.rng.u64(1..300) } else { 10 };
                self.number += 1;
                self.packets
                    .push(Reverse((now_ms + delay_ms, self.number, packet.clone())));
            }
        }
    }

    fn arrived(&mut self, now_ms: u64) -> Option<Packet> {
        let Reverse((at_ms, ..)) = self.packets.peek()?;
        if *at_ms > now_ms {
            return None;
        }
        self.packets.pop().map(|Reverse((_, _, packet))| packet)
    }
}

/// Everything of one run, to be looked at when it is over.
struct Outcome {
    caller: Caller,
    callees: Vec<Callee>,
    proxy: Proxy,
}

fn run(seed: u64, lossy: bool, plans: &[Plan], cancel_at_ms: Option<u64>) -> Outcome {
    let mut network = Network {
        rng: Rng::with_seed(seed),
        lossy,
        packets: BinaryHeap::new(),
        number: 0,
    };
    let mut proxy = Proxy {
        table: table(),
        branches: plans.len(),
        now: Time::ZERO,
        out: Vec::new(),
    };
    let mut caller = Caller::cancelling_at(cancel_at_ms);
    let mut callees: Vec<Callee> = (BRANCH_PORT..)
        .zip(plans)
        .map(|(port, plan)| Callee::new(port, *plan))
        .collect();
    let mut sent = Vec::new();
    caller.start(PROXY, &mut sent);
    for now_ms in (0..300_000).step_by(STEP_MS as usize) {
        if now_ms % 10_000 == 9_990 && proxy.table.is_empty() && network.packets.is_empty() {
            break;
        }
        proxy.now = Time::from_millis(now_ms);
        while let Some((port, text)) = network.arrived(now_ms) {
            let message = Message::parse(text.into_bytes()).expect("well-formed");
            match (port, message.is_request()) {
                (PROXY, true) => proxy.request(Arc::new(message)),
                (PROXY, false) => proxy.reply(Arc::new(message)),
                (CALLER_PORT, _) => caller.receive(&message, PROXY, &mut sent),
                (port, _) => {
                    let callee = &mut callees[usize::from(port - BRANCH_PORT)];
                    callee.receive(message, now_ms, PROXY, &mut sent);
                }
            }
        }
        caller.tick(now_ms, PROXY, &mut sent);
        callees
            .iter_mut()
            .for_each(|callee| callee.tick(now_ms, PROXY, &mut sent));
        proxy.tick();
        sent.extend(proxy.out.drain(..).map(|Output::Send { hop, bytes }| {
            (
                hop.remote.port(),
                String::from_utf8_lossy(&bytes).into_owned(),
            )
        }));
        network.carry(now_ms, sent.drain(..));
    }
    Outcome {
        caller,
        callees,
        proxy,
    }
}

fn plan(rng: &mut Rng) -> Plan {
    let status = [200, 200, 302, 404, 486, 503, 603][rng.usize(..7)];
    let ring_ms = rng.u64(0..3_000);
    Plan {
        ring_ms,
        final_ms: ring_ms + rng.u64(0..20_000),
        status,
    }
}

#[test]
fn whatever_the_network_does_all_come_to_rest() {
    for seed in 0..60 {
        let mut rng = Rng::with_seed(seed);
        let plans: Vec<Plan> = (0..rng.usize(1..4)).map(|_| plan(&mut rng)).collect();
        let cancel_at_ms = rng.bool().then(|| rng.u64(0..10_000));
        let Outcome {
            caller,
            callees,
            proxy,
        } = run(seed, true, &plans, cancel_at_ms);
        assert!(proxy.table.is_empty(), "seed {seed}: a transaction is left");
        assert!(
            caller.answers > 0 || !caller.negatives.is_empty(),
            "seed {seed}: no final reply"
        );
        assert!(
            caller.negatives.iter().all(|n| *n == caller.negatives[0]),
            "seed {seed}: {:?} and {} answers; {plans:?}",
            caller.negatives,
            caller.answers
        );
        for callee in callees {
            let (invites, at_rest) = callee.is_at_rest();
            assert!(
                at_rest && invites <= 1,
                "seed {seed}: port {} is not at rest",
                callee.port
            );
        }
        let statistics = proxy.table.statistics();
        assert_eq!((statistics.lost, statistics.waiting), (0, 0), "seed {seed}");
        assert_eq!(statistics.created, statistics.freed, "seed {seed}");
    }
}

#[test]
fn a_quiet_network_needs_no_retransmission() {
    let plans = [
        Plan {
            ring_ms: 50,
            final_ms: 3_000,
            status: 486,
        },
        Plan {
            ring_ms: 50,
            final_ms: 5_000,
            status: 200,
        },
    ];
    let Outcome { caller, proxy, .. } = run(1, false, &plans, None);
    assert_eq!((caller.answers, caller.negatives.len()), (1, 0));
    let traffic = proxy.table.statistics().traffic;
    assert_eq!(
        (traffic.retransmitted, traffic.absorbed, traffic.sent),
        (0, 0, 4)
    );
    assert!(!caller.negative_after_answer);
}
