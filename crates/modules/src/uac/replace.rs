//! `uac_replace_from()`, `uac_replace_to()`: another From or To for whoever is called. What it was is kept with the
//! transaction, for replies, and in Record-Route or with the call, for what follows.

use std::sync::Arc;

use engine::{Pending, Run, level};
use script::{Args, Outcome, Value, Variable};
use sip::{Edits, Message, NameAddr, Span, Tag};

use super::{Restore, State, store};

/// Which header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    From,
    To,
}

impl Side {
    pub(super) fn address(self, message: &Message) -> Option<NameAddr<'_>> {
        match self {
            Self::From => message.from(),
            Self::To => message.to(),
        }
    }

    const fn tag(self) -> Tag {
        match self {
            Self::From => Tag::From,
            Self::To => Tag::To,
        }
    }

    /// The variables of a call that keep name and URI before and after.
    pub(super) const fn variables(self) -> [&'static str; 4] {
        match self {
            Self::From => ["_uac_fdp", "_uac_fu", "_uac_fdpnew", "_uac_funew"],
            Self::To => ["_uac_tdp", "_uac_to", "_uac_tdpnew", "_uac_tonew"],
        }
    }
}

/// The variables of a call with the URIs that its callee knows caller and callee as.
pub(crate) const SHOWN_TO_CALLEE: [&str; 2] = ["_uac_funew", "_uac_tonew"];

/// A name as written, empty for none, and a URI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Party {
    pub(super) display: Vec<u8>,
    pub(super) uri: Vec<u8>,
}

impl Party {
    pub(super) fn of(address: &NameAddr<'_>) -> Self {
        Self {
            display: address.display.unwrap_or_default().to_vec(),
            uri: address.uri.to_vec(),
        }
    }
}

/// What the sender of a transaction's request knows the parties as, where that was replaced.
#[derive(Clone, Debug, Default)]
pub(super) struct Replaced {
    pub(super) from: Option<Party>,
    pub(super) to: Option<Party>,
}

impl Replaced {
    fn slot(&mut self, side: Side) -> &mut Option<Party> {
        match side {
            Side::From => &mut self.from,
            Side::To => &mut self.to,
        }
    }
}

/// Notes what the sender knows a party as; the first time counts.
pub(super) fn remember(run: &mut Run, side: Side, party: Party) {
    let replaced = run.shared().slots.entry::<Replaced>();
    replaced.slot(side).get_or_insert(party);
}

pub(super) fn replace_from(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    replace(run, args, Side::From)
}

pub(super) fn replace_to(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    replace(run, args, Side::To)
}

fn replace(run: &mut Run, args: &Args<'_>, side: Side) -> Outcome<Pending> {
    let (first, second) = (args.str(0), args.opt_str(1));
    let (display, uri): (Option<&[u8]>, &[u8]) = match second {
        Some(uri) => (Some(first), uri),
        None => (None, first),
    };
    match change(run, side, display, uri) {
        Ok(()) => Outcome::Code(1),
        Err(why) => {
            run.log(level::ERROR, "uac", &format!("{}: {why}", args.function()));
            Outcome::Code(-1)
        }
    }
}

/// `None` leaves the name, an empty one takes it away; an empty URI leaves the URI.
fn change(
    run: &mut Run,
    side: Side,
    display: Option<&[u8]>,
    uri: &[u8],
) -> Result<(), &'static str> {
    if !uri.is_empty() && sip::Uri::parse(uri).is_err() {
        return Err("this is no address");
    }
    if display.is_some_and(|name| name.iter().any(|&byte| byte < 0x20 && byte != b'\t')) {
        return Err("this is no name");
    }
    let message = Arc::clone(&run.msg.message);
    let address = side.address(&message);
    let before = Party::of(&address.ok_or("the header can't be understood")?);
    let new_uri = (!uri.is_empty()).then_some(uri);
    rewrite(&message, &mut run.msg.edits, side, display, new_uri)
        .ok_or("the header can't be understood")?;
    let after = Party {
        display: display.unwrap_or(&before.display).to_vec(),
        uri: new_uri.unwrap_or(&before.uri).to_vec(),
    };
    keep(run, side, before, &after);
    Ok(())
}

