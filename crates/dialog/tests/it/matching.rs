//! Which call a request belongs to, and when an INVITE is one that passed before.

use tandem_dialog::{CreateError, Created, Invite, MatchMode, State};

use crate::support::{DOWN, INVITE, Lab, UP, key};

fn in_mode(match_mode: MatchMode) -> Lab {
    Lab::new(|s| s.match_mode = match_mode)
}

#[test]
fn cookies_by_mode() {
    use MatchMode::{DidFallback, DidNone, DidOnly};
    for (mode, good, absent) in [
        (DidOnly, true, false),
        (DidFallback, true, true),
        (DidNone, true, true),
    ] {
        let lab = in_mode(mode);
        let id = lab.confirmed();
        let cookie = tandem_dialog::Cookie::new(id);
        let with = |cookie| {
            let found = lab.tracker.match_request(&key(b"ftA", b"tt1", cookie));
            found.map(|m| (m.id, m.direction))
        };
        assert_eq!(with(Some(cookie.as_bytes())).is_some(), good);
        for foreign in [
            None,
            Some(b"xyz".as_slice()),
            Some(b"1.zz"),
            Some(b"ff.ffff"),
            Some(b""),
        ] {
            let expected = absent.then_some((id, DOWN));
            assert_eq!(with(foreign), expected, "{mode:?} {foreign:?}");
        }
    }
}

#[test]
fn a_cookie_of_another_call_counts_as_absent() {
    for (mode, found) in [(MatchMode::DidOnly, false), (MatchMode::DidFallback, true)] {
        let lab = in_mode(mode);
        let first = lab.confirmed();
        let other = tandem_dialog::Cookie::new(lab.confirmed());
        let matched = lab
            .tracker
            .match_request(&key(b"ftA", b"tt1", Some(other.as_bytes())));
        assert_eq!(matched.map(|m| m.id), found.then_some(first));
        let own = tandem_dialog::Cookie::new(first);
        let tags = lab
            .tracker
            .match_request(&key(b"ftA", b"zz", Some(own.as_bytes())));
        assert_eq!(tags, None, "the tags differ");
    }
}

#[test]
fn tags_by_direction_while_the_callee_is_unknown() {
    let lab = in_mode(MatchMode::DidNone);
    lab.call_in(State::Early);
    let find = |from: &[u8], to: &[u8], direction| {
        lab.tracker
            .find(INVITE.call_id, from, to, direction)
            .map(|m| m.direction)
    };
    assert_eq!(find(b"ftA", b"any", None), Some(DOWN));
    assert_eq!(find(b"any", b"ftA", None), Some(UP));
    assert_eq!(find(b"ftA", b"", None), Some(DOWN));
    assert_eq!(find(b"x", b"y", None), None);
    assert_eq!(find(b"ftA", b"any", Some(DOWN)), Some(DOWN));
    assert_eq!(find(b"ftA", b"any", Some(UP)), None);
    assert_eq!(find(b"any", b"ftA", Some(UP)), Some(UP));
}

#[test]
fn both_tags_count_once_the_callee_is_known() {
    let lab = in_mode(MatchMode::DidNone);
    let id = lab.call_in(State::ConfirmedNoAck);
    let find = |from: &[u8], to: &[u8], direction| {
        lab.tracker
            .find(INVITE.call_id, from, to, direction)
            .map(|m| m.direction)
    };
    assert_eq!(find(b"ftA", b"tt1", None), Some(DOWN));
    assert_eq!(find(b"tt1", b"ftA", None), Some(UP));
    assert_eq!(find(b"tt1", b"ftA", Some(UP)), Some(UP));
    assert_eq!(find(b"tt1", b"ftA", Some(DOWN)), None);
    assert_eq!(find(b"ftA", b"tt2", None), None);
    assert_eq!(
        find(b"FTA", b"tt1", None),
        None,
        "tags are compared byte by byte"
    );
    assert_eq!(
        find(b"ftA", b"", None),
        Some(DOWN),
        "while the ACK is awaited"
    );
    lab.send(id, tandem_dialog::Method::Ack, DOWN, 10);
    assert_eq!(find(b"ftA", b"", None), None);
}

