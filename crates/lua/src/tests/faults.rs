//! What may go wrong in a script.

use crate::testing::{Bench, STOPWATCH};

/// A script that does this for each request, after answering one to `ping`.
fn bench(body: &str) -> Bench {
    Bench::new(&format!(
        "function ksr_request_route()\n\
         if KSR.pv.get('$rU') == 'ping' then KSR.sl.send_reply(200, 'Pong') return end\n\
         {body}\n\
         end\n"
    ))
}

/// A later request is answered as if nothing had been.
fn still_answers(bench: &mut Bench) {
    assert_eq!(bench.request("OPTIONS", "ping"), ["SIP/2.0 200 Pong"]);
}

#[test]
fn an_error_is_logged_with_its_place_and_the_message_is_left_unanswered() {
    let mut bench = bench("local x = nil\nreturn x.y");
    assert!(bench.request("OPTIONS", "x").is_empty());
    let log = bench.log();
    let first = log.first().expect("the error");
    assert!(
        first.contains("ERROR: <app_lua>: ksr_request_route: "),
        "{first}"
    );
    assert!(
        first.contains(".lua:4: attempt to index local 'x' (a nil value)"),
        "{first}"
    );
    assert!(
        log.iter().any(|line| line.contains("stack traceback")),
        "{log:?}"
    );
    still_answers(&mut bench);
}

#[test]
fn an_endless_loop_is_ended_after_the_time_limit() {
    for body in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(error, 'x') end",
        "while true do KSR.pv.get('$ru') end",
        "local co = coroutine.wrap(function() while true do end end) while true do co() end",
        "repeat until xpcall(function() while true do end end, function() return 1 end) == nil",
    ] {
        let mut bench = bench(body);
        STOPWATCH.set((0, 300_000));
        assert!(bench.request("OPTIONS", "x").is_empty(), "{body}");
        STOPWATCH.set((0, 0));
        assert!(bench.logged("ran for more than 1000 ms"), "{body}");
        still_answers(&mut bench);
    }
}

#[test]
fn a_script_that_keeps_too_much_is_ended() {
    let mut bench = Bench::load(
        "modparam(\"app_lua\", \"memory_limit\", 8)\ncfgengine \"lua\"\n",
        "function ksr_request_route()\n\
           if KSR.pv.get('$rU') == 'ping' then KSR.sl.send_reply(200, 'Pong') return end\n\
           local kept = {}\n\
           while true do pcall(function() kept[#kept + 1] = ('x'):rep(1000) .. #kept end) end\n\
         end\n",
    )
    .unwrap_or_else(|error| panic!("{error}"));
    assert!(bench.request("OPTIONS", "x").is_empty());
    assert!(bench.logged("keep more than 8 MB"));
    still_answers(&mut bench);
}

#[test]
fn deep_recursion_and_errors_that_cannot_be_shown_are_errors() {
    for (body, wanted) in [
        (
            "local function f() return 1 + f() end return f()",
            "stack overflow",
        ),
        (
            "local function f() return pcall(f) end f() error('came back')",
            "came back",
        ),
        (
            "error(setmetatable({}, { __tostring = function() error('in it') end }))",
            "ksr_request_route",
        ),
    ] {
        let mut bench = bench(body);
        assert!(bench.request("OPTIONS", "x").is_empty(), "{body}");
        assert!(bench.logged(wanted), "{body}");
        still_answers(&mut bench);
    }
}

#[test]
fn a_panic_costs_one_message() {
    for body in [
        "KSR.test.panics()",
        "pcall(KSR.test.panics) KSR.sl.send_reply(200, 'Not so')",
    ] {
        let mut bench = bench(body);
        assert!(bench.request("OPTIONS", "x").is_empty(), "{body}");
        assert_eq!(
            bench.engine.statistics.get("core", "panics"),
            Some(1),
            "{body}"
        );
        assert!(bench.logged("panicked"), "{body}");
        still_answers(&mut bench);
    }
}

#[test]
fn exit_cannot_be_caught_and_ends_the_route() {
    let mut bench = bench(
        "pcall(function() KSR.x.exit() end)\n\
         KSR.sl.send_reply(500, 'Not so')",
    );
    assert!(bench.request("OPTIONS", "x").is_empty());
    assert!(bench.log().is_empty());
    still_answers(&mut bench);
}

