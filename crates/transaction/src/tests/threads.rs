//! Several threads on one table, each with calls of its own.

use std::sync::Arc;
use std::thread;

use sip::{Message, Transport};
use timer::Time;

use super::call::table;
use super::messages::{INVITE, requester};
use crate::{Match, Origin, SHARDS, Settings};

fn request(call: usize) -> Arc<Message> {
    let text = INVITE.text("").replace("call-1", &format!("call-{call}"));
    Arc::new(Message::parse(text.into_bytes()).expect("a well-formed message"))
}

#[test]
fn calls_on_different_threads_do_not_disturb_each_other() {
    const THREADS: usize = 4;
    const CALLS: usize = 300;
    let table = table();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let table = &table;
            scope.spawn(move || {
                for call in (thread..CALLS).step_by(THREADS) {
                    let request = request(call);
                    let (now, mut out) = (Time::ZERO, Vec::new());
                    let requester = requester(Transport::Udp);
                    let mut tx = table
                        .create(
                            Arc::clone(&request),
                            requester,
                            Settings::default(),
                            (),
                            now,
                        )
                        .expect("a complete request");
                    let id = tx.id();
                    tx.send_reply(200, Arc::from(&b"ok"[..]), Origin::Local, now, &mut out);
                    assert!(table.check_in(tx).is_none());
                    assert_eq!(table.match_request(&request), Match::Retransmission(id));
                }
            });
        }
    });
    assert_eq!(table.len(), CALLS);
    assert_eq!(table.ids().len(), CALLS);
    assert_eq!(table.statistics().waiting, CALLS as u64);
    let mut due = Vec::new();
    for shard in 0..SHARDS {
        table.advance(shard, Time::from_millis(5_000), &mut due);
    }
    for due in due {
        let mut tx = table.checkout(due.id).expect("it exists");
        tx.on_timer(Time::from_millis(5_000), &mut Vec::new());
        assert!(table.check_in(tx).is_some());
    }
    assert!(table.is_empty());
    let statistics = table.statistics();
    assert_eq!((statistics.freed, statistics.waiting), (CALLS as u64, 0));
}
