//! `t_relay()`: a request goes to its destinations, each on a branch of its own. Branch routes, names to be
//! looked up and `onsend_route` may each interrupt it.

use std::collections::VecDeque;
use std::sync::Arc;

use script::{Completion, Outcome, RouteEnd, Routes};
use sip::{Hop, Method, Transport};
use transaction::BranchRefused;

use crate::destination::Destination;
use crate::engine::{Armed, BranchData};
use crate::errors;
use crate::events::Saved;
use crate::hooks::BranchOut;
use crate::pending::Pending;
use crate::run::{Operation, Run};
use crate::working::{Target, Working};

/// A request on its way to its destinations.
#[derive(Debug)]
pub struct Relay {
    targets: VecDeque<Target>,
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
    working: Working,
    armed: Armed,
}

/// A branch whose bytes are written.
#[derive(Debug)]
struct Ready {
    saved: Saved,
    hop: Hop,
    bytes: Arc<[u8]>,
    data: BranchData,
}

/// Sends the request at hand on, as `t_relay()` does; the outcome's code is the function's.
pub fn relay(run: &mut Run, options: RelayOptions) -> Outcome<Pending> {
    let method = run.msg.message.method();
    if run.routes.intersects(Routes::REQUEST) {
        match (method, run.invite) {
            (Method::Ack, _) => return Outcome::Code(crate::forward::request(run, &options)),
            (Method::Cancel, Some(invite)) => {
                let done = crate::judge::cancel_invite(run, invite);
                return Outcome::Code(done.unwrap_or_else(i64::from));
            }
            (Method::Cancel, None) => match run.engine.settings.relaying.unmatched_cancel {
                crate::settings::UnmatchedCancel::Stateful => {}
                crate::settings::UnmatchedCancel::Stateless => {
                    return Outcome::Code(crate::forward::request(run, &options));
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
    let targets: VecDeque<Target> = run.msg.destinations().into();
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
                let working = saved.restore(run);
                if dropped {
                    return self.proceed(run);
                }
                self.locate(run, Located { working, armed })
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
                    saved,
                    hop,
                    bytes,
                    data,
                } = *ready;
                drop(saved.restore(run));
                run.sending = None;
                if dropped {
                    self.error = errors::SEND;
                    return self.proceed(run);
                }
                self.add(run, hop, bytes, data);
                self.proceed(run)
            }
        }
    }

    /// Takes the next destination, or ends.
    fn proceed(mut self: Box<Self>, run: &mut Run) -> Outcome<Pending> {
        let Some(mut target) = self.targets.pop_front() else {
            return self.end(run);
        };
        if let Some(to) = &self.options.to {
            target.next_hop = Some(to.clone());
        }
        let mut working = run.msg.clone();
        working.target = target;
        working.branches = Vec::new();
        let armed = self.armed;
        let Some(block) = armed.on_branch else {
            return self.locate(run, Located { working, armed });
        };
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
        let working = &located.working;
        let forced = self.options.transport.and_then(|transport| {
            let uri = sip::Uri::parse(working.next_hop()).ok()?;
            Some(uri.with_param(b"transport", Some(transport.name().as_bytes())))
        });
        let next_hop = forced.as_deref().unwrap_or_else(|| working.next_hop());
        match run.engine.destination_of(next_hop, working, run.now.time) {
            Destination::Known(mut hops) => {
                let hop = hops.remove(0);
                self.send(run, located, hop, hops)
            }
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

    fn send(
        mut self: Box<Self>,
        run: &mut Run,
        located: Located,
        hop: Hop,
        alternatives: Vec<Hop>,
    ) -> Outcome<Pending> {
        let Some(branch) = run.tx.as_ref().map(|tx| tx.next_branch_value()) else {
            return self.end(run);
        };
        let Located { working, armed } = located;
        // Flags set since the transaction was made are its flags from now on.
        if let Some(tx) = &mut run.tx {
            tx.data.working.flags = working.flags;
        }
        let target = working.target.clone();
        let (hop, bytes, own_record_routes) = run.write_fitting(working, hop, &branch);
        let bytes: Arc<[u8]> = bytes.into();
        let alternatives = if self.fails_over(run) {
            alternatives
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
        let Some(block) = run.engine.blocks.onsend else {
            self.add(run, hop, bytes, data);
            return self.proceed(run);
        };
        let working = run.msg.clone();
        let saved = Saved::swap_message(run, working, Routes::ONSEND);
        run.sending = Some(crate::run::Sending {
            hop,
            bytes: Arc::clone(&bytes),
        });
        self.at = At::OnSend(Box::new(Ready {
            saved,
            hop,
            bytes,
            data,
        }));
        Outcome::Route {
            block,
            routes: Routes::ONSEND,
            then: Pending::Relay(self),
        }
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
        &mut self,
        working: Working,
        hop: Hop,
        branch: &[u8],
    ) -> (Hop, Vec<u8>, usize) {
        let other = self.other_transport(&working, &hop);
        let kept = other.map(|_| working.clone());
        let (bytes, own_record_routes) = self.write_request(working, &hop, branch);
        match (other, kept) {
            (Some(other), Some(working)) if bytes.len() > self.engine.settings.udp_mtu => {
                let (bytes, own_record_routes) = self.write_request(working, &other, branch);
                (other, bytes, own_record_routes)
            }
            _ => (hop, bytes, own_record_routes),
        }
    }

    fn other_transport(&self, working: &Working, hop: &Hop) -> Option<Hop> {
        let settings = &self.engine.settings;
        let transport = working
            .long_request_transport
            .unwrap_or(settings.udp_mtu_transport);
        let wanted = settings.udp_mtu > 0 && hop.transport == Transport::Udp;
        let other = transport != Transport::Udp;
        (wanted && other)
            .then(|| self.engine.hop_to(transport, hop.remote, working))
            .flatten()
    }

    /// Writes a request for a branch: what the hooks add, our Via, the changes. Returns the bytes and how many
    /// Record-Route headers of our own are in them.
    pub fn write_request(
        &mut self,
        working: Working,
        hop: &Hop,
        branch: &[u8],
    ) -> (Vec<u8>, usize) {
        let (socket, transport) = (hop.socket, hop.transport);
        let mut out = BranchOut {
            working,
            socket,
            transport,
            own_record_routes: 0,
        };
        let engine = self.engine.clone();
        for hook in &engine.hooks.branch_out {
            hook(self, &mut out);
        }
        (engine.request_bytes(&out, branch), out.own_record_routes)
    }
}
