//! Which transaction a message belongs to.

use std::sync::Arc;

use sip::{Message, Method, Transport};
use timer::Time;

use super::call::{Call, TestTable, table};
use super::messages::{INVITE, Request, parse, reply, requester};
use crate::{Match, Origin, Refused, Settings, TransactionId};

fn create(table: &TestTable, request: &Arc<Message>) -> TransactionId {
    let request = Arc::clone(request);
    let settings = Settings::default();
    let record = table
        .create(request, requester(Transport::Udp), settings, (), Time::ZERO)
        .expect("a complete request");
    let id = record.id();
    table.check_in(record);
    id
}

fn answer(table: &TestTable, id: TransactionId, status: u16) {
    let mut record = table.checkout(id).expect("it exists");
    let bytes = Arc::from(&b"x"[..]);
    record.send_reply(status, bytes, Origin::Local, Time::ZERO, &mut Vec::new());
    table.check_in(record);
}

#[test]
fn a_retransmission_is_known_by_branch_sent_by_and_method() {
    let table = table();
    let id = create(&table, &INVITE.message());
    let found = |request: Request<'_>| table.match_request(&request.message());
    assert_eq!(found(INVITE), Match::Retransmission(id));
    assert_eq!(
        found(Request {
            branch: "z9hG4bKother",
            ..INVITE
        }),
        Match::New
    );
    assert_eq!(
        found(Request {
            sent_by: "10.0.0.2:5999",
            ..INVITE
        }),
        Match::New
    );
    assert_eq!(
        found(Request {
            method: "UPDATE",
            ..INVITE
        }),
        Match::New
    );
    assert_eq!(found(Request { cseq: 2, ..INVITE }), Match::New);
}

#[test]
fn a_cancel_finds_its_invite_and_itself() {
    let table = table();
    let cancel = Request {
        method: "CANCEL",
        ..INVITE
    };
    assert_eq!(
        table.match_request(&cancel.message()),
        Match::Cancel { invite: None }
    );
    let invite = create(&table, &INVITE.message());
    assert_eq!(
        table.match_request(&cancel.message()),
        Match::Cancel {
            invite: Some(invite)
        },
    );
    let own = create(&table, &cancel.message());
    assert_eq!(
        table.match_request(&cancel.message()),
        Match::Retransmission(own)
    );
    assert_eq!(table.find(b"call-1", 1, Method::Cancel), Some(own));
}

#[test]
fn acks_by_what_was_answered() {
    let ack = Request {
        method: "ACK",
        to_tag: ";tag=x",
        ..INVITE
    };
    let new_branch = Request {
        branch: "z9hG4bKack",
        ..ack
    };
    let table = table();
    assert_eq!(
        table.match_request(&ack.message()),
        Match::AckTwoHundred(None)
    );
    let id = create(&table, &INVITE.message());
    answer(&table, id, 404);
    assert_eq!(table.match_request(&ack.message()), Match::AckNegative(id));
    assert_eq!(
        table.match_request(&new_branch.message()),
        Match::AckTwoHundred(None)
    );
    answer(&table, id, 200);
    assert_eq!(
        table.match_request(&new_branch.message()),
        Match::AckTwoHundred(Some(id))
    );
    assert_eq!(
        table.match_request(&ack.message()),
        Match::AckTwoHundred(Some(id))
    );
}

#[test]
fn without_the_cookie_the_whole_tuple_counts() {
    let old = Request {
        branch: "1",
        ..INVITE
    };
    let table = table();
    let id = create(&table, &old.message());
    assert_eq!(
        table.match_request(&old.message()),
        Match::Retransmission(id)
    );
    assert_eq!(
        table.match_request(&Request { branch: "2", ..old }.message()),
        Match::New
    );
    answer(&table, id, 404);
    let ack = Request {
        method: "ACK",
        to_tag: ";tag=x",
        ..old
    };
    assert_eq!(table.match_request(&ack.message()), Match::AckNegative(id));
    let cancel = Request {
        method: "CANCEL",
        ..old
    };
    assert_eq!(
        table.match_request(&cancel.message()),
        Match::Cancel { invite: Some(id) }
    );
}

#[test]
fn replies_need_our_branch_and_the_method() {
    let mut call = Call::invite();
    call.fork(2);
    let value = call.work(|tx, _, _| tx.branch_value(1));
    let found = call.table.match_reply(&reply(&value, 180, "1 INVITE", "b"));
    assert_eq!(
        found.map(|found| (found.id, found.branch)),
        Some((call.id, 1))
    );
    assert!(
        call.table
            .match_reply(&reply(&value, 200, "1 CANCEL", "b"))
            .is_some()
    );
    assert_eq!(
        call.table.match_reply(&reply(&value, 180, "1 BYE", "b")),
        None
    );
    assert_eq!(
        call.table.match_reply(&reply(&value, 180, "2 INVITE", "b")),
        None
    );
    assert_eq!(
        call.table
            .match_reply(&reply(b"z9hG4bKforeign", 180, "1 INVITE", "b")),
        None
    );
    let mut forged = value;
    forged[15] = if forged[15] == b'0' { b'1' } else { b'0' };
    assert_eq!(
        call.table
            .match_reply(&reply(&forged, 180, "1 INVITE", "b")),
        None
    );
}

