//! Calls as a database keeps them: what is told to the journal, what is given to be written, what comes back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tandem_dialog::{
    DialogId, Journal, Method, Request, RestoreError, Sides, State, Stored, ToStore, iflags,
};

use crate::support::{DOWN, INVITE, Lab, UP, reply, request, text};

/// The calls that the journal heard of.
#[derive(Clone, Debug, Default)]
struct Heard(Arc<Mutex<Vec<DialogId>>>);

impl Journal for Heard {
    fn group(&self, _: &[u8]) -> u64 {
        0
    }

    fn changed(&self, _: u64, id: DialogId) {
        self.0.lock().unwrap().push(id);
    }
}

/// A database that holds what it was given.
struct Disk {
    heard: Heard,
    rows: BTreeMap<DialogId, Stored>,
}

impl Disk {
    fn of(lab: &Lab) -> Self {
        let heard = Heard::default();
        lab.tracker.set_journal(Box::new(heard.clone()));
        Self {
            heard,
            rows: BTreeMap::new(),
        }
    }

    /// Writes what the journal heard of.
    fn write(&mut self, lab: &Lab) {
        for id in self.heard.0.lock().unwrap().drain(..) {
            match lab.tracker.to_store(id, false) {
                ToStore::Nothing => {}
                ToStore::Gone => drop(self.rows.remove(&id)),
                ToStore::Call {
                    call,
                    is_new,
                    same_variables,
                } => {
                    let before = self.rows.insert(id, (*call).clone());
                    assert!(!is_new || before.is_none(), "a call is new once");
                    if same_variables {
                        let before = before.expect("the variables were written");
                        assert_eq!(before.variables, call.variables);
                    }
                }
            }
        }
    }

    /// What it has to hold: all calls that are up.
    fn check(&self, lab: &Lab, what: &str) {
        let mut expected = BTreeMap::new();
        for id in lab.tracker.answered() {
            if let ToStore::Call { call, .. } = lab.tracker.to_store(id, true) {
                expected.insert(id, *call);
            }
        }
        assert_eq!(self.rows, expected, "after {what}");
    }
}

fn lab() -> Lab {
    Lab::new(|settings| {
        settings.keep_alive_interval = 30;
        settings.noack_timeout = 20;
        settings.default_timeout = 100;
    })
}

/// What came of it is seen by what is kept.
fn ignore<T>(_: T) {}

/// One of the many things that can happen to a call.
fn happen(lab: &mut Lab, id: DialogId, what: u8, more: u8) {
    let tracker = &lab.tracker;
    let now = lab.now();
    let profile = tracker.profile("caller").expect("declared");
    let name = [more % 3];
    let cseq = u32::from(more);
    match what {
        0 => ignore(tracker.reply(id, &reply(180, b"tt1"), now)),
        1 => ignore(tracker.reply(id, &reply(200, b"tt1"), now)),
        2 => ignore(tracker.reply(id, &reply(200, b"tt2"), now)),
        3 => ignore(tracker.request(id, &request(Method::Ack, DOWN, 10), now)),
        4 => {
            let contact: &[u8] = if more.is_multiple_of(2) {
                b"sip:moved@10.0.0.9"
            } else {
                b""
            };
            let request = Request {
                contact,
                ..request(Method::Invite, UP, cseq)
            };
            ignore(tracker.request(id, &request, now));
        }
        5 => ignore(tracker.request(id, &request(Method::Other, DOWN, cseq), now)),
        6 => ignore(tracker.set_variable(id, &name, &[more])),
        7 => ignore(tracker.unset_variable(id, &name)),
        8 => ignore(tracker.set_profile(id, profile, Some(&name))),
        9 => ignore(tracker.unset_profile(id, profile, Some(&name))),
        10 => ignore(tracker.set_timeout(id, cseq + 1, now)),
        11 => ignore(tracker.change_sflags(id, 1, u32::from(more & 1))),
        12 => ignore(tracker.change_iflags(id, 0, iflags::KA_CALLEE, now)),
        13 => ignore(tracker.set_timeout_route(id, &name)),
        14 => ignore(tracker.local_request(id, tandem_dialog::Side::Callee, None)),
        15 => {
            ignore(tracker.kept_alive(id, tandem_dialog::Side::Caller, more.is_multiple_of(2), now))
        }
        16 => ignore(tracker.keep_alive(id, now)),
        17 => ignore(tracker.hold(id)),
        18 => ignore(tracker.release(id)),
        19 => ignore(tracker.request(id, &request(Method::Prack, DOWN, cseq), now)),
        20 => {
            let moved = reply(200, b"tt1");
            ignore(tracker.reply_within(id, DOWN, Method::Update, b"tt1", &moved, now));
        }
        21 => lab.pass_secs(u64::from(more % 40)),
        22 => ignore(lab.tick()),
        23 => ignore(tracker.set_state(id, State::Confirmed, now)),
        24 if more < 40 => ignore(tracker.request(id, &request(Method::Bye, DOWN, cseq), now)),
        25 if more < 20 => ignore(tracker.end_local(id, Sides::All, now)),
        28 => {
            let request = Request {
                callee_tag: b"tt2",
                contact: b"sip:moved@10.0.0.8",
                ..request(
                    Method::Invite,
                    if more.is_multiple_of(2) { UP } else { DOWN },
                    cseq,
                )
            };
            ignore(tracker.request(id, &request, now));
        }
        29 => ignore(tracker.local_request(id, tandem_dialog::Side::Callee, Some(b"tt2"))),
        30 => ignore(tracker.raise_cseq(id, tandem_dialog::Side::Callee, cseq)),
        31 => ignore(tracker.raise_cseq(id, tandem_dialog::Side::Caller, cseq)),
        32 if more < 60 => {
            let bye = Request {
                callee_tag: b"tt2",
                ..request(Method::Bye, DOWN, cseq)
            };
            ignore(tracker.request(id, &bye, now));
        }
        26 if more < 20 => ignore(tracker.reply(id, &reply(486, b"tt1"), now)),
        27 if more < 20 => ignore(tracker.set_state(id, State::Deleted, now)),
        _ => {}
    }
}

