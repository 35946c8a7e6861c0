//! `save()`: carries out a registration in one step and answers it (RFC 3261 §10.3).

use std::sync::Arc;

use engine::{Pending, Run, level};
use script::{Args, Outcome};
use sip::Uri;

use super::gruu::Owner;
use super::refusal::Refusal;
use super::settings::State;
use super::submission::{Change, Submission};
use crate::usrloc::{CONTACTS_MAX, Contact, Contacts, Domain, Sequence};

/// Flags of `save()`.
const MEMORY_ONLY: i64 = 1;
const NO_REPLY: i64 = 2;
const REPLACE: i64 = 4;

/// Codes of `save()`.
const INSERTED: i64 = 1;
const UPDATED: i64 = 2;
const REMOVED: i64 = 3;
const ASKED: i64 = 4;

pub(super) fn save(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = State::of(run);
    let Some(domain) = state.domain(args.str(0)) else {
        run.log(level::ERROR, "registrar", "save(): there is no such table");
        return Outcome::Code(-1);
    };
    let flags = args.opt_int(1).unwrap_or(0);
    let uri = match args.opt_str(2).filter(|uri| !uri.is_empty()) {
        Some(uri) => uri.to_vec(),
        None => run
            .msg
            .message
            .to()
            .map(|to| to.uri.to_vec())
            .unwrap_or_default(),
    };
    Outcome::Code(state.save(run, &domain, &uri, flags))
}

impl State {
    fn save(&self, run: &mut Run, domain: &Domain, uri: &[u8], flags: i64) -> i64 {
        let host = Uri::parse(uri).map(|uri| uri.host).unwrap_or_default();
        let aor = match self.aor(uri) {
            Ok(aor) => aor,
            Err(refusal) => return self.refuse(run, refusal, None, flags),
        };
        let submission = match self.submission(run, flags & MEMORY_ONLY != 0) {
            Ok(submission) => submission,
            Err(refusal) if refusal.is_syntax() => return self.refuse(run, refusal, None, flags),
            Err(refusal) => {
                let owner = self.owner(domain, &aor, host);
                let contacts = domain.contacts(&aor);
                return self.refuse(run, refusal, Some((&owner, &contacts)), flags);
            }
        };
        let result = self.commit(run, domain, &aor, submission, flags);
        let contacts = domain.contacts(&aor);
        let owner = self.owner(domain, &aor, host);
        match result {
            Ok(code) => {
                let answer = self.accepted(run, &owner, &contacts);
                let sent =
                    flags & NO_REPLY != 0 || !run.msg.message.is_request() || answer.send(run);
                answer.remember(run);
                if sent { code } else { -1 }
            }
            Err(refusal) => self.refuse(run, refusal, Some((&owner, &contacts)), flags),
        }
    }

    fn commit(
        &self,
        run: &Run,
        domain: &Domain,
        aor: &[u8],
        submission: Submission,
        flags: i64,
    ) -> Result<i64, Refusal> {
        let done = match submission {
            Submission::Query => return Ok(ASKED),
            Submission::Clear(by) => domain.update(aor, |contacts| self.clear(contacts, &by)),
            Submission::Update(changes) => domain.update(aor, |contacts| {
                let name = || self.usrloc.new_ruid("uloc", &run.engine);
                self.change_all(
                    contacts,
                    changes,
                    flags & REPLACE != 0,
                    run.now.unix(),
                    name,
                )
            }),
        };
        done.unwrap_or(Err(Refusal::Full))
    }

    fn clear(&self, contacts: &mut Contacts, by: &Contact) -> Result<i64, Refusal> {
        let delay = self.usrloc.cseq_delay;
        let older = |old: &Arc<Contact>| Sequence::of(old, by, delay) == Sequence::Older;
        if contacts.iter().any(older) {
            return Err(Refusal::OutOfOrder);
        }
        contacts.clear();
        Ok(REMOVED)
    }

    /// All changes or none.
    fn change_all(
        &self,
        contacts: &mut Contacts,
        changes: Vec<Change>,
        replace: bool,
        now: u64,
        name: impl Fn() -> Box<[u8]>,
    ) -> Result<i64, Refusal> {
        let mut next = contacts.clone();
        if replace {
            let matching = self.usrloc.matching;
            next.retain(|old| {
                let old = std::slice::from_ref(old);
                changes
                    .iter()
                    .any(|change| matching.find(old, &change.contact).is_some())
            });
        }
        let mut code = INSERTED;
        for change in changes {
            code = self.change_one(&mut next, change, &name)?.unwrap_or(code);
        }
        let count = |list: &Contacts| list.iter().filter(|contact| contact.is_valid(now)).count();
        let limit = match self.max_contacts {
            0 => CONTACTS_MAX,
            max => max.min(CONTACTS_MAX),
        };
        if count(&next) > limit && count(&next) > count(contacts) {
            return Err(Refusal::TooMany);
        }
        *contacts = next;
        Ok(code)
    }

    fn change_one(
        &self,
        next: &mut Contacts,
        change: Change,
        name: &impl Fn() -> Box<[u8]>,
    ) -> Result<Option<i64>, Refusal> {
        let Change {
            mut contact,
            remove,
        } = change;
        let at = self.usrloc.matching.find(next, &contact);
        let Some((at, old)) = at.and_then(|at| Some((at, Arc::clone(next.get(at)?)))) else {
            if remove {
                return Ok(None);
            }
            contact.ruid = name();
            self.usrloc.order.insert(next, Arc::new(contact));
            return Ok(Some(INSERTED));
        };
        match Sequence::of(&old, &contact, self.usrloc.cseq_delay) {
            Sequence::Older => return Err(Refusal::OutOfOrder),
            Sequence::Repeated => return Ok(None),
            Sequence::Newer => {}
        }
        if remove {
            next.remove(at);
            return Ok(Some(REMOVED));
        }
        contact.ruid.clone_from(&old.ruid);
        self.usrloc.order.replace(next, at, Arc::new(contact));
        Ok(Some(UPDATED))
    }

    fn refuse(
        &self,
        run: &mut Run,
        refusal: Refusal,
        stay: Option<(&Owner<'_>, &[Arc<Contact>])>,
        flags: i64,
    ) -> i64 {
        let answer = self.refused(run, refusal, stay);
        if flags & NO_REPLY == 0 && run.msg.message.is_request() {
            // The refusal's code says that it failed, whether or not the client can be told.
            answer.send(run);
        }
        answer.remember(run);
        refusal.code()
    }

    fn owner<'a>(&self, domain: &Domain, aor: &'a [u8], host: &'a [u8]) -> Owner<'a> {
        Owner {
            aor,
            place: domain.hash(aor),
            host,
        }
    }
}
