//! Calls in a database, as Tandem writes them.

use std::io;

use dialog::{DialogId, State, Stored, StoredLeg, core_hash};
use store::{Connection, Options, Url};

/// Slots of the table of calls in `bench.cfg`.
const SLOTS: u32 = 65_536;
/// Calls written in one transaction.
const BATCH: u64 = 1_000;
/// Seconds that they last yet: longer than any measurement.
const LIFETIME: u32 = 43_200;
/// As many callers as the load has.
const USERS: u64 = crate::load::text::USERS as u64;

/// Makes the tables for calls, and empties them.
///
/// # Errors
/// What the database says.
pub(super) fn make_tables(url: &str) -> io::Result<()> {
    let mut connection = connect(url)?;
    let tables = modules::tables();
    store::create(&mut *connection, &tables).map_err(io::Error::other)?;
    for table in tables {
        let sql = format!("DELETE FROM {}", table.name);
        connection.execute(&sql).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Writes the calls with these numbers: confirmed ones, with two profiles and a variable, which go from and to these ports.
///
/// # Errors
/// What the database says.
pub(super) fn fill(url: &str, numbers: std::ops::Range<u64>, ports: [u16; 2]) -> io::Result<()> {
    let mut connection = connect(url)?;
    let (driver, layouts) = (connection.driver(), modules::layouts());
    let now = std::time::UNIX_EPOCH.elapsed().map_err(io::Error::other)?;
    let now = u32::try_from(now.as_secs()).unwrap_or(0);
    let mut next = numbers.start;
    while next < numbers.end {
        let end = numbers.end.min(next + BATCH);
        let calls = (next..end).map(|number| call(number, ports, now));
        let changes: Vec<_> = calls.map(|call| modules::rows_of(&call, driver)).collect();
        connection
            .save(&layouts, &changes)
            .map_err(io::Error::other)?;
        next = end;
    }
    Ok(())
}

fn connect(url: &str) -> io::Result<Box<dyn Connection>> {
    let url = Url::parse(url).map_err(io::Error::other)?;
    // No write-ahead log: its last checkpoint would be in the way of a program that starts at once and does not wait.
    let options = Options {
        journal: "DELETE".to_owned(),
        ..Options::default()
    };
    store::connect(&url, &options).map_err(io::Error::other)
}

/// The call that the load makes with this number, as it is kept once it was answered.
fn call(number: u64, [proxy, callee]: [u16; 2], now: u32) -> Stored {
    let user = number % USERS;
    let call_id = format!("{number:08x}-{number:08x}-2a2a2a2a@127.0.0.1");
    let socket = format!("udp:127.0.0.1:{proxy}");
    let leg = |tag: char, cseq, contact: String| StoredLeg {
        tag: format!("{tag}{number:08x}-{number:08x}").into_bytes(),
        cseq,
        route_set: Vec::new(),
        contact: contact.into_bytes(),
        socket: socket.clone().into_bytes(),
    };
    let called = format!("sip:callee{user:03}@127.0.0.1:{callee}");
    Stored {
        id: DialogId {
            h_entry: core_hash(call_id.as_bytes()) & (SLOTS - 1),
            // Within a slot each has its own.
            h_id: number as u32 + 1,
        },
        call_id: call_id.into_bytes(),
        from_uri: format!("sip:caller{user:03}@bench.example.org").into_bytes(),
        to_uri: format!("sip:callee{user:03}@bench.example.org").into_bytes(),
        req_uri: called.into_bytes(),
        timeout_route: Vec::new(),
        state: State::Confirmed,
        start_ts: now,
        timeout: now + LIFETIME,
        lifetime: LIFETIME,
        sflags: 0,
        iflags: 0,
        legs: [
            leg('f', 1, format!("sip:caller{user:03}@127.0.0.1:40000")),
            leg('e', 0, format!("sip:b0@127.0.0.1:{callee}")),
        ],
        forks: Vec::new(),
        numbers: None,
        profiles: vec![
            (
                "caller".to_owned(),
                Some(format!("caller{user:03}").into_bytes()),
            ),
            ("calls".to_owned(), None),
        ],
        variables: vec![(b"started".to_vec(), b"yes".to_vec())],
    }
}
