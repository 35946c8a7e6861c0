//! What a registration asks for, read from the message before any table is touched (RFC 3261 §10.3).

use engine::Run;
use sip::{HeaderId, Message, NameAddr, SocketId};

use super::methods;
use super::refusal::Refusal;
use super::settings::{PathMode, State};
use crate::usrloc::{CONTACTS_MAX, Contact};

/// Longest `received` URI, Path header and instance, bytes.
const RECEIVED_MAX: usize = 255;
const PATH_MAX: usize = 2048;
const INSTANCE_MAX: usize = 256;

/// What a registration asks for.
#[derive(Debug)]
pub(super) enum Submission {
    /// Nothing: it asks what is there.
    Query,
    /// Everything goes.
    Clear(Contact),
    /// These contacts come, change or go.
    Update(Vec<Change>),
}

/// One contact of a registration.
#[derive(Debug)]
pub(super) struct Change {
    /// The contact as it would be; its name is still empty.
    pub(super) contact: Contact,
    /// It is to be removed.
    pub(super) remove: bool,
}

impl State {
    /// Reads a registration. `memory_only` is the flag of `save()`.
    pub(super) fn submission(
        &self,
        run: &mut Run,
        memory_only: bool,
    ) -> Result<Submission, Refusal> {
        let template = self.template(run, memory_only)?;
        let message = &run.msg.message;
        let mut contacts = Vec::new();
        for value in message.values(HeaderId::Contact) {
            contacts.push(NameAddr::parse(value.text).ok_or(Refusal::ContactSyntax)?);
            if contacts.len() > CONTACTS_MAX {
                return Err(Refusal::TooMany);
            }
        }
        if contacts.iter().any(NameAddr::is_star) {
            return match (contacts.len(), message.expires()) {
                (1, Some(0)) => Ok(Submission::Clear(template)),
                (1, _) => Err(Refusal::StarExpires),
                _ => Err(Refusal::StarAndMore),
            };
        }
        if contacts.is_empty() {
            // An empty header is a mistake; no header is a question.
            return match message.header(HeaderId::Contact) {
                Some(_) => Err(Refusal::ContactSyntax),
                None => Ok(Submission::Query),
            };
        }
        let changes = contacts
            .iter()
            .map(|contact| self.change(contact, &template, message.expires(), run.now.unix()));
        changes.collect::<Result<_, _>>().map(Submission::Update)
    }

    /// What all contacts of a registration have in common.
    fn template(&self, run: &mut Run, memory_only: bool) -> Result<Contact, Refusal> {
        let received = self.received(run)?;
        let message = &run.msg.message;
        let path = self.path(message)?;
        let received = match path_received(path.as_deref()) {
            Some(by_path) if self.path_use_received => Some(by_path),
            _ => received,
        };
        let user_agent = message.value(HeaderId::UserAgent).unwrap_or(b"n/a");
        Ok(Contact {
            address: Box::default(),
            expires: 0,
            q: self.default_q,
            call_id: message.call_id().ok_or(Refusal::Message)?.into(),
            cseq: message.cseq().ok_or(Refusal::Message)?.number,
            user_agent: user_agent.into(),
            received,
            path,
            flags: u32::from(memory_only),
            branch_flags: run.msg.target.flags,
            socket: Some(self.socket(run)),
            methods: methods::of_message(message),
            ruid: Box::default(),
            instance: None,
            reg_id: 0,
            connection: run.msg.hop.connection,
            modified: run.now.unix(),
        })
    }

    fn change(
        &self,
        contact: &NameAddr<'_>,
        template: &Contact,
        expires: Option<u32>,
        now: u64,
    ) -> Result<Change, Refusal> {
        contact.parse_uri().map_err(|_| Refusal::ContactSyntax)?;
        if contact.uri.len() > self.contact_max_size {
            return Err(Refusal::ContactLength);
        }
        let wanted = match contact.params.get(b"expires") {
            _ if self.wishes.expires.is_some() => self.wishes.expires,
            Some(_) => contact.expires(),
            None => expires,
        };
        let lifetime = self.lifetime(wanted)?;
        let mut new = template.clone();
        new.address = contact.uri.into();
        new.expires = now.saturating_add(lifetime);
        if let Some(q) = self.wishes.q {
            let allowed = i32::try_from(q).ok().filter(|q| (0..=1000).contains(q));
            new.q = allowed.ok_or(Refusal::Preference)?;
        } else if contact.params.get(b"q").is_some() {
            new.q = contact.q().ok_or(Refusal::Preference)?.into();
        }
        if let Some(list) = contact.params.value(b"methods") {
            new.methods = methods::of_list(&sip::unquote(list));
        }
        if let Some(instance) = contact.params.value(b"+sip.instance") {
            let instance = sip::unquote(instance);
            if instance.len() > INSTANCE_MAX {
                return Err(Refusal::ContactLength);
            }
            new.instance = Some(instance.as_ref().into());
        }
        if let Some(reg_id) = contact.params.get(b"reg-id") {
            let number = reg_id.and_then(sip::number).filter(|number| *number > 0);
            new.reg_id = number.ok_or(Refusal::RegId)?;
        }
        Ok(Change {
            contact: new,
            remove: lifetime == 0,
        })
    }

