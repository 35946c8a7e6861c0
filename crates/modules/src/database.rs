//! The drivers of databases: `db_sqlite`, `db_mysql`, `db_postgres`. A module that uses a database names it by a URL; the driver's module has
//! to be loaded before, as in Kamailio.

use engine::ParameterType::{Int, Repeated, Str};
use engine::{Module, ParameterRow, ParameterValue, Parameters};
use store::{Driver, Options, Url};

use crate::row::{parameter_row as row, positive};

/// `db_sqlite`.
pub static SQLITE: Module = Module {
    name: "db_sqlite",
    requires: &[],
    functions: &[],
    variables: &[],
    parameters: SQLITE_PARAMETERS,
    statistics: &[],
    init: None,
    doc: "Databases in files: sqlite:///path.",
};

/// `db_mysql`.
pub static MYSQL: Module = Module {
    name: "db_mysql",
    parameters: MYSQL_PARAMETERS,
    doc: "Databases of MySQL and MariaDB: mysql://user:password@host/database.",
    ..SQLITE
};

/// `db_postgres`.
pub static POSTGRES: Module = Module {
    name: "db_postgres",
    parameters: POSTGRES_PARAMETERS,
    doc: "Databases of PostgreSQL: postgres://user:password@host/database.",
    ..SQLITE
};

static SQLITE_PARAMETERS: &[ParameterRow] = &[
    ParameterRow {
        name: "db_set_readonly",
        kind: Repeated,
        check: None,
        doc: "A file that is only read.",
    },
    ParameterRow {
        name: "db_set_journal_mode",
        kind: Repeated,
        check: Some(journal),
        doc: "path=MODE: the journal of a file: WAL (the default), DELETE, TRUNCATE, PERSIST, MEMORY or OFF.",
    },
];

#[rustfmt::skip]
static MYSQL_PARAMETERS: &[ParameterRow] = &[
    row("ping_interval", Int(300), None, "Has no meaning here: a connection that broke is made again."),
    row("timeout_interval", Int(2), Some(positive), "Seconds that connecting, and each answer, may take; an answer has five times that."),
    row("auto_reconnect", Int(1), None, "Has no meaning here: a connection that broke is always made again."),
    row("insert_delayed", Int(0), Some(off), "Insert with DELAYED: servers do not have that any more."),
    row("update_affected_found", Int(0), Some(off), "Count rows that an update found, not those that it changed: not here."),
    row("unsigned_type", Int(0), None, "Has no meaning here: numbers have 64 bits."),
    row("opt_ssl_mode", Int(0), Some(no_tls), "Encryption: 0 or 1, none; Tandem has no TLS to databases yet."),
];

#[rustfmt::skip]
static POSTGRES_PARAMETERS: &[ParameterRow] = &[
    row("retries", Int(2), None, "Has no meaning here: what cannot be saved is tried again until it is."),
    row("lockset", Int(4), None, "Has no meaning here: there is one connection for each purpose."),
    row("timeout", Int(5), Some(positive), "Seconds that connecting may take; an answer has twice that."),
    row("tcp_keepalive", Int(0), Some(off), "Seconds between probes of an idle connection: not here."),
    row("bytea_output_escape", Int(1), None, "Has no meaning here: bytes are shown as the server shows them."),
    row("con_param", Str(None), Some(no_tls_parameters), "Further parameters of connections: sslmode=disable is all there is."),
];

fn off(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0) => Ok(()),
        _ => Err("Tandem has only 0 for this".to_owned()),
    }
}

fn no_tls(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0..=1) => Ok(()),
        _ => Err("Tandem has no TLS to databases yet: opt_ssl_mode has to be 0 or 1".to_owned()),
    }
}

fn no_tls_parameters(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Str(text) if text.trim() == "sslmode=disable" => Ok(()),
        _ => Err("Tandem has only sslmode=disable for this".to_owned()),
    }
}

const JOURNALS: [&str; 6] = ["WAL", "DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF"];

fn journal(value: &ParameterValue) -> Result<(), String> {
    match journal_of(value) {
        Some((_, mode)) if JOURNALS.contains(&mode.as_str()) => Ok(()),
        _ => Err(format!(
            "expected path=MODE, MODE one of {}",
            JOURNALS.join(", ")
        )),
    }
}

/// A file, and the journal that it is to have.
fn journal_of(value: &ParameterValue) -> Option<(String, String)> {
    let ParameterValue::Str(text) = value else {
        return None;
    };
    let (path, mode) = text.trim_end_matches(';').rsplit_once('=')?;
    Some((path.trim().to_owned(), mode.trim().to_ascii_uppercase()))
}

/// How to connect to a database, by the parameters of its driver.
pub(crate) fn options(parameters: &Parameters, url: &Url) -> Options {
    let mut options = Options::default();
    let seconds = |name| u32::try_from(parameters.int(url.driver.module(), name)).unwrap_or(2);
    match url.driver {
        Driver::MySql => {
            options.connect_s = seconds("timeout_interval");
            options.statement_s = options.connect_s.saturating_mul(5);
        }
        Driver::Postgres => {
            options.connect_s = seconds("timeout");
            options.statement_s = options.connect_s.saturating_mul(2);
        }
        Driver::Sqlite => {}
    }
    if url.driver == Driver::Sqlite {
        let is_it = |path: &str| path == url.database;
        let all = |name| parameters.all(Driver::Sqlite.module(), name);
        for value in all("db_set_readonly") {
            options.read_only |= matches!(&value, ParameterValue::Str(path) if is_it(path));
        }
        for value in all("db_set_journal_mode") {
            if let Some((_, mode)) = journal_of(&value).filter(|(path, _)| is_it(path)) {
                options.journal = mode;
            }
        }
    }
    options
}
