//! Calls with several dialogs: early ones of each branch, and more than one answer.

use tandem_dialog::{Event, ForkState, Method, Reply, Request, Side, Sides, State};

use crate::support::{DOWN, INVITE, Lab, UP, events, reply, request, text};

fn forks(lab: &Lab, id: tandem_dialog::DialogId) -> Vec<(String, ForkState)> {
    let view = lab.view(id);
    view.forks()
        .map(|fork| (text(fork.callee.tag.unwrap_or_default()), fork.state))
        .collect()
}

fn within(tag: &'static [u8], method: Method, cseq: u32) -> Request<'static> {
    Request {
        callee_tag: tag,
        ..request(method, DOWN, cseq)
    }
}

#[test]
fn every_early_dialog_is_kept_until_the_answer() {
    let lab = Lab::new(|_| {});
    let id = lab.call();
    for tag in [b"tt1".as_slice(), b"tt2", b"tt1", b"tt3"] {
        let ringing = Reply {
            to_tag: tag,
            ..reply(180, b"")
        };
        lab.tracker.reply(id, &ringing, lab.now()).expect("known");
    }
    let early = |tag: &str| (tag.to_owned(), ForkState::Early);
    assert_eq!(forks(&lab, id), [early("tt1"), early("tt2"), early("tt3")]);
    for tag in [b"tt1", b"tt2", b"tt3"] {
        assert!(
            lab.tracker
                .find(INVITE.call_id, tag, b"ftA", None)
                .is_some()
        );
    }
    lab.request(id, &within(b"tt2", Method::Prack, 11));
    let update = Request {
        contact: b"sip:bob@new",
        ..within(b"tt2", Method::Update, 7)
    };
    lab.request(
        id,
        &Request {
            direction: UP,
            ..update
        },
    );
    lab.reply(id, 200, b"tt2");
    assert!(forks(&lab, id).is_empty());
    let view = lab.view(id);
    assert_eq!(view.leg(Side::Callee).cseq, Some(7));
    assert!(
        lab.tracker
            .find(INVITE.call_id, b"tt1", b"ftA", None)
            .is_none()
    );
}

#[test]
fn an_update_in_an_early_dialog_moves_its_target() {
    let lab = Lab::new(|_| {});
    let id = lab.call_in(State::Early);
    let update = Request {
        contact: b"sip:bob@new",
        ..request(Method::Update, UP, 1)
    };
    lab.request(id, &update);
    let view = lab.view(id);
    let fork = view.forks().next().expect("one early dialog");
    assert_eq!(fork.callee.contact, Some(b"sip:bob@new".as_slice()));
}

#[test]
fn a_second_answer_is_a_second_dialog_of_the_call() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let effects = lab.reply(id, 200, b"tt2");
    assert_eq!(
        (effects.changed, events(&effects)),
        (None, &[Event::Forked][..])
    );
    assert!(
        events(&lab.reply(id, 200, b"tt2")).is_empty(),
        "a repetition"
    );
    assert_eq!(forks(&lab, id), [("tt2".to_owned(), ForkState::Confirmed)]);
    assert!(
        lab.tracker
            .find(INVITE.call_id, b"ftA", b"tt2", None)
            .is_some()
    );
    assert_eq!(lab.tracker.statistics().active, 1);
}

#[test]
fn a_bye_in_the_second_dialog_leaves_the_call_up() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    lab.reply(id, 200, b"tt2");
    let bye = lab.request(id, &within(b"tt2", Method::Bye, 11));
    assert_eq!((bye.changed, events(&bye)), (None, &[Event::ForkEnded][..]));
    assert!(events(&lab.request(id, &within(b"tt2", Method::Bye, 11))).is_empty());
    assert_eq!(lab.state(id), State::Confirmed);
    let bye = lab.send(id, Method::Bye, DOWN, 11);
    assert_eq!(events(&bye), [Event::End]);
}

#[test]
fn a_bye_in_the_first_dialog_leaves_the_second_as_the_call() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    lab.reply(id, 200, b"tt2");
    let bye = lab.send(id, Method::Bye, DOWN, 11);
    assert_eq!((bye.changed, events(&bye)), (None, &[Event::ForkEnded][..]));
    let tag = text(lab.view(id).leg(Side::Callee).tag.unwrap_or_default());
    assert_eq!(tag, "tt2");
    assert_eq!(forks(&lab, id), [("tt1".to_owned(), ForkState::Ended)]);
    assert!(
        events(&lab.send(id, Method::Bye, DOWN, 11)).is_empty(),
        "a repetition"
    );
    let end = lab.request(id, &within(b"tt2", Method::Bye, 12));
    assert_eq!(events(&end), [Event::End]);
}

#[test]
fn all_dialogs_are_ended_with_the_call() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    lab.reply(id, 200, b"tt2");
    let Some(tandem_dialog::Ending::Ended(effects)) =
        lab.tracker.end_local(id, Sides::All, lab.now())
    else {
        panic!("the call was up")
    };
    let legs: Vec<_> = effects
        .byes
        .iter()
        .map(|bye| {
            (
                bye.leg.side,
                text(&bye.leg.callee_tag),
                text(&bye.to),
                bye.cseq,
            )
        })
        .collect();
    let alice = "<sip:alice@example.org>;tag=ftA".to_owned();
    let bob = |tag| format!("<sip:bob@example.org>;tag={tag}");
    let expected = [
        (Side::Caller, "tt1".to_owned(), alice.clone(), 1),
        (Side::Caller, "tt2".to_owned(), alice, 1),
        (Side::Callee, "tt1".to_owned(), bob("tt1"), 11),
        (Side::Callee, "tt2".to_owned(), bob("tt2"), 11),
    ];
    assert_eq!(legs, expected);
}

#[test]
fn the_number_of_forks_is_limited() {
    let lab = Lab::new(|s| s.max_forks = 1);
    let id = lab.call();
    assert!(!lab.reply(id, 180, b"tt1").too_many_forks);
    assert!(lab.reply(id, 180, b"tt2").too_many_forks);
    assert_eq!(lab.tracker.statistics().limited, 1);
    assert_eq!(lab.state(id), State::Early);
}
