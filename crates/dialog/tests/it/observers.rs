//! What observers hear, in which order, and what they may do meanwhile.

use std::sync::{Arc, Mutex};

use tandem_dialog::{
    Callbacks, DialogId, Direction, Ending, Happened, Invite, LegOutcome, Method, Notice,
    ObserveError, Reply, Sides, State, Tracker,
};

use crate::support::{DOWN, INVITE, Lab, START, UP, reply, request};

/// What was heard, one line for each notice.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, line: String) {
        self.0.lock().expect("not poisoned").push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("not poisoned"))
    }

    /// Notes every notice of a lab's calls.
    fn of_all(lab: &Lab) -> Self {
        let diary = Self::default();
        let notes = diary.clone();
        lab.tracker
            .observe(Callbacks::ALL, move |notice| notes.note(line(notice)))
            .expect("room for an observer");
        diary
    }
}

/// The type, the state that the view shows, the direction, and what the message says.
fn line(notice: &Notice<'_>) -> String {
    let names: Vec<_> = notice.kind().names().collect();
    let direction = match notice.direction() {
        Some(Direction::Downstream) => " down",
        Some(Direction::Upstream) => " up",
        None => "",
    };
    let detail = match notice.what {
        Happened::Created(invite) | Happened::Spiraled(invite) => format!("INVITE {}", invite.cseq),
        Happened::ReplyForwarded(reply)
        | Happened::Early(reply)
        | Happened::ConfirmedNoAck(reply)
        | Happened::Failed(Some(reply))
        | Happened::ByeAnswered { reply, .. } => reply.status.to_string(),
        Happened::ReplyWithin { method, reply, .. } => format!("{} to {method:?}", reply.status),
        Happened::Confirmed(request)
        | Happened::RequestWithin(request)
        | Happened::Terminated(Some(request)) => format!("{:?}", request.method),
        Happened::OwnByeDone { leg, outcome, .. } => format!("{:?} {outcome:?}", leg.side),
        Happened::Expired { was_confirmed } => format!("was_confirmed={was_confirmed}"),
        _ => "-".to_owned(),
    };
    let state = notice.call.state().number();
    format!("{} {state}{direction} {detail}", names.join("+"))
}

fn within_reply(lab: &Lab, id: DialogId, direction: Direction, method: Method, status: u16) {
    let answer = reply(status, b"tt1");
    lab.tracker
        .reply_within(id, direction, method, b"tt1", &answer, lab.now());
}

#[test]
fn a_whole_call_is_told_in_order() {
    let mut lab = Lab::new(|_| {});
    let diary = Diary::of_all(&lab);
    let id = lab.confirmed();
    assert_eq!(
        diary.take(),
        [
            "CREATED 1 down INVITE 10",
            "RESPONSE_FWDED 1 up 180",
            "EARLY 2 up 180",
            "RESPONSE_FWDED 2 up 200",
            "CONFIRMED_NA 3 up 200",
            "CONFIRMED 4 down Ack",
        ]
    );
    lab.send(id, Method::Invite, UP, 1);
    within_reply(&lab, id, UP, Method::Invite, 100);
    within_reply(&lab, id, UP, Method::Invite, 200);
    lab.send(id, Method::Ack, UP, 1);
    within_reply(&lab, id, UP, Method::Update, 488);
    assert_eq!(
        diary.take(),
        [
            "REQ_WITHIN 4 up Invite",
            "RESPONSE_WITHIN 4 down 200 to Invite",
            "REQ_WITHIN 4 up Ack",
        ]
    );
    lab.send(id, Method::Bye, DOWN, 11);
    within_reply(&lab, id, DOWN, Method::Bye, 200);
    lab.pass_secs(300);
    lab.tick();
    assert_eq!(
        diary.take(),
        [
            "TERMINATED 5 down Bye",
            "RESPONSE_WITHIN 5 up 200 to Bye",
            "TERMINATED_CONFIRMED 5 up 200",
            "DESTROY 5 -",
        ]
    );
}

