//! A call as rows, and back.

use dialog::{DialogId, State, Stored, StoredLeg};
use store::{Change, Driver, Row, Value};

use super::xdata;

/// Columns that have to hold something, by their place.
const NEEDED: [usize; 9] = [0, 1, 2, 3, 4, 5, 15, 16, 21];

/// Characters that the column `xdata` holds.
const XDATA_MAX: usize = 512;

/// What is to be saved of a call: its row, and if wanted those of its variables.
pub(crate) fn change(call: &Stored, driver: Driver, is_new: bool, with_variables: bool) -> Change {
    Change {
        key: super::key(call.id),
        replaces: !is_new,
        rows: vec![
            Some(vec![of_call(call, driver)]),
            with_variables.then(|| of_variables(call, driver)),
        ],
    }
}

/// The row of a call.
fn of_call(call: &Stored, driver: Driver) -> Row {
    let [caller, callee] = &call.legs;
    let number = |n: u32| number(n, driver);
    let text = |text: &[u8]| Value::from(text);
    let optional = |text: &[u8]| match text {
        b"" => Value::Null,
        text => Value::from(text),
    };
    // SQLite does not mind how wide a column is said to be.
    let room = match driver {
        Driver::Sqlite => usize::MAX,
        Driver::MySql | Driver::Postgres => XDATA_MAX,
    };
    vec![
        number(call.id.h_entry),
        number(call.id.h_id),
        text(&call.call_id),
        text(&call.from_uri),
        text(&caller.tag),
        text(&call.to_uri),
        text(&callee.tag),
        text(caller.cseq.to_string().as_bytes()),
        text(callee.cseq.to_string().as_bytes()),
        optional(&caller.route_set),
        optional(&callee.route_set),
        text(&caller.contact),
        text(&callee.contact),
        text(&caller.socket),
        text(&callee.socket),
        number(call.state.number().into()),
        number(call.start_ts),
        number(call.timeout),
        number(call.sflags),
        number(call.iflags),
        optional(&call.timeout_route),
        text(&call.req_uri),
        xdata::write(call, room).map_or(Value::Null, Value::from),
    ]
}

/// The rows of its variables, oldest first.
fn of_variables(call: &Stored, driver: Driver) -> Vec<Row> {
    let variables = call.variables.iter().rev();
    let rows = variables.map(|(name, value)| {
        vec![
            number(call.id.h_entry, driver),
            number(call.id.h_id, driver),
            Value::from(name.as_slice()),
            Value::from(value.as_slice()),
        ]
    });
    rows.collect()
}

/// PostgreSQL has no numbers without a sign: the upper half is below zero, as Kamailio writes it.
pub(super) fn number(n: u32, driver: Driver) -> Value {
    match driver {
        Driver::Postgres => Value::Int((n as i32).into()),
        Driver::MySql | Driver::Sqlite => Value::Int(n.into()),
    }
}

/// A number, with or without its sign.
pub(super) fn natural(value: &Value) -> Option<u32> {
    value.as_int().map(|number| number as u32)
}

/// The text of a column, which is empty from then on.
fn take(row: &mut Row, at: usize) -> Vec<u8> {
    let value = row.get_mut(at);
    match value.map(|value| std::mem::replace(value, Value::Null)) {
        Some(Value::Text(text)) => text,
        Some(Value::Int(number)) => number.to_string().into_bytes(),
        _ => Vec::new(),
    }
}

