//! Calls in an SQLite file: saved before they are told, there again after a restart.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use store::{Connection, Options, Url};

use super::*;
use crate::dialog::parameters::OLD_NAMES;

/// A file that goes away with the test.
struct Disk(PathBuf);

impl Disk {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tandem-dialog-{}-{number}.db", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.0.display())
    }

    fn parameters(&self, mode: u32, more: &str) -> String {
        format!(
            "modparam(\"dialog\", \"db_mode\", {mode})\nmodparam(\"dialog\", \"db_url\", \"{}\")\n{more}",
            self.url()
        )
    }

    fn connect(&self) -> Box<dyn Connection> {
        let url = Url::parse(&self.url()).expect("a URL");
        store::connect(&url, &Options::default()).expect("a database")
    }

    /// Runs a statement beside the proxy; the fields of its rows, joined by bars.
    fn ask(&self, sql: &str) -> Vec<String> {
        let mut connection = self.connect();
        let rows = connection.execute(sql).expect("a statement").rows;
        let field = |value: &store::Value| match value {
            store::Value::Null => "null".to_owned(),
            store::Value::Int(number) => number.to_string(),
            store::Value::Double(number) => number.to_string(),
            store::Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        };
        let row = |row: &store::Row| row.iter().map(field).collect::<Vec<_>>().join("|");
        rows.iter().map(row).collect()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", self.0.display()));
        }
    }
}

fn with_database(parameters: &str, begin: &str) -> Bench {
    let head = HEAD.replace(
        "loadmodule \"dialog.so\"",
        "loadmodule \"db_sqlite.so\"\nloadmodule \"dialog.so\"",
    );
    Bench::new(&format!("{head}{parameters}{ROUTES}{begin}"))
}

/// What is sent because of a message: nothing while somebody else has the file, the rest when it is saved.
fn told(bench: &mut Bench, disk: &Disk, from: &str, message: &str) -> Vec<Sent> {
    let mut other = disk.connect();
    other.execute("BEGIN IMMEDIATE").expect("a lock");
    let sent = bench.receive(from, message);
    assert!(sent.is_empty(), "it waits: {sent:?}");
    assert!(
        bench.receive(from, message).is_empty(),
        "a repeated one waits with it"
    );
    other.execute("COMMIT").expect("the end of the lock");
    bench.saved()
}

