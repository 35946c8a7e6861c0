//! The two tables of calls: their shape, and the names that the parameters give them and their columns.

use engine::Parameters;
use store::{Column, Kind, Layout, Table};

use crate::dialog::parameters::OLD_NAMES;

/// Kamailio's versions of the shapes.
const VERSIONS: [u32; 2] = [7, 1];

/// A column: the parameter that names it, if there is one; its usual name; what it holds; whether it may be empty.
type Known = (Option<&'static str>, &'static str, Kind, bool);

const INT: Kind = Kind::Int;

/// The columns of the table of calls, in the order of its rows.
#[rustfmt::skip]
const CALLS: [Known; 23] = [
    (Some("h_entry_column"), "hash_entry", INT, false),
    (Some("h_id_column"), "hash_id", INT, false),
    (Some("call_id_column"), "callid", Kind::Text(255), false),
    (Some("from_uri_column"), "from_uri", Kind::Text(255), false),
    (Some("from_tag_column"), "from_tag", Kind::Text(128), false),
    (Some("to_uri_column"), "to_uri", Kind::Text(255), false),
    (Some("to_tag_column"), "to_tag", Kind::Text(128), false),
    (Some("from_cseq_column"), "caller_cseq", Kind::Text(20), false),
    (Some("to_cseq_column"), "callee_cseq", Kind::Text(20), false),
    (Some("from_route_column"), "caller_route_set", Kind::Text(512), true),
    (Some("to_route_column"), "callee_route_set", Kind::Text(512), true),
    (Some("from_contact_column"), "caller_contact", Kind::Text(255), false),
    (Some("to_contact_column"), "callee_contact", Kind::Text(255), false),
    (Some("from_sock_column"), "caller_sock", Kind::Text(64), false),
    (Some("to_sock_column"), "callee_sock", Kind::Text(64), false),
    (Some("state_column"), "state", INT, false),
    (Some("start_time_column"), "start_time", INT, false),
    (Some("timeout_column"), "timeout", INT, false),
    (Some("sflags_column"), "sflags", INT, false),
    (None, "iflags", INT, false),
    (Some("toroute_name_column"), "toroute_name", Kind::Text(32), true),
    (None, "req_uri", Kind::Text(255), false),
    (None, "xdata", Kind::Text(512), true),
];

/// The columns of the table of variables.
const VARIABLES: [Known; 4] = [
    (Some("vars_h_entry_column"), "hash_entry", INT, false),
    (Some("vars_h_id_column"), "hash_id", INT, false),
    (
        Some("vars_key_column"),
        "dialog_key",
        Kind::Text(128),
        false,
    ),
    (
        Some("vars_value_column"),
        "dialog_value",
        Kind::Text(512),
        false,
    ),
];

/// What a parameter says, under its own name or the one of the manual of 3.2.
fn named(parameters: &Parameters, parameter: &str) -> Option<String> {
    let given = |name: &str| parameters.is_given("dialog", name);
    let old = OLD_NAMES.iter().find(|(_, name)| *name == parameter);
    let name = match old {
        Some((old, _)) if given(old) && !given(parameter) => old,
        _ => parameter,
    };
    parameters.text("dialog", name)
}

/// How calls and variables are written and read.
pub(super) fn layouts(parameters: &Parameters) -> [Layout; 2] {
    let layout = |table: &str, columns: &[Known]| {
        let columns: Vec<String> = columns
            .iter()
            .map(|(parameter, usual, ..)| {
                let named = parameter.and_then(|parameter| named(parameters, parameter));
                named.unwrap_or_else(|| (*usual).to_owned())
            })
            .collect();
        Layout {
            table: parameters.text("dialog", table).unwrap_or_default(),
            key: [columns[0].clone(), columns[1].clone()],
            columns,
        }
    };
    [
        layout("table_name", &CALLS),
        layout("vars_table_name", &VARIABLES),
    ]
}

/// The shapes of tables with these names.
pub(super) fn tables(layouts: &[Layout; 2]) -> Vec<Table> {
    let known: [&[Known]; 2] = [&CALLS, &VARIABLES];
    let tables = layouts.iter().zip(known).zip(VERSIONS);
    tables
        .map(|((layout, known), version)| table(layout, known, version))
        .collect()
}

fn table(layout: &Layout, known: &[Known], version: u32) -> Table {
    let id = Column {
        name: "id".to_owned(),
        kind: Kind::Id,
        null: false,
        default: None,
    };
    let columns = layout.columns.iter().zip(known);
    let columns = columns.map(|(name, (_, usual, kind, null))| Column {
        name: name.clone(),
        kind: *kind,
        null: *null,
        default: ["timeout", "sflags", "iflags"].contains(usual).then_some(0),
    });
    Table {
        name: layout.table.clone(),
        version,
        columns: std::iter::once(id).chain(columns).collect(),
        index: layout.key.to_vec(),
    }
}

/// The tables with their usual names.
pub(crate) fn usual_tables() -> Vec<Table> {
    tables(&usual_layouts())
}

/// How calls and variables are written under the usual names.
pub(crate) fn usual_layouts() -> [Layout; 2] {
    let layout = |table: &str, columns: &[Known]| {
        let columns: Vec<String> = columns.iter().map(|known| known.1.to_owned()).collect();
        Layout {
            table: table.to_owned(),
            key: [columns[0].clone(), columns[1].clone()],
            columns,
        }
    };
    [layout("dialog", &CALLS), layout("dialog_vars", &VARIABLES)]
}
