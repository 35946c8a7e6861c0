//! The seven MI commands of the manual of 3.2.

use super::*;

fn with_mi() -> Bench {
    let load = "loadmodule \"mi_fifo.so\"\nloadmodule \"kex.so\"\n";
    bench(load, BEGIN)
}

/// The text of a listing without what differs from run to run.
fn masked(text: &str) -> String {
    let masked = text.lines().map(|line| {
        let line = line.split_once(" hash=905:").map_or(line, |(name, _)| name);
        let is_time = ["timestart", "timeout"]
            .iter()
            .any(|name| line.trim_start().starts_with(name));
        match is_time {
            true => format!("{}:: T", line.split(':').next().unwrap_or_default()),
            false => line.to_owned(),
        }
    });
    masked.map(|line| line + "\n").collect()
}

#[test]
fn dlg_list_shows_all_calls_or_one() {
    let mut bench = with_mi();
    assert_eq!(bench.mi(&["dlg_list"]), "200 OK\n\n");
    let route = answered(&mut bench);
    let did = route.split(";did=").nth(1).expect("a cookie");
    assert!(did.starts_with("9ea."));
    let all = bench.mi(&["dlg_list"]);
    let id = all.lines().nth(1).expect("a node").to_owned();
    assert!(id.starts_with("dialog::  hash=2793:"), "{id}");
    let expected = "\tstate:: 4
\tref_count:: 2
\ttimestart:: T
\ttimeout:: T
\tcallid:: call-1@test
\tfrom_uri:: sip:alice@example.org
\tfrom_tag:: fa
\tcaller_contact:: sip:alice@10.0.0.2;ob
\tcaller_cseq:: 10
\tcaller_route_set:: 
\tcaller_bind_addr:: udp:10.0.0.1:5060
\tcallee_bind_addr:: udp:10.0.0.1:5060
\tto_uri:: sip:bob@example.org
\tto_tag:: tb
\tcallee_contact:: sip:bob@10.0.0.3
\tcallee_cseq:: 0
\tcallee_route_set:: 

";
    assert_eq!(masked(&all), format!("200 OK\n{id}\n{expected}"));
    assert_eq!(bench.mi(&["dlg_list", "call-1@test"]), all);
    assert_eq!(bench.mi(&["dlg_list", "call-1@test", "fa"]), all);
    for nobody in [&["dlg_list", "call-1@test", "fb"][..], &["dlg_list", "x"]] {
        assert_eq!(bench.mi(nobody), "404 Nu such dialog\n\n");
    }
    let too_many = ["dlg_list", "a", "b", "c"];
    assert_eq!(bench.mi(&too_many), "400 Too few or too many arguments\n\n");
}

#[test]
fn dlg_list_ctx_shows_what_is_attached() {
    let mut bench = with_mi();
    answered(&mut bench);
    let plain = bench.mi(&["dlg_list"]);
    let with_context = bench.mi(&["dlg_list_ctx"]);
    let context = with_context.strip_prefix(plain.trim_end_matches('\n'));
    let context = context.expect("the same, and more");
    assert!(
        context.starts_with("\n\tcontext:: \n\t\tdeadline:: 43200\n"),
        "{context}"
    );
    assert!(context.contains("\n\t\tbye:: \n\t\t\tcaller:: none\n\t\t\tcallee:: none\n"));
    assert_eq!(bench.mi(&["dlg_list_ctx", "call-1@test"]), with_context);
}

#[test]
fn dlg_end_dlg_ends_a_call_by_its_id() {
    let mut bench = with_mi();
    answered(&mut bench);
    let all = bench.mi(&["dlg_list"]);
    let id = all.lines().nth(1).and_then(|line| line.split_once("hash="));
    let (entry, id) = id.expect("an id").1.split_once(':').expect("two numbers");
    for (arguments, expected) in [
        (&["2793", "x"][..], "400 Bad parameter\n\n"),
        (&["2793", id, "no header"], "400 Bad parameter\n\n"),
        (&["2793"], "400 Too few or too many arguments\n\n"),
        (&["2792", id], "404 Requested Dialog not found\n\n"),
    ] {
        let lines: Vec<_> = ["dlg_end_dlg"].iter().chain(arguments).copied().collect();
        assert_eq!(bench.mi(&lines), expected, "{arguments:?}");
    }
    let ended = bench.mi(&["dlg_end_dlg", entry, id, "\"X-Why: credit\r\n\""]);
    assert_eq!(ended, "200 OK\n\n");
    let sent = bench.settle();
    assert_eq!(sent.len(), 2);
    for bye in &sent {
        assert!(bye.first_line().starts_with("BYE "));
        assert_eq!(bye.header("X-Why"), "credit");
    }
    assert_eq!(state_of(&mut bench), Some(5));
    let again = bench.mi(&["dlg_end_dlg", entry, id]);
    assert_eq!(again, "404 Requested Dialog not found\n\n");
}

