//! Keep-alives: when they are sent, and what their answers do to a call.

use tandem_dialog::{
    DialogId, EndReason, KeepAlive, LocalRequest, Method, Party, Settings, Side, State, iflags,
};

use crate::support::{DOWN, Lab, START, UP, events, text};

fn lab(change: impl FnOnce(&mut Settings)) -> Lab {
    Lab::new(|s| {
        s.keep_alive_interval = 30;
        change(s);
    })
}

/// A call that asks for keep-alives to both sides.
fn watched(lab: &Lab) -> DialogId {
    let id = lab.confirmed();
    let both = iflags::KA_CALLER | iflags::KA_CALLEE;
    lab.tracker.change_iflags(id, 0, both, lab.now());
    id
}

/// The keep-alives that are due in all of the table.
fn due(lab: &Lab) -> Vec<(DialogId, Vec<LocalRequest>)> {
    let now = lab.now();
    let due = (0..tandem_dialog::Tracker::SHARDS).flat_map(|shard| lab.tracker.due(shard, now));
    due.filter(|due| due.keep_alive)
        .map(|due| (due.id, lab.tracker.keep_alive(due.id, now)))
        .collect()
}

fn answer(lab: &Lab, id: DialogId, side: Side, alive: bool) -> KeepAlive {
    lab.tracker.kept_alive(id, side, alive, lab.now())
}

#[test]
fn they_go_to_both_sides_at_each_interval() {
    let mut lab = lab(|_| {});
    let id = watched(&lab);
    lab.send(id, Method::Other, UP, 5);
    lab.pass_ms(29_900);
    assert!(due(&lab).is_empty());
    lab.pass_ms(116);
    let sent = due(&lab);
    let requests = &sent[0].1;
    assert_eq!((sent.len(), requests.len()), (1, 2));
    assert_eq!(text(&requests[0].to), "<sip:alice@example.org>;tag=ftA");
    assert_eq!(text(&requests[1].to), "<sip:bob@example.org>;tag=tt1");
    // Not above what the parties themselves have used, and nothing is used up.
    assert_eq!((requests[0].cseq, requests[1].cseq), (4, 9));
    let next = lab.tracker.local_request(id, Side::Callee, None);
    assert_eq!(next.map(|request| request.cseq), Some(11));
    lab.pass_ms(29_000);
    assert!(due(&lab).is_empty());
    lab.pass_ms(1_100);
    assert_eq!(due(&lab).len(), 1);
}

#[test]
fn properties_act_from_the_moment_they_are_set() {
    let mut lab = lab(|_| {});
    let id = lab.confirmed();
    lab.pass_secs(100);
    assert!(due(&lab).is_empty());
    lab.tracker
        .change_iflags(id, 0, iflags::KA_CALLEE, lab.now());
    assert_eq!(lab.view(id).next_keep_alive(), Some(30));
    lab.pass_ms(30_016);
    assert_eq!(due(&lab)[0].1.len(), 1);
    lab.tracker
        .change_iflags(id, iflags::KA_CALLEE, 0, lab.now());
    lab.pass_secs(100);
    assert!(due(&lab).is_empty());
    assert_eq!(lab.view(id).next_keep_alive(), None);
}

#[test]
fn calls_that_begin_together_are_spread() {
    let mut lab = lab(|s| s.keep_alive_spread = 10);
    for _ in 0..1000 {
        watched(&lab);
    }
    lab.pass_secs(30);
    let mut most = 0;
    let mut sent = due(&lab).len();
    for _ in 0..10 {
        lab.pass_secs(1);
        let now = due(&lab).len();
        most = most.max(now);
        sent += now;
    }
    assert_eq!(sent, 1000);
    assert!(most < 200, "{most} in one second");
}

#[test]
fn a_party_that_misses_as_many_as_allowed_loses_the_call() {
    let mut lab = lab(|s| s.keep_alive_limit = 2);
    let id = watched(&lab);
    assert_eq!(answer(&lab, id, Side::Callee, false), KeepAlive::Missed);
    assert_eq!(answer(&lab, id, Side::Callee, true), KeepAlive::Alive);
    assert_eq!(answer(&lab, id, Side::Callee, false), KeepAlive::Missed);
    assert_eq!(answer(&lab, id, Side::Caller, false), KeepAlive::Missed);
    assert_eq!(lab.view(id).missed_keep_alives(Side::Callee), 1);
    assert_eq!(answer(&lab, id, Side::Callee, false), KeepAlive::Lost);
    let view = lab.view(id);
    assert_eq!((view.lifetime(), view.timeout()), (10, START as u32 + 10));
    // The caller's requests do not bring the callee back.
    lab.pass_secs(5);
    lab.send(id, Method::Other, DOWN, 11);
    lab.pass_ms(5_016);
    let done = lab.tick();
    assert!(events(&done[0].1).contains(&tandem_dialog::Event::End));
    assert_eq!(
        lab.view(id).ended(),
        Some((EndReason::KeepAlive, Party::Proxy))
    );
}

#[test]
fn a_party_that_is_there_again_brings_the_deadline_back() {
    let mut lab = lab(|_| {});
    let id = watched(&lab);
    for by_request in [false, true] {
        let before = lab.view(id).timeout();
        assert_eq!(answer(&lab, id, Side::Caller, false), KeepAlive::Lost);
        lab.pass_secs(3);
        if by_request {
            lab.send(id, Method::Ack, DOWN, 10);
            assert_eq!(lab.view(id).timeout(), before + 6);
        } else {
            assert_eq!(answer(&lab, id, Side::Caller, true), KeepAlive::Recovered);
            assert_eq!(lab.view(id).timeout(), before);
        }
        assert_eq!(lab.view(id).lifetime(), 43_200);
    }
}

#[test]
fn an_ended_call_is_past_caring() {
    let lab = lab(|_| {});
    let id = watched(&lab);
    lab.send(id, Method::Bye, DOWN, 11);
    assert_eq!(lab.state(id), State::Deleted);
    assert_eq!(answer(&lab, id, Side::Caller, false), KeepAlive::Alive);
    assert!(lab.tracker.keep_alive(id, lab.now()).is_empty());
}
