//! Looking at calls: the fields that commands print, and pages in table order.

use std::collections::BTreeSet;

use tandem_dialog::{Invite, Method, Request, Side, State};

use crate::support::{DOWN, INVITE, Lab, START, UP, request, text};

#[test]
fn fields_are_those_that_kamailio_prints() {
    let mut lab = Lab::new(|_| {});
    let id = lab.call();
    let (caller, inbound) = ("caller", "inbound");
    let profile = |name| lab.tracker.profile(name).expect("declared");
    lab.tracker
        .set_profile(id, profile(inbound), None)
        .expect("set");
    lab.tracker
        .set_profile(id, profile(caller), Some(b"alice"))
        .expect("set");
    lab.tracker.set_variable(id, b"x", b"pre").expect("set");
    lab.tracker.change_sflags(id, 0, 8);
    let fresh = lab.view(id);
    assert_eq!(
        (fresh.id().h_entry, fresh.references(), fresh.dflags()),
        (2793, 1, 1152)
    );
    let callee = fresh.leg(Side::Callee);
    assert_eq!(
        (callee.tag, callee.contact, callee.cseq, callee.route_set),
        (None, None, None, None)
    );
    assert_eq!(
        (fresh.timeout(), fresh.duration(), fresh.start_ts()),
        (0, 0, 0)
    );
    lab.tracker.set_transaction(id, Some(1));
    assert_eq!(lab.view(id).dflags(), 1664);
    lab.reply(id, 200, b"tt1");
    assert_eq!(
        (lab.view(id).dflags(), lab.view(id).references()),
        (1665, 2)
    );
    lab.send(id, Method::Ack, DOWN, 10);
    lab.pass_secs(9);
    let up = lab.view(id);
    assert_eq!(
        (up.dflags(), up.references(), up.state()),
        (1667, 2, State::Confirmed)
    );
    assert_eq!((up.sflags(), up.iflags()), (8, 0));
    assert_eq!(
        (up.init_ts(), up.start_ts(), up.end_ts()),
        (START as u32, START as u32, 0)
    );
    assert_eq!(
        (up.duration(), up.timeout(), up.lifetime()),
        (9, START as u32 + 43_200, 43_200)
    );
    assert_eq!(text(up.from_uri()), "sip:alice@example.org");
    assert_eq!(text(up.req_uri()), "sip:bob@example.org");
    let leg = up.leg(Side::Caller);
    assert_eq!(text(leg.tag.unwrap_or_default()), "ftA");
    assert_eq!((leg.cseq, leg.route_set), (Some(10), Some(b"".as_slice())));
    assert_eq!(text(leg.socket.unwrap_or_default()), "udp:127.0.0.1:25060");
    lab.tracker.set_transaction(id, None);
    lab.tracker.hold(id);
    lab.send(id, Method::Bye, DOWN, 11);
    lab.pass_secs(4);
    let over = lab.view(id);
    assert_eq!(
        (over.dflags(), over.references(), over.timeout()),
        (1671, 1, 0)
    );
    assert_eq!((over.duration(), over.end_ts()), (9, START as u32 + 9));
    assert_eq!((over.profiles().count(), over.variables().count()), (0, 0));
}

#[test]
fn pages_are_in_slot_order_then_by_age() {
    let lab = Lab::new(|s| s.hash_size = 512);
    let mut made = BTreeSet::new();
    for i in 0..1000 {
        let call_id = format!("call-{i}");
        made.insert(
            lab.create(&Invite {
                call_id: call_id.as_bytes(),
                ..INVITE
            })
            .id(),
        );
    }
    let made: Vec<_> = made.into_iter().collect();
    for size in [1, 7, 256, 5000] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = lab.tracker.page(after, size, lab.now());
            assert!(page.len() <= size);
            let Some(last) = page.last() else { break };
            after = Some(last.id());
            seen.extend(page.iter().map(|view| view.id()));
        }
        assert_eq!(seen, made);
    }
    assert_eq!(lab.tracker.iter(lab.now()).count(), 1000);
    assert!(lab.tracker.page(None, 0, lab.now()).is_empty());
}

#[test]
fn a_page_goes_on_after_a_call_that_is_gone() {
    let lab = Lab::new(|s| s.hash_size = 1);
    let ids: Vec<_> = (0..5).map(|_| lab.call()).collect();
    let first = lab.tracker.page(None, 2, lab.now());
    assert_eq!(first[1].id(), ids[1]);
    lab.tracker.abandon(ids[1], lab.now());
    let rest: Vec<_> = lab
        .tracker
        .page(Some(ids[1]), 9, lab.now())
        .iter()
        .map(|view| view.id())
        .collect();
    assert_eq!(rest, ids[2..]);
}

#[test]
fn an_unknown_call_is_unknown_everywhere() {
    let lab = Lab::new(|_| {});
    for id in [(0, 0), (4096, 1), (u32::MAX, u32::MAX)] {
        let id = tandem_dialog::DialogId {
            h_entry: id.0,
            h_id: id.1,
        };
        assert!(lab.tracker.snapshot(id, lab.now()).is_none());
        assert!(!lab.tracker.hold(id) && !lab.tracker.release(id));
        assert!(lab.tracker.timeout(id, lab.now()).is_none());
        assert!(lab.tracker.page(Some(id), 5, lab.now()).is_empty());
    }
    assert!(lab.tracker.due(9999, lab.now()).is_empty());
}

#[test]
fn each_side_has_a_socket_of_its_own() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let sockets = || {
        let view = lab.view(id);
        let of = |side| text(view.leg(side).socket.unwrap_or_default());
        [of(Side::Caller), of(Side::Callee)]
    };
    let (one, other) = ("udp:127.0.0.1:25060", "tls:[2001:db8::1]:5061");
    assert_eq!(sockets(), [one, one]);
    let moves = [
        (DOWN, other, [other, one]),
        (UP, other, [other, other]),
        (UP, one, [other, one]),
        (DOWN, one, [one, one]),
        (UP, other, [one, other]),
        (DOWN, other, [other, other]),
        (DOWN, one, [one, other]),
    ];
    for (cseq, (direction, socket, expected)) in (20..).zip(moves) {
        let request = Request {
            contact: b"sip:moved@127.0.0.1",
            socket: socket.as_bytes(),
            ..request(Method::Invite, direction, cseq)
        };
        lab.tracker.request(id, &request, lab.now());
        assert_eq!(sockets(), expected, "{direction:?} {socket}");
    }
}