proptest! {
    /// Whatever happens: the journal hears of it if what is kept is another thing then.
    #[test]
    fn nothing_that_is_kept_changes_in_silence(steps in proptest::collection::vec((0u8..33, any::<u8>(), 0usize..3), 1..80)) {
        let mut lab = lab();
        let mut disk = Disk::of(&lab);
        let calls: Vec<_> = (0..3).map(|_| lab.call()).collect();
        for (what, more, call) in steps {
            happen(&mut lab, calls[call], what, more);
            disk.write(&lab);
            disk.check(&lab, &format!("{what} {more}"));
        }
    }

    /// A call that is made again is the call that was.
    #[test]
    fn a_call_comes_back_as_it_was(steps in proptest::collection::vec((prop_oneof![0u8..24, 28u8..33], any::<u8>()), 1..40)) {
        let mut before = lab();
        let id = before.confirmed();
        for (what, more) in steps {
            happen(&mut before, id, what, more);
        }
        let ToStore::Call { call, .. } = before.tracker.to_store(id, true) else {
            return Ok(());
        };
        let after = lab();
        prop_assert_eq!(after.tracker.restore(&call, before.now()), Ok(0));
        let ToStore::Call { call: again, is_new, .. } = after.tracker.to_store(id, false) else {
            return Err(TestCaseError::fail("it is not there"));
        };
        prop_assert!(!is_new);
        prop_assert_eq!(again, call);
    }
}

/// A confirmed call with everything that one can have.
fn rich(lab: &Lab) -> DialogId {
    let id = lab.confirmed();
    let tracker = &lab.tracker;
    tracker.set_variable(id, b"x", b"1").unwrap();
    tracker.set_variable(id, b"y", b"2").unwrap();
    let (caller, inbound) = (
        tracker.profile("caller").unwrap(),
        tracker.profile("inbound").unwrap(),
    );
    tracker.set_profile(id, caller, Some(b"alice")).unwrap();
    tracker.set_profile(id, inbound, None).unwrap();
    tracker.change_sflags(id, 0, 8);
    tracker.set_timeout(id, 50, lab.now());
    id
}

