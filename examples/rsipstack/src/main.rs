//! An answering machine on rsipstack, another SIP stack. `tandem-dialog` tracks its calls: an inspector hands each
//! message to the tracker, and an observer says what happens to the calls.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{any::Any, error::Error, sync::Arc};

use rsipstack::EndpointBuilder;
use rsipstack::sip::prelude::{HeadersExt, ToTypedHeader};
use rsipstack::sip::{Header, Method as SipMethod, SipMessage, StatusCode};
use rsipstack::transaction::endpoint::MessageInspector;
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::{SipAddr, TransportLayer, udp::UdpConnection};
use tandem_dialog::{Callbacks, Direction, Invite, Matched, Method, Now, Reply, Request, Settings, Tracker};

struct Inspector(Arc<Tracker>);

impl Inspector {
    /// Hands a request that came, or a reply that leaves, to the tracker; `None` if it belongs to no call.
    fn see(&self, seen: &SipMessage) -> Option<()> {
        let (from, to) = (seen.from_header().ok()?.typed().ok()?, seen.to_header().ok()?.typed().ok()?);
        let contact = seen.contact_header().ok().and_then(|contact| contact.typed().ok()).map(|contact| contact.uri);
        let cseq = seen.cseq_header().ok()?.typed().ok()?;
        let (method, cseq) = (Method::from_name(cseq.method.to_string().as_bytes()), cseq.seq);
        let call_id = seen.call_id_header().ok()?.value().as_bytes();
        let texts =
            [text(from.tag()), text(to.tag()), from.uri.to_string(), to.uri.to_string(), text(contact.as_ref())];
        let [from_tag, to_tag, from_uri, to_uri, contact] = texts.each_ref().map(|text| text.as_bytes());
        let (tracker, now, message) = (&self.0, now(), Some(seen as &dyn Any));
        if seen.is_request() && method == Method::Invite && to_tag.is_empty() {
            let invite = Invite { call_id, from_tag, from_uri, to_uri, contact, cseq, message, ..Default::default() };
            return tracker.create(&invite, now).ok().map(drop);
        }
        let Matched { id, direction } = tracker.find(call_id, from_tag, to_tag, None)?;
        let callee_tag = if direction == Direction::Downstream { to_tag } else { from_tag };
        let SipMessage::Response(response) = seen else {
            let request =
                Request { direction, method, callee_tag, cseq, contact, socket: b"", lifetime: None, message };
            return tracker.request(id, &request, now).map(drop);
        };
        let reply = Reply { status: response.status_code.code(), cseq, to_tag, contact, message, ..Default::default() };
        match tracker.state(id)?.is_pending() && method == Method::Invite {
            true => tracker.reply(id, &reply, now).map(drop),
            false => tracker.reply_within(id, direction, method, callee_tag, &reply, now).then_some(()),
        }
    }
}

impl MessageInspector for Inspector {
    fn before_send(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        self.see(&message);
        message
    }
    fn after_received(&self, message: SipMessage, from: Option<&SipAddr>) -> SipMessage {
        self.before_send(message, from)
    }
}

fn text(part: Option<&impl ToString>) -> String {
    part.map(ToString::to_string).unwrap_or_default()
}

fn now() -> Now {
    Now::from_unix_millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64)
}

async fn answer(mut call: Transaction, contact: Header) -> rsipstack::Result<()> {
    if call.original.method != SipMethod::Invite {
        return call.reply(StatusCode::OK).await;
    }
    call.reply(StatusCode::Ringing).await?;
    call.reply_with(StatusCode::OK, vec![contact], None).await?;
    while call.receive().await.is_some() {}
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: rsipstack-calls ADDRESS:PORT")?;
    let tracker = Arc::new(Tracker::new(Settings { end_timeout: 1, ..Settings::default() }, now())?);
    tracker.observe(Callbacks::ALL, |notice| {
        println!("{:?} {}", notice.kind(), notice.message().map_or("-".to_owned(), SipMessage::start_line));
    })?;
    let (transport, inspector) = (TransportLayer::new(Default::default()), Inspector(Arc::clone(&tracker)));
    transport.add_transport(UdpConnection::create_connection(address.parse()?, None, None).await?.into());
    let endpoint = EndpointBuilder::new().with_transport_layer(transport).with_inspector(Box::new(inspector)).build();
    let (mut incoming, inner) = (endpoint.incoming_transactions()?, Arc::clone(&endpoint.inner));
    tokio::spawn(async move { inner.serve().await });
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            Some(call) = incoming.recv() => {
                tokio::spawn(answer(call, Header::Contact(format!("<sip:{address}>").into())));
            }
            _ = tick.tick() => for due in (0..Tracker::SHARDS).flat_map(|shard| tracker.due(shard, now())) {
                tracker.timeout(due.id, now());
            },
        }
    }
}
