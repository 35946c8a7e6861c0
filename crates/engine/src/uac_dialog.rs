//! The dialog that the 2xx to an INVITE of our own makes: its ACK, and what is sent within it
//! (RFC 3261 §12.1.2, §13.2.2.4).

use std::sync::Arc;

use sip::{HeaderId, Message};

use crate::run::Run;
use crate::uac::LocalRequest;

/// What requests within such a dialog are made of.
#[derive(Clone, Debug)]
pub struct UacDialog {
    uri: Vec<u8>,
    route: Vec<u8>,
    next_hop: Vec<u8>,
    to: Vec<u8>,
    from: Vec<u8>,
    call_id: Vec<u8>,
    cseq: u32,
}

impl UacDialog {
    /// From the INVITE and its 2xx; `None` if they lack what every message has.
    pub fn new(invite: &Message, reply: &Message) -> Option<Self> {
        let value = |message: &Message, id| Some(message.header(id)?.value.to_vec());
        let contact = reply.contacts().find(|contact| !contact.is_star());
        let target = contact.map_or_else(
            || invite.request_uri().to_vec(),
            |contact| contact.uri.to_vec(),
        );
        let routes = reply.values(HeaderId::RecordRoute);
        let mut routes: Vec<Vec<u8>> = routes.map(|route| route.text.to_vec()).collect();
        routes.reverse();
        let first = routes.first().and_then(|route| {
            let uri = sip::NameAddr::parse(route)?.uri.to_vec();
            let is_loose = sip::Uri::parse(&uri).is_ok_and(|uri| uri.is_loose());
            Some((uri, is_loose))
        });
        let (uri, next_hop) = match first {
            None => (target.clone(), target),
            Some((next_hop, true)) => (target, next_hop),
            Some((next_hop, false)) => {
                routes.remove(0);
                routes.push([b"<", &target[..], b">"].concat());
                (next_hop.clone(), next_hop)
            }
        };
        Some(Self {
            uri,
            route: routes.join(&b","[..]),
            next_hop,
            to: value(reply, HeaderId::To)?,
            from: value(invite, HeaderId::From)?,
            call_id: invite.call_id()?.to_vec(),
            cseq: invite.cseq()?.number,
        })
    }

    /// The tag of the party that answered; empty without one.
    pub fn remote_tag(&self) -> Vec<u8> {
        let to = sip::NameAddr::parse(&self.to);
        to.and_then(|to| to.tag()).unwrap_or_default().to_vec()
    }

    /// The Call-ID.
    pub fn call_id(&self) -> &[u8] {
        &self.call_id
    }

    /// The next request within it.
    pub fn request(&mut self, method: &[u8]) -> LocalRequest {
        self.next_cseq();
        self.with_cseq(method)
    }

    /// The number of the next request.
    pub fn next_cseq(&mut self) -> u32 {
        self.cseq = self.cseq.saturating_add(1);
        self.cseq
    }

    /// The ACK of the 2xx.
    pub fn ack(&self) -> LocalRequest {
        self.with_cseq(b"ACK")
    }

    fn with_cseq(&self, method: &[u8]) -> LocalRequest {
        LocalRequest {
            method: method.to_vec(),
            uri: self.uri.clone(),
            to: self.to.clone(),
            from: self.from.clone(),
            call_id: self.call_id.clone(),
            cseq: self.cseq,
            route: self.route.clone(),
            next_hop: Some(self.next_hop.clone()),
            ..LocalRequest::default()
        }
    }
}

/// Acknowledges the 2xx at hand of an INVITE of our own, each time that it comes. One that made a dialog
/// that nobody waits for is ended at once.
pub(crate) fn acknowledge(run: &mut Run, is_first: bool) {
    let reply = Arc::clone(&run.msg.message);
    let Some(tx) = &mut run.tx else { return };
    let invite = Arc::clone(tx.request());
    let Some(mut dialog) = UacDialog::new(&invite, &reply) else {
        return;
    };
    let tag = Some(dialog.remote_tag());
    let is_other = !is_first && tx.data.to_tag != tag;
    if is_first {
        tx.data.to_tag = tag;
    }
    run.send_local(dialog.ack());
    if is_other {
        run.send_local(dialog.request(b"BYE"));
    }
}
