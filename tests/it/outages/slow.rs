//! Answers that come late or never.

use std::time::Duration;

use super::Outage;
use super::locks::limits;
use crate::support::Program;
use crate::support::database::scene_with;
use crate::support::forwarder::Forwarder;
use crate::support::lab::Lab;
use crate::support::servers::{DbServer, Kind};

/// A server, and the network before it.
fn behind_a_network(kind: Kind, lab: &Lab) -> Option<(DbServer, Forwarder, Outage)> {
    let server = DbServer::start(kind, lab)?;
    let network = Forwarder::start(server.address());
    let url = server.url_at(network.address());
    let scene = scene_with(Program::Tandem, &url, limits(kind))?;
    let outage = Outage::new(scene, server.client());
    Some((server, network, outage))
}

/// Nothing arrives any more. Calls wait as long as they may, no worker does.
fn stands_still(kind: Kind) {
    let lab = Lab::new(5060);
    let Some((_server, network, mut outage)) = behind_a_network(kind, &lab) else {
        return;
    };
    outage.before();
    network.freeze_all();
    outage.meanwhile();
    assert!(outage.figure("core", "sent_unsaved") > 0);
    network.thaw();
    outage.after();
}

#[test]
fn the_network_of_mysql_stands_still() {
    stands_still(Kind::MySql);
}

#[test]
fn the_network_of_postgres_stands_still() {
    stands_still(Kind::Postgres);
}

/// What was sent on a connection that was given up arrives when another one has saved what is newer.
fn arrives_late(kind: Kind) {
    let lab = Lab::new(5060);
    let Some((_server, network, mut outage)) = behind_a_network(kind, &lab) else {
        return;
    };
    outage.before();
    network.freeze();
    outage.begin("ghost");
    outage.renew("stays");
    outage.await_figure("away", 1);
    outage.end("ghost");
    outage.renew("stays");
    outage.await_figure("away", 0);
    outage.await_figure("waiting", 0);
    network.thaw();
    // Who was given up has heard everything when it is gone.
    let sessions = match kind {
        Kind::MySql => {
            "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'kamailio'"
        }
        Kind::Postgres => "SELECT COUNT(*) FROM pg_stat_activity WHERE usename = 'kamailio'",
    };
    outage.await_count(sessions, 1);
    outage.after();
}

#[test]
fn mysql_hears_of_the_past() {
    arrives_late(Kind::MySql);
}

#[test]
fn postgres_hears_of_the_past() {
    arrives_late(Kind::Postgres);
}

/// A commit that takes longer than we wait for it: it may come true at any time later.
#[test]
fn a_commit_of_postgres_takes_long() {
    let lab = Lab::new(5060);
    let Some(server) = DbServer::start(Kind::Postgres, &lab) else {
        return;
    };
    let limits = limits(Kind::Postgres);
    let Some(scene) = scene_with(Program::Tandem, &server.url(), limits) else {
        return;
    };
    let mut outage = Outage::new(scene, server.client());
    let standby = |name: &str| {
        let client = server.client();
        client.ask(&format!(
            "ALTER SYSTEM SET synchronous_standby_names = '{name}'"
        ));
        client.ask("SELECT pg_reload_conf()");
    };
    outage.before();
    standby("nobody");
    outage.begin("slow");
    outage.renew("slow");
    outage.end("ends");
    // Longer than an answer may take.
    std::thread::sleep(Duration::from_secs(4));
    standby("");
    outage.after();
}
