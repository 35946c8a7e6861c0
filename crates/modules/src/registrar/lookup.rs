//! `lookup()` and its kind: contacts become destinations.

use std::sync::Arc;

use engine::{Pending, Run, Target, level};
use script::{Args, Outcome};
use sip::{NameAddr, Uri, split_values};

use super::gruu::Gruu;
use super::methods;
use super::settings::{Current, State};
use crate::usrloc::{Contact, Contacts, Domain};

/// Codes when nothing was found.
const NONE: i64 = -1;
const METHOD: i64 = -2;
const FAILED: i64 = -3;

pub(super) fn lookup(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let found = find(run, args, 1);
    let (state, contacts) = match found {
        Ok(found) => found,
        Err(code) => return Outcome::Code(code),
    };
    let mut targets = state.targets(run, &contacts).into_iter();
    if let Some(first) = targets.next() {
        state.take(run, first, &contacts);
    }
    append(run, targets);
    Outcome::Code(1)
}

pub(super) fn lookup_to_dset(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    match find(run, args, 1) {
        Ok((state, contacts)) => {
            let targets = state.targets(run, &contacts);
            append(run, targets.into_iter());
            Outcome::Code(1)
        }
        Err(code) => Outcome::Code(code),
    }
}

/// The Request-URI and all branches are looked up; those that are not found stay as they are.
pub(super) fn lookup_branches(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = State::of(run);
    let Some(domain) = state.domain(args.str(0)) else {
        return Outcome::Code(FAILED);
    };
    let mut code = NONE;
    let before = std::mem::take(&mut run.msg.branches);
    let uri = run.msg.uri().to_vec();
    let mut more = Vec::new();
    match state.contacts(run, &domain, &uri) {
        Ok(contacts) => {
            let mut targets = state.targets(run, &contacts).into_iter();
            if let Some(first) = targets.next() {
                state.take(run, first, &contacts);
            }
            more.extend(targets);
            code = 1;
        }
        Err(reason) => code = code.min(reason),
    }
    for branch in before {
        let found = branch
            .uri
            .as_deref()
            .map(|uri| state.contacts(run, &domain, uri));
        match found {
            Some(Ok(contacts)) => {
                more.extend(state.targets(run, &contacts));
                code = 1;
            }
            _ => more.push(branch),
        }
    }
    append(run, more.into_iter());
    Outcome::Code(code)
}

fn find(run: &mut Run, args: &Args<'_>, uri_at: usize) -> Result<(Current, Contacts), i64> {
    let state = State::of(run);
    let Some(domain) = state.domain(args.str(0)) else {
        run.log(level::ERROR, "registrar", "lookup: there is no such table");
        return Err(FAILED);
    };
    let uri = match args.opt_str(uri_at).filter(|uri| !uri.is_empty()) {
        Some(uri) => uri.to_vec(),
        None => run.msg.uri().to_vec(),
    };
    let contacts = state.contacts(run, &domain, &uri)?;
    Ok((state, contacts))
}

fn append(run: &mut Run, targets: impl Iterator<Item = Target>) {
    let room = run.engine.settings.max_branches.saturating_sub(1);
    for target in targets {
        if run.msg.branches.len() >= room {
            let text = "more contacts than a request may have branches: the last are left out";
            run.log(level::WARNING, "registrar", text);
            break;
        }
        run.msg.branches.push(target);
    }
}

impl State {
    /// The request goes to the first contact, which the script is shown.
    fn take(&self, run: &mut Run, target: Target, contacts: &[Arc<Contact>]) {
        run.msg.target = target;
        run.msg.uri_consumed = false;
        if let (Some(shown), Some(first)) = (&self.shown, contacts.first()) {
            shown.show(run, first);
        }
    }

    /// The contacts that a request may go to, best first; never empty.
    pub(super) fn contacts(&self, run: &Run, domain: &Domain, uri: &[u8]) -> Result<Contacts, i64> {
        let parsed = Uri::parse(uri).map_err(|_| FAILED)?;
        let gruu = if self.gruu { Gruu::of(&parsed) } else { None };
        let mut contacts = match &gruu {
            Some(gruu @ Gruu::Temporary(..)) => self.by_gruu(domain, gruu).into_iter().collect(),
            _ => domain.contacts(&self.aor(uri).map_err(|_| FAILED)?),
        };
        if let Some(gruu @ Gruu::Public(_)) = &gruu {
            contacts.retain(|contact| gruu.names(contact));
        }
        let now = run.now.unix();
        contacts.retain(|contact| self.use_expired || contact.is_valid(now));
        if let Some(flags) = self.wishes.branch_flags.filter(|_| self.filters_flags) {
            contacts.retain(|contact| contact.branch_flags & flags != 0);
        }
        if contacts.is_empty() {
            return Err(NONE);
        }
        if self.method_filtering && run.msg.message.is_request() {
            let method = methods::bit(run.msg.message.method());
            contacts.retain(|contact| contact.methods & method != 0);
        }
        if contacts.is_empty() {
            return Err(METHOD);
        }
        if !self.append_branches {
            contacts.truncate(1);
        }
        Ok(contacts)
    }

    fn targets(&self, run: &Run, contacts: &[Arc<Contact>]) -> Vec<Target> {
        let targets = contacts.iter().map(|contact| self.target(run, contact));
        targets.collect()
    }

    fn target(&self, run: &Run, contact: &Contact) -> Target {
        let path = contact.path.as_deref().and_then(|path| self.way(run, path));
        let (next_hop, path) = match path {
            Some((first, path)) => (Some(first), Some(path)),
            None => (contact.received.as_deref().map(<[u8]>::to_vec), None),
        };
        Target {
            uri: Some(contact.address.to_vec()),
            next_hop,
            path,
            socket: contact.socket,
            flags: contact.branch_flags,
            q: contact.q,
            ruid: contact.ruid.to_vec(),
            instance: contact.instance.as_deref().unwrap_or_default().to_vec(),
            user_agent: contact.user_agent.to_vec(),
        }
    }

    /// The first hop of a Path and the Path; `None` when nothing is left of it.
    fn way(&self, run: &Run, path: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let hops = split_values(path).skip_while(|hop| self.path_check_local && is_own(run, hop));
        let hops: Vec<&[u8]> = hops.collect();
        let first = NameAddr::parse(hops.first()?)?;
        Some((first.uri.to_vec(), hops.join(&b","[..])))
    }
}

fn is_own(run: &Run, hop: &[u8]) -> bool {
    let Some(hop) = NameAddr::parse(hop) else {
        return false;
    };
    let uri = hop.parse_uri();
    uri.is_ok_and(|uri| {
        let transport = uri.wanted_transport();
        let sockets = &run.engine.sockets;
        sockets.is_ours(uri.host, Some(uri.port_or_default()), transport)
    })
}
