//! `t_relay()`: a request goes to its destinations, each on a branch of its own. Branch routes, names to be
//! looked up and `onsend_route` may each interrupt it.

use std::sync::Arc;

use script::{Completion, Outcome, RouteEnd, Routes};
use sip::{Hop, Method, Transport};
use smallvec::SmallVec;
use transaction::BranchRefused;

use crate::destination::{Destination, Hops};
use crate::engine::{Armed, BranchData};
use crate::errors;
use crate::events::Saved;
use crate::leaving::Leaving;
use crate::pending::Pending;
use crate::run::{Operation, Run};
use crate::working::{Target, Working};

/// A request on its way to its destinations.
#[derive(Debug)]
pub struct Relay {
    /// The next one last.
    targets: SmallVec<[Target; 1]>,
    armed: Armed,
    at: At,
    added: usize,
    error: i32,
    options: RelayOptions,
}

/// What the caller wants otherwise than usual.
#[derive(Clone, Debug, Default)]
pub struct RelayOptions {
    /// Go here, whatever the request says.
    pub to: Option<Vec<u8>>,
    /// Go over this transport.
    pub transport: Option<Transport>,
    /// No 100 of our own.
    pub no_100: bool,
    /// No error reply of our own.
    pub no_error_reply: bool,
    /// The result of the branches is nobody's business (`t_replicate`).
    pub replicate: bool,
    /// Try no other address when one fails.
    pub no_failover: bool,
}

#[derive(Debug)]
enum At {
    Next,
    BranchRoute(Box<Saved>),
    Resolving(Box<Located>),
    OnSend(Box<Ready>),
}

/// A branch after its branch route.
#[derive(Debug)]
struct Located {
    /// The message as the branch route left it; without one, it is the message at hand.
    own: Option<Box<Working>>,
    target: Target,
    armed: Armed,
}

/// A branch whose bytes are written.
#[derive(Debug)]
struct Ready {
    leaving: Leaving,
    hop: Hop,
    bytes: Arc<[u8]>,
    data: BranchData,
}

/// Sends the request at hand on, as `t_relay()` does; the outcome's code is the function's.
pub fn relay(run: &mut Run, options: RelayOptions) -> Outcome<Pending> {
    let method = run.msg.message.method();
    if run.routes.intersects(Routes::REQUEST) {
        match (method, run.invite) {
            (Method::Ack, _) => return crate::forward::request(run, options),
            (Method::Cancel, Some(invite)) => {
                let done = crate::judge::cancel_invite(run, invite);
                return Outcome::Code(done.unwrap_or_else(i64::from));
            }
            (Method::Cancel, None) => match run.engine.settings.relaying.unmatched_cancel {
                crate::settings::UnmatchedCancel::Stateful => {}
                crate::settings::UnmatchedCancel::Stateless => {
                    return crate::forward::request(run, options);
                }
                crate::settings::UnmatchedCancel::Drop => return Outcome::Code(1),
            },
            _ => {}
        }
    }
    match prepare(run, options) {
        Ok(relay) => relay.proceed(run),
        Err(error) => fail(run, error),
    }
}

fn prepare(run: &mut Run, options: RelayOptions) -> Result<Box<Relay>, i32> {
    let by_default = run.engine.settings.relaying.auto_inv_100;
    let in_request = run.routes.intersects(Routes::REQUEST);
    let tx = run.ensure_transaction()?;
    if !in_request && tx.is_answered() {
        return Err(errors::SERVER);
    }
    if options.replicate {
        tx.set_silent();
    }
    let shared = &mut tx.data.shared;
    let auto_100 = shared.wishes.auto_100.unwrap_or(by_default);
    let armed = Armed {
        on_reply: None,
        ..shared.armed
    };
    let is_first = in_request && tx.is_invite() && tx.last_status() == 0;
    if is_first && auto_100 && !options.no_100 && !options.replicate {
        run.answer_trying();
    }
    let targets: SmallVec<[Target; 1]> = run.msg.destinations().rev().cloned().collect();
    if targets.is_empty() {
        return Err(errors::NO_BRANCH);
    }
    run.msg.uri_consumed = true;
    run.msg.branches.clear();
    Ok(Box::new(Relay {
        targets,
        armed,
        at: At::Next,
        added: 0,
        error: 0,
        options,
    }))
}

