//! Profiles: a count is always the size of the set that the records make.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tandem_dialog::{
    DialogId, Effects, Ending, Invite, LegOutcome, Method, Now, ProfileError, ProfileId, Request,
    Sides, State, Tracker, VariableError, dflags,
};

use crate::support::{DOWN, INVITE, Lab, START, reply, request};

fn profile(lab: &Lab, name: &str) -> ProfileId {
    lab.tracker.profile(name).expect("declared")
}

#[test]
fn memberships_are_sets() {
    let lab = Lab::new(|_| {});
    let (caller, inbound) = (profile(&lab, "caller"), profile(&lab, "inbound"));
    let id = lab.call();
    let set = |profile, value| lab.tracker.set_profile(id, profile, value);
    assert_eq!(set(caller, Some(b"alice")), Ok(true));
    assert_eq!(set(caller, Some(b"alice")), Ok(false), "counted once");
    assert_eq!(set(caller, Some(b"second")), Ok(true));
    assert_eq!(set(inbound, Some(b"ignored")), Ok(true));
    assert_eq!(set(inbound, None), Ok(false));
    assert_eq!(set(caller, None), Err(ProfileError::NoValue));
    assert_eq!(set(caller, Some(b"")), Err(ProfileError::NoValue));
    let size = |profile, value| lab.tracker.profile_size(profile, value);
    assert_eq!(size(caller, Some(b"alice")), 1);
    assert_eq!(size(caller, None), 2);
    assert_eq!(size(inbound, Some(b"anything")), 1);
    assert_eq!(lab.tracker.profile_members(caller, None), [id, id]);
    let is_in = |profile, value| lab.tracker.is_in_profile(id, profile, value);
    assert!(is_in(caller, Some(b"alice")) && is_in(caller, None) && is_in(inbound, Some(b"x")));
    assert!(!is_in(caller, Some(b"bob")));
    let view = lab.view(id);
    let listed: Vec<_> = view.profiles().collect();
    let expected = [
        ("inbound", None),
        ("caller", Some(b"second".as_slice())),
        ("caller", Some(b"alice")),
    ];
    assert_eq!(listed, expected);
    assert_ne!(view.dflags() & dflags::PROFILES_CHANGED, 0);
    assert_eq!(
        lab.tracker.unset_profile(id, caller, Some(b"alice")),
        Ok(true)
    );
    assert_eq!(
        lab.tracker.unset_profile(id, caller, Some(b"alice")),
        Ok(false)
    );
    assert_eq!(size(caller, None), 1);
    assert_eq!(lab.tracker.profile("nope"), None);
}

#[test]
fn ended_calls_are_in_no_profile() {
    let lab = Lab::new(|_| {});
    let inbound = profile(&lab, "inbound");
    let ends: [fn(&Lab, DialogId); 4] = [
        |lab, id| drop(lab.reply(id, 486, b"tt1")),
        |lab, id| drop(lab.tracker.abandon(id, lab.now())),
        |lab, id| {
            lab.reply(id, 200, b"tt1");
            lab.send(id, Method::Bye, DOWN, 11);
        },
        |lab, id| {
            lab.reply(id, 200, b"tt1");
            lab.tracker.end_local(id, Sides::All, lab.now());
        },
    ];
    for end in ends {
        let id = lab.call();
        lab.tracker.set_profile(id, inbound, None).expect("set");
        assert_eq!(lab.tracker.profile_size(inbound, None), 1);
        end(&lab, id);
        assert_eq!(lab.tracker.profile_size(inbound, None), 0);
        assert_eq!(
            lab.tracker.set_profile(id, inbound, None),
            Err(ProfileError::NoCall)
        );
    }
}

#[test]
fn a_place_below_a_limit_is_taken_in_one_step() {
    let lab = Lab::new(|_| {});
    let caller = profile(&lab, "caller");
    let (first, second) = (lab.call(), lab.call());
    let take = |id| lab.tracker.set_profile_below(id, caller, Some(b"alice"), 1);
    assert_eq!(take(first), Ok(true));
    assert_eq!(take(first), Ok(false), "it has its place");
    assert_eq!(take(second), Err(ProfileError::Full));
    lab.reply(first, 486, b"tt1");
    assert_eq!(take(second), Ok(true));
}

