//! One transaction under a simulated clock: what goes in by hand, what comes out as a log.

use sip::{Method, Transport};
use timer::Time;

use super::messages::{BRANCH_PORT, CALLER_PORT, INVITE, Request, hop, own_via, reply, requester};
use crate::{
    Decision, Due, Match, Origin, Output, ReplyVerdict, Settings, Table, TableOptions, TimerEvent,
    Transaction, TransactionId,
};

pub(super) type TestTable = Table<(), ()>;

pub(super) fn table() -> TestTable {
    Table::new(TableOptions {
        seed: [1, 2],
        now: Time::ZERO,
        tick_ms: 1,
    })
}

/// Something that was sent: when, and to whom with which first words.
pub(super) struct Sent {
    pub(super) at_ms: u64,
    pub(super) what: String,
    pub(super) text: String,
}

pub(super) struct Call {
    pub(super) table: TestTable,
    pub(super) id: TransactionId,
    pub(super) now: Time,
    pub(super) sent: Vec<Sent>,
    pub(super) events: Vec<(u64, TimerEvent)>,
    request: Request<'static>,
    transport: Transport,
}

impl Call {
    pub(super) fn invite() -> Self {
        Self::new(INVITE, Settings::default(), Transport::Udp)
    }

    pub(super) fn with_settings(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        Self::new(INVITE, settings, Transport::Udp)
    }

    pub(super) fn new(request: Request<'static>, settings: Settings, transport: Transport) -> Self {
        let (table, now) = (table(), Time::ZERO);
        let message = request.message();
        assert_eq!(table.match_request(&message), Match::New);
        let record = table
            .create(message, requester(transport), settings, (), now)
            .expect("a complete request");
        let id = record.id();
        assert!(table.check_in(record).is_none());
        Self {
            table,
            id,
            now,
            sent: Vec::new(),
            events: Vec::new(),
            request,
            transport,
        }
    }

    /// Works on the transaction and logs what it sends.
    pub(super) fn work<R>(
        &mut self,
        f: impl FnOnce(&mut Transaction<(), ()>, Time, &mut Vec<Output>) -> R,
    ) -> R {
        let mut out = Vec::new();
        let mut record = self
            .table
            .checkout(self.id)
            .expect("the transaction exists");
        let result = f(&mut record, self.now, &mut out);
        self.table.check_in(record);
        for Output::Send { hop, bytes } in out {
            let text = String::from_utf8(bytes.to_vec()).expect("text");
            let to = match hop.remote.port() {
                CALLER_PORT => "caller".to_owned(),
                port => format!("b{}", port - BRANCH_PORT),
            };
            let words = text.trim_start_matches("SIP/2.0 ");
            let word = words.split(' ').next().unwrap_or_default();
            self.sent.push(Sent {
                at_ms: self.now.as_millis(),
                what: format!("{to} {word}"),
                text,
            });
        }
        result
    }

    pub(super) fn fork(&mut self, branches: usize) {
        let (request, transport) = (self.request, self.transport);
        for _ in 0..branches {
            self.work(|tx, now, out| {
                let port = BRANCH_PORT + tx.branches().len() as u16;
                let bytes = request.text(&own_via(&tx.next_branch_value()));
                tx.add_branch(
                    hop(port, transport),
                    bytes.into_bytes().into(),
                    (),
                    now,
                    out,
                )
            })
            .expect("a branch may be added");
        }
    }

    /// A reply comes in; `None` if it was absorbed.
    pub(super) fn reply(&mut self, branch: usize, status: u16) -> Option<Decision> {
        let cseq = format!("{} {}", self.request.cseq, self.request.method);
        self.reply_to(branch, status, &cseq)
    }

    pub(super) fn reply_to(&mut self, branch: usize, status: u16, cseq: &str) -> Option<Decision> {
        let value = self.work(|tx, _, _| tx.branch_value(branch));
        let message = reply(&value, status, cseq, &format!("b{branch}"));
        let found = self.table.match_reply(&message).expect("the reply matches");
        assert_eq!((found.id, found.branch), (self.id, branch));
        self.work(
            |tx, now, out| match tx.reply_received(branch, &message, now, out) {
                ReplyVerdict::Absorbed => None,
                ReplyVerdict::Deliver => Some(tx.decide(branch, status, now, out)),
            },
        )
    }

