//! Tests of the management modules together: what scripts and commands see of each other.

use crate::testing::Bench;
use rpc::Value;

const REQUEST: &str = "OPTIONS sip:bob@example.com SIP/2.0\n\
    Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1\n\
    From: <sip:a@b>;tag=1\nTo: <sip:x@y>\nCall-ID: c1\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n";
const PHONE: &str = "10.0.0.9:5060";

/// Runs `script` for one request and returns what it logged.
fn logged(head: &str, script: &str) -> Vec<String> {
    let config = format!(
        "loadmodule \"kex\"\nloadmodule \"corex\"\nloadmodule \"pv\"\nloadmodule \"xlog\"\n\
         loadmodule \"cfg_rpc\"\nloadmodule \"jsonrpcs\"\nloadmodule \"counters\"\n\
         loadmodule \"statistics\"\nloadmodule \"cfgutils\"\n{head}\nrequest_route {{ {script} }}\n"
    );
    let mut bench = Bench::new(&config);
    bench.log();
    bench.receive(PHONE, REQUEST);
    let lines = bench.log().into_iter();
    lines
        .filter_map(|line| Some(line.split_once("<script>: ")?.1.to_owned()))
        .collect()
}

#[test]
fn a_variable_changes_for_scripts_when_a_command_changes_it() {
    let mut bench = Bench::new(
        "loadmodule \"pv\"\nloadmodule \"xlog\"\nloadmodule \"cfg_rpc\"\npstn.num = 5\n\
         request_route { xlog(\"L_ERR\", \"num $sel(cfg_get.pstn.num)\"); }\n",
    );
    bench.receive(PHONE, REQUEST);
    bench
        .command("cfg.set_delayed_int", &["pstn", "num", "8"])
        .unwrap();
    bench.receive(PHONE, &REQUEST.replace("c1", "c2"));
    bench.command("cfg.commit", &[]).unwrap();
    bench.receive(PHONE, &REQUEST.replace("c1", "c3"));
    let lines = bench.log();
    let seen: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split_once("num "))
        .collect();
    assert_eq!(
        seen.iter().map(|(_, number)| *number).collect::<Vec<_>>(),
        ["5", "5", "8"]
    );
}

#[test]
fn a_variable_that_counts_at_start_only_is_not_changed() {
    let mut bench = Bench::new("loadmodule \"cfg_rpc\"\nrequest_route { exit; }\n");
    let refused = bench
        .command("cfg.set", &["tcp", "max_connections", "7"])
        .unwrap_err();
    assert_eq!(refused.code, 400);
    let same = bench
        .command("cfg.get", &["tcp", "max_connections"])
        .unwrap();
    assert_eq!(same, [Value::Int(2048)]);
    let unknown = bench.command("cfg.get", &["pstn", "num"]).unwrap_err();
    assert_eq!(unknown.text, "Failed to get the variable");
}

#[test]
fn instances_of_a_group_fall_back_to_the_group() {
    let mut bench = Bench::new("loadmodule \"cfg_rpc\"\ng.n = 5\nrequest_route { exit; }\n");
    assert!(bench.command("cfg.get", &["g[1]", "n"]).is_err());
    bench.command("cfg.add_group_inst", &["g[1]"]).unwrap();
    bench.command("cfg.set", &["g[1]", "n", "9"]).unwrap();
    assert_eq!(
        bench.command("cfg.get", &["g[1]", "n"]).unwrap(),
        [Value::Int(9)]
    );
    assert_eq!(
        bench.command("cfg.get", &["g", "n"]).unwrap(),
        [Value::Int(5)]
    );
    bench.command("cfg.del", &["g[1]", "n"]).unwrap();
    assert_eq!(
        bench.command("cfg.get", &["g[1]", "n"]).unwrap(),
        [Value::Int(5)]
    );
    bench.command("cfg.del_group_inst", &["g[1]"]).unwrap();
    assert!(bench.command("cfg.del_group_inst", &["g[1]"]).is_err());
}

#[test]
fn an_unknown_variable_or_select_is_an_error_at_load() {
    for select in ["cfg_get.pstn.nope", "no.such.select", "cfg_get.pstn"] {
        let config = format!(
            "loadmodule \"pv\"\npstn.num = 5\nrequest_route {{ $var(x) = $sel({select}); }}\n"
        );
        assert!(Bench::load(&config).is_err(), "{select}");
    }
}

#[test]
fn counters_and_statistics_are_moved_by_scripts() {
    let head = "modparam(\"counters\", \"script_counter\", \"grp.one words\")\n\
                modparam(\"statistics\", \"variable\", \"two\")\n";
    let lines = logged(
        head,
        "cnt_inc(\"grp.one\"); cnt_add(\"grp.one\", 4); update_stat(\"two\", \"+5\"); \
         update_stat(\"two\", \"-2\"); xlog(\"L_ERR\", \"$stat(one) $stat(two)\"); \
         reset_stat(\"two\"); cnt_reset(\"grp.one\"); \
         xlog(\"L_ERR\", \"$stat(one) $stat(two) $stat(nope)\");",
    );
    assert_eq!(lines, ["5 3", "0 0 <null>"]);
}