#[test]
fn of_several_calls_the_oldest_known_or_the_newest_unknown() {
    let lab = Lab::new(|s| s.detect_spirals = false);
    let first = lab.create(&INVITE).id();
    let second = lab.create(&INVITE).id();
    let found = |to: &[u8]| {
        lab.tracker
            .find(INVITE.call_id, b"ftA", to, None)
            .map(|m| m.id)
    };
    assert_eq!(found(b"tt1"), Some(second));
    lab.reply(first, 200, b"tt1");
    assert_eq!(found(b"tt1"), Some(first));
    assert_eq!(found(b"tt2"), Some(second));
    lab.reply(second, 200, b"tt1");
    assert_eq!(found(b"tt1"), Some(first));
    assert_eq!(lab.tracker.find_all(INVITE.call_id, None), [first, second]);
    assert_eq!(lab.tracker.find_all(INVITE.call_id, Some(b"other")), []);
}

#[test]
fn the_same_invite_again_is_a_spiral_while_the_call_is_unanswered() {
    let lab = Lab::new(|_| {});
    let Created::New { id, cookie } = lab.create(&INVITE) else {
        panic!("the first is new")
    };
    assert!(cookie.is_some());
    assert_eq!(lab.create(&INVITE), Created::Spiral(id));
    lab.reply(id, 180, b"tt1");
    assert_eq!(lab.create(&INVITE), Created::Spiral(id));
    let other = Invite {
        from_tag: b"ftB",
        ..INVITE
    };
    assert!(matches!(lab.create(&other), Created::New { .. }));
    assert_eq!(lab.tracker.statistics().processed, 2);
}

#[test]
fn after_a_refusal_the_same_call_id_begins_anew() {
    let lab = Lab::new(|_| {});
    let first = lab.create(&INVITE).id();
    lab.reply(first, 407, b"x");
    let second = lab.create(&Invite { cseq: 11, ..INVITE });
    assert!(matches!(second, Created::New { .. }));
    assert_eq!(lab.create(&INVITE), Created::Spiral(second.id()));
}

#[test]
fn an_ended_call_hides_no_live_one() {
    let lab = Lab::new(|s| s.detect_spirals = false);
    let first = lab.create(&INVITE).id();
    let second = lab.create(&INVITE).id();
    lab.reply(second, 486, b"x");
    let found = || {
        lab.tracker
            .find(INVITE.call_id, b"ftA", b"", None)
            .map(|m| m.id)
    };
    assert_eq!(found(), Some(first));
    lab.reply(first, 486, b"x");
    assert_eq!(found(), Some(second), "the newest of those that are over");
}

#[test]
fn without_spiral_detection_each_pass_is_a_call() {
    let lab = Lab::new(|s| s.detect_spirals = false);
    assert_ne!(lab.create(&INVITE).id(), lab.create(&INVITE).id());
}

#[test]
fn what_is_no_call_is_refused() {
    let lab = Lab::new(|s| {
        s.max_dialogs = 3;
        s.max_dialogs_per_call_id = 2;
    });
    let create = |invite: Invite<'_>| lab.tracker.create(&invite, lab.now()).map(|c| c.id());
    assert_eq!(
        create(Invite {
            from_tag: b"",
            ..INVITE
        }),
        Err(CreateError::NoFromTag)
    );
    assert_eq!(
        create(Invite {
            contact: b"",
            ..INVITE
        }),
        Err(CreateError::NoContact)
    );
    create(Invite {
        from_tag: b"1",
        ..INVITE
    })
    .expect("first");
    create(Invite {
        from_tag: b"2",
        ..INVITE
    })
    .expect("second");
    let third = create(Invite {
        from_tag: b"3",
        ..INVITE
    });
    assert_eq!(third, Err(CreateError::TooManyWithCallId));
    create(Invite {
        call_id: b"other",
        ..INVITE
    })
    .expect("third");
    assert_eq!(
        create(Invite {
            call_id: b"more",
            ..INVITE
        }),
        Err(CreateError::Full)
    );
    assert_eq!(lab.tracker.statistics().refused, 2);
}

#[test]
fn ids_are_kamailios() {
    let lab = Lab::new(|s| {
        s.h_id_start = 3;
        s.h_id_step = 10;
    });
    let invite = Invite {
        call_id: b"cb@t",
        ..INVITE
    };
    let id = lab.create(&invite).id();
    assert_eq!(id.h_entry, 905);
    assert_eq!(id.h_id % 10, 3);
    let next = lab
        .create(&Invite {
            from_tag: b"other",
            ..invite
        })
        .id();
    assert_eq!(next.h_id, id.h_id + 10);
}