/// The end of a relaying that added no branch: an error reply is owed to the client, unless earlier branches
/// will bring one.
fn fail(run: &mut Run, error: i32) -> Outcome<Pending> {
    run.error = error;
    if !run.routes.intersects(Routes::REQUEST) {
        return Outcome::Code(-1);
    }
    let tx = run.tx.as_deref();
    if tx.is_some_and(|tx| !tx.branches().is_empty() || tx.is_answered()) {
        return Outcome::Code(-1);
    }
    if run.shared_ref().wishes.no_internal_reply {
        return Outcome::Code(-4);
    }
    run.owed_error = Some(error);
    // A branch that was there and could not be sent shows in the reply, not in the code.
    Outcome::Code(i64::from(if error == errors::SEND {
        errors::SERVER
    } else {
        error
    }))
}

impl Relay {
    /// Goes on after a block or a look-up.
    pub(crate) fn resume(mut self: Box<Self>, run: &mut Run, with: Completion) -> Outcome<Pending> {
        let dropped = matches!(with, Completion::Route(RouteEnd { dropped: true, .. }));
        match std::mem::replace(&mut self.at, At::Next) {
            At::Next => self.proceed(run),
            At::BranchRoute(saved) => {
                let armed = std::mem::take(&mut run.branch_armed);
                let mut working = saved.restore(run);
                if dropped {
                    return self.proceed(run);
                }
                let located = Located {
                    target: std::mem::take(&mut working.target),
                    own: Some(Box::new(working)),
                    armed,
                };
                self.locate(run, located)
            }
            At::Resolving(located) => {
                if let Completion::Failed(_) = with {
                    self.error = errors::UNRESOLVABLE;
                    return self.proceed(run);
                }
                self.locate(run, *located)
            }
            At::OnSend(ready) => {
                let Ready {
                    leaving,
                    mut hop,
                    bytes,
                    data,
                } = *ready;
                let Some(stream) = leaving.end(run, &with) else {
                    self.error = errors::SEND;
                    return self.proceed(run);
                };
                hop.stream = hop.stream.or(stream);
                self.add(run, hop, bytes, data);
                self.proceed(run)
            }
        }
    }

    /// Takes the next destination, or ends.
    fn proceed(mut self: Box<Self>, run: &mut Run) -> Outcome<Pending> {
        let Some(mut target) = self.targets.pop() else {
            return self.end(run);
        };
        if let Some(to) = &self.options.to {
            target.next_hop = Some(to.clone());
        }
        let armed = self.armed;
        let Some(block) = armed.on_branch else {
            let located = Located {
                own: None,
                target,
                armed,
            };
            return self.locate(run, located);
        };
        let mut working = run.msg.clone();
        working.target = target;
        working.branches = Vec::new();
        run.branch = run.tx.as_ref().map(|tx| tx.branches().len());
        run.branch_armed = armed;
        let saved = Saved::swap_message(run, working, Routes::BRANCH);
        self.at = At::BranchRoute(Box::new(saved));
        Outcome::Route {
            block,
            routes: Routes::BRANCH,
            then: Pending::Relay(self),
        }
    }

    /// Finds the way to the destination of a branch, and sends it.
    fn locate(mut self: Box<Self>, run: &mut Run, located: Located) -> Outcome<Pending> {
        let working = located.own.as_deref().unwrap_or(&run.msg);
        let target = &located.target;
        let next_hop = target.next_hop_of(&working.message);
        let forced = self.options.transport.and_then(|transport| {
            let uri = sip::Uri::parse(next_hop).ok()?;
            Some(uri.with_param(b"transport", Some(transport.name().as_bytes())))
        });
        let next_hop = forced.as_deref().unwrap_or(next_hop);
        match run
            .engine
            .destination_of(next_hop, working, target, run.now.time)
        {
            Destination::Known(hops) => self.send(run, located, &hops),
            Destination::Ask(query) => {
                run.operation = Some(Operation::Resolve(query));
                self.at = At::Resolving(Box::new(located));
                Outcome::Wait(Pending::Relay(self))
            }
            Destination::Failed(error) => {
                self.error = error;
                self.proceed(run)
            }
        }
    }

