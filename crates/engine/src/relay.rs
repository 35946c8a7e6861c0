//! `t_relay()`: a request goes to its destinations, each on a branch of its own. Branch routes, names to be
//! looked up and `onsend_route` may each interrupt it.

use std::collections::VecDeque;
use std::sync::Arc;

use script::{BlockId, Completion, Outcome, RouteEnd, Routes};
use sip::{Hop, Method};
use transaction::BranchRefused;

use crate::destination::Destination;
use crate::engine::BranchData;
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
    /// No 100 of our own.
    pub no_100: bool,
    /// No error reply of our own.
    pub no_error_reply: bool,
    /// The result of the branches is nobody's business (`t_replicate`).
    pub replicate: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Armed {
    on_branch: Option<BlockId>,
    on_failure: Option<BlockId>,
    on_branch_failure: Option<BlockId>,
}

#[derive(Debug)]
enum At {
    Next,
    BranchRoute(Saved),
    Resolving(Box<Working>),
    OnSend(Box<Ready>),
}

/// A branch whose bytes are written.
#[derive(Debug)]
struct Ready {
    saved: Saved,
    hop: Hop,
    alternatives: Vec<Hop>,
    bytes: Arc<[u8]>,
    target: Target,
    own_record_routes: usize,
    on_reply: Option<BlockId>,
}

/// Sends the request at hand on, as `t_relay()` does; the outcome's code is the function's.
pub fn relay(run: &mut Run, options: RelayOptions) -> Outcome<Pending> {
    let method = run.msg.message.method();
    if run.routes.intersects(Routes::REQUEST) {
        match (method, run.invite) {
            (Method::Ack, _) => return Outcome::Code(crate::forward::request(run, &options)),
            (Method::Cancel, Some(invite)) => {
                let done = crate::stage::cancel_invite(run, invite);
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
    let auto_100 = run.engine.settings.relaying.auto_inv_100 && !options.no_100;
    let in_failure = run.routes.intersects(Routes::FAILURE);
    let tx = run.ensure_transaction()?;
    if in_failure && tx.is_answered() {
        return Err(errors::SERVER);
    }
    if options.replicate {
        tx.set_silent();
    }
    let wants_100 = !in_failure && tx.is_invite() && tx.last_status() == 0 && !tx.data.no_auto_100;
    let armed = Armed {
        on_branch: tx.data.on_branch.take(),
        on_failure: tx.data.on_failure,
        on_branch_failure: tx.data.on_branch_failure,
    };
    if wants_100 && auto_100 {
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

/// The end of a relaying that added no branch: an error reply is owed to the client.
fn fail(run: &mut Run, error: i32) -> Outcome<Pending> {
    run.error = error;
    let silent = run.tx.as_ref().is_some_and(|tx| tx.data.no_internal_reply);
    if run.routes.intersects(Routes::REQUEST) && !silent {
        run.owed_error = Some(error);
        return Outcome::Code(i64::from(error));
    }
    Outcome::Code(if silent { -4 } else { -1 })
}

impl Relay {
    /// Goes on after a block or a look-up.
    pub(crate) fn resume(mut self: Box<Self>, run: &mut Run, with: Completion) -> Outcome<Pending> {
        match std::mem::replace(&mut self.at, At::Next) {
            At::Next => self.proceed(run),
            At::BranchRoute(saved) => {
                let dropped = matches!(with, Completion::Route(RouteEnd { dropped: true, .. }));
                let on_reply = run.take_branch_on_reply();
                let working = saved.restore(run);
                if dropped {
                    return self.proceed(run);
                }
                self.locate(run, working, on_reply)
            }
            At::Resolving(working) => {
                if let Completion::Failed(_) = with {
                    self.error = errors::UNRESOLVABLE;
                    return self.proceed(run);
                }
                self.locate(run, *working, None)
            }
            At::OnSend(ready) => {
                let dropped = matches!(with, Completion::Route(RouteEnd { dropped: true, .. }));
                let Ready {
                    saved,
                    hop,
                    alternatives,
                    bytes,
                    target,
                    own_record_routes,
                    on_reply,
                } = *ready;
                drop(saved.restore(run));
                run.sending = None;
                if dropped {
                    self.error = errors::SEND;
                    return self.proceed(run);
                }
                let data = BranchData {
                    target,
                    on_failure: self.armed.on_failure,
                    on_branch_failure: self.armed.on_branch_failure,
                    on_reply,
                    own_record_routes,
                    reply: None,
                    alternatives,
                };
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
        let Some(block) = self.armed.on_branch else {
            return self.locate(run, working, None);
        };
        run.branch = run.tx.as_ref().map(|tx| tx.branches().len());
        let saved = Saved::swap_message(run, working, Routes::BRANCH);
        self.at = At::BranchRoute(saved);
        Outcome::Route {
            block,
            routes: Routes::BRANCH,
            then: Pending::Relay(self),
        }
    }

    /// Finds the way to the destination of a branch, and sends it.
    fn locate(
        mut self: Box<Self>,
        run: &mut Run,
        working: Working,
        on_reply: Option<BlockId>,
    ) -> Outcome<Pending> {
        match run.engine.destination(&working, run.now.time) {
            Destination::Known(mut hops) => {
                let hop = hops.remove(0);
                self.send(run, working, hop, hops, on_reply)
            }
            Destination::Ask(query) => {
                run.operation = Some(Operation::Resolve(query));
                self.at = At::Resolving(Box::new(working));
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
        working: Working,
        hop: Hop,
        alternatives: Vec<Hop>,
        on_reply: Option<BlockId>,
    ) -> Outcome<Pending> {
        let Some(branch) = run.tx.as_ref().map(|tx| tx.next_branch_value()) else {
            return self.end(run);
        };
        let target = working.target.clone();
        let (bytes, own_record_routes) = run.write_request(working, &hop, &branch);
        let bytes: Arc<[u8]> = bytes.into();
        if let Some(block) = run.engine.blocks.onsend {
            let working = run.msg.clone();
            let saved = Saved::swap_message(run, working, Routes::ONSEND);
            run.sending = Some(crate::run::Sending {
                hop,
                bytes: Arc::clone(&bytes),
            });
            let ready = Ready {
                saved,
                hop,
                alternatives,
                bytes,
                target,
                own_record_routes,
                on_reply,
            };
            self.at = At::OnSend(Box::new(ready));
            return Outcome::Route {
                block,
                routes: Routes::ONSEND,
                then: Pending::Relay(self),
            };
        }
        let data = BranchData {
            target,
            on_failure: self.armed.on_failure,
            on_branch_failure: self.armed.on_branch_failure,
            on_reply,
            own_record_routes,
            reply: None,
            alternatives,
        };
        self.add(run, hop, bytes, data);
        self.proceed(run)
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

    fn end(self: Box<Self>, run: &mut Run) -> Outcome<Pending> {
        if self.added > 0 {
            if let Some(tx) = &mut run.tx {
                tx.data.on_failure = None;
                tx.data.on_branch_failure = None;
            }
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
        let engine = Arc::clone(&self.engine);
        for hook in &engine.hooks.branch_out {
            hook(self, &mut out);
        }
        (engine.request_bytes(&out, branch), out.own_record_routes)
    }
}