#[test]
fn calls_without_an_answer_fail() {
    let mut lab = Lab::new(|settings| settings.wait_ack = false);
    let diary = Diary::of_all(&lab);
    let refused = lab.call();
    lab.reply(refused, 486, b"tt1");
    assert_eq!(
        diary.take(),
        ["CREATED 1 down INVITE 10", "FAILED 5 up 486"]
    );
    lab.call();
    lab.pass_secs(300);
    lab.tick();
    let heard = diary.take();
    assert_eq!(heard[0], "CREATED 1 down INVITE 10");
    assert!(heard.contains(&"FAILED 5 -".to_owned()), "{heard:?}");
    assert!(heard.contains(&"DESTROY 5 -".to_owned()), "{heard:?}");
    let abandoned = lab.call();
    diary.take();
    lab.tracker.abandon(abandoned, lab.now());
    assert_eq!(diary.take(), ["DESTROY 5 -"]);
}

#[test]
fn a_lifetime_ends_with_or_without_bye() {
    for (send_bye, expected) in [
        (false, "EXPIRED 5 was_confirmed=true"),
        (true, "TERMINATED 5 -"),
    ] {
        let mut lab = Lab::new(|settings| {
            settings.send_bye = send_bye;
            settings.default_timeout = 60;
        });
        lab.confirmed();
        let diary = Diary::of_all(&lab);
        lab.pass_secs(61);
        lab.tick();
        assert_eq!(diary.take(), [expected]);
    }
}

#[test]
fn byes_of_our_own_are_told_with_what_became_of_them() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let diary = Diary::of_all(&lab);
    let Some(Ending::Ended(effects)) = lab.tracker.end_local(id, Sides::All, lab.now()) else {
        panic!("the call was up");
    };
    let [caller, callee] = &effects.byes[..] else {
        panic!("two BYEs");
    };
    let ok = reply(200, b"tt1");
    assert!(!lab.tracker.leg_answered(id, &caller.leg, &ok));
    assert!(!lab.tracker.leg_answered(id, &caller.leg, &ok));
    assert!(lab.tracker.leg_done(id, &callee.leg, LegOutcome::TimedOut));
    assert_eq!(
        diary.take(),
        [
            "TERMINATED 5 -",
            "TERMINATED_CONFIRMED 5 Caller Answered(200)",
            "TERMINATED_CONFIRMED 5 Callee TimedOut",
            "DESTROY 5 -",
        ]
    );
}

#[test]
fn spirals_loaded_calls_and_listings_are_told() {
    let lab = Lab::new(|_| {});
    let diary = Diary::of_all(&lab);
    let id = lab.call();
    lab.create(&Invite {
        call_id: b"call-1@test",
        ..INVITE
    });
    assert!(lab.tracker.loaded(id, lab.now()));
    lab.tracker.attached(&lab.view(id));
    assert_eq!(
        diary.take(),
        [
            "CREATED 1 down INVITE 10",
            "SPIRALED 1 down INVITE 10",
            "LOADED 1 -",
            "RPC_CONTEXT 1 -",
        ]
    );
}

#[test]
fn who_comes_after_the_loading_is_told_then() {
    let lab = Lab::new(|_| {});
    let calls = [lab.call(), lab.confirmed()];
    let diary = Diary::of_all(&lab);
    assert!(diary.take().is_empty(), "nothing was loaded");
    assert!(calls.iter().all(|id| lab.tracker.loaded(*id, lab.now())));
    assert_eq!(diary.take(), ["LOADED 1 -", "LOADED 4 -"]);
    let late = Diary::of_all(&lab);
    let mut heard = late.take();
    heard.sort_unstable();
    assert_eq!(heard, ["LOADED 1 -", "LOADED 4 -"]);
    assert!(diary.take().is_empty(), "the first was told before");
}

#[test]
fn new_calls_can_be_announced_later() {
    let lab = Lab::new(|settings| settings.tells_created = false);
    let diary = Diary::of_all(&lab);
    let created = lab.create(&INVITE);
    let spiral = lab.create(&INVITE);
    assert!(diary.take().is_empty());
    assert!(lab.tracker.announce(&created, &INVITE, lab.now()));
    assert!(lab.tracker.announce(&spiral, &INVITE, lab.now()));
    assert_eq!(
        diary.take(),
        ["CREATED 1 down INVITE 10", "SPIRALED 1 down INVITE 10"]
    );
}

