//! An answering machine on rsipstack, another SIP stack, whose calls are tracked by `tandem-dialog`: an inspector
//! hands each message to the tracker, and observers say what happens to the calls.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rsipstack::sip::prelude::{HeadersExt, ToTypedHeader};
use rsipstack::sip::{Header, Method as SipMethod, SipMessage, StatusCode};
use rsipstack::transaction::endpoint::MessageInspector;
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::{SipAddr, TransportLayer, udp::UdpConnection};
use tandem_dialog::{Callbacks, Invite, Method, Now, Reply, Request, Settings, Tracker};

#[derive(Clone)]
struct Calls(Arc<Tracker>);

fn now() -> Now {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Now::from_unix_millis(since.unwrap_or_default().as_millis() as u64)
}

impl Calls {
    /// Hands a request that came, or a reply that leaves, to the tracker.
    fn see(&self, message: &SipMessage) -> Option<()> {
        let call_id = message.call_id_header().ok()?.value().as_bytes();
        let (from, to) = (message.from_header().ok()?.typed().ok()?, message.to_header().ok()?.typed().ok()?);
        let tag = |tag: Option<&rsipstack::sip::param::Tag>| tag.map(|t| t.to_string()).unwrap_or_default();
        let (from_tag, to_tag) = (tag(from.tag()), tag(to.tag()));
        let cseq = message.cseq_header().ok()?.typed().ok()?;
        let contact = message.contact_header().ok().and_then(|c| c.typed().ok());
        let contact = contact.map(|c| c.uri.to_string()).unwrap_or_default();
        let (from_uri, to_uri) = (from.uri.to_string(), to.uri.to_string());
        let found = || self.0.find(call_id, from_tag.as_bytes(), to_tag.as_bytes(), None);
        match message {
            SipMessage::Request(request) if request.method == SipMethod::Invite && to_tag.is_empty() => {
                let invite = Invite {
                    call_id, from_tag: from_tag.as_bytes(), from_uri: from_uri.as_bytes(), to_uri: to_uri.as_bytes(),
                    cseq: cseq.seq, contact: contact.as_bytes(), message: Some(message), ..Invite::default()
                };
                self.0.create(&invite, now()).ok()?;
            }
            SipMessage::Request(request) => {
                let (found, method) = (found()?, Method::from_name(request.method.to_string().as_bytes()));
                let request = Request {
                    direction: found.direction, method, callee_tag: to_tag.as_bytes(), cseq: cseq.seq,
                    contact: contact.as_bytes(), socket: b"", lifetime: None, message: Some(message),
                };
                self.0.request(found.id, &request, now())?;
            }
            SipMessage::Response(response) if cseq.method == SipMethod::Invite => {
                let reply = Reply {
                    status: response.status_code.code(), cseq: cseq.seq, to_tag: to_tag.as_bytes(),
                    contact: contact.as_bytes(), message: Some(message), ..Reply::default()
                };
                self.0.reply(found()?.id, &reply, now())?;
            }
            SipMessage::Response(_) => {}
        }
        Some(())
    }
}

impl MessageInspector for Calls {
    fn before_send(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        self.see(&message);
        message
    }
    fn after_received(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        self.see(&message);
        message
    }
}

async fn answer(mut call: Transaction, contact: Header) -> rsipstack::Result<()> {
    match call.original.method {
        SipMethod::Invite => {
            call.reply(StatusCode::Ringing).await?;
            call.reply_with(StatusCode::OK, vec![contact], None).await?;
            while call.receive().await.is_some() {}
            Ok(())
        }
        SipMethod::Ack => Ok(()),
        _ => call.reply(StatusCode::OK).await,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: rsipstack-calls ADDRESS:PORT")?;
    let tracker = Arc::new(Tracker::new(Settings::default(), now())?);
    tracker.observe(Callbacks::ALL, |notice| {
        let kind: Vec<_> = notice.kind().names().collect();
        let line = notice.message::<SipMessage>().map(SipMessage::start_line);
        println!("{} {} {}", notice.call.call_id().escape_ascii(), kind.join("+"), line.unwrap_or_default());
    })?;
    let transport = TransportLayer::new(Default::default());
    transport.add_transport(UdpConnection::create_connection(address.parse()?, None, None).await?.into());
    let mut builder = rsipstack::EndpointBuilder::new();
    let endpoint = builder.with_transport_layer(transport).with_inspector(Box::new(Calls(Arc::clone(&tracker)))).build();
    let (mut incoming, inner) = (endpoint.incoming_transactions()?, Arc::clone(&endpoint.inner));
    tokio::spawn(async move { inner.serve().await });
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            call = incoming.recv() => match call {
                Some(call) => drop(tokio::spawn(answer(call, Header::Contact(format!("<sip:{address}>").into())))),
                None => return Ok(()),
            },
            _ = tick.tick() => for due in (0..Tracker::SHARDS).flat_map(|shard| tracker.due(shard, now())) {
                tracker.timeout(due.id, now());
            },
        }
    }
}
