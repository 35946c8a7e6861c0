//! Module sqlops: the same questions in both programs.

use std::process::Command;
use std::time::Duration;

use crate::support::agent::Transport;
use crate::support::call::standalone;
use crate::support::database::{SQLITE, kamailio_knows};
use crate::support::process::run;
use crate::support::scene::script_output;
use crate::support::{Program, Scene, peers};

/// The same script on the same rows says the same in both programs.
#[test]
fn scripts_ask_alike() {
    let route = r#"
	sql_query("ca", "DROP TABLE IF EXISTS t");
	sql_query("ca", "CREATE TABLE t (n INTEGER, s VARCHAR(20))");
	$var(rc) = sql_query("ca", "INSERT INTO t VALUES (1, 'one')");
	xlog("L_NOTICE", "insert $var(rc)\n");
	sql_query("ca", "INSERT INTO t VALUES (2, NULL)");
	$var(rc) = sql_query("ca", "SELECT n, s FROM t ORDER BY n", "ra");
	xlog("L_NOTICE", "select $var(rc) $dbr(ra=>rows) $dbr(ra=>cols) $dbr(ra=>colname[0]) $dbr(ra=>colname[1])\n");
	$var(i) = 1;
	xlog("L_NOTICE", "$dbr(ra=>[0,0]) $dbr(ra=>[0,1]) $dbr(ra=>[$var(i),0]) $dbr(ra=>[1,1]) $dbr(ra=>[7,0])\n");
	if ($dbr(ra=>[1,1]) == $null) xlog("L_NOTICE", "null\n");
	sql_result_free("ra");
	xlog("L_NOTICE", "free $dbr(ra=>rows)\n");
	$var(rc) = sql_query("ca", "SELECT n FROM t WHERE n > 7", "rb");
	xlog("L_NOTICE", "none $var(rc) $dbr(rb=>rows)\n");
	$var(rc) = sql_query("ca", "SELECT n FROM t");
	xlog("L_NOTICE", "unwanted $var(rc)\n");
	$var(rc) = sql_query("ca", "nonsense", "rc");
	xlog("L_NOTICE", "wrong $var(rc)\n");
	$var(rc) = sql_pvquery("ca", "SELECT n, s FROM t WHERE n = 1", "$var(n), $avp(s)");
	xlog("L_NOTICE", "variables $var(rc) $var(n) $avp(s)\n");
	$var(rc) = sql_pvquery("ca", "SELECT n, s FROM t WHERE n = 7", "$var(n), $avp(s)");
	xlog("L_NOTICE", "no variables $var(rc)\n");
	$var(rc) = sql_xquery("ca", "SELECT n, s FROM t ORDER BY n", "x");
	xlog("L_NOTICE", "tree $var(rc) $xavp(x=>n) $xavp(x=>s) $xavp(x[1]=>n) $xavp(x[1]=>s)\n");
	$var(rc) = sql_xquery("ca", "SELECT n FROM t WHERE n = 7", "y");
	xlog("L_NOTICE", "no tree $var(rc)\n");
	$var(t) = "o'hara";
	xlog("L_NOTICE", "$(rU{sql.val}) $(var(i){sql.val}) $(avp(none){sql.val}) $(avp(none){sql.val.int}) $(avp(none){sql.val.str})\n");
	xlog("L_NOTICE", "end\n");
"#;
    let text = format!(
        "#!KAMAILIO\ndebug=1\nlog_stderror=yes\nchildren=1\nlisten=udp:%IP%:5060\nloadmodule \"db_sqlite.so\"\n\
         loadmodule \"sqlops.so\"\nloadmodule \"pv.so\"\nloadmodule \"sl.so\"\nloadmodule \"xlog.so\"\n\
         modparam(\"sqlops\", \"sqlcon\", \"ca=>{SQLITE}\")\n\
         request_route {{{route}\tsl_send_reply(\"200\", \"OK\");\n}}\n"
    );
    if !kamailio_knows(SQLITE) {
        return;
    }
    let mut said = Vec::new();
    for program in [Program::Kamailio, Program::Tandem] {
        let Some(tandem) = peers::tandem() else {
            return;
        };
        let scene = Scene::start_with(program, &text, |lab| {
            let mut create = Command::new(&tandem);
            create.args(["db", "create", "--url", &lab.fill(SQLITE)]);
            assert!(run(&mut create, Duration::from_secs(20)).0);
        });
        let Some(mut s) = scene else { return };
        let alice = s.agent("alice", 10, Transport::Udp);
        let target = s.server_uri("x");
        let request = standalone(s.at(alice), "OPTIONS", &target, "ask@test");
        s.send(alice, &request);
        s.expect(alice, "200 OPTIONS");
        s.await_line("end");
        said.push(script_output(&s.server.log()).join("\n"));
    }
    assert_eq!(said[1], said[0]);
}