/// Keeps what is needed to restore a party.
fn keep(run: &mut Run, side: Side, before: Party, after: &Party) {
    let state = run.state::<State>();
    if state.restore == Restore::None {
        return;
    }
    if let Some(variable) = state.avp(side) {
        put(run, variable, &before.uri);
    }
    if !(state.restore_dlg && keep_with_call(run, side, &before, after)) && before.uri != after.uri
    {
        let value = store::encode(&before.uri, &after.uri, &state.password);
        let param = [b";", state.param(side), b"=", &value].concat();
        run.msg.record_route_params.extend_from_slice(&param);
    }
    remember(run, side, before);
}

fn put(run: &mut Run, variable: &Variable, uri: &[u8]) {
    if let Err(error) = variable.set(run, Value::from(uri)) {
        run.log(level::ERROR, "uac", &error.0);
    }
}

fn keep_with_call(run: &Run, side: Side, before: &Party, after: &Party) -> bool {
    let values = [&before.display, &before.uri, &after.display, &after.uri];
    let mut pairs = side.variables().into_iter().zip(values);
    pairs.all(|(name, value)| crate::dialog::set_variable(run, name.as_bytes(), value))
}

/// Gives From or To another name and another URI; `None` leaves what is there, an empty name takes it away.
pub(super) fn rewrite(
    message: &Message,
    edits: &mut Edits,
    side: Side,
    display: Option<&[u8]>,
    uri: Option<&[u8]>,
) -> Option<()> {
    let address = side.address(message)?;
    let tag = side.tag();
    let place = message.span_of(address.uri)?;
    edits.withdraw(tag);
    let mut opening = Vec::new();
    match (display, address.display) {
        (Some(new), Some(old)) => {
            let old = message.span_of(old)?;
            if new.is_empty() {
                let end = place.start - 1;
                edits.delete(tag, Span { end, ..old });
            } else {
                edits.replace(tag, old, new);
            }
        }
        (Some(new), None) if !new.is_empty() => {
            opening.extend_from_slice(new);
            opening.push(b' ');
        }
        _ => {}
    }
    let at = match address.bracketed {
        true => message.span_of(address.text)?.start,
        false => {
            opening.push(b'<');
            edits.insert_at(tag, place.end, b">");
            place.start
        }
    };
    if !opening.is_empty() {
        edits.insert_at(tag, at, &opening);
    }
    if let Some(uri) = uri {
        edits.replace(tag, place, uri);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(from: &str, display: Option<&str>, uri: Option<&str>) -> String {
        let text = format!("OPTIONS sip:x SIP/2.0\r\nFrom: {from}\r\n\r\n");
        let message = Message::parse(text.into_bytes()).expect("a message");
        let mut edits = Edits::new();
        let [display, uri] = [display, uri].map(|text| text.map(str::as_bytes));
        rewrite(&message, &mut edits, Side::From, display, uri).expect("an address");
        let mut out = Vec::new();
        edits.apply(&[], &message, sip::Framing::Datagram, &mut out);
        let out = String::from_utf8(out).expect("text");
        let line = out.lines().find_map(|line| line.strip_prefix("From: "));
        line.unwrap_or_default().to_owned()
    }

    #[test]
    fn name_and_uri_change_apart_from_each_other() {
        let uri = Some("sip:n@x;p=1");
        let bare = "sip:a@h;tag=1";
        let named = "\"A B\" <sip:a@h>;tag=1";
        assert_eq!(rewritten(bare, None, uri), "<sip:n@x;p=1>;tag=1");
        assert_eq!(rewritten(bare, Some("N"), None), "N <sip:a@h>;tag=1");
        assert_eq!(rewritten(bare, Some("N"), uri), "N <sip:n@x;p=1>;tag=1");
        assert_eq!(rewritten(named, None, uri), "\"A B\" <sip:n@x;p=1>;tag=1");
        assert_eq!(rewritten(named, Some(""), uri), "<sip:n@x;p=1>;tag=1");
        assert_eq!(rewritten(named, Some("N"), None), "N <sip:a@h>;tag=1");
        assert_eq!(rewritten(named, Some(""), None), "<sip:a@h>;tag=1");
        assert_eq!(
            rewritten("<sip:a@h>;tag=1", Some("N"), None),
            "N <sip:a@h>;tag=1"
        );
        assert_eq!(
            rewritten("<sip:a@h>;tag=1", Some(""), None),
            "<sip:a@h>;tag=1"
        );
    }
}
