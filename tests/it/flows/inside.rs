//! Requests inside a call, and how they are found to belong to it.

use super::steps::{Call, established, exchange, hang_up};
use crate::support::Scene;

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
