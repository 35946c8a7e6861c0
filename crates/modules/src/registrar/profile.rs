//! `reg_fetch_contacts()` and `$ulc(profile=>attribute)`: contacts for scripts to look at.

use std::sync::Arc;

use engine::{Engine, Event, Input, Interner, Pending, Resume, Run, Slots, TickContext, stand_in};
use script::{Args, BlockId, Completion, Index, Key, KeySpec, Outcome, Routes, Value};

use super::settings::State;
use crate::usrloc::{Contact, Contacts};

/// The profile that `event_route[usrloc:contact-expired]` sees.
const EXPIRED: &str = "exp";

/// The event route's name.
pub(super) const EXPIRED_EVENT: &str = "usrloc:contact-expired";

/// Reads an attribute.
type Reader = fn(&Run, &Profile, &Contact) -> Value;

/// Attributes, in the order of their numbers.
const ATTRIBUTES: &[(&str, Reader)] = &[
    ("aor", |_, profile, _| (&*profile.aor).into()),
    ("domain", |_, profile, _| (&*profile.domain).into()),
    ("aorhash", |_, _, _| Value::Int(0)),
    ("addr", |_, _, contact| (&*contact.address).into()),
    ("path", |_, _, contact| text(contact.path.as_deref())),
    ("received", |_, _, contact| {
        text(contact.received.as_deref())
    }),
    ("expires", |_, _, contact| number(contact.expires)),
    ("callid", |_, _, contact| (&*contact.call_id).into()),
    ("q", |_, _, contact| Value::Int(contact.q.into())),
    ("cseq", |_, _, contact| Value::Int(contact.cseq.into())),
    ("flags", |_, _, contact| Value::Int(contact.flags.into())),
    ("cflags", |_, _, contact| {
        Value::Int(contact.branch_flags.into())
    }),
    ("user_agent", |_, _, contact| (&*contact.user_agent).into()),
    ("socket", |run, _, contact| socket(run, contact)),
    ("modified", |_, _, contact| number(contact.modified)),
    ("last_modified", |_, _, contact| number(contact.modified)),
    ("methods", |_, _, contact| {
        Value::Int(contact.methods.into())
    }),
    ("count", |_, profile, _| {
        Value::Int(profile.contacts.len() as i64)
    }),
    ("ruid", |_, _, contact| (&*contact.ruid).into()),
    ("regid", |_, _, contact| Value::Int(contact.reg_id.into())),
    ("reg_id", |_, _, contact| Value::Int(contact.reg_id.into())),
    ("instance", |_, _, contact| {
        contact.instance.as_deref().into()
    }),
    ("conid", |_, _, contact| {
        contact.connection.map(|c| c.0 as i64).into()
    }),
    ("server_id", |run, _, _| {
        Value::Int(run.engine.settings.server_id)
    }),
    ("keepalive", |_, _, _| Value::Int(0)),
];

/// How many bits of a key hold the attribute.
const ATTRIBUTE_BITS: u32 = 5;

/// The contacts fetched under one name.
pub(super) struct Profile {
    name: u32,
    aor: Arc<[u8]>,
    domain: Box<[u8]>,
    contacts: Contacts,
}

/// All profiles of a message.
#[derive(Default)]
struct Profiles(Vec<Profile>);

/// Most profiles of one message.
const PROFILES_MAX: usize = 64;

impl Profiles {
    fn put(&mut self, profile: Profile) -> bool {
        self.free(profile.name);
        let room = self.0.len() < PROFILES_MAX;
        if room {
            self.0.push(profile);
        }
        room
    }

    fn free(&mut self, name: u32) {
        self.0.retain(|known| known.name != name);
    }
}