    fn send(mut self: Box<Self>, run: &mut Run, located: Located, hops: &Hops) -> Outcome<Pending> {
        let (Some(tx), Some((hop, others))) = (&mut run.tx, hops.split_first()) else {
            return self.end(run);
        };
        let Located { own, target, armed } = located;
        // Flags set since the transaction was made are its flags from now on.
        tx.data.working.flags = own.as_deref().unwrap_or(&run.msg).flags;
        let branch = tx.next_branch_value();
        let working = own.as_deref().unwrap_or(&run.msg);
        let (hop, bytes, own_record_routes) = run.write_fitting(working, &target, *hop, &branch);
        let alternatives = if self.fails_over(run) {
            others.to_vec()
        } else {
            Vec::new()
        };
        let data = BranchData {
            target,
            armed,
            own_record_routes,
            reply: None,
            alternatives,
        };
        let Some(start) = Leaving::request(run, hop, &bytes) else {
            self.add(run, hop, bytes, data);
            return self.proceed(run);
        };
        start.run(|leaving| {
            self.at = At::OnSend(Box::new(Ready {
                leaving,
                hop,
                bytes,
                data,
            }));
            Pending::Relay(self)
        })
    }

    fn fails_over(&self, run: &Run) -> bool {
        run.engine.settings.dns_failover
            && !self.options.no_failover
            && !run.shared_ref().wishes.no_failover
    }

    fn add(&mut self, run: &mut Run, hop: Hop, bytes: Arc<[u8]>, data: BranchData) {
        let now = run.now.time;
        let Some(tx) = &mut run.tx else { return };
        match tx.add_branch(hop, bytes, data, now, &mut run.out) {
            Ok(_) => {
                self.added += 1;
                run.engine.counters.fwd_requests.increment();
            }
            Err(refused) => {
                self.error = match refused {
                    BranchRefused::Cancelled => errors::CANCELED,
                    BranchRefused::TooMany => errors::TOO_MANY_BRANCHES,
                    BranchRefused::Answered | BranchRefused::Expired => errors::SERVER,
                };
            }
        }
    }

    fn end(&self, run: &mut Run) -> Outcome<Pending> {
        if run.routes.intersects(Routes::REQUEST) {
            run.branch = None;
        }
        if self.added > 0 {
            return Outcome::Code(1);
        }
        if self.options.no_error_reply {
            return Outcome::Code(-1);
        }
        fail(
            run,
            if self.error == 0 {
                errors::NO_BRANCH
            } else {
                self.error
            },
        )
    }
}

impl Run {
    /// As `write_request`, by another transport when it would be longer than a datagram may be (`udp_mtu`).
    fn write_fitting(
        &self,
        working: &Working,
        target: &Target,
        hop: Hop,
        branch: &[u8],
    ) -> (Hop, Arc<[u8]>, usize) {
        let (bytes, own_record_routes) = self.write_request(working, target, &hop, branch);
        let too_long = bytes.len() > self.engine.settings.udp_mtu;
        match self.other_transport(working, target, &hop) {
            Some(other) if too_long => {
                let (bytes, own_record_routes) =
                    self.write_request(working, target, &other, branch);
                (other, bytes, own_record_routes)
            }
            _ => (hop, bytes, own_record_routes),
        }
    }

    fn other_transport(&self, working: &Working, target: &Target, hop: &Hop) -> Option<Hop> {
        let settings = &self.engine.settings;
        let transport = working
            .long_request_transport
            .unwrap_or(settings.udp_mtu_transport);
        let wanted = settings.udp_mtu > 0 && hop.transport == Transport::Udp;
        let other = transport != Transport::Udp;
        let preferred = target.socket.unwrap_or(working.hop.socket);
        (wanted && other)
            .then(|| self.engine.hop_to(transport, hop.remote, preferred))
            .flatten()
            .map(|other| Hop {
                stream: hop.stream,
                ..other
            })
    }
}
