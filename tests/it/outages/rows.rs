//! Rows that a database does not take: one call that cannot be saved is no harm to the others.

use serde_json::json;

use super::Outage;
use crate::support::Program;
use crate::support::database::{Call, SQLITE, scene_with};
use crate::support::lab::Lab;
use crate::support::servers::{DbServer, Kind};
use crate::support::sql::Client;

/// Calls with names that no column holds, or not every one.
fn unusual(mut outage: Outage, rejected: i64) {
    let people = outage.people;
    outage.begin("before");
    for call_id in [
        &format!("{}@long", "x".repeat(300)),
        "\u{1f600}@four-bytes",
        "zwölf'\\\"@quotes",
    ] {
        let mut call = Call::begin_between(&mut outage.s, call_id, people);
        call.renew(&mut outage.s);
        outage.await_figure("waiting", 0);
        call.hang_up(&mut outage.s);
    }
    outage.begin("after");
    outage.await_figure("waiting", 0);
    assert_eq!(outage.figure("dialog_db", "away"), 0);
    assert!(outage.figure("dialog_db", "rejected") >= rejected);
    outage.compare();
    let size = outage.s.ask("dlg.profile_get_size", &json!(["inbound"]));
    assert_eq!(size, 2);
}

fn unusual_on_server(kind: Kind, before: &str, rejected: i64) {
    let lab = Lab::new(5060);
    let Some(server) = DbServer::start(kind, &lab) else {
        return;
    };
    if !before.is_empty() {
        server.client().ask(before);
    }
    if let Some(scene) = scene_with(Program::Tandem, &server.url(), "") {
        unusual(Outage::new(scene, server.client()), rejected);
    }
}

#[test]
fn unusual_calls_in_mysql() {
    unusual_on_server(Kind::MySql, "", 1);
}

/// Columns in a character set that does not have every letter.
#[test]
fn unusual_calls_in_mysql_of_the_west() {
    let narrow = "ALTER DATABASE kamailio CHARACTER SET latin1";
    unusual_on_server(Kind::MySql, narrow, 2);
}

#[test]
fn unusual_calls_in_postgres() {
    unusual_on_server(Kind::Postgres, "", 1);
}

#[test]
fn unusual_calls_in_sqlite() {
    let Some((s, text)) = scene_with(Program::Tandem, SQLITE, "") else {
        return;
    };
    if let Some(client) = Client::sqlite(&s.lab.directory().join("calls.db")) {
        unusual(Outage::new((s, text), client), 0);
    }
}
