//! The `ul.*` commands.

use std::borrow::Cow;
use std::sync::Arc;

use engine::Engine;
use rpc::{Call, Fault, Kind, Name, Struct, Value};

use super::State;
use super::contact::{ALL_METHODS, Contact};
use super::domain::{Contacts, Domain, SHARDS, Snapshot};
use crate::command::{CommandRow, command, needs, takes};

/// All of them.
pub(super) static COMMANDS: &[CommandRow] = &[
    command(
        "ul.dump",
        &[takes("brief", Kind::Str)],
        dump,
        "All addresses of record and their contacts; names only with `brief`.",
    ),
    command(
        "ul.lookup",
        &[needs("table", Kind::Str), needs("aor", Kind::Str)],
        lookup,
        "The contacts of an address of record.",
    ),
    command(
        "ul.add",
        &[
            needs("table", Kind::Str),
            needs("aor", Kind::Str),
            needs("contact", Kind::Str),
            needs("expires", Kind::Int),
            needs("q", Kind::Double),
            needs("path", Kind::Str),
            needs("flags", Kind::Int),
            needs("cflags", Kind::Int),
            needs("methods", Kind::Int),
        ],
        add,
        "Adds or refreshes a contact.",
    ),
    command(
        "ul.rm",
        &[needs("table", Kind::Str), needs("aor", Kind::Str)],
        remove,
        "Removes all contacts of an address of record.",
    ),
    command(
        "ul.rm_contact",
        &[
            needs("table", Kind::Str),
            needs("aor", Kind::Str),
            needs("contact", Kind::Str),
        ],
        remove_contact,
        "Removes one contact.",
    ),
    command(
        "ul.flush",
        &[],
        flush,
        "Writes what waits to the database; in memory nothing waits.",
    ),
    command(
        "ul.db_users",
        &[takes("table", Kind::Str)],
        no_database,
        "Needs a database.",
    ),
    command(
        "ul.db_contacts",
        &[takes("table", Kind::Str)],
        no_database,
        "Needs a database.",
    ),
    command(
        "ul.db_expired_contacts",
        &[takes("table", Kind::Str)],
        no_database,
        "Needs a database.",
    ),
];

/// What Kamailio's `ul.add` writes where a registration has its Call-ID; scripts match on it.
const CALL_ID: &[u8] = b"dfjrewr12386fd6-343@kamailio.rpc";
const USER_AGENT: &[u8] = b"kamailio SIP Router - RPC Server";

fn dump(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let state = state(engine)?;
    let brief = call.opt_text()?.as_deref() == Some("brief");
    let mut tables = Vec::new();
    for domain in state.domains() {
        let all = (0..SHARDS).flat_map(|shard| domain.snapshot(shard));
        let records: Vec<_> = all
            .map(|record| match brief {
                true => named("AoR", &*record.aor),
                false => named("Info", info(engine, &record, state.now())),
            })
            .collect();
        let stats = Struct::new()
            .with("Records", domain.users())
            .with("Max-Slots", domain.fullest());
        let table = Struct::new()
            .with("Domain", domain.name())
            .with("Size", state.slots)
            .with("AoRs", Value::Named(records))
            .with("Stats", stats);
        tables.push(named("Domain", table));
    }
    call.add(Struct::new().with("Domains", Value::Named(tables)));
    Ok(())
}

fn lookup(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let missing = || Fault::new(500, "Not enough parameters (table and AOR to lookup)");
    let state = state(engine)?;
    let table = call.str().map_err(|_| missing())?;
    let aor = call.str().map_err(|_| missing())?;
    let domain = domain(&state, &table)?;
    let aor = state.aor(&aor);
    let contacts = domain.contacts(&aor);
    if contacts.is_empty() {
        return Err(Fault::new(500, "AOR not found in location table"));
    }
    let reply = Struct::new()
        .with("AoR", &aor[..])
        .with("Contacts", contact_list(engine, &contacts, state.now()));
    call.add(reply);
    Ok(())
}

fn add(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let state = state(engine)?;
    let wrong = |_| Fault::new(500, "Not enough parameters or wrong format");
    let table = call.text().map_err(wrong)?;
    let aor = call.text().map_err(wrong)?;
    let address = call.text().map_err(wrong)?;
    let expires = number(call).map_err(wrong)?;
    let q = preference(&call.text().map_err(wrong)?)
        .ok_or_else(|| Fault::new(500, "Not enough parameters or wrong format"))?;
    let path = call.text().map_err(wrong)?;
    let [flags, branch_flags, methods] = [number(call), number(call), number(call)];
    let domain = domain(&state, &table)?;
    let now = state.now();
    let new = Contact {
        address: address.into_bytes().into(),
        expires: if expires > 0 {
            now.saturating_add(expires as u64)
        } else {
            0
        },
        q,
        call_id: CALL_ID.into(),
        cseq: 1,
        user_agent: USER_AGENT.into(),
        received: None,
        path: (path != "." && path != "0").then(|| path.into_bytes().into()),
        flags: bits(flags.map_err(wrong)?),
        branch_flags: bits(branch_flags.map_err(wrong)?),
        socket: None,
        methods: bits(methods.map_err(wrong)?),
        ruid: state.new_ruid("ulcx", engine),
        instance: None,
        reg_id: 0,
        connection: None,
        modified: now,
    };
    let put = |contacts: &mut Contacts| match state.matching.find(contacts, &new) {
        Some(at) => state.order.replace(contacts, at, Arc::new(new.clone())),
        None => state.order.insert(contacts, Arc::new(new.clone())),
    };
    domain
        .update(&state.aor(&aor), put)
        .map_err(|_| Fault::new(500, "The table is full"))
}