#[test]
fn what_was_set_before_the_call_is_adopted() {
    let lab = Lab::new(|_| {});
    let (caller, inbound) = (profile(&lab, "caller"), profile(&lab, "inbound"));
    let id = lab.call();
    let memberships = [
        (caller, b"alice".to_vec()),
        (inbound, vec![]),
        (caller, vec![]),
    ];
    let variables = [
        (b"x".to_vec(), b"pre".to_vec()),
        (b"y".to_vec(), b"post".to_vec()),
    ];
    assert_eq!(lab.tracker.adopt(id, &memberships, &variables), 4);
    let view = lab.view(id);
    assert_eq!(view.profiles().count(), 2);
    let listed: Vec<_> = view.variables().collect();
    assert_eq!(
        listed,
        [(b"y".as_slice(), b"post".as_slice()), (b"x", b"pre")]
    );
}

#[test]
fn variables_keep_their_place_and_outlive_the_end() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let set = |name: &[u8], value: &[u8]| lab.tracker.set_variable(id, name, value);
    set(b"a", b"1").expect("set");
    set(b"b", b"").expect("set");
    set(b"a", b"other").expect("set");
    let names = || -> Vec<Vec<u8>> { lab.view(id).variables().map(|v| v.0.to_vec()).collect() };
    assert_eq!(names(), [b"b", b"a"]);
    assert_eq!(lab.tracker.variable(id, b"b"), Some(vec![]));
    assert!(lab.tracker.unset_variable(id, b"b"));
    assert!(!lab.tracker.unset_variable(id, b"b"));
    lab.send(id, Method::Bye, DOWN, 11);
    assert_eq!(
        lab.tracker.variable(id, b"a"),
        Some(b"other".to_vec()),
        "for the end's route"
    );
    assert!(names().is_empty(), "as commands show it");
    let gone = DialogId {
        h_entry: 1,
        h_id: u32::MAX,
    };
    assert_eq!(
        lab.tracker.set_variable(gone, b"a", b""),
        Err(VariableError::NoCall)
    );
}

#[test]
fn what_a_call_carries_is_limited() {
    let lab = Lab::new(|s| s.max_items_bytes = 64);
    let id = lab.call();
    let large = [b'x'; 80];
    assert_eq!(
        lab.tracker.set_variable(id, b"a", &large),
        Err(VariableError::TooLarge)
    );
    let caller = profile(&lab, "caller");
    assert_eq!(
        lab.tracker.set_profile(id, caller, Some(&large)),
        Err(ProfileError::TooLarge)
    );
    assert_eq!(lab.tracker.profile_size(caller, None), 0);
    assert_eq!(lab.tracker.statistics().limited, 2);
}

/// What the sets should be, from the records alone.
fn recomputed(tracker: &Tracker, now: Now) -> BTreeMap<(String, Option<Vec<u8>>), usize> {
    let mut sizes = BTreeMap::new();
    for view in tracker.iter(now) {
        for (name, value) in view.profiles() {
            *sizes
                .entry((name.to_owned(), value.map(<[u8]>::to_vec)))
                .or_default() += 1;
        }
    }
    sizes
}

fn check(tracker: &Tracker, now: Now) {
    let sizes = recomputed(tracker, now);
    for name in ["caller", "inbound"] {
        let profile = tracker.profile(name).expect("declared");
        let total: usize = sizes
            .iter()
            .filter(|entry| entry.0.0 == name)
            .map(|entry| entry.1)
            .sum();
        assert_eq!(tracker.profile_size(profile, None), total);
        assert_eq!(tracker.profile_members(profile, None).len(), total);
    }
    for ((name, value), size) in sizes {
        let profile = tracker.profile(&name).expect("declared");
        assert_eq!(tracker.profile_size(profile, value.as_deref()), size);
    }
    let s = tracker.statistics();
    let mut in_state = [0; 5];
    for view in tracker.iter(now) {
        in_state[usize::from(view.state().number()) - 1] += 1;
    }
    assert_eq!(s.in_state, in_state);
}

