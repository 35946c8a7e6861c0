//! `registered()`, `unregister()`, `add_sock_hdr()`, `reg_send_reply()`.

use engine::{Pending, Run, level};
use script::{Args, Outcome};
use sip::Tag;

use super::answer::Answer;
use super::settings::State;

/// The action of `registered()` that leaves `xavp_rcd` as it is.
const HIDE: i64 = 2;

/// The flags say what of a contact has to be as the script's XAVP says; what that leaves open, any contact fits. Of the
/// actions, 2 hides the contact that was found; 1 has nothing to restore, as no XAVPs are kept with contacts.
pub(super) fn registered(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = State::of(run);
    let uri = match args.opt_str(1).filter(|uri| !uri.is_empty()) {
        Some(uri) => uri.to_vec(),
        None => run.msg.uri().to_vec(),
    };
    let (Some(domain), Ok(aor)) = (state.domain(args.str(0)), state.aor(&uri)) else {
        run.log(
            level::ERROR,
            "registrar",
            "registered(): not an address of record",
        );
        return Outcome::Code(-1);
    };
    let now = run.now.unix();
    let contacts = domain.contacts(&aor);
    let (flags, action) = (args.opt_int(2).unwrap_or(0), args.opt_int(3).unwrap_or(0));
    let found = contacts.iter().find(|contact| {
        let counts = state.use_expired || contact.is_valid(now);
        counts && state.wishes.fit(contact, flags)
    });
    let Some(contact) = found else {
        return Outcome::Code(-1);
    };
    if let Some(shown) = state.shown.as_ref().filter(|_| action & HIDE == 0) {
        shown.show(run, contact);
    }
    Outcome::Code(1)
}

pub(super) fn unregister(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = State::of(run);
    let Some(domain) = state.domain(args.str(0)) else {
        return Outcome::Code(-1);
    };
    if let Some(ruid) = args.opt_str(2).filter(|ruid| !ruid.is_empty()) {
        let removed = match state.aor(args.str(1)) {
            Ok(aor) => domain.remove(&aor, |contact| *contact.ruid == **ruid),
            Err(_) => domain.remove_ruid(ruid),
        };
        return Outcome::Code(if removed > 0 { 1 } else { -1 });
    }
    match state.aor(args.str(1)) {
        Ok(aor) => {
            domain.remove(&aor, |_| true);
            Outcome::Code(1)
        }
        Err(_) => {
            run.log(
                level::ERROR,
                "registrar",
                "unregister(): not an address of record",
            );
            Outcome::Code(-1)
        }
    }
}

pub(super) fn add_sock_hdr(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(socket) = run.engine.sockets.get(run.msg.hop.socket) else {
        return Outcome::Code(-1);
    };
    let line = format!("{}: {}\r\n", args.str(0), socket.text);
    let message = std::sync::Arc::clone(&run.msg.message);
    run.msg
        .edits
        .append_last(Tag::Script, &message, line.as_bytes());
    Outcome::Code(1)
}

pub(super) fn reg_send_reply(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let sent = Answer::send_kept(run);
    Outcome::Code(if sent { 1 } else { -1 })
}