pub(super) fn fetch(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = State::of(run);
    let name = profile_number(
        run.engine.catalog.interner(),
        args.str(2).as_str().unwrap_or(""),
    );
    run.slots.entry::<Profiles>().free(name);
    let (Some(domain), Ok(aor)) = (state.domain(args.str(0)), state.aor(args.str(1))) else {
        return Outcome::Code(-1);
    };
    let contacts = domain.contacts(&aor);
    if contacts.is_empty() {
        return Outcome::Code(-1);
    }
    let profile = Profile {
        name,
        aor: aor.into(),
        domain: domain.name().as_bytes().into(),
        contacts,
    };
    let kept = run.slots.entry::<Profiles>().put(profile);
    Outcome::Code(if kept { 1 } else { -1 })
}

pub(super) fn free(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let name = profile_number(
        run.engine.catalog.interner(),
        args.str(0).as_str().unwrap_or(""),
    );
    run.slots.entry::<Profiles>().free(name);
    Outcome::Code(1)
}

/// Understands `profile=>attribute`.
pub(super) fn resolve(interner: &Interner, inner: &str) -> Result<KeySpec, String> {
    let (profile, attribute) = inner
        .split_once("=>")
        .ok_or("expected the form profile=>attribute")?;
    let attribute = attribute.trim();
    let at = ATTRIBUTES
        .iter()
        .position(|(name, _)| *name == attribute)
        .ok_or_else(|| format!("a contact has no attribute \"{attribute}\""))?;
    let profile = profile_number(interner, profile.trim());
    Ok(KeySpec::Attr(profile << ATTRIBUTE_BITS | at as u32))
}

pub(super) fn get(run: &mut Run, key: &Key, index: Index) -> Value {
    let Key::Attr(number) = key else {
        return Value::Null;
    };
    let (name, at) = (
        number >> ATTRIBUTE_BITS,
        number & ((1 << ATTRIBUTE_BITS) - 1),
    );
    let profiles = run.slots.get::<Profiles>();
    let profile = profiles.and_then(|all| all.0.iter().find(|profile| profile.name == name));
    let (Some(profile), Some((_, read))) = (profile, ATTRIBUTES.get(at as usize)) else {
        return Value::Null;
    };
    let count = profile.contacts.len();
    let place = match index {
        Index::None => Some(0),
        Index::At(place) if place < 0 => {
            count.checked_sub(usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX))
        }
        Index::At(place) => usize::try_from(place).ok(),
        Index::All | Index::Append => None,
    };
    match place.and_then(|place| profile.contacts.get(place)) {
        Some(contact) => read(run, profile, contact),
        None => Value::Null,
    }
}

/// Starts the event route for a contact that has ended.
pub(super) fn contact_expired(
    engine: &Arc<Engine>,
    context: &mut TickContext<'_>,
    domain: &str,
    aor: Arc<[u8]>,
    contact: Arc<Contact>,
) {
    let Some(block) = engine.script().event(EXPIRED_EVENT) else {
        return;
    };
    let key = engine.call_key(&contact.call_id);
    let profile = Profile {
        name: profile_number(engine.catalog.interner(), EXPIRED),
        aor,
        domain: domain.as_bytes().into(),
        contacts: vec![contact],
    };
    let job = Expired { block, profile };
    context.jobs.push((key, Input::Job(Box::new(job))));
}

struct Expired {
    block: BlockId,
    profile: Profile,
}

impl Resume for Expired {
    fn resume(self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        let mut slots = Slots::default();
        slots.put(Profiles(vec![self.profile]));
        run.events.push_back(Event {
            block: self.block,
            routes: Routes::EVENT,
            working: stand_in(),
            slots,
        });
        Outcome::Code(1)
    }
}

/// The number of a profile's name. Names of profiles share the interner with other names, under a prefix.
fn profile_number(interner: &Interner, name: &str) -> u32 {
    interner.intern(&format!("ulc:{name}"))
}

fn text(text: Option<&[u8]>) -> Value {
    text.unwrap_or_default().into()
}

fn number(seconds: u64) -> Value {
    Value::Int(i64::try_from(seconds).unwrap_or(i64::MAX))
}

fn socket(run: &Run, contact: &Contact) -> Value {
    let socket = contact
        .socket
        .and_then(|socket| run.engine.sockets.get(socket));
    socket.map(|socket| socket.text.as_bytes()).into()
}