fn remove(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let missing = || Fault::new(500, "Not enough parameters (table and AOR)");
    let state = state(engine)?;
    let table = call.text().map_err(|_| missing())?;
    let aor = call.text().map_err(|_| missing())?;
    domain(&state, &table)?.remove(&state.aor(&aor), |_| true);
    Ok(())
}

fn remove_contact(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let missing = || Fault::new(500, "Not enough parameters (table, AOR and contact)");
    let state = state(engine)?;
    let table = call.text().map_err(|_| missing())?;
    let aor = call.text().map_err(|_| missing())?;
    let address = call.text().map_err(|_| missing())?;
    let domain = domain(&state, &table)?;
    let aor = state.aor(&aor);
    if domain.contacts(&aor).is_empty() {
        return Err(Fault::new(404, "AOR not found"));
    }
    match domain.remove(&aor, |contact| *contact.address == *address.as_bytes()) {
        0 => Err(Fault::new(404, "Contact not found")),
        _ => Ok(()),
    }
}

fn flush(_: &Arc<Engine>, _: &mut Call<'_>) -> Result<(), Fault> {
    // Everything is in memory already: there is nothing that could be written.
    Ok(())
}

fn no_database(_: &Arc<Engine>, _: &mut Call<'_>) -> Result<(), Fault> {
    Err(Fault::new(500, "Command is not supported in db_mode=0"))
}

fn state(engine: &Engine) -> Result<Arc<State>, Fault> {
    engine
        .state::<State>()
        .ok_or_else(|| Fault::new(500, "usrloc is not loaded"))
}

fn domain(state: &State, name: &str) -> Result<Arc<Domain>, Fault> {
    state
        .known(name)
        .ok_or_else(|| Fault::new(500, "Domain table not found"))
}

fn named(name: &'static str, value: impl Into<Value>) -> (Name, Value) {
    (Cow::Borrowed(name), value.into())
}

fn info(engine: &Engine, record: &Snapshot, now: u64) -> Struct {
    Struct::new()
        .with("AoR", &*record.aor)
        .with("HashID", (record.hash & 0x7fff_ffff) as i64)
        .with("Contacts", contact_list(engine, &record.contacts, now))
}

fn contact_list(engine: &Engine, contacts: &[Arc<Contact>], now: u64) -> Value {
    let shown = contacts.iter().map(|contact| shown(engine, contact, now));
    Value::Named(shown.map(|contact| named("Contact", contact)).collect())
}

fn shown(engine: &Engine, contact: &Contact, now: u64) -> Struct {
    let text = |text: Option<&[u8]>| Value::from(text.unwrap_or(b"[not set]"));
    let expires = match contact.expires {
        0 => Value::from("permanent"),
        _ if !contact.is_valid(now) => Value::from("expired"),
        _ => Value::from(contact.remaining(now)),
    };
    let q = match contact.q {
        -1 => -1.0,
        q => f64::from(q) / 1000.0,
    };
    let socket = contact.socket.and_then(|socket| engine.sockets.get(socket));
    let connection = contact
        .connection
        .map_or(-1, |connection| connection.0 as i64);
    Struct::with_capacity(22)
        .with("Address", &*contact.address)
        .with("Expires", expires)
        .with("Q", q)
        .with("Call-ID", &*contact.call_id)
        .with("CSeq", contact.cseq)
        .with("User-Agent", &*contact.user_agent)
        .with("Received", text(contact.received.as_deref()))
        .with("Path", text(contact.path.as_deref()))
        .with("State", "CS_NEW")
        .with("Flags", contact.flags)
        .with("CFlags", contact.branch_flags)
        .with("Socket", text(socket.map(|socket| socket.text.as_bytes())))
        .with("Methods", contact.methods)
        .with("Ruid", &*contact.ruid)
        .with("Instance", text(contact.instance.as_deref()))
        .with("Reg-Id", contact.reg_id)
        .with("Server-Id", engine.settings.server_id)
        .with("Tcpconn-Id", connection)
        .with("Keepalive", 0)
        .with("Last-Keepalive", contact.modified)
        .with("KA-Roundtrip", 0)
        .with("Last-Modified", contact.modified)
}

/// A number, in whichever way the caller wrote it.
fn number(call: &mut Call<'_>) -> Result<i64, Fault> {
    let text = call.text()?;
    text.trim()
        .parse()
        .map_err(|_| Fault::new(500, "Not enough parameters or wrong format"))
}

fn bits(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(ALL_METHODS)
}

/// Thousandths of a `q` between 0 and 1; -1 for a negative one.
fn preference(text: &str) -> Option<i32> {
    let q: f64 = text.trim().parse().ok()?;
    match q {
        q if q < 0.0 => Some(-1),
        q if q <= 1.0 => Some((q * 1000.0).round() as i32),
        _ => None,
    }
}

impl State {
    /// The form in which an address of record given by a person is kept.
    fn aor(&self, text: &str) -> Vec<u8> {
        let (user, domain) = text.split_once('@').unwrap_or((text, ""));
        let mut aor = user.to_owned();
        if self.use_domain && !domain.is_empty() {
            aor = format!("{user}@{}", domain.to_ascii_lowercase());
        }
        if !self.case_sensitive {
            aor.make_ascii_lowercase();
        }
        aor.into_bytes()
    }
}