#[test]
fn dlg_terminate_dlg_ends_a_call_by_its_call_id() {
    for arguments in [&["call-1@test"][..], &["call-1@test", "fa"]] {
        let mut bench = with_mi();
        answered(&mut bench);
        for wrong in [
            &["dlg_terminate_dlg", "call-1@test", "fb"][..],
            &["dlg_terminate_dlg", "x"],
        ] {
            assert_eq!(bench.mi(wrong), "404 Requested Dialog not found\n\n");
        }
        let none = bench.mi(&["dlg_terminate_dlg"]);
        assert_eq!(none, "400 Too few or too many arguments\n\n");
        let lines: Vec<_> = ["dlg_terminate_dlg"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        assert_eq!(bench.mi(&lines), "200 OK\n\n");
        assert_eq!(bench.settle().len(), 2);
        assert_eq!(bench.mi(&lines), "404 Requested Dialog not found\n\n");
        assert_eq!(
            bench.mi(&["dlg_list", "call-1@test"]),
            "404 Nu such dialog\n\n"
        );
    }
}

#[test]
fn profiles_are_counted_and_listed() {
    let mut bench = with_mi();
    answered(&mut bench);
    for (arguments, expected) in [
        (
            &["caller"][..],
            "200 OK\nprofile::  name=caller value= count=1\n\n",
        ),
        (
            &["caller", "alice"],
            "200 OK\nprofile::  name=caller value=alice count=1\n\n",
        ),
        (
            &["caller", "bob"],
            "200 OK\nprofile::  name=caller value=bob count=0\n\n",
        ),
        (
            &["inbound", "any"],
            "200 OK\nprofile::  name=inbound value=any count=1\n\n",
        ),
        (&["nothing"], "404 Profile not found\n\n"),
        (&[], "400 Too few or too many arguments\n\n"),
    ] {
        let lines: Vec<_> = ["profile_get_size"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        assert_eq!(bench.mi(&lines), expected, "{arguments:?}");
    }
    let all = bench.mi(&["dlg_list"]);
    assert_eq!(bench.mi(&["profile_list_dlgs", "caller", "alice"]), all);
    assert_eq!(bench.mi(&["profile_list_dlgs", "inbound"]), all);
    assert_eq!(
        bench.mi(&["profile_list_dlgs", "caller", "bob"]),
        "200 OK\n\n"
    );
    assert_eq!(
        bench.mi(&["profile_list_dlgs", "nothing"]),
        "404 Profile not found\n\n"
    );
}

#[test]
fn dlg_bridge_calls_one_and_refers_it_to_the_other() {
    let mut bench = with_mi();
    let (from, to) = ("sip:a@10.0.0.2", "sip:b@10.0.0.3");
    assert_eq!(
        bench.mi(&["dlg_bridge", from]),
        "400 Too few or too many arguments\n\n"
    );

    assert_eq!(bench.mi(&["dlg_bridge", from, to]), "200 OK\n\n");
    let sent = bench.settle();
    assert_eq!(
        sent_to(&sent, ALICE)[0].first_line(),
        "INVITE sip:a@10.0.0.2 SIP/2.0"
    );
    assert_eq!(
        bench.mi(&["dlg_bridge", from, to, "sip:10.0.0.3"]),
        "200 OK\n\n"
    );
    let sent = bench.settle();
    assert_eq!(
        sent_to(&sent, BOB)[0].first_line(),
        "INVITE sip:a@10.0.0.2 SIP/2.0"
    );
    assert_eq!(
        bench.mi(&["dlg_bridge", "\"\"", to]),
        "500 Operation failed\n\n"
    );
}

#[test]
fn every_program_answers_what_it_is() {
    let mut bench = with_mi();
    let which = bench.mi(&["which"]);
    let seven = [
        "dlg_bridge",
        "dlg_end_dlg",
        "dlg_list",
        "dlg_list_ctx",
        "dlg_terminate_dlg",
        "get_statistics",
        "profile_get_size",
        "profile_list_dlgs",
        "uptime",
        "which",
    ];
    for name in seven {
        assert!(which.lines().any(|line| line == name), "{name}: {which}");
    }
    // Module corex is not loaded.
    assert!(!which.contains("debug"));
    let uptime = bench.mi(&["uptime"]);
    let lines: Vec<_> = uptime
        .lines()
        .map(|line| line.split(":: ").next())
        .collect();
    let expected = ["200 OK", "Now", "Up since", "Up time", ""].map(Some);
    assert_eq!(lines, expected);
    assert!(bench.mi(&["version"]).starts_with("200 OK\nServer:: "));
    assert!(bench.mi(&["pwd"]).starts_with("200 OK\nWD:: /"));
    assert_eq!(
        bench.mi(&["get_statistics", "dialog:"]),
        "200 OK\ndialog:active_dialogs = 0\ndialog:early_dialogs = 0\ndialog:expired_dialogs = 0\n\
         dialog:failed_dialogs = 0\ndialog:processed_dialogs = 0\n\n"
    );
    assert_eq!(
        bench.mi(&["get_statistics", "nothing"]),
        "404 Statistics Not Found\n\n"
    );
    assert_eq!(
        bench.mi(&["reset_statistics", "processed_dialogs"]),
        "200 OK\n\n"
    );
    assert_eq!(
        bench.mi(&["dlg.stats_active"]),
        "200 OK\nstarting:: 0\nconnecting:: 0\nanswering:: 0\nongoing:: 0\nall:: 0\n\n"
    );
}