/// A call without its variables.
///
/// # Errors
/// What is wrong with the row.
pub(super) fn call(mut row: Row) -> Result<Stored, String> {
    let is_empty = |at: &&usize| row.get(**at).is_none_or(Value::is_null);
    if let Some(at) = NEEDED.iter().find(is_empty) {
        return Err(format!("column {} is empty", at + 1));
    }
    let optional = |at: usize| row.get(at).and_then(natural).unwrap_or(0);
    let numbers = [0, 1, 16, 17, 18, 19, 7, 8].map(optional);
    let [
        h_entry,
        h_id,
        start_ts,
        timeout,
        sflags,
        iflags,
        caller_cseq,
        callee_cseq,
    ] = numbers;
    let number = optional(15);
    let mut states = State::ALL.into_iter();
    let state = states.find(|state| u32::from(state.number()) == number);
    let state = state.ok_or_else(|| format!("there is no state {number}"))?;
    let answered = [6, 7, 8, 11, 12];
    if state.is_active()
        && let Some(at) = answered.iter().find(is_empty)
    {
        return Err(format!("column {} of an answered call is empty", at + 1));
    }
    let mut text = |at| take(&mut row, at);
    let mut leg = |cseq, [tag, routes, contact, socket]: [usize; 4]| StoredLeg {
        tag: text(tag),
        cseq,
        route_set: text(routes),
        contact: text(contact),
        socket: text(socket),
    };
    let mut call = Stored {
        id: DialogId { h_entry, h_id },
        legs: [
            leg(caller_cseq, [4, 9, 11, 13]),
            leg(callee_cseq, [6, 10, 12, 14]),
        ],
        call_id: text(2),
        from_uri: text(3),
        to_uri: text(5),
        req_uri: text(21),
        timeout_route: text(20),
        state,
        start_ts,
        timeout,
        lifetime: 0,
        sflags,
        iflags,
        forks: Vec::new(),
        numbers: None,
        profiles: Vec::new(),
        variables: Vec::new(),
    };
    xdata::read(&text(22), &mut call);
    Ok(call)
}

/// The call that a variable belongs to, its name and its value.
pub(super) fn variable(mut row: Row) -> Option<(DialogId, Vec<u8>, Vec<u8>)> {
    let id = DialogId {
        h_entry: natural(row.first()?)?,
        h_id: natural(row.get(1)?)?,
    };
    Some((id, take(&mut row, 2), take(&mut row, 3)))
}

#[cfg(test)]
pub(super) mod tests {
    use dialog::{Numbers, StoredFork};

    use super::*;

    pub(in crate::dialog::database) fn example() -> Stored {
        let leg = |name: &str, cseq| StoredLeg {
            tag: format!("{name}-tag").into_bytes(),
            cseq,
            route_set: format!("<sip:{name}.proxy;lr>").into_bytes(),
            contact: format!("sip:{name}@10.0.0.9").into_bytes(),
            socket: b"udp:10.0.0.1:5060".to_vec(),
        };
        Stored {
            id: DialogId {
                h_entry: 3906,
                h_id: 4_000_000_000,
            },
            call_id: b"abc".to_vec(),
            from_uri: b"sip:alice@a".to_vec(),
            to_uri: b"sip:bob@b".to_vec(),
            req_uri: b"sip:bob@c".to_vec(),
            timeout_route: b"LATE".to_vec(),
            state: State::Confirmed,
            start_ts: 1_800_000_000,
            timeout: 1_800_003_600,
            lifetime: 100,
            sflags: u32::MAX,
            iflags: 9,
            legs: [leg("alice", 10), leg("bob", 0)],
            forks: vec![StoredFork {
                callee: leg("carol", 7),
                caller_cseq: 12,
                used: [0, 13],
            }],
            numbers: Some(Numbers {
                seen: [10, 0],
                used: [4, 11],
                raised: [[1, 2, 3], [4, 5, 6]],
            }),
            profiles: vec![
                ("caller".into(), Some(b"alice".to_vec())),
                ("inbound".into(), None),
            ],
            variables: Vec::new(),
        }
    }

    #[test]
    fn a_row_is_read_as_it_was_written() {
        for driver in [Driver::Sqlite, Driver::MySql, Driver::Postgres] {
            assert_eq!(call(of_call(&example(), driver)), Ok(example()));
        }
    }

    #[test]
    fn a_row_that_lacks_something_is_refused() {
        let row = of_call(&example(), Driver::Sqlite);
        for at in [0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 21] {
            let mut broken = row.clone();
            broken[at] = Value::Null;
            assert!(call(broken).is_err(), "column {}", at + 1);
        }
    }
}
