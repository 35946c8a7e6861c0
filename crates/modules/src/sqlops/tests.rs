//! Scripts that ask an SQLite file.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::testing::Bench;

/// A file that goes away with the test.
struct Disk(PathBuf);

impl Disk {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tandem-sqlops-{}-{number}.db", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn config(&self, route: &str) -> String {
        format!(
            "loadmodule \"db_sqlite.so\"\nloadmodule \"sqlops.so\"\nloadmodule \"pv.so\"\n\
             loadmodule \"sl.so\"\nloadmodule \"xlog.so\"\n\
             modparam(\"sqlops\", \"sqlcon\", \"ca=>sqlite://{}\")\n\
             request_route {{\n{route}\nsl_send_reply(\"200\", \"OK\");\n}}\n",
            self.0.display()
        )
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", self.0.display()));
        }
    }
}

const OPTIONS: &str = "OPTIONS sip:x@10.0.0.1 SIP/2.0
Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKo
From: <sip:o'hara@example.org>;tag=1
To: <sip:x@10.0.0.1>
Call-ID: sql@test
CSeq: 1 OPTIONS
Content-Length: 0

";

/// Runs a route to its end; what it wrote into the log.
fn run(disk: &Disk, route: &str) -> Vec<String> {
    let mut bench = Bench::new(&disk.config(route));
    let mut sent = bench.receive("10.0.0.2:5060", OPTIONS);
    while sent.is_empty() {
        sent = bench.open_gates();
    }
    assert_eq!(sent[0].first_line(), "SIP/2.0 200 OK");
    let lines = bench.log().into_iter();
    lines
        .filter_map(|line| Some(line.split_once("<script>: ")?.1.trim_end().to_owned()))
        .collect()
}

const TABLE: &str = "sql_query(\"ca\", \"CREATE TABLE t (n INTEGER, s TEXT)\");
sql_query(\"ca\", \"INSERT INTO t VALUES (1, 'one'), (2, NULL)\");\n";

#[test]
fn rows_are_read_field_by_field() {
    let route = "$var(rc) = sql_query(\"ca\", \"SELECT n, s FROM t ORDER BY n\", \"ra\");
        xlog(\"L_INFO\", \"$var(rc) $dbr(ra=>rows) $dbr(ra=>cols) $dbr(ra=>colname[1])\");
        $var(i) = 1;
        xlog(\"L_INFO\", \"$dbr(ra=>[0,0]) $dbr(ra=>[0,1]) $dbr(ra=>[$var(i),0])\");
        if ($dbr(ra=>[1,1]) == $null && $dbr(ra=>[2,0]) == $null) xlog(\"L_INFO\", \"nothing\");
        sql_result_free(\"ra\");
        if ($dbr(ra=>rows) == 0) xlog(\"L_INFO\", \"free\");";
    let disk = Disk::new();
    let said = run(&disk, &format!("{TABLE}{route}"));
    assert_eq!(said, ["1 2 2 s", "1 one 2", "nothing", "free"]);
}

#[test]
fn codes_are_those_of_kamailio() {
    let route = "$var(a) = sql_query(\"ca\", \"SELECT n FROM t\");
        $var(b) = sql_query(\"ca\", \"SELECT n FROM t WHERE n > 7\", \"ra\");
        $var(c) = sql_query(\"ca\", \"nonsense\", \"ra\");
        $var(d) = sql_query(\"ca\", \"UPDATE t SET s = 'x'\");
        xlog(\"L_INFO\", \"$var(a) $var(b) $var(c) $var(d) $sqlrows(ca)\");";
    let disk = Disk::new();
    assert_eq!(run(&disk, &format!("{TABLE}{route}")), ["3 2 -1 2 2"]);
}

#[test]
fn rows_go_into_variables_and_trees() {
    let route =
        "$var(rc) = sql_pvquery(\"ca\", \"SELECT n, s FROM t ORDER BY n\", \"$var(n), $avp(s)\");
        xlog(\"L_INFO\", \"$var(rc) $var(n) $avp(s)\");
        $var(rc) = sql_xquery(\"ca\", \"SELECT n, s FROM t ORDER BY n\", \"x\");
        xlog(\"L_INFO\", \"$var(rc) $xavp(x=>n) $xavp(x=>s) $xavp(x[1]=>n)\");
        $var(rc) = sql_xquery(\"ca\", \"SELECT n FROM t WHERE n > 7\", \"y\");
        xlog(\"L_INFO\", \"$var(rc)\");";
    let disk = Disk::new();
    assert_eq!(
        run(&disk, &format!("{TABLE}{route}")),
        ["1 1 one", "1 1 one 2", "2"]
    );
}

#[test]
fn texts_of_peers_are_quoted() {
    let route = "sql_query(\"ca\", \"INSERT INTO t VALUES (3, $(fU{sql.val}))\");
        $var(n) = 5; $avp(none) = $null;
        sql_query(\"ca\", \"SELECT s, $(var(n){sql.val}), $(avp(none){sql.val}), $(avp(none){sql.val.int}), $(avp(none){sql.val.str}) FROM t WHERE n = 3\", \"ra\");
        xlog(\"L_INFO\", \"$dbr(ra=>[0,0]) $dbr(ra=>[0,1]) $dbr(ra=>[0,3]) [$dbr(ra=>[0,4])]\");";
    let disk = Disk::new();
    assert_eq!(run(&disk, &format!("{TABLE}{route}")), ["o'hara 5 0 []"]);
}

#[test]
fn nobody_waits_for_what_is_only_sent() {
    let disk = Disk::new();
    let mut bench =
        Bench::new(&disk.config("sql_query_async(\"ca\", \"CREATE TABLE later (n)\");"));
    assert_eq!(bench.receive("10.0.0.2:5060", OPTIONS).len(), 1);
    let mut bench = Bench::new(&disk.config("sql_query(\"ca\", \"SELECT 1\", \"r\");"));
    assert!(
        bench.receive("10.0.0.2:5060", OPTIONS).is_empty(),
        "the script waits"
    );
    assert_eq!(bench.open_gates().len(), 1);
}

#[test]
fn mistakes_are_found_at_load() {
    let disk = Disk::new();
    let refused = |config: &str| Bench::load(config).err().expect("refused");
    let why = refused(&disk.config("sql_query(\"cb\", \"SELECT 1\");"));
    assert!(why.contains("there is no connection \"cb\""), "{why}");
    let config = disk.config("exit;");
    let why = refused(&config.replace("loadmodule \"db_sqlite.so\"\n", ""));
    assert!(why.contains("load module db_sqlite"), "{why}");
    let why = refused(&config.replace("ca=>", "ca="));
    assert!(why.contains("name=>URL"), "{why}");
    let away = config.replace(&disk.0.display().to_string(), "/proc/no.db");
    assert!(refused(&away).contains("cannot connect to sqlite:///proc/no.db"));
    let later = away.replace(
        "request_route",
        "modparam(\"sqlops\", \"connect_mode\", 1)\nrequest_route",
    );
    assert!(Bench::load(&later).is_ok());
}
