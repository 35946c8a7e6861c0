//! Somebody else holds a table or its rows for longer than we wait for an answer.

use super::Outage;
use crate::support::Program;
use crate::support::database::{SQLITE, scene_with};
use crate::support::lab::Lab;
use crate::support::servers::{DbServer, Kind};
use crate::support::sql::Client;

/// An answer of MySQL may take 5 s, one of PostgreSQL 2 s.
pub(super) fn limits(kind: Kind) -> &'static str {
    match kind {
        Kind::MySql => "modparam(\"db_mysql\", \"timeout_interval\", 1)\n",
        Kind::Postgres => "modparam(\"db_postgres\", \"timeout\", 1)\n",
    }
}

fn locked(mut outage: Outage, lock: &str) {
    outage.before();
    let mut other = outage.client.session();
    other.run(lock);
    outage.meanwhile();
    // It is tried again and again, and none of those tries may come true afterwards.
    let failed = outage.figure("dialog_db", "failed");
    outage.end("begins");
    outage.begin("late");
    outage.await_failures(failed + 1);
    other.end();
    outage.after();
}

fn locked_on_server(kind: Kind, lock: &str) {
    let lab = Lab::new(5060);
    let Some(server) = DbServer::start(kind, &lab) else {
        return;
    };
    if let Some(scene) = scene_with(Program::Tandem, &server.url(), limits(kind)) {
        locked(Outage::new(scene, server.client()), lock);
    }
}

#[test]
fn a_table_of_mysql() {
    locked_on_server(Kind::MySql, "LOCK TABLES dialog WRITE, dialog_vars WRITE;");
}

#[test]
fn rows_of_mysql() {
    let all =
        "START TRANSACTION; SELECT * FROM dialog FOR UPDATE; SELECT * FROM dialog_vars FOR UPDATE;";
    locked_on_server(Kind::MySql, all);
}

#[test]
fn a_table_of_postgres() {
    let all = "BEGIN; LOCK TABLE dialog, dialog_vars IN ACCESS EXCLUSIVE MODE;";
    locked_on_server(Kind::Postgres, all);
}

#[test]
fn rows_of_postgres() {
    let all = "BEGIN; SELECT 1 FROM dialog FOR UPDATE;";
    locked_on_server(Kind::Postgres, all);
}

#[test]
fn a_file_of_sqlite() {
    let Some((s, text)) = scene_with(Program::Tandem, SQLITE, "") else {
        return;
    };
    let Some(client) = Client::sqlite(&s.lab.directory().join("calls.db")) else {
        return;
    };
    locked(Outage::new((s, text), client), "BEGIN EXCLUSIVE;");
}