    /// Sends a reply to the caller.
    pub(super) fn answer(&mut self, status: u16) -> bool {
        let bytes = format!("SIP/2.0 {status} Text\r\n\r\n").into_bytes();
        self.work(|tx, now, out| tx.send_reply(status, bytes.into(), Origin::Relayed, now, out))
    }

    pub(super) fn decide(&mut self, branch: usize, status: u16) -> Decision {
        self.work(|tx, now, out| tx.decide(branch, status, now, out))
    }

    pub(super) fn ack(&mut self) {
        self.work(|tx, now, _| tx.ack_received(now));
    }

    /// Lets time pass, firing what is due at its very moment.
    pub(super) fn run_until(&mut self, end_ms: u64) {
        let shard = self.id.index as usize;
        let end = Time::from_millis(end_ms);
        while let Some(next) = self.table.next_deadline(shard).filter(|&next| next <= end) {
            self.now = self.now.max(next);
            let mut due = Vec::new();
            self.table.advance(shard, self.now, &mut due);
            for Due { id, call_key } in due {
                assert_eq!(id, self.id);
                assert_eq!(call_key, self.table.call_key(b"call-1"));
                let events = self.work(|tx, now, out| tx.on_timer(now, out));
                let at_ms = self.now.as_millis();
                self.events
                    .extend(events.into_iter().map(|event| (at_ms, event)));
            }
        }
        self.now = end;
        self.table.advance(shard, end, &mut Vec::new());
    }

    /// When something was sent.
    pub(super) fn times(&self, what: &str) -> Vec<u64> {
        let matching = self.sent.iter().filter(|sent| sent.what == what);
        matching.map(|sent| sent.at_ms).collect()
    }

    pub(super) fn count(&self, what: &str) -> usize {
        self.times(what).len()
    }

    /// The text of what was sent last.
    pub(super) fn last(&self, what: &str) -> &str {
        let last = self.sent.iter().rfind(|sent| sent.what == what);
        &last.expect("it was sent").text
    }

    pub(super) fn is_gone(&self) -> bool {
        self.table.is_empty()
    }
}

pub(super) const fn other(method: &'static str) -> Request<'static> {
    Request { method, ..INVITE }
}

#[test]
fn a_call_goes_through_and_leaves_nothing() {
    let mut call = Call::invite();
    assert!(call.answer(100));
    call.fork(1);
    assert_eq!(call.reply(0, 100), Some(Decision::Discard));
    assert_eq!(call.reply(0, 180), Some(Decision::ForwardNow));
    assert!(call.answer(180));
    assert_eq!(call.reply(0, 200), Some(Decision::ForwardNow));
    assert!(call.answer(200));
    call.run_until(4_999);
    assert!(!call.is_gone());
    call.run_until(5_000);
    assert!(call.is_gone());
    let all: Vec<&str> = call.sent.iter().map(|sent| sent.what.as_str()).collect();
    assert_eq!(all, ["caller 100", "b0 INVITE", "caller 180", "caller 200"]);
    assert_eq!(call.events, []);
    let statistics = call.table.statistics();
    assert_eq!(
        (statistics.created, statistics.freed, statistics.current),
        (1, 1, 0)
    );
    assert_eq!(statistics.traffic.finals, [1, 0, 0, 0, 0]);
    assert_eq!(call.table.find(b"call-1", 1, Method::Invite), None);
}

#[test]
fn a_waiting_transaction_keeps_what_retransmissions_need() {
    let mut answered = Call::invite();
    answered.fork(1);
    answered.reply(0, 200);
    answered.answer(200);
    answered.work(|record, _, out| {
        assert!(record.branches[0].reply.is_none() && record.branches[0].sent.is_empty());
        record.retransmitted(out);
    });
    assert_eq!(answered.count("caller 200"), 2);

    let mut refused = Call::invite();
    refused.fork(1);
    refused.reply(0, 486);
    refused.answer(486);
    refused.ack();
    refused.reply(0, 486);
    assert_eq!(refused.count("b0 ACK"), 2);
}

#[test]
fn records_are_small() {
    // Its one branch is within it.
    assert!(
        size_of::<Transaction<(), ()>>() <= 600,
        "{}",
        size_of::<Transaction<(), ()>>()
    );
    assert!(
        size_of::<crate::Branch<()>>() <= 224,
        "{}",
        size_of::<crate::Branch<()>>()
    );
}
