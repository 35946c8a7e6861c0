//! Lua called by routes of the native language.

use crate::testing::Bench;

fn bench(route: &str, script: &str) -> Bench {
    let config = format!("request_route {{ {route} }}\nfailure_route[AGAIN] {{ exit; }}\n");
    Bench::load(&config, script).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_function_gets_texts_and_gives_a_code() {
    let mut bench = bench(
        "lua_run(\"f\", \"$rU\", \"b\", \"c\"); $var(first) = $rc; \
         if (!lua_run(\"g\")) sl_send_reply(\"200\", \"$var(first) $var(x)\");",
        "function f(a, b, c) KSR.pv.sets('$var(x)', a .. b .. c) return 7 end\n\
         function g() return -1 end\n",
    );
    assert_eq!(bench.request("OPTIONS", "a"), ["SIP/2.0 200 7 abc"]);
}

#[test]
fn pieces_of_code_and_files_are_run() {
    let mut bench = bench(
        "lua_runstring(\"KSR.pv.seti('$$var(x)', 5)\"); lua_dostring(\"return 3\"); $var(y) = $rc; \
         if (lua_dofile(\"/nowhere/at/all.lua\")) exit; \
         if (lua_runstring(\"this is no Lua\")) exit; \
         sl_send_reply(\"200\", \"$var(x) $var(y)\");",
        "",
    );
    assert_eq!(bench.request("OPTIONS", "a"), ["SIP/2.0 200 5 3"]);
    let log = bench.log();
    assert!(
        log.iter()
            .any(|line| line.contains("cannot read /nowhere/at/all.lua")),
        "{log:?}"
    );
    assert!(
        log.iter().any(|line| line.contains("lua_runstring: ")),
        "{log:?}"
    );
}

#[test]
fn a_function_may_wait_and_end_the_script() {
    let mut bench = bench(
        "lua_run(\"f\"); sl_send_reply(\"200\", \"Not so\");",
        "function f()\n\
           KSR.cfgutils.sleep(2)\n\
           KSR.sl.send_reply(200, 'From Lua')\n\
           KSR.x.exit()\n\
         end\n",
    );
    assert!(bench.request("OPTIONS", "a").is_empty());
    assert_eq!(bench.wake(), ["SIP/2.0 200 From Lua"]);
}

#[test]
fn blocks_are_those_of_the_configuration() {
    let mut bench = bench(
        "lua_run(\"f\");",
        "function f()\n\
           local codes = KSR.tm.t_on_failure('AGAIN') .. ' ' .. KSR.tm.t_on_failure('NONE')\n\
           KSR.sl.send_reply(200, codes)\n\
         end\n",
    );
    assert_eq!(bench.request("OPTIONS", "a"), ["SIP/2.0 200 1 -1"]);
    assert!(bench.logged("there is no block NONE"));
}

#[test]
fn a_callback_parameter_without_lua_routes_is_refused() {
    let error = Bench::load(
        "modparam(\"dialog\", \"event_callback\", \"f\")\nrequest_route { exit; }\n",
        "function f() end",
    );
    let error = error.err().unwrap_or_default();
    assert!(
        error.contains("event_callback: \"f\" is never called"),
        "{error}"
    );
}
