//! Bridging: somebody is called and put on hold, referred to somebody else, and left (RFC 3515).

use std::sync::Arc;

use engine::{
    Done, Engine, InitError, LocalRequest, MailboxFull, Pending, Retry, Run, Setup, UacDialog,
};
use engine::{hex, level, local_job};
use script::{Args, Outcome};
use sip::Message;

use super::outgoing::is_one_line;
use super::refer;
use super::state::State;

/// Who bridges.
pub(super) struct Controller {
    /// The URI in From and Referred-By.
    pub(super) controller: Vec<u8>,
    /// The URI in Contact.
    pub(super) contact: Vec<u8>,
}

impl Controller {
    pub(super) fn new(setup: &Setup<'_>) -> Result<Self, InitError> {
        let uri = |name: &str| {
            let text = setup.parameters.str("dialog", name).unwrap_or_default();
            match sip::Uri::parse(text.as_bytes()) {
                Ok(_) => Ok(text.into_bytes()),
                Err(_) => Err(InitError(format!(
                    "module dialog: parameter {name}: \"{text}\" is no SIP address"
                ))),
            }
        };
        Ok(Self {
            controller: uri("bridge_controller")?,
            contact: uri("bridge_contact")?,
        })
    }
}

/// What the INVITE offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer<'a> {
    /// G.711 on hold: nothing is sent to, nor expected from, anywhere.
    Hold,
    /// No session: the other side makes the offer.
    None,
    /// This session description.
    Given(&'a [u8]),
}

const HOLD: &[u8] =
    b"v=0\r\no=kamailio-bridge 0 0 IN IP4 0.0.0.0\r\ns=kamailio\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n\
m=audio 9 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n";

/// The INVITE that begins it; `None` when `from` is no SIP address, or `to` none that a header could hold.
pub(super) fn invite(
    engine: &Engine,
    state: &State,
    from: &[u8],
    to: &[u8],
    proxy: &[u8],
    offer: Offer<'_>,
) -> Option<LocalRequest> {
    let is_uri = |text: &[u8]| is_one_line(text) && sip::Uri::parse(text).is_ok();
    if !is_uri(from) || !is_one_line(to) || !(proxy.is_empty() || is_uri(proxy)) {
        return None;
    }
    let body = match offer {
        Offer::Hold => HOLD,
        Offer::None => b"",
        Offer::Given(body) => body,
    };
    let bracketed = |uri: &[u8]| [b"<", uri, b">"].concat();
    let host = engine.sockets.iter().next();
    let host = host.map_or("tandem", |socket| &socket.host);
    let id = hex(&fastrand::u64(..).to_be_bytes());
    let tag = hex(&fastrand::u128(..).to_be_bytes());
    let headers = [
        b"Contact: <",
        &state.bridge.contact[..],
        b">\r\nContent-Type: application/sdp\r\n",
    ];
    Some(LocalRequest {
        method: b"INVITE".to_vec(),
        uri: from.to_vec(),
        to: bracketed(from),
        from: [
            &bracketed(&state.bridge.controller)[..],
            format!(";tag={tag}-{:08x}", fastrand::u32(..)).as_bytes(),
        ]
        .concat(),
        call_id: format!("{id}-{}@{host}", std::process::id()).into_bytes(),
        cseq: 10,
        headers: headers.concat(),
        body: body.to_vec(),
        next_hop: (!proxy.is_empty()).then(|| proxy.to_vec()),
        done: Some(Box::new(Answered { to: to.to_vec() })),
        ..LocalRequest::default()
    })
}

/// Hands the INVITE to the workers.
pub(super) fn post(engine: &Engine, invite: LocalRequest) -> Result<(), MailboxFull> {
    engine.post(engine.call_key(&invite.call_id), local_job(invite))
}

pub(super) fn dlg_bridge(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let [from, to, proxy] = [0, 1, 2].map(|at| args.str(at).as_bytes());
    match invite(&run.engine, &state, from, to, proxy, Offer::Hold) {
        Some(invite) => {
            run.send_local(invite);
            Outcome::Code(1)
        }
        None => {
            run.log(
                level::ERROR,
                "dialog",
                "dlg_bridge: these are no SIP addresses",
            );
            Outcome::Code(-1)
        }
    }
}

/// The first side was called.
#[derive(Debug)]
struct Answered {
    to: Vec<u8>,
}

impl Done for Answered {
    fn done(self: Box<Self>, run: &mut Run, status: u16, reply: Option<Arc<Message>>) {
        let invite = run.tx.as_ref().map(|tx| Arc::clone(tx.request()));
        let dialog = match (invite, reply) {
            (Some(invite), Some(reply)) if status < 300 => UacDialog::new(&invite, &reply),
            _ => None,
        };
        let Some(mut dialog) = dialog else {
            let text = format!("bridging: the first side does not answer ({status})");
            return run.log(level::NOTICE, "dialog", &text);
        };
        let state = run.state::<State>();
        let (call_id, tag) = (dialog.call_id().to_vec(), dialog.remote_tag());
        // Too many are no reason to leave somebody on hold: the NOTIFYs go to the script then.
        state.subscriptions.open(&call_id, &tag, true, run.now.time);
        let mut request = dialog.request(b"REFER");
        request.headers = refer::headers(&state, &self.to);
        request.done = Some(Box::new(Referred { dialog }));
        run.send_local(request);
    }

    fn challenged(&mut self, run: &mut Run, reply: &Message) -> Option<Retry> {
        let used = run.tx.as_ref()?.request().cseq()?.number;
        retry(run, reply, || used.saturating_add(1))
    }
}

/// The same request once more with credentials, where some are known.
fn retry(run: &Run, reply: &Message, next_cseq: impl FnOnce() -> u32) -> Option<Retry> {
    let credentials = crate::uac::answers(run, reply)?;
    let cseq = next_cseq();
    Some(Retry { credentials, cseq })
}

/// It was referred, or refused to be: there is nothing more to say to it.
#[derive(Debug)]
struct Referred {
    dialog: UacDialog,
}

impl Done for Referred {
    fn done(mut self: Box<Self>, run: &mut Run, status: u16, _: Option<Arc<Message>>) {
        if status >= 300 {
            let text = format!("bridging: the first side refuses to be referred ({status})");
            run.log(level::NOTICE, "dialog", &text);
        }
        let mut bye = self.dialog.request(b"BYE");
        bye.done = Some(Box::new(Left {
            dialog: self.dialog,
        }));
        run.send_local(bye);
    }

    fn challenged(&mut self, run: &mut Run, reply: &Message) -> Option<Retry> {
        retry(run, reply, || self.dialog.next_cseq())
    }
}

/// Its dialog is over, whatever it says to that.
#[derive(Debug)]
struct Left {
    dialog: UacDialog,
}

impl Done for Left {
    fn done(self: Box<Self>, _: &mut Run, _: u16, _: Option<Arc<Message>>) {}

    fn challenged(&mut self, run: &mut Run, reply: &Message) -> Option<Retry> {
        retry(run, reply, || self.dialog.next_cseq())
    }
}