#[test]
fn one_call_has_observers_of_its_own() {
    let lab = Lab::new(|_| {});
    let (watched, other) = (lab.confirmed(), lab.confirmed());
    let diary = Diary::default();
    let [first, second] = ["first", "second"].map(|name| {
        let notes = diary.clone();
        move |_: &Notice<'_>| notes.note(name.to_owned())
    });
    let tracker = &lab.tracker;
    let types = Callbacks::REQ_WITHIN | Callbacks::TERMINATED;
    assert!(!tracker.is_observed());
    let kept = Arc::downgrade(&diary.0);
    tracker.observe_call(watched, types, first).expect("a call");
    let second = tracker
        .observe_call(watched, types, second)
        .expect("a call");
    assert_eq!(lab.view(watched).callbacks(), types);
    assert_eq!(lab.view(other).callbacks(), Callbacks::NONE);
    lab.send(other, Method::Other, DOWN, 11);
    assert!(diary.take().is_empty());
    lab.send(watched, Method::Other, DOWN, 11);
    // The newest is told first, as in Kamailio.
    assert_eq!(diary.take(), ["second", "first"]);
    assert!(tracker.unobserve(second) && !tracker.unobserve(second));
    lab.send(watched, Method::Bye, DOWN, 12);
    assert_eq!(diary.take(), ["first"]);
    // What an observer captured goes with its call.
    assert_eq!(kept.strong_count(), 2);
    tracker.hold(watched);
    tracker.release(watched);
    assert_eq!(kept.strong_count(), 1);
    assert!(!tracker.is_observed());
}

#[test]
fn what_cannot_be_observed_is_refused() {
    let lab = Lab::new(|_| {});
    let id = lab.call();
    let nothing = |_: &Notice<'_>| {};
    for types in [Callbacks::CREATED, Callbacks::LOADED | Callbacks::EARLY] {
        let refused = lab.tracker.observe_call(id, types, nothing);
        assert_eq!(refused, Err(ObserveError::GlobalOnly));
    }
    let nobody = DialogId {
        h_entry: 1,
        h_id: 1,
    };
    let refused = lab.tracker.observe_call(nobody, Callbacks::EARLY, nothing);
    assert_eq!(refused, Err(ObserveError::NoCall));
    for _ in 0..Tracker::OBSERVERS_MAX {
        let registered = lab.tracker.observe_call(id, Callbacks::EARLY, nothing);
        assert!(registered.is_ok());
    }
    let refused = lab.tracker.observe_call(id, Callbacks::EARLY, nothing);
    assert_eq!(refused, Err(ObserveError::TooMany));
}

#[test]
fn observers_may_do_anything_to_any_call() {
    let lab = Lab::new(|_| {});
    let (first, second) = (lab.confirmed(), lab.confirmed());
    let now = lab.now();
    let diary = Diary::default();
    let notes = diary.clone();
    lab.tracker
        .observe(Callbacks::REQ_WITHIN, move |notice| {
            let tracker = notice.tracker;
            // No lock is held: every one of these takes one, of this call or of all.
            tracker
                .set_variable(notice.id(), b"seen", b"1")
                .expect("room");
            tracker.end_local(notice.id(), Sides::All, now);
            tracker.end_local(second, Sides::All, now);
            let types = Callbacks::DESTROY;
            let more = notes.clone();
            let line = move |notice: &Notice<'_>| more.note(line(notice));
            tracker
                .observe_call(notice.id(), types, line)
                .expect("a call");
            assert_eq!(tracker.iter(now).count(), 2);
            notes.note(format!("{:?}", tracker.state(notice.id())));
        })
        .expect("room");
    lab.send(first, Method::Other, DOWN, 11);
    assert_eq!(diary.take(), ["Some(Deleted)"]);
    assert_eq!(lab.state(second), State::Deleted);
    assert_eq!(lab.tracker.variable(first, b"seen"), Some(b"1".to_vec()));
}

#[test]
fn an_observer_that_panics_costs_nothing_else() {
    let lab = Lab::new(|_| {});
    let diary = Diary::of_all(&lab);
    lab.tracker
        .observe(Callbacks::EARLY, |_| panic!("an observer's bug"))
        .expect("room");
    let id = lab.call();
    let effects = lab.reply(id, 180, b"tt1");
    assert_eq!(effects.changed, Some((State::Unconfirmed, State::Early)));
    assert_eq!(lab.tracker.statistics().observer_panics, 1);
    assert!(diary.take().contains(&"EARLY 2 up 180".to_owned()));
}