#[test]
fn a_change_is_saved_before_it_is_told() {
    let disk = Disk::new();
    let mut bench = with_database(&disk.parameters(1, ""), BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let route = to_bob.header("Record-Route").to_owned();
    let ringing = reply(&to_bob, "180 Ringing", "");
    assert_eq!(bench.receive(BOB, &ringing).len(), 1);
    let ok = reply(&to_bob, "200 OK", "Contact: <sip:bob@10.0.0.3>\n");
    let sent = told(&mut bench, &disk, BOB, &ok);
    assert_eq!(sent[0].first_line(), "SIP/2.0 200 OK");
    let call = "SELECT callid, to_tag, state FROM dialog";
    assert_eq!(disk.ask(call), ["call-1@test|tb|3"]);
    let variables = "SELECT dialog_key, dialog_value FROM dialog_vars";
    assert_eq!(disk.ask(variables), ["x|before"]);

    let sent = told(&mut bench, &disk, ALICE, &within("ACK", 10, &route));
    assert_eq!(
        sent_to(&sent, BOB)[0].first_line(),
        "ACK sip:bob@10.0.0.3 SIP/2.0"
    );
    assert_eq!(disk.ask("SELECT state FROM dialog"), ["4"]);

    let sent = told(&mut bench, &disk, ALICE, &within("BYE", 11, &route));
    assert_eq!(
        sent_to(&sent, BOB)[0].first_line(),
        "BYE sip:bob@10.0.0.3 SIP/2.0"
    );
    assert!(
        disk.ask("SELECT 1 FROM dialog UNION ALL SELECT 1 FROM dialog_vars")
            .is_empty()
    );
    assert_eq!(bench.statistic("core", "sent_unsaved"), 0);
}

#[test]
fn a_call_goes_on_after_a_restart() {
    let disk = Disk::new();
    let parameters = disk.parameters(1, "modparam(\"dialog\", \"default_timeout\", 100)\n");
    let mut bench = with_database(&parameters, BEGIN);
    let route = answered_and_saved(&mut bench);
    // Nothing of it is told any more.
    std::mem::forget(bench);

    let mut bench = with_database(&parameters, BEGIN);
    assert_eq!(state_of(&mut bench), Some(4));
    assert_eq!(bench.statistic("dialog", "active_dialogs"), 1);
    let size = bench.command("dlg.profile_get_size", &["caller", "alice"]);
    assert_eq!(size.expect("a size")[0].as_int(), Some(1));
    let mut sent = bench.receive(ALICE, &within("INFO", 11, &route));
    sent.extend(bench.saved());
    assert_eq!(
        sent_to(&sent, BOB)[0].first_line(),
        "INFO sip:bob@10.0.0.3 SIP/2.0"
    );
    assert_eq!(logged(&bench), ["within state=4 var=before"]);
    bench.advance(101_000);
    assert_eq!(state_of(&mut bench), None, "its lifetime was over");
    bench.engine.end();
    assert!(disk.ask("SELECT 1 FROM dialog").is_empty());
}

/// Runs a call until the answer is saved, and told; its Record-Route.
fn answer_saved(bench: &mut Bench) -> String {
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let route = to_bob.header("Record-Route").to_owned();
    let ok = reply(&to_bob, "200 OK", "Contact: <sip:bob@10.0.0.3>\n");
    bench.receive(BOB, &ok);
    bench.saved();
    route
}

/// The same with the ACK.
fn answered_and_saved(bench: &mut Bench) -> String {
    let route = answer_saved(bench);
    bench.receive(ALICE, &within("ACK", 10, &route));
    bench.saved();
    route
}

/// The server went away before the caller heard of anything: its INVITE comes again, and is no other call.
#[test]
fn an_invite_that_comes_again_after_a_restart_is_the_same_call() {
    let disk = Disk::new();
    let parameters = disk.parameters(1, "");
    let mut bench = with_database(&parameters, BEGIN);
    let route = answer_saved(&mut bench);
    std::mem::forget(bench);

    let mut bench = with_database(&parameters, BEGIN);
    bench.receive(ALICE, invite());
    let sent = bench.saved();
    let again = sent_to(&sent, BOB)[0].clone();
    assert_eq!(again.header("Record-Route"), route, "with the same cookie");
    let ok = reply(&again, "200 OK", "Contact: <sip:bob@10.0.0.3>\n");
    let mut sent = bench.receive(BOB, &ok);
    sent.extend(bench.saved());
    assert_eq!(sent[0].first_line(), "SIP/2.0 200 OK");
    bench.receive(ALICE, &within("ACK", 10, &route));
    bench.saved();
    assert_eq!(
        disk.ask("SELECT callid, state FROM dialog"),
        ["call-1@test|4"]
    );
    assert_eq!(bench.statistic("dialog", "active_dialogs"), 1);
}

#[test]
fn a_slow_database_holds_nobody_up_for_long() {
    let disk = Disk::new();
    let more = "modparam(\"dialog\", \"db_queue_max\", 1)\nmodparam(\"dialog\", \"db_fail_policy\", \"refuse\")\n";
    let mut bench = with_database(&disk.parameters(1, more), BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let mut other = disk.connect();
    other.execute("BEGIN IMMEDIATE").expect("a lock");
    let ok = reply(&to_bob, "200 OK", "Contact: <sip:bob@10.0.0.3>\n");
    assert!(bench.receive(BOB, &ok).is_empty());
    assert!(bench.advance(150).is_empty());
    assert_eq!(bench.advance(100)[0].first_line(), "SIP/2.0 200 OK");
    assert_eq!(bench.statistic("core", "sent_unsaved"), 1);
    assert_eq!(bench.statistic("dialog_db", "waiting"), 1);
    let second = invite()
        .replace("call-1@", "call-2@")
        .replace("z9hG4bKa1", "z9hG4bKa2");
    let refused = bench.receive(ALICE, &second);
    assert_eq!(refused[0].first_line(), "SIP/2.0 503 Service Unavailable");
    assert_eq!(refused[0].header("Retry-After"), "10");
    other.execute("COMMIT").expect("the end of the lock");
    bench.engine.end();
    assert_eq!(
        disk.ask("SELECT callid, state FROM dialog"),
        ["call-1@test|3"]
    );
}

#[test]
fn all_names_can_be_others() {
    let disk = Disk::new();
    let names = [
        "table_name",
        "call_id_column",
        "from_uri_column",
        "from_tag_column",
        "to_uri_column",
        "to_tag_column",
        "from_cseq_column",
        "to_cseq_column",
        "from_route_column",
        "to_route_column",
        "from_contact_column",
        "to_contact_column",
        "from_sock_column",
        "to_sock_column",
        "h_id_column",
        "h_entry_column",
        "state_column",
        "start_time_column",
        "timeout_column",
        "sflags_column",
        "toroute_name_column",
        "vars_table_name",
        "vars_h_id_column",
        "vars_h_entry_column",
        "vars_key_column",
        "vars_value_column",
    ];
    let other: String = names
        .iter()
        .map(|name| format!("modparam(\"dialog\", \"{name}\", \"my_{name}\")\n"))
        .collect();
    let parameters = disk.parameters(1, &other);
    let mut bench = with_database(&parameters, BEGIN);
    answered_and_saved(&mut bench);
    let columns = disk.ask("SELECT name FROM pragma_table_info('my_table_name')");
    for name in names
        .iter()
        .filter(|name| !name.starts_with("vars_") && **name != "table_name")
    {
        assert!(
            columns.contains(&format!("my_{name}")),
            "{name} is not among {columns:?}"
        );
    }
    holds_the_same(&disk, "my_table_name", |usual, parameter| {
        match names.contains(&parameter) {
            true => format!("my_{parameter}"),
            false => usual.to_owned(),
        }
    });
    let row = "SELECT my_vars_key_column, my_vars_value_column FROM my_vars_table_name";
    assert_eq!(disk.ask(row), ["x|before"]);
    std::mem::forget(bench);
    let mut bench = with_database(&parameters, BEGIN);
    assert_eq!(state_of(&mut bench), Some(4));
}

#[test]
fn names_of_the_old_manual_count() {
    let disk = Disk::new();
    let old = [
        "callid_column",
        "caller_cseq_column",
        "callee_cseq_column",
        "caller_route_column",
        "callee_route_column",
        "caller_contact_column",
        "callee_contact_column",
        "caller_sock_column",
        "callee_sock_column",
        "toroute_column",
    ];
    let other: String = old
        .iter()
        .map(|name| format!("modparam(\"dialog\", \"{name}\", \"old_{name}\")\n"))
        .collect();
    let bench = with_database(&disk.parameters(1, &other), BEGIN);
    let columns = disk.ask("SELECT name FROM pragma_table_info('dialog')");
    for name in old {
        assert!(
            columns.contains(&format!("old_{name}")),
            "{name} is not among {columns:?}"
        );
    }
    let mut bench = bench;
    answered_and_saved(&mut bench);
    holds_the_same(&disk, "dialog", |usual, parameter| {
        let known = OLD_NAMES.iter().find(|(_, name)| *name == parameter);
        known.map_or(usual.to_owned(), |(old, _)| format!("old_{old}"))
    });
}

/// The columns, by their usual names and their parameters, of what is the same in each run of one call.
const SAME: [(&str, &str); 16] = [
    ("callid", "call_id_column"),
    ("from_uri", "from_uri_column"),
    ("from_tag", "from_tag_column"),
    ("to_uri", "to_uri_column"),
    ("to_tag", "to_tag_column"),
    ("caller_cseq", "from_cseq_column"),
    ("callee_cseq", "to_cseq_column"),
    ("caller_route_set", "from_route_column"),
    ("callee_route_set", "to_route_column"),
    ("caller_contact", "from_contact_column"),
    ("callee_contact", "to_contact_column"),
    ("caller_sock", "from_sock_column"),
    ("callee_sock", "to_sock_column"),
    ("state", "state_column"),
    ("sflags", "sflags_column"),
    ("toroute_name", "toroute_name_column"),
];

/// Columns with other names hold what those with the usual ones hold.
fn holds_the_same(disk: &Disk, table: &str, named: impl Fn(&str, &str) -> String) {
    let usual = Disk::new();
    let mut bench = with_database(&usual.parameters(1, ""), BEGIN);
    answered_and_saved(&mut bench);
    for (column, parameter) in SAME {
        let other = named(column, parameter);
        let here = disk.ask(&format!("SELECT {other} FROM {table}"));
        let there = usual.ask(&format!("SELECT {column} FROM dialog"));
        assert_eq!(here, there, "{parameter}");
        assert_eq!(here.len(), 1);
    }
}

#[test]
fn without_a_mode_nobody_asks_for_the_database() {
    let disk = Disk::new();
    let mut bench = with_database(&disk.parameters(0, ""), BEGIN);
    answered(&mut bench);
    bench.engine.end();
    assert!(!disk.0.exists());
}

/// Its lifetime ended while the process was away: it is told as if that had happened now.
#[test]
fn a_call_that_expired_meanwhile_ends_as_configured() {
    for send_bye in [0, 1] {
        let disk = Disk::new();
        let more = format!("modparam(\"dialog\", \"send_bye\", {send_bye})\n");
        let parameters = disk.parameters(1, &more);
        let mut bench = with_database(&parameters, BEGIN);
        answered_and_saved(&mut bench);
        std::mem::forget(bench);
        disk.ask("UPDATE dialog SET timeout = start_time - 100");
        let mut bench = with_database(&parameters, BEGIN);
        let mut sent = bench.advance(100);
        sent.extend(bench.saved());
        let byes = |to| {
            sent_to(&sent, to)
                .iter()
                .filter(|m| m.first_line().starts_with("BYE"))
                .count()
        };
        assert_eq!((byes(ALICE), byes(BOB)), (send_bye, send_bye));
        assert_eq!(logged(&bench), ["end OPTIONS state=5 var=before"]);
        assert_eq!(bench.statistic("dialog", "expired_dialogs"), 1);
        assert_eq!(bench.statistic("dialog", "active_dialogs"), 0);
        bench.engine.end();
        assert!(disk.ask("SELECT 1 FROM dialog").is_empty());
    }
}

#[test]
fn with_delay_calls_are_saved_later_and_nobody_waits() {
    let disk = Disk::new();
    let parameters = disk.parameters(2, "modparam(\"dialog\", \"db_update_period\", 3600)\n");
    let mut bench = with_database(&parameters, BEGIN);
    answered(&mut bench);
    assert!(disk.ask("SELECT 1 FROM dialog").is_empty());
    bench.engine.end();
    assert_eq!(disk.ask("SELECT state FROM dialog"), ["4"]);
}

#[test]
fn at_shutdown_all_calls_are_saved() {
    let disk = Disk::new();
    let parameters = disk.parameters(3, "");
    let mut bench = with_database(&parameters, BEGIN);
    answered(&mut bench);
    bench.engine.end();
    assert_eq!(disk.ask("SELECT state FROM dialog"), ["4"]);
    drop(bench);
    let mut bench = with_database(&parameters, BEGIN);
    assert_eq!(state_of(&mut bench), Some(4));
    assert!(
        disk.ask("SELECT 1 FROM dialog").is_empty(),
        "they are read and gone"
    );
    bench.engine.end();
    assert_eq!(
        disk.ask("SELECT state, (SELECT count(*) FROM dialog_vars) FROM dialog"),
        ["4|1"]
    );
}

#[test]
fn calls_need_not_be_read() {
    let disk = Disk::new();
    let mut bench = with_database(&disk.parameters(1, ""), BEGIN);
    answered_and_saved(&mut bench);
    std::mem::forget(bench);
    let parameters = disk.parameters(1, "modparam(\"dialog\", \"db_skip_load\", 1)\n");
    let mut bench = with_database(&parameters, BEGIN);
    assert_eq!(state_of(&mut bench), None);
}

#[test]
fn a_script_reads_calls_of_others() {
    let disk = Disk::new();
    let mut bench = with_database(&disk.parameters(1, ""), BEGIN);
    answered_and_saved(&mut bench);
    std::mem::forget(bench);
    for function in ["dlg_db_load_callid(\"call-1@test\")", "dlg_db_load_extra()"] {
        let begin =
            format!("route[BEGIN] {{ if ({function}) xlog(\"L_INFO\", \"read\"); dlg_manage(); }}");
        let more = "modparam(\"dialog\", \"db_skip_load\", 1)\n";
        let mut bench = with_database(&disk.parameters(1, more), &begin);
        let other = invite().replace("call-1@test", "other@test");
        assert!(
            sent_to(&bench.receive(ALICE, &other), BOB).is_empty(),
            "the script waits"
        );
        assert_eq!(sent_to(&bench.open_gates(), BOB).len(), 1);
        assert_eq!(logged(&bench), ["read"]);
        assert_eq!(state_of(&mut bench), Some(4), "{function}");
        assert_eq!(bench.statistic("dialog", "active_dialogs"), 1);
    }
}

#[test]
fn tables_of_another_shape_are_refused() {
    let disk = Disk::new();
    drop(with_database(&disk.parameters(1, ""), BEGIN));
    disk.ask("UPDATE version SET table_version = 6 WHERE table_name = 'dialog'");
    let refused = |parameters: &str| {
        let config = format!("{HEAD}{parameters}{ROUTES}{BEGIN}");
        let config = config.replace(
            "loadmodule \"dialog.so\"",
            "loadmodule \"db_sqlite.so\"\nloadmodule \"dialog.so\"",
        );
        Bench::load(&config).err().expect("refused")
    };
    let why = refused(&disk.parameters(1, ""));
    assert!(
        why.contains("invalid version 6 for table dialog found, expected 7"),
        "{why}"
    );
    disk.ask("UPDATE version SET table_version = 7 WHERE table_name = 'dialog'");
    let why = refused(&disk.parameters(1, "modparam(\"dialog\", \"state_column\", \"other\")\n"));
    assert!(why.contains("table dialog has no column other"), "{why}");
    let why = refused(
        "modparam(\"dialog\", \"db_mode\", 1)\nmodparam(\"dialog\", \"db_url\", \"sqlite:///proc/no.db\")\nmodparam(\"dialog\", \"db_start_wait\", 0)\n",
    );
    assert!(
        why.contains("cannot connect to sqlite:///proc/no.db"),
        "{why}"
    );
}

#[test]
fn another_hash_size_is_refused() {
    let disk = Disk::new();
    let mut bench = with_database(&disk.parameters(1, ""), BEGIN);
    answered_and_saved(&mut bench);
    disk.ask("UPDATE dialog SET hash_entry = hash_entry + 1");
    std::mem::forget(bench);
    let config = format!("{HEAD}{}{ROUTES}{BEGIN}", disk.parameters(1, ""));
    let config = config.replace(
        "loadmodule \"dialog.so\"",
        "loadmodule \"db_sqlite.so\"\nloadmodule \"dialog.so\"",
    );
    let why = Bench::load(&config).err().expect("refused");
    assert!(
        why.contains("inconsistent hash data in the dialog database"),
        "{why}"
    );
}

#[test]
fn the_driver_has_to_be_loaded() {
    let config = format!("{HEAD}{}{ROUTES}{BEGIN}", Disk::new().parameters(1, ""));
    let why = Bench::load(&config).err().expect("refused");
    assert!(
        why.contains("load module db_sqlite before module dialog"),
        "{why}"
    );
}