/// One random step on one of a few calls.
fn step(tracker: &Tracker, thread: u8, call: u8, action: u8, value: u8, now: Now) {
    let call_id = [b'c', thread, call];
    let invite = Invite {
        call_id: &call_id,
        ..INVITE
    };
    let Some(&id) = tracker.find_all(&call_id, None).last() else {
        tracker.create(&invite, now).expect("room");
        return;
    };
    let values = [[b'a'], [b'b'], [b'c'], [b'd']];
    let value_index = value % 4;
    let value = values[usize::from(value_index)].as_slice();
    let caller = tracker.profile("caller").expect("declared");
    let inbound = tracker.profile("inbound").expect("declared");
    let tag = [b"tt1".as_slice(), b"tt2", b"tt3", b""][usize::from(value_index)];
    match action % 15 {
        0..=2 => drop(tracker.set_profile(id, caller, Some(value))),
        3 => drop(tracker.set_profile_below(id, caller, Some(value), 3)),
        4 => drop(tracker.set_profile(id, inbound, None)),
        5 => drop(tracker.unset_profile(id, caller, Some(value))),
        6 => drop(tracker.unset_profile(id, inbound, None)),
        7 => {
            if let Some(effects) = tracker.reply(id, &reply(200, tag), now) {
                answer_byes(tracker, id, &effects);
            }
        }
        8 => drop(tracker.reply(id, &reply(486, b"tt1"), now)),
        9 => drop(tracker.request(
            id,
            &Request {
                callee_tag: tag,
                ..request(Method::Bye, DOWN, 11)
            },
            now,
        )),
        10 => drop(tracker.abandon(id, now)),
        11 => drop(tracker.reply(id, &reply(183, tag), now)),
        12 => drop(tracker.request(
            id,
            &Request {
                callee_tag: tag,
                ..request(Method::Ack, DOWN, 11)
            },
            now,
        )),
        13 => end(tracker, id, now),
        _ => {
            tracker.hold(id);
            tracker.release(id);
        }
    }
}

fn end(tracker: &Tracker, id: DialogId, now: Now) {
    if let Some(Ending::Ended(effects)) = tracker.end_local(id, Sides::All, now) {
        answer_byes(tracker, id, &effects);
    }
}

fn answer_byes(tracker: &Tracker, id: DialogId, effects: &Effects) {
    for bye in &effects.byes {
        tracker.leg_done(id, &bye.leg, LegOutcome::Answered(200));
    }
}

fn advance(tracker: &Tracker, now: Now) {
    for shard in 0..Tracker::SHARDS {
        for due in tracker.due(shard, now) {
            tracker.timeout(due.id, now);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sizes_equal_the_records(steps in prop::collection::vec((0u8..6, any::<u8>(), any::<u8>(), 0u64..40), 1..120)) {
        let lab = Lab::new(|s| s.hash_size = 4);
        let mut ms = START * 1000;
        for (call, action, value, seconds) in steps {
            ms += seconds * 1000;
            let now = Now::from_unix_millis(ms);
            step(&lab.tracker, 0, call, action, value, now);
            advance(&lab.tracker, now);
            check(&lab.tracker, now);
        }
        for _ in 0..3 {
            ms += 86_400 * 1000;
            advance(&lab.tracker, Now::from_unix_millis(ms));
        }
        let s = lab.tracker.statistics();
        prop_assert_eq!(s.in_state, [0; 5]);
        prop_assert!(recomputed(&lab.tracker, Now::from_unix_millis(ms)).is_empty());
    }
}

#[test]
fn sizes_equal_the_records_after_four_threads() {
    let lab = Lab::new(|_| {});
    let (tracker, now) = (&lab.tracker, lab.now());
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            scope.spawn(move || {
                let mut random = u64::from(thread) + 1;
                for _ in 0..20_000 {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let [call, action, value, ..] = (random >> 24).to_le_bytes();
                    step(tracker, thread, call % 16, action, value, now);
                }
            });
        }
    });
    check(tracker, now);
    assert!(tracker.statistics().processed > 1000);
    let live = tracker
        .iter(now)
        .filter(|view| view.state() != State::Deleted)
        .count();
    assert!(live > 0);
}

