//! Another server takes the place of the one that we are connected to.

use std::process::Command;
use std::time::Duration;

use super::Outage;
use crate::support::Program;
use crate::support::database::scene_with;
use crate::support::forwarder::Forwarder;
use crate::support::lab::Lab;
use crate::support::process::run;
use crate::support::servers::{DbServer, Kind};

/// A server of PostgreSQL, one that follows it, and the address of both.
fn pair(lab: &Lab) -> Option<(DbServer, DbServer, Forwarder, Outage)> {
    let first = DbServer::start(Kind::Postgres, lab)?;
    let second = first.standby(lab.directory().join("standby"));
    let address = Forwarder::start(first.address());
    let scene = scene_with(Program::Tandem, &first.url_at(address.address()), "")?;
    let outage = Outage::new(scene, second.client());
    Some((first, second, address, outage))
}

/// All that the first one committed is with the second one.
fn await_copy(first: &DbServer, second: &DbServer) {
    let place = first.client().ask("SELECT pg_current_wal_lsn()");
    let follows = format!("SELECT CAST(pg_last_wal_replay_lsn() >= '{place}' AS integer)");
    while second.client().count(&follows) == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The second one is the first from now on, and has all.
fn promote(first: &DbServer, second: &DbServer) {
    await_copy(first, second);
    second.client().ask("SELECT pg_promote()");
}

#[test]
fn postgres_dies_and_the_standby_is_promoted() {
    let lab = Lab::new(5060);
    let Some((mut first, second, address, mut outage)) = pair(&lab) else {
        return;
    };
    outage.before();
    promote(&first, &second);
    first.stop();
    outage.meanwhile();
    address.turn_to(second.address());
    outage.after();
}

/// Its copy ends before the calls do that it will have to know.
#[test]
fn a_standby_that_was_behind_is_told_what_it_lacks() {
    let lab = Lab::new(5060);
    let Some((mut first, second, address, mut outage)) = pair(&lab) else {
        return;
    };
    await_copy(&first, &second);
    let standby = second.client();
    standby.ask("ALTER SYSTEM SET primary_conninfo = ''");
    standby.ask("SELECT pg_reload_conf()");
    while standby.count("SELECT count(*) FROM pg_stat_wal_receiver") > 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    outage.before();
    outage.begin("is not touched again");
    outage.await_figure("waiting", 0);
    first.stop();
    outage.meanwhile();
    standby.ask("SELECT pg_promote()");
    assert_eq!(standby.count("SELECT count(*) FROM dialog"), 0);
    address.turn_to(second.address());
    outage.after();
}

/// The old one is still there, and answers, but does not write.
#[test]
fn postgres_becomes_read_only() {
    let lab = Lab::new(5060);
    let Some((first, second, address, mut outage)) = pair(&lab) else {
        return;
    };
    outage.before();
    let old = first.client();
    old.ask("ALTER SYSTEM SET default_transaction_read_only = on");
    old.ask("SELECT pg_reload_conf()");
    outage.meanwhile();
    promote(&first, &second);
    address.turn_to(second.address());
    outage.after();
}

#[test]
fn mysql_becomes_read_only() {
    let (old_lab, new_lab) = (Lab::new(5060), Lab::new(5060));
    let (Some(old), Some(new)) = (
        DbServer::start(Kind::MySql, &old_lab),
        DbServer::start(Kind::MySql, &new_lab),
    ) else {
        return;
    };
    let address = Forwarder::start(old.address());
    let url = old.url_at(address.address());
    let Some(scene) = scene_with(Program::Tandem, &url, "") else {
        return;
    };
    let mut outage = Outage::new(scene, new.client());
    outage.before();
    old.client().ask("SET GLOBAL read_only = 1");
    outage.meanwhile();
    let copy = format!(
        "mariadb-dump --no-defaults --user=root --socket={} kamailio \
         | mariadb --no-defaults --user=root --socket={} kamailio",
        old.socket().display(),
        new.socket().display()
    );
    let (success, said) = run(
        Command::new("sh").arg("-c").arg(&copy),
        Duration::from_secs(30),
    );
    assert!(success, "{said}");
    address.turn_to(new.address());
    outage.after();
}