fn stored(lab: &Lab, id: DialogId) -> Stored {
    match lab.tracker.to_store(id, true) {
        ToStore::Call { call, .. } => *call,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_goes_on_where_it_was() {
    let mut before = lab();
    let call = stored(&before, rich(&before));
    before.pass_secs(20);
    let mut after = lab();
    after.pass_secs(20);
    after.tracker.restore(&call, after.now()).unwrap();
    let id = call.id;
    let view = after.view(id);
    assert_eq!(
        (view.state(), view.deadline(), view.lifetime()),
        (State::Confirmed, 30, 50)
    );
    let names: Vec<_> = view.variables().map(|(name, _)| text(name)).collect();
    assert_eq!(names, ["y", "x"], "in the same order");
    let caller = after.tracker.profile("caller").unwrap();
    assert_eq!(after.tracker.profile_size(caller, Some(b"alice")), 1);
    assert_eq!(after.tracker.statistics().active, 1);
    let cookie = after.tracker.cookie(id).unwrap();
    let key = crate::support::key(b"ftA", b"tt1", Some(cookie.as_bytes()));
    assert_eq!(after.tracker.match_request(&key).unwrap().id, id);
    after.pass_secs(29);
    assert!(after.tick().is_empty());
    after.pass_secs(1);
    let (expired, effects) = after.tick().remove(0);
    assert_eq!(
        (expired, effects.changed),
        (id, Some((State::Confirmed, State::Deleted)))
    );
    assert_eq!(after.tracker.profile_size(caller, None), 0);
}

#[test]
fn a_call_that_expired_meanwhile_ends_at_once() {
    let before = lab();
    let call = stored(&before, rich(&before));
    let mut after = lab();
    after.pass_secs(3000);
    after.tracker.restore(&call, after.now()).unwrap();
    after.pass_ms(20);
    assert_eq!(after.tick().len(), 1);
}

#[test]
fn numbers_go_on_behind_those_that_are_taken() {
    for step in [1, 10] {
        let numbered = || {
            Lab::new(|settings| {
                settings.h_id_step = step;
                settings.h_id_start = 3;
                settings.hash_size = 1;
            })
        };
        let before = numbered();
        let mut call = stored(&before, before.confirmed());
        call.id.h_id = 1_000_003;
        let after = numbered();
        after.tracker.restore(&call, after.now()).unwrap();
        assert_eq!(after.call().h_id, 1_000_003 + step);
    }
}

#[test]
fn what_cannot_be_ours_is_refused() {
    let lab = lab();
    let call = stored(&lab, lab.confirmed());
    let refused = |change: fn(&mut Stored)| {
        let mut call = call.clone();
        change(&mut call);
        lab.tracker.restore(&call, lab.now())
    };
    assert_eq!(refused(|_| {}), Err(RestoreError::Exists));
    assert_eq!(refused(|c| c.id.h_entry ^= 1), Err(RestoreError::Hash));
    assert_eq!(refused(|c| c.id.h_id = 0), Err(RestoreError::NoCall));
    assert_eq!(
        refused(|c| c.state = State::Deleted),
        Err(RestoreError::NoCall)
    );
    assert_eq!(lab.tracker.statistics().active, 1);
}

#[test]
fn numbers_of_our_own_requests_are_not_used_twice() {
    let before = lab();
    let id = before.confirmed();
    let sent = before
        .tracker
        .local_request(id, tandem_dialog::Side::Callee, None)
        .unwrap();
    let after = lab();
    after
        .tracker
        .restore(&stored(&before, id), after.now())
        .unwrap();
    let next = after
        .tracker
        .local_request(id, tandem_dialog::Side::Callee, None)
        .unwrap();
    assert_eq!(next.cseq, sent.cseq + 1);
    assert_eq!(text(&next.to), format!("<{}>;tag=tt1", text(INVITE.to_uri)));
}

/// Both dialogs of a call that two answered are there again, each with its numbers.
#[test]
fn a_forked_call_comes_back_with_both_callees() {
    let before = lab();
    let id = before.confirmed();
    before.reply(id, 200, b"tt2");
    let call = stored(&before, id);
    assert_eq!(call.forks.len(), 1);
    let after = lab();
    after.tracker.restore(&call, after.now()).unwrap();
    let bye = |tag| Request {
        callee_tag: tag,
        ..request(Method::Bye, DOWN, 11)
    };
    after.request(id, &bye(b"tt1"));
    assert_eq!(
        after.view(id).state(),
        State::Confirmed,
        "the other one is up"
    );
    assert_eq!(
        after.view(id).leg(tandem_dialog::Side::Callee).tag,
        Some(&b"tt2"[..])
    );
    assert!(stored(&after, id).forks.is_empty());
    after.request(id, &bye(b"tt2"));
    assert_eq!(after.view(id).state(), State::Deleted);
}

/// A request of ours took the caller's next number; the caller does not know that, also after a restart.
#[test]
fn a_number_that_we_used_is_not_the_callers() {
    let tracking = || Lab::new(|settings| settings.track_cseq = true);
    let before = tracking();
    let id = before.confirmed();
    let ours = before
        .tracker
        .local_request(id, tandem_dialog::Side::Callee, None);
    let after = tracking();
    after
        .tracker
        .restore(&stored(&before, id), after.now())
        .unwrap();
    after.request(id, &request(Method::Other, DOWN, 11));
    let sent = after.tracker.sent_cseq(id, INVITE.from_tag, 11);
    assert_eq!(sent, Some(ours.unwrap().cseq + 1));
    // Another program that knows only the columns has gone on with it.
    let mut call = stored(&before, id);
    call.legs[0].cseq = 30;
    let after = tracking();
    after.tracker.restore(&call, after.now()).unwrap();
    after.request(id, &request(Method::Other, DOWN, 31));
    assert_eq!(after.tracker.sent_cseq(id, INVITE.from_tag, 31), Some(31));
}