    /// The lifetime that a contact gets, s; 0 removes it.
    fn lifetime(&self, wanted: Option<u32>) -> Result<u64, Refusal> {
        let lifetime = match wanted {
            Some(0) => return Ok(0),
            Some(seconds) => shorter(seconds.into(), self.expires_range),
            None => around(self.default_expires, self.default_expires_range),
        };
        if lifetime < self.min_expires && self.refuse_brief {
            return Err(Refusal::TooBrief);
        }
        let lifetime = lifetime.max(self.min_expires);
        Ok(match self.max_expires {
            0 => lifetime,
            max => lifetime.min(max),
        })
    }

    /// Where the client really is, as the script found out.
    fn received(&self, run: &mut Run) -> Result<Option<Box<[u8]>>, Refusal> {
        let Some(variable) = &self.received_avp else {
            return Ok(None);
        };
        match variable.get(run) {
            script::Value::Str(uri) if uri.len() > RECEIVED_MAX => Err(Refusal::ContactLength),
            script::Value::Str(uri) if !uri.is_empty() => Ok(Some((*uri).into())),
            _ => Ok(None),
        }
    }

    /// The Path headers as one list.
    fn path(&self, message: &Message) -> Result<Option<Box<[u8]>>, Refusal> {
        let Some(mode) = self.path_mode else {
            return Ok(None);
        };
        let Some(path) = joined_path(message)? else {
            return Ok(None);
        };
        if mode == PathMode::Strict && !supports(message, b"path") {
            return Err(Refusal::PathUnsupported);
        }
        Ok(Some(path))
    }

    /// The socket that requests to the client leave by.
    fn socket(&self, run: &Run) -> SocketId {
        let own = self.wishes.socket.unwrap_or(run.msg.hop.socket);
        let Some(name) = &self.socket_header else {
            return own;
        };
        if run.msg.flags & self.socket_flag == 0 {
            return own;
        }
        let header = run.msg.message.header_by_name(name.as_bytes());
        let text = header.and_then(|header| std::str::from_utf8(header.value).ok());
        let socket = text.and_then(|text| run.engine.sockets.find_text(text.trim()));
        socket.map_or(own, |socket| socket.id)
    }
}

/// Whether the client supports this extension.
pub(super) fn supports(message: &Message, option: &[u8]) -> bool {
    let mut options = message.values(HeaderId::Supported);
    options.any(|supported| supported.text.eq_ignore_ascii_case(option))
}

/// The values of all Path headers with commas between them.
pub(super) fn joined_path(message: &Message) -> Result<Option<Box<[u8]>>, Refusal> {
    let mut path = Vec::new();
    for value in message.values(HeaderId::Path) {
        let hop = NameAddr::parse(value.text).ok_or(Refusal::PathSyntax)?;
        hop.parse_uri().map_err(|_| Refusal::PathSyntax)?;
        if !path.is_empty() {
            path.push(b',');
        }
        path.extend_from_slice(value.text);
    }
    if path.len() > PATH_MAX {
        return Err(Refusal::PathSyntax);
    }
    Ok((!path.is_empty()).then(|| path.into()))
}

/// Where the first proxy of a Path saw the client.
fn path_received(path: Option<&[u8]>) -> Option<Box<[u8]>> {
    let hop = NameAddr::parse(path?)?;
    let uri = hop.parse_uri().ok()?;
    let received = uri.param(b"received").flatten()?;
    Some(sip::unescape(received).as_ref().into())
}

/// A lifetime at random, up to `percent` shorter.
fn shorter(seconds: u64, percent: u64) -> u64 {
    match seconds * percent / 100 {
        0 => seconds,
        span => seconds - fastrand::u64(0..=span),
    }
}

/// A lifetime at random, up to `percent` shorter or longer.
fn around(seconds: u64, percent: u64) -> u64 {
    match seconds.saturating_mul(percent) / 100 {
        0 => seconds,
        span => (seconds - span).saturating_add(fastrand::u64(0..=span * 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_lifetimes_stay_in_their_range() {
        for _ in 0..200 {
            assert!((600..=1800).contains(&around(1200, 50)));
            assert!((600..=1200).contains(&shorter(1200, 50)));
        }
        assert_eq!((around(1200, 0), shorter(1200, 0)), (1200, 1200));
        assert_eq!(shorter(1, 50), 1);
    }
}
