//! Messages that pass without a transaction: ACK to 2xx, `forward()`, replies that match nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use script::{Completion, Outcome};
use sip::{Hop, Method, Tag, Transport, Via};
use transaction::Output;

use crate::destination::Destination;
use crate::errors;
use crate::leaving::Leaving;
use crate::pending::{Pending, Resume};
use crate::relay::RelayOptions;
use crate::run::{Operation, Run};
use crate::working::Target;

/// Sends the request at hand on, once and without memory. The outcome's code is that of `t_relay()` or
/// `forward()`.
pub fn request(run: &mut Run, options: RelayOptions) -> Outcome<Pending> {
    let mut target = run.msg.target.clone();
    if options.to.is_some() {
        target.next_hop = options.to;
    }
    Forward { target }.locate(run)
}

/// A request on its way.
struct Forward {
    target: Target,
}

impl Forward {
    fn locate(self, run: &mut Run) -> Outcome<Pending> {
        let next_hop = self.target.next_hop_of(&run.msg.message);
        let found = run
            .engine
            .destination_of(next_hop, &run.msg, &self.target, run.now.time);
        match found {
            Destination::Known(hops) => match hops.first() {
                Some(hop) => self.write(run, *hop),
                None => failed(errors::UNRESOLVABLE),
            },
            Destination::Ask(query) => {
                run.operation = Some(Operation::Resolve(query));
                Outcome::Wait(Pending::native(self))
            }
            Destination::Failed(error) => failed(error),
        }
    }

    fn write(self, run: &mut Run, hop: Hop) -> Outcome<Pending> {
        if run.msg.message.method() == Method::Ack {
            let engine = run.engine.clone();
            for hook in &engine.hooks.ack_out {
                hook(run);
            }
        }
        let branch = run.engine.transactions.stateless_branch(&run.msg.message);
        let (bytes, _) = run.write_request(&run.msg, &self.target, &hop, &branch);
        let once = Once {
            hop,
            bytes,
            is_request: true,
        };
        match Leaving::request(run, hop, &once.bytes) {
            None => once.send(run),
            Some(start) => start.run(|leaving| Pending::native(Shown { leaving, once })),
        }
    }
}

impl Resume for Forward {
    fn resume(self: Box<Self>, run: &mut Run, with: Completion) -> Outcome<Pending> {
        match with {
            Completion::Failed(_) => failed(errors::UNRESOLVABLE),
            _ => self.locate(run),
        }
    }
}

fn failed(error: i32) -> Outcome<Pending> {
    Outcome::Code(i64::from(error))
}

/// A message that is sent once.
struct Once {
    hop: Hop,
    bytes: Arc<[u8]>,
    is_request: bool,
}

impl Once {
    fn send(self, run: &mut Run) -> Outcome<Pending> {
        let (hop, bytes) = (self.hop, self.bytes);
        run.out.push(Output::Send { hop, bytes });
        let counters = &run.engine.counters;
        if self.is_request {
            counters.fwd_requests.increment();
        } else {
            counters.fwd_replies.increment();
        }
        Outcome::Code(1)
    }

    fn drop_it(&self, run: &Run) -> Outcome<Pending> {
        let counters = &run.engine.counters;
        if self.is_request {
            counters.drop_requests.increment();
        } else {
            counters.drop_replies.increment();
        }
        failed(errors::DROPPED)
    }
}

/// A message that `onsend_route` sees before it is sent.
struct Shown {
    leaving: Leaving,
    once: Once,
}

impl Resume for Shown {
    fn resume(self: Box<Self>, run: &mut Run, with: Completion) -> Outcome<Pending> {
        let Self { leaving, mut once } = *self;
        let Some(stream) = leaving.end(run, &with) else {
            return once.drop_it(run);
        };
        once.hop.stream = once.hop.stream.or(stream);
        once.send(run)
    }
}

/// Sends a reply that belongs to no transaction on to the second Via (RFC 3261 §16.7 item 3, §18.2.2). The code is
/// -1 when there is no such Via. Whether the first is ours counts only with `check_via`: a script may have shown
/// any host in it.
pub fn reply(run: &mut Run) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let vias: Vec<Via<'_>> = message.vias().take(2).collect();
    let hop = match &vias[..] {
        [own, next] if is_ours(run, own) => via_hop(run, own, next),
        _ => None,
    };
    let Some(hop) = hop else {
        run.engine.counters.drop_replies.increment();
        return failed(errors::SERVER);
    };
    if let Some(cseq) = vias.first().and_then(Via::raised_from)
        && let Some(span) = message.span_of(message.cseq_number_bytes())
    {
        let edits = &mut run.msg.edits;
        edits.replace(Tag::Via, span, cseq.to_string().as_bytes());
    }
    let once = Once {
        hop,
        bytes: run.reply_bytes(&run.msg, hop.transport),
        is_request: false,
    };
    match Leaving::reply(run, hop, &once.bytes, |run| run.msg.clone()) {
        None => once.send(run),
        Some(start) => start.run(|leaving| Pending::native(Shown { leaving, once })),
    }
}

fn is_ours(run: &Run, via: &Via<'_>) -> bool {
    if !run.engine.settings.check_via {
        return true;
    }
    let transport = Transport::from_name(via.transport());
    let port = via
        .port()
        .or_else(|| transport.map(Transport::default_port));
    let advertised = run.engine.settings.advertised_address.as_deref();
    run.engine.is_myself(via.host(), port, transport)
        || advertised.is_some_and(|host| host.as_bytes().eq_ignore_ascii_case(via.host()))
}

fn via_hop(run: &Run, own: &Via<'_>, next: &Via<'_>) -> Option<Hop> {
    let transport = Transport::from_name(next.transport())?;
    let host = next.received().unwrap_or_else(|| next.host());
    let host = std::str::from_utf8(host).ok()?;
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()?;
    let port = match next.rport() {
        Some(Some(port)) => port,
        _ => next.port().unwrap_or_else(|| transport.default_port()),
    };
    let remote = SocketAddr::new(address, port);
    let preferred = run.msg.target.socket.unwrap_or(run.msg.hop.socket);
    let mut hop = run.engine.hop_to(transport, remote, preferred)?;
    let id = own.connection().and_then(|id| std::str::from_utf8(id).ok());
    hop.connection = id
        .and_then(|id| u64::from_str_radix(id, 16).ok())
        .map(sip::ConnectionId);
    hop.stream = run.msg.stream.reply;
    Some(hop)
}

/// Whether a message has the headers that every SIP message must have (RFC 3261 §8.1.1), and a Via to answer by.
/// What else may be wrong with a request is for the script to refuse, with `sanity_check()`.
pub(crate) fn is_workable(message: &sip::Message) -> bool {
    message.missing().is_none() && message.top_via().is_some()
}
