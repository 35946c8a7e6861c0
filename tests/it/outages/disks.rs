//! Full disks, and what is not ours to write any more.

use std::process::Command;
use std::time::Duration;

use super::Outage;
use crate::support::database::scene_with;
use crate::support::lab::Lab;
use crate::support::process::run;
use crate::support::servers::{DbServer, Kind};
use crate::support::sql::Client;
use crate::support::tmpfs::Tmpfs;
use crate::support::{Program, peers};

fn on_sqlite(disk: &Tmpfs) -> Option<Outage> {
    let file = disk.path().join("calls.db");
    let client = Client::sqlite(&file)?;
    let url = format!("sqlite://{}", file.display());
    Some(Outage::new(scene_with(Program::Tandem, &url, "")?, client))
}

fn on_server(server: &DbServer) -> Option<Outage> {
    let scene = scene_with(Program::Tandem, &server.url(), "")?;
    Some(Outage::new(scene, server.client()))
}

/// A disk is full for a while.
fn filled(mut outage: Outage, disk: &Tmpfs) {
    outage.before();
    disk.while_full(|| {
        outage.until_away();
        outage.meanwhile();
    });
    outage.after();
}

#[test]
fn sqlite_has_no_room() {
    let lab = Lab::new(5060);
    let Some(disk) = Tmpfs::mount(lab.directory().join("disk"), 1_000) else {
        return;
    };
    if let Some(outage) = on_sqlite(&disk) {
        filled(outage, &disk);
    }
}

fn server_has_no_room(kind: Kind) {
    let lab = Lab::new(5060);
    let Some(disk) = Tmpfs::mount(lab.directory().join("disk"), 400_000) else {
        return;
    };
    let Some(server) = DbServer::start_in(kind, disk.path().join("database")) else {
        return;
    };
    if let Some(outage) = on_server(&server) {
        filled(outage, &disk);
    }
}

#[test]
fn mysql_has_no_room() {
    server_has_no_room(Kind::MySql);
}

#[test]
fn postgres_has_no_room() {
    server_has_no_room(Kind::Postgres);
}

/// Rights are taken away and given back.
fn without_rights(kind: Kind, (take, give): (&str, &str)) {
    let lab = Lab::new(5060);
    let Some(server) = DbServer::start(kind, &lab) else {
        return;
    };
    let Some(mut outage) = on_server(&server) else {
        return;
    };
    outage.before();
    outage.client.ask(take);
    outage.meanwhile();
    outage.client.ask(give);
    outage.after();
}

#[test]
fn postgres_takes_rights_away() {
    without_rights(
        Kind::Postgres,
        (
            "REVOKE INSERT, DELETE ON dialog, dialog_vars FROM kamailio",
            "GRANT INSERT, DELETE ON dialog, dialog_vars TO kamailio",
        ),
    );
}

/// A session has the rights that it began with, so those that there are are ended.
#[test]
fn mysql_takes_rights_away() {
    without_rights(
        Kind::MySql,
        (
            "REVOKE INSERT, DELETE ON kamailio.* FROM 'kamailio'@'%'; KILL USER 'kamailio'@'%'",
            "GRANT INSERT, DELETE ON kamailio.* TO 'kamailio'@'%'",
        ),
    );
}

/// Files that nobody may write, root neither, also through descriptors that are open.
#[test]
fn sqlite_may_not_write() {
    let (Some(chattr), lab) = (peers::find("chattr"), Lab::new(5060)) else {
        return;
    };
    let file = lab.directory().join("calls.db");
    let url = format!("sqlite://{}", file.display());
    let Some(client) = Client::sqlite(&file) else {
        return;
    };
    let Some(scene) = scene_with(Program::Tandem, &url, "") else {
        return;
    };
    let mut outage = Outage::new(scene, client);
    outage.before();
    let set = |flag: &str| {
        let mut command = Command::new(&chattr);
        command.arg(flag).arg(&file);
        command.arg(lab.directory().join("calls.db-wal"));
        run(&mut command, Duration::from_secs(5))
    };
    if let (false, why) = set("+i") {
        let why = format!("no file can be made read-only: {}", why.trim());
        return peers::skip("TANDEM_TEST_DISKS", &why);
    }
    outage.meanwhile();
    assert!(set("-i").0);
    outage.after();
}
