//! Messages that pass without a transaction: ACK to 2xx, `forward()`, replies that match nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use sip::{Hop, Method, Transport, Via};
use transaction::Output;

use crate::destination::Destination;
use crate::errors;
use crate::relay::RelayOptions;
use crate::run::Run;

/// Sends the request at hand on, once and without memory. The code is that of `t_relay()` or `forward()`.
///
/// A name that the resolver does not know yet is not waited for: the peer repeats what matters.
pub fn request(run: &mut Run, options: &RelayOptions) -> i64 {
    let mut target = run.msg.target.clone();
    if let Some(to) = &options.to {
        target.next_hop = Some(to.clone());
    }
    let next_hop = target.next_hop_of(&run.msg.message);
    let found = run
        .engine
        .destination_of(next_hop, &run.msg, &target, run.now.time);
    let hop = match found {
        Destination::Known(hops) => hops.first().copied(),
        Destination::Ask(query) => {
            run.engine.resolver.look_up_later(query, run.now.time);
            return i64::from(errors::UNRESOLVABLE);
        }
        Destination::Failed(error) => return i64::from(error),
    };
    let Some(hop) = hop else {
        return i64::from(errors::UNRESOLVABLE);
    };
    if run.msg.message.method() == Method::Ack {
        let engine = run.engine.clone();
        for hook in &engine.hooks.ack_out {
            hook(run);
        }
    }
    let branch = run.engine.transactions.stateless_branch(&run.msg.message);
    let (bytes, _) = run.write_request(&run.msg, &target, &hop, &branch);
    run.out.push(Output::Send { hop, bytes });
    run.engine.counters.fwd_requests.increment();
    1
}

/// Sends a reply that belongs to no transaction on to the Via below ours (RFC 3261 §16.7 item 3, §18.2.2).
/// False when there is no such Via.
pub fn reply(run: &mut Run) -> bool {
    let message = Arc::clone(&run.msg.message);
    let vias: Vec<Via<'_>> = message.vias().take(2).collect();
    let hop = match &vias[..] {
        [own, next] if is_ours(run, own) => via_hop(run, own, next),
        _ => None,
    };
    let Some(hop) = hop else {
        run.engine.counters.drop_replies.increment();
        return false;
    };
    let bytes = run.reply_bytes(&run.msg, hop.transport);
    run.out.push(Output::Send { hop, bytes });
    run.engine.counters.fwd_replies.increment();
    true
}

fn is_ours(run: &Run, via: &Via<'_>) -> bool {
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
    Some(hop)
}

/// Whether a message has the headers that every SIP message must have (RFC 3261 §8.1.1), and a Via to answer by.
/// What else may be wrong with a request is for the script to refuse, with `sanity_check()`.
pub(crate) fn is_workable(message: &sip::Message) -> bool {
    message.missing().is_none() && message.top_via().is_some()
}