#[test]
fn the_first_destination_can_become_an_appended_one() {
    let lines = logged(
        "",
        "setbflag(3); $du = \"sip:10.0.0.7\"; append_branch(); \
         xlog(\"L_ERR\", \"$branch(count) $bf $du\"); append_branch(\"sip:q@w\", \"0.7\"); \
         xlog(\"L_ERR\", \"$branch(count)\"); if (!append_branch(\"sip:q@w\", \"x\")) \
         { xlog(\"L_ERR\", \"refused\"); }",
    );
    assert_eq!(lines, ["1 0 <null>", "2", "refused"]);
}

#[test]
fn commands_run_from_scripts_leave_their_answer() {
    let lines = logged(
        "modparam(\"jsonrpcs\", \"pretty_format\", 0)\n",
        "jsonrpc_exec('{\"jsonrpc\":\"2.0\",\"method\":\"no.such\",\"id\":1}'); \
         xlog(\"L_ERR\", \"$jsonrpl(code) $jsonrpl(text)\"); \
         if (!jsonrpc_exec('{bad')) { xlog(\"L_ERR\", \"$jsonrpl(code)\"); }",
    );
    assert_eq!(lines.last().map(String::as_str), Some("500"));
}

#[test]
fn a_route_that_may_be_missing_is_run_if_it_is_there() {
    let config = "loadmodule \"pv\"\nloadmodule \"xlog\"\nloadmodule \"cfgutils\"\n\
        route[YES] { return 7; }\nroute[END] { exit; }\n\
        request_route { route_if_exists(\"YES\"); xlog(\"L_ERR\", \"a $rc\"); \
        route_if_exists(\"NO\"); xlog(\"L_ERR\", \"b $rc\"); \
        route_if_exists(\"END\"); xlog(\"L_ERR\", \"c\"); }\n";
    let mut bench = Bench::new(config);
    bench.log();
    bench.receive(PHONE, REQUEST);
    let lines = bench.log();
    let seen: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split_once("<script>: "))
        .collect();
    assert_eq!(
        seen.iter().map(|(_, text)| *text).collect::<Vec<_>>(),
        ["a 7", "b -1"]
    );
}

#[test]
fn statistics_are_listed_by_name_group_or_all() {
    let mut bench = Bench::new("loadmodule \"kex\"\nrequest_route { exit; }\n");
    bench.receive(PHONE, REQUEST);
    let one = bench
        .command("stats.get_statistics", &["rcv_requests"])
        .unwrap();
    assert_eq!(one, [Value::from("core:rcv_requests = 1")]);
    let none = bench
        .command("stats.get_statistics", &["core:rcv_requests"])
        .unwrap();
    assert!(none.is_empty());
    let old = bench
        .command("stats.clear_statistics", &["rcv_requests"])
        .unwrap();
    assert_eq!(old, one);
    assert_eq!(bench.statistic("core", "rcv_requests"), 0);
    assert!(bench.command("stats.get_statistics", &[]).is_err());
    let memory = bench.command("stats.fetchn", &["shmem:"]).unwrap();
    assert_eq!(
        memory[0].as_struct().map(|row| row.members().len()),
        Some(6)
    );
}

#[test]
fn a_transaction_is_listed_answered_and_cancelled_by_command() {
    let config = "loadmodule \"tm\"\nloadmodule \"sl\"\n\
        request_route { $du = \"sip:10.0.0.7\"; t_relay(); }\nloadmodule \"pv\"\n";
    let mut bench = Bench::new(config);
    let invite = REQUEST.replace("OPTIONS", "INVITE");
    bench.receive(PHONE, &invite);
    let rows = bench.command("tm.list", &[]).unwrap();
    let row = rows[0].as_struct().unwrap();
    assert_eq!(row.get("method"), Some(&Value::from("INVITE")));
    assert_eq!(row.get("cseq"), Some(&Value::from("CSeq: 1")));
    let missing = bench.command("tm.cancel", &["nobody", "1"]).unwrap_err();
    assert_eq!(missing.text, "Transaction not found");
    let words = ["480", "Gone", "c1", "1", "mytag", "X-A: b\r\n"];
    bench.command("tm.reply_callid", &words).unwrap();
    let sent = bench.settle();
    let answer = sent
        .iter()
        .find(|sent| sent.first_line() == "SIP/2.0 480 Gone")
        .unwrap();
    assert_eq!(answer.header("X-A"), "b");
    assert!(answer.header("To").ends_with(";tag=mytag"));
}
