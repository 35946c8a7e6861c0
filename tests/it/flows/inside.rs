//! Requests inside a call, and how they are found to belong to it.

use super::steps::{Call, command, established, exchange, hang_up, invite, pair};
use crate::support::Scene;
use crate::support::call::Leg;

/// Both sides move: the Contact of each re-INVITE is the new target.
pub fn reinvite(s: &mut Scene) {
    let mut call = established(s, "reinvite@test");
    again(s, &mut call, true);
    s.dialogs();
    again(s, &mut call, false);
    s.dialogs();
    hang_up(s, &mut call);
    s.script_lines();
}

fn again(s: &mut Scene, call: &mut Call, from_caller: bool) {
    let (from, to) = if from_caller {
        (call.alice, call.bob)
    } else {
        (call.bob, call.alice)
    };
    let leg = if from_caller {
        &mut call.caller
    } else {
        &mut call.callee
    };
    let mut request = leg.request(s.at(from), "INVITE");
    for (name, value) in &mut request.headers {
        if name == "Contact" {
            *value = value.replace('>', ";moved=1>");
        }
    }
    s.send(from, &request);
    s.expect(from, "100 INVITE");
    let received = s.expect(to, "INVITE");
    s.reply(to, &received, 200, "OK", "unused");
    s.expect(from, "200 INVITE");
    let leg = if from_caller {
        &call.caller
    } else {
        &call.callee
    };
    let ack = leg.ack(s.at(from));
    s.send(from, &ack);
    s.expect(to, "ACK");
}

pub fn in_dialog_requests(s: &mut Scene) {
    let mut call = established(s, "inside@test");
    for method in ["OPTIONS", "INFO", "UPDATE"] {
        exchange(s, call.alice, &mut call.caller, call.bob, method);
        exchange(s, call.bob, &mut call.callee, call.alice, method);
    }
    s.dialogs();
    hang_up(s, &mut call);
    s.script_lines();
}

pub fn match_by_cookie_only(s: &mut Scene) {
    let mut call = established(s, "mode0@test");
    exchange(s, call.bob, &mut call.callee, call.alice, "INFO");
    // Without the cookie the request is routed all the same, but belongs to no call.
    let kept = call.caller.routes.clone();
    for route in &mut call.caller.routes {
        *route = route.split(";did=").next().unwrap_or_default().to_owned() + ">";
    }
    exchange(s, call.alice, &mut call.caller, call.bob, "INFO");
    call.caller.routes = kept;
    hang_up(s, &mut call);
    s.dialogs();
    s.script_lines();
}

pub fn match_without_cookie(s: &mut Scene) {
    let mut call = established(s, "mode2@test");
    s.dialogs();
    exchange(s, call.bob, &mut call.callee, call.alice, "INFO");
    hang_up(s, &mut call);
    s.dialogs();
    s.script_lines();
}

/// A cookie of somebody else: mode 1 falls back to Call-ID and tags.
pub fn bogus_cookie(s: &mut Scene) {
    let mut call = established(s, "bogus@test");
    for route in &mut call.caller.routes {
        *route = route.split(";did=").next().unwrap_or_default().to_owned() + ";did=123.456>";
    }
    exchange(s, call.alice, &mut call.caller, call.bob, "INFO");
    hang_up(s, &mut call);
    s.dialogs();
    s.script_lines();
}

/// A provisional reply acknowledged by PRACK, inside the early dialog.
pub fn prack(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let target = s.uri(bob);
    let (mut caller, _) = invite(s, alice, "prack@test", &target);
    let received = s.expect(bob, "INVITE");
    s.reply(bob, &received, 183, "Session Progress", "bob-tag");
    let progress = s.expect(alice, "183 INVITE");
    caller.learn(&progress);
    let invite_cseq = caller.cseq;
    let mut prack = caller.request(s.at(alice), "PRACK");
    prack
        .headers
        .push(("RAck".to_owned(), format!("1 {invite_cseq} INVITE")));
    s.send(alice, &prack);
    let at_bob = s.expect(bob, "PRACK");
    s.reply(bob, &at_bob, 200, "OK", "unused");
    s.expect(alice, "200 PRACK");
    s.dialogs();
    s.reply(bob, &received, 200, "OK", "bob-tag");
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    let ack = Leg {
        cseq: invite_cseq,
        ..caller.clone()
    }
    .ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    exchange(s, alice, &mut caller, bob, "BYE");
    s.dialogs();
    s.script_lines();
}

/// In-dialog requests without a Route, found by `dlg_manage()`.
pub fn matched_by_manage(s: &mut Scene) {
    let mut call = established(s, "manage@test");
    for method in ["INFO", "BYE"] {
        call.caller.routes.clear();
        let mut request = call.caller.request(s.at(call.alice), method);
        request
            .headers
            .push(("Track".to_owned(), "manage".to_owned()));
        s.send(call.alice, &request);
        let received = s.expect(call.bob, method);
        s.reply(call.bob, &received, 200, "OK", "unused");
        s.expect(call.alice, &format!("200 {method}"));
    }
    s.dialogs();
    s.script_lines();
}

pub fn what_the_script_sees(s: &mut Scene) {
    let mut call = established(s, "look@test");
    command(s, &mut call, "look");
    s.rpc("dlg.list", serde_json::json!([]));
    hang_up(s, &mut call);
    s.script_lines();
}