#[test]
fn the_programs_own_message_comes_along() {
    struct Packet(&'static str);
    let lab = Lab::new(|_| {});
    let diary = Diary::default();
    let notes = diary.clone();
    lab.tracker
        .observe(Callbacks::ALL, move |notice| {
            let packet = notice.message::<Packet>();
            notes.note(packet.map_or("none", |packet| packet.0).to_owned());
            assert!(notice.message::<String>().is_none());
        })
        .expect("room");
    let [first, second, third] = [Packet("invite"), Packet("ok"), Packet("ack")];
    let id = lab
        .create(&Invite {
            message: Some(&first),
            ..INVITE
        })
        .id();
    let answer = Reply {
        message: Some(&second),
        ..reply(200, b"tt1")
    };
    lab.tracker.reply(id, &answer, lab.now());
    let mut ack = request(Method::Ack, DOWN, 10);
    ack.message = Some(&third);
    lab.request(id, &ack);
    lab.tracker.loaded(id, lab.now());
    assert_eq!(diary.take(), ["invite", "ok", "ok", "ack", "none"]);
}

#[test]
fn a_listing_shows_what_observers_attach() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let attach = |name: &'static str| {
        move |notice: &Notice<'_>| {
            if let Happened::Listed(attachments) = notice.what {
                attachments.add(name, notice.call.from_uri());
            }
        }
    };
    let types = Callbacks::RPC_CONTEXT;
    lab.tracker.observe(types, attach("all")).expect("room");
    let one = lab.tracker.observe_call(id, types, attach("own"));
    one.expect("a call");
    let names = lab.tracker.attached(&lab.view(id)).into_iter();
    let names: Vec<_> = names.map(|(name, _)| name).collect();
    assert_eq!(names, ["own", "all"]);
}

#[test]
fn ends_are_asked_for_from_anywhere() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    assert!(lab.tracker.terminations().is_empty());
    lab.tracker
        .observe(Callbacks::REQ_WITHIN, |notice| {
            assert!(notice.tracker.terminate(notice.id(), b"X-Why: me\r\n"));
        })
        .expect("room");
    lab.send(id, Method::Other, UP, 1);
    let asked = lab.tracker.terminations();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (asked[0].id, &asked[0].call_id[..]),
        (id, &b"call-1@test"[..])
    );
    assert_eq!(asked[0].headers, b"X-Why: me\r\n");
    assert!(lab.tracker.terminations().is_empty());
    lab.tracker.end_local(id, Sides::All, lab.now());
    assert!(!lab.tracker.terminate(id, b""), "it is over");
    assert_eq!(lab.view(id).end_ts(), START as u32);
}

#[test]
fn ends_asked_for_are_bounded() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    for _ in 0..Tracker::TERMINATIONS_MAX {
        assert!(lab.tracker.terminate(id, b""));
    }
    assert!(!lab.tracker.terminate(id, b""));
    assert_eq!(lab.tracker.statistics().limited, 1);
    assert_eq!(lab.tracker.terminations().len(), Tracker::TERMINATIONS_MAX);
    assert!(lab.tracker.terminate(id, b""));
}

#[test]
fn observers_come_and_go_while_calls_flow() {
    let lab = Lab::new(|_| {});
    let (tracker, now) = (&lab.tracker, lab.now());
    let heard = Arc::new(Mutex::new(0_u32));
    std::thread::scope(|scope| {
        for worker in 0..3 {
            scope.spawn(move || {
                for number in 0..200 {
                    let call_id = format!("{worker}-{number}");
                    let invite = Invite {
                        call_id: call_id.as_bytes(),
                        ..INVITE
                    };
                    let id = tracker.create(&invite, now).expect("room").id();
                    tracker.reply(id, &reply(200, b"tt1"), now);
                    tracker.request(id, &request(Method::Bye, DOWN, 11), now);
                    tracker.hold(id);
                    assert!(tracker.release(id));
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..200 {
                let heard = Arc::clone(&heard);
                let count = move |notice: &Notice<'_>| {
                    let types = Callbacks::DESTROY | Callbacks::TERMINATED;
                    let _ = notice.tracker.observe_call(notice.id(), types, |_| {});
                    *heard.lock().expect("not poisoned") += 1;
                };
                let id = tracker.observe(Callbacks::ALL, count).expect("room");
                std::thread::yield_now();
                assert!(tracker.unobserve(id));
            }
        });
    });
    assert!(!tracker.is_observed(), "nothing is left behind");
    assert_eq!(tracker.iter(now).count(), 0);
}