#[test]
fn calls_of_other_nodes_count_until_their_time() {
    let mut lab = Lab::new(|_| {});
    let caller = lab.tracker.profile("caller").expect("declared");
    let inbound = lab.tracker.profile("inbound").expect("declared");
    let tracker = &lab.tracker;
    let soon = START as u32 + 5;
    assert_eq!(tracker.add_remote(caller, Some(b"x"), b"u1", soon), Ok(()));
    assert_eq!(tracker.add_remote(caller, Some(b"x"), b"u2", 0), Ok(()));
    assert_eq!(tracker.add_remote(inbound, None, b"u1", soon), Ok(()));
    assert_eq!(tracker.add_remote(inbound, None, b"u1", soon + 10), Ok(()));
    let size = |lab: &Lab, profile| lab.tracker.profile_size(profile, None);
    assert_eq!((size(&lab, caller), size(&lab, inbound)), (2, 1));
    let id = lab.confirmed();
    let limited = |limit| lab.tracker.set_profile_below(id, caller, Some(b"x"), limit);
    assert_eq!(limited(2), Err(ProfileError::Full));
    assert_eq!(limited(3), Ok(true));
    assert!(lab.tracker.profile_members(caller, None) == [id]);
    assert_eq!(lab.tracker.profile_values(caller), [(b"x".to_vec(), 3)]);
    lab.pass_secs(6);
    assert_eq!(lab.tracker.expire_remote(lab.now()), 1);
    assert_eq!((size(&lab, caller), size(&lab, inbound)), (2, 1));
    let remove = |uid| lab.tracker.remove_remote(caller, Some(b"x"), uid);
    assert_eq!((remove(b"u2"), remove(b"u2")), (Ok(true), Ok(false)));
    lab.pass_secs(10);
    assert_eq!(lab.tracker.expire_remote(lab.now()), 1);
    assert_eq!((size(&lab, caller), size(&lab, inbound)), (1, 0));
}

#[test]
fn calls_of_other_nodes_are_limited_and_named() {
    let lab = Lab::new(|s| s.max_remote = 2);
    let caller = lab.tracker.profile("caller").expect("declared");
    let add = |value: Option<&[u8]>, uid: &[u8]| lab.tracker.add_remote(caller, value, uid, 0);
    assert_eq!(add(None, b"u"), Err(ProfileError::NoValue));
    assert_eq!(add(Some(b"x"), b""), Err(ProfileError::BadUid));
    assert_eq!(add(Some(b"x"), &[b'u'; 64]), Err(ProfileError::BadUid));
    assert_eq!(
        (add(Some(b"x"), b"1"), add(Some(b"y"), b"1")),
        (Ok(()), Ok(()))
    );
    assert_eq!(add(Some(b"z"), b"1"), Err(ProfileError::Full));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever comes and goes at once, a set never has more members than its limit.
    #[test]
    fn admissions_at_once_never_exceed_the_limit(limit in 1usize..12, threads in 2u64..6, calls in 2u64..20) {
        let lab = Lab::new(|_| {});
        let caller = lab.tracker.profile("caller").expect("declared");
        let ids: Vec<Vec<_>> = (0..threads).map(|_| (0..calls).map(|_| lab.call()).collect()).collect();
        let (tracker, now) = (&lab.tracker, lab.now());
        let worst = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for ids in &ids {
                let worst = &worst;
                scope.spawn(move || {
                    for (i, id) in ids.iter().enumerate() {
                        let taken = tracker.set_profile_below(*id, caller, Some(b"x"), limit).is_ok();
                        let size = tracker.profile_size(caller, Some(b"x"));
                        worst.fetch_max(size, std::sync::atomic::Ordering::Relaxed);
                        if taken && i % 3 == 0 {
                            tracker.set_state(*id, State::Deleted, now);
                        }
                    }
                });
            }
        });
        prop_assert!(worst.into_inner() <= limit);
        prop_assert!(tracker.profile_size(caller, None) <= limit);
    }
}