#[test]
fn an_error_that_is_caught_is_the_scripts_own() {
    let mut bench = bench(
        "local ok, why = pcall(function() error('mine') end)\n\
         KSR.sl.send_reply(ok and 500 or 200, (why:gsub('.*: ', '')))",
    );
    assert_eq!(bench.request("OPTIONS", "x"), ["SIP/2.0 200 mine"]);
}

#[test]
fn wrong_arguments_are_logged_with_their_place_and_change_nothing() {
    let mut bench = bench(
        "local codes = { KSR.tm.t_on_failure(), KSR.setflag(), KSR.pv.get('nothing'), KSR.setflag(77),\n\
           KSR.pv.get('$nosuch(x)'), KSR.hdr.get('X-None') }\n\
         KSR.sl.send_reply(200, tostring(codes[1]) .. tostring(codes[2]) .. tostring(codes[3]) ..\n\
           tostring(codes[4]))",
    );
    assert_eq!(
        bench.request("OPTIONS", "x"),
        ["SIP/2.0 200 -1falsenilfalse"]
    );
    let log = bench.log();
    let has = |text: &str| log.iter().any(|line| line.contains(text));
    assert!(
        has(".lua:3: KSR.tm.t_on_failure: 0 arguments instead of 1"),
        "{log:?}"
    );
    assert!(has("expected a variable"), "{log:?}");
    assert!(has("unknown variable `$nosuch`"), "{log:?}");
}

#[test]
fn a_function_that_must_wait_cannot_do_so_inside_of_c() {
    let mut bench = bench(
        "local ok, why = pcall(function()\n\
           return ('x'):gsub('x', function() KSR.cfgutils.sleep(1) end)\n\
         end)\n\
         KSR.sl.send_reply(ok and 500 or 200, 'Told')",
    );
    assert_eq!(bench.request("OPTIONS", "x"), ["SIP/2.0 200 Told"]);
    assert_eq!(bench.waiting(), 0);
    still_answers(&mut bench);
}

#[test]
fn scripts_with_mistakes_do_not_start() {
    for (script, wanted) in [
        ("function ksr_request_route(", "expected near '<eof>'"),
        ("error('at once')", "at once"),
        ("while true do end", "ran for more than"),
        (
            "function other() end",
            "there is no function ksr_request_route",
        ),
    ] {
        STOPWATCH.set((0, 300_000));
        let error = Bench::load("cfgengine \"lua\"\n", script).err();
        STOPWATCH.set((0, 0));
        let error = error.unwrap_or_default();
        assert!(error.contains(wanted), "{script}: {error}");
    }
    let error = Bench::load("cfgengine \"python\"\n", "")
        .err()
        .unwrap_or_default();
    assert!(error.contains("no configuration engine"), "{error}");
}

#[test]
fn what_could_harm_the_process_is_not_there() {
    let mut bench = bench(
        "local there = {}\n\
         for _, name in ipairs({ 'ffi', 'jit' }) do\n\
           local ok, lib = pcall(require, name)\n\
           if ok and name == 'ffi' then there[#there + 1] = name end\n\
         end\n\
         if debug.sethook or debug.setmetatable or pcall(package.loadlib, 'x', '*') then there[#there + 1] = 'debug' end\n\
         KSR.sl.send_reply(200, 'There: ' .. table.concat(there, ',') .. type(debug.traceback))",
    );
    assert_eq!(
        bench.request("OPTIONS", "x"),
        ["SIP/2.0 200 There: function"]
    );
}

#[test]
fn while_a_script_is_loaded_it_can_only_write_to_the_log() {
    let mut bench = Bench::new(
        "KSR.notice('loading')\n\
         local code = KSR.sl.send_reply(200, 'x')\n\
         function ksr_request_route() KSR.sl.send_reply(200, tostring(code)) end\n",
    );
    assert_eq!(bench.request("OPTIONS", "x"), ["SIP/2.0 200 false"]);
    let log = bench.log();
    assert!(log.iter().any(|line| line.ends_with("loading")), "{log:?}");
    let refused = "KSR.sl.send_reply: there is no message while a script is loaded";
    assert!(log.iter().any(|line| line.ends_with(refused)), "{log:?}");
}