#[test]
fn a_reply_for_a_branch_that_never_was_is_absorbed() {
    let mut call = Call::invite();
    call.fork(1);
    assert_eq!(call.reply(7, 200), None);
}

#[test]
fn a_forwarded_cancel_has_its_own_replies() {
    let table = table();
    let cancel = Request {
        method: "CANCEL",
        ..INVITE
    }
    .message();
    let id = create(&table, &cancel);
    let value = table.checkout(id).map(|record| {
        let value = record.branch_value(0);
        table.check_in(record);
        value
    });
    let reply = reply(&value.expect("it exists"), 200, "1 CANCEL", "b");
    assert_eq!(table.match_reply(&reply).map(|found| found.id), Some(id));
}

#[test]
fn the_branch_is_the_same_without_a_transaction() {
    let table = table();
    let id = create(&table, &INVITE.message());
    let record = table.checkout(id).expect("it exists");
    let stateless = |request: Request<'_>| table.stateless_branch(&request.message());
    assert_eq!(stateless(INVITE), record.branch_value(0));
    let cancel = Request {
        method: "CANCEL",
        ..INVITE
    };
    let ack = Request {
        method: "ACK",
        to_tag: ";tag=x",
        ..INVITE
    };
    assert_eq!(stateless(cancel), stateless(INVITE));
    assert_eq!(stateless(ack), stateless(INVITE));
    assert_ne!(
        stateless(Request {
            branch: "z9hG4bKother",
            ..INVITE
        }),
        stateless(INVITE)
    );
    let parsed = stateless(INVITE);
    let parsed = sip::branch::Branch::parse(&parsed).expect("our own form");
    assert_eq!(parsed.index, id.index);
}

#[test]
fn requests_made_here_have_client_sides_only() {
    let table = table();
    let request = Request {
        method: "BYE",
        ..INVITE
    }
    .message();
    let record = table.create_local(Arc::clone(&request), Settings::default(), (), Time::ZERO);
    let mut record = record.expect("a complete request");
    let value = record.next_branch_value();
    let label = sip::branch::label_key(record.id().label);
    assert_eq!(
        sip::branch::Branch::parse(&value).map(|b| b.key),
        Some(&label[..])
    );
    let hop = super::messages::hop(6_000, Transport::Udp);
    let mut out = Vec::new();
    record
        .add_branch(hop, Arc::from(&b"BYE"[..]), (), Time::ZERO, &mut out)
        .expect("allowed");
    let id = record.id();
    table.check_in(record);
    assert_eq!(
        table.match_request(&request),
        Match::New,
        "a loop is no retransmission"
    );
    let reply = reply(&value, 200, "1 BYE", "b");
    assert_eq!(table.match_reply(&reply).map(|found| found.id), Some(id));
    assert_eq!(table.statistics().created_local, 1);
}

#[test]
fn incomplete_requests_are_refused() {
    let table = table();
    let refused = |text: &str| {
        let request = parse(text.to_owned());
        assert!(matches!(table.match_request(&request), Match::New));
        let requester = requester(Transport::Udp);
        table
            .create(request, requester, Settings::default(), (), Time::ZERO)
            .err()
    };
    let incomplete = Some(Refused::Incomplete);
    assert_eq!(
        refused("OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n"),
        incomplete
    );
    let via = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n";
    assert_eq!(
        refused(&format!("OPTIONS sip:a SIP/2.0\r\n{via}Call-ID: 1\r\n\r\n")),
        incomplete
    );
    assert_eq!(
        refused(&format!(
            "OPTIONS sip:a SIP/2.0\r\n{via}CSeq: 1 OPTIONS\r\n\r\n"
        )),
        incomplete
    );
    assert!(table.is_empty());
}

#[test]
fn a_crowd_with_one_call_id_and_cseq_is_refused() {
    let table = table();
    for number in 0..128 {
        let branch = format!("z9hG4bKc{number}");
        create(
            &table,
            &Request {
                branch: &branch,
                ..INVITE
            }
            .message(),
        );
    }
    let one_more = Request {
        branch: "z9hG4bKmore",
        ..INVITE
    }
    .message();
    let requester = requester(Transport::Udp);
    let refused = table.create(one_more, requester, Settings::default(), (), Time::ZERO);
    assert_eq!(refused.err(), Some(Refused::Crowded));
    assert_eq!(table.statistics().crowded, 1);
}

#[test]
fn a_record_that_never_comes_back_is_given_up() {
    let table = table();
    let id = create(&table, &INVITE.message());
    let record = table.checkout(id);
    assert!(record.is_some() && table.checkout(id).is_none());
    drop(record);
    let mut due = Vec::new();
    for second in 0..900 {
        table.advance(
            id.index as usize,
            Time::from_millis(second * 1_000),
            &mut due,
        );
    }
    assert!(due.is_empty() && table.is_empty());
    assert_eq!(table.statistics().lost, 1);
}

#[test]
fn what_is_due_is_reported_until_it_is_served() {
    let mut call = Call::invite();
    call.fork(1);
    let mut due = Vec::new();
    for at_ms in [500, 1_500, 2_500] {
        call.table
            .advance(call.id.index as usize, Time::from_millis(at_ms), &mut due);
    }
    assert_eq!(due.len(), 3);
    call.run_until(300_000);
    assert_eq!(call.events[0].0, 30_000);
}
