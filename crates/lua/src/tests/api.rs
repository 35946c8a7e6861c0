//! The functions of KSR, against the list that Kamailio has.

use crate::ksr::{API, is_there};
use crate::testing::Bench;

/// What Kamailio has and Tandem has not, and why.
const ABSENT: &[(&str, &str)] = &[
    ("jsonrpcs.dispatch", "there is no HTTP yet"),
    (
        "tm.ki_t_load_contacts_mode",
        "t_load_contacts has the mode as its parameter",
    ),
    ("pvx.xavp_getd", "values of trees as tables"),
    ("pvx.xavp_getd_p1", "values of trees as tables"),
    ("pvx.xavp_get_keys", "values of trees as tables"),
    ("pvx.xavi_getd", "values of trees as tables"),
    ("pvx.xavi_getd_p1", "values of trees as tables"),
    ("pvx.xavi_get_keys", "values of trees as tables"),
    (
        "registrar.set_q_override",
        "the same is done by the parameter of save()",
    ),
    (
        "textopsx.remove_hf_value2",
        "as in the native language, it has one argument",
    ),
    (
        "uac.uac_reg_lookup",
        "Tandem does not register with others yet",
    ),
    (
        "uac.uac_reg_lookup_uri",
        "Tandem does not register with others yet",
    ),
    (
        "uac.uac_reg_status",
        "Tandem does not register with others yet",
    ),
    (
        "uac.uac_reg_request_to",
        "Tandem does not register with others yet",
    ),
    (
        "uac.uac_reg_enable",
        "Tandem does not register with others yet",
    ),
    (
        "uac.uac_reg_disable",
        "Tandem does not register with others yet",
    ),
    (
        "uac.uac_reg_refresh",
        "Tandem does not register with others yet",
    ),
    (
        "corex.file_read",
        "as in the native language, it has the variable as its second argument",
    ),
    (
        "tm.t_relay_to_proto",
        "t_relay_to_udp and its like are there",
    ),
    ("tm.t_relay_to_proto_addr", "the same"),
    ("acc.acc_db_request", "accounts go to the log alone"),
    (
        "app_lua.dostring",
        "a script would have to wait for itself: it calls its function",
    ),
    ("app_lua.dofile", "the same"),
    ("app_lua.runstring", "the same"),
    ("app_lua.run", "the same"),
    ("app_lua.run_p1", "the same"),
    ("app_lua.run_p2", "the same"),
    ("app_lua.run_p3", "the same"),
];

fn label(entry: &crate::ksr::Entry) -> String {
    let dot = if entry.module.is_empty() { "" } else { "." };
    format!("{}{dot}{}", entry.module, entry.name)
}

#[test]
fn every_function_of_kamailio_is_there_or_absent_for_a_reason() {
    let bench = Bench::new("function ksr_request_route() end");
    let absent = |label: &str| ABSENT.iter().any(|(name, _)| *name == label);
    let (mut missing, mut back) = (Vec::new(), Vec::new());
    for entry in API.iter() {
        let label = label(entry);
        match (is_there(&bench.engine, entry), absent(&label)) {
            (false, false) => missing.push(label),
            (true, true) => back.push(label),
            _ => {}
        }
    }
    assert!(missing.is_empty(), "missing: {missing:?}");
    assert!(back.is_empty(), "not absent any more: {back:?}");
    assert_eq!(API.len(), 612);
}

/// Each function is called with arguments of its types: none fails because its row takes no such arguments, or because
/// the variable that it stands for is unknown.
#[test]
fn every_function_takes_the_arguments_that_kamailio_gives_it() {
    let skipped = [
        "cfgutils.abort",
        "corex.file_write",
        "cfgutils.sleep",
        "cfgutils.usleep",
        "cfgutils.lock",
        "tm.t_relay",
        "forward",
        "forward_uri",
        "set_drop",
    ];
    let mut script = String::from("function ksr_request_route()\n");
    let bench = Bench::new("function ksr_request_route() end");
    for entry in API.iter().filter(|entry| is_there(&bench.engine, entry)) {
        let label = label(entry);
        if skipped.contains(&label.as_str()) {
            continue;
        }
        let arguments: Vec<&str> = entry
            .numbers
            .iter()
            .map(|is_number| if *is_number { "1" } else { "'a'" })
            .collect();
        script += &format!(
            "pcall(function() KSR.{label}({}) end)\n",
            arguments.join(", ")
        );
    }
    let mut bench = Bench::new(&(script + "end\n"));
    bench.request("OPTIONS", "x");
    let log = bench.log();
    let wrong: Vec<&String> = log
        .iter()
        .filter(|line| {
            line.contains("arguments instead of")
                || (line.contains("unknown variable") && !line.contains("KSR.pv."))
                || line.contains("there is no such function")
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_list_is_told_by_command() {
    let bench = Bench::new("function ksr_request_route() end");
    let values = bench.command("app_lua.api_list", &[]).expect("it answers");
    let text = format!("{values:?}");
    assert!(text.contains("msize"), "{} bytes", text.len());
    let values = bench.command("app_lua.list", &[]).expect("it answers");
    assert_eq!(values.len(), 1);
}

#[test]
fn headers_and_variables_are_read_and_written() {
    let mut bench = Bench::new(
        "function ksr_request_route()\n\
           KSR.pv.seti('$avp(n)', 4)\n\
           KSR.pv.sets('$var(a)', 'text')\n\
           local t = { KSR.hdr.get('X-A'), KSR.hdr.get_idx('X-A', -1), KSR.hdr.getw('X-B'), KSR.pv.get('$avp(n)') + 1,\n\
             KSR.pv.gete('$var(a)'), KSR.pv.getvs('$avp(none)', 'other'), KSR.pv.geti('$var(a)'),\n\
             KSR.is_method_in('IO') and 'in' or 'out', KSR.pvx.avp_get('n'), KSR.kx.get_ruser() }\n\
           KSR.hdr.remove('X-A')\n\
           KSR.hdr.append('X-New: 1\\r\\n')\n\
           KSR.sl.send_reply(200, table.concat(t, ' '))\n\
         end\n",
    );
    assert_eq!(
        bench.request("OPTIONS", "user"),
        ["SIP/2.0 200 one two <null> 5 text other 0 in 4 user"]
    );
}

#[test]
fn functions_of_modules_are_there_by_their_names() {
    let mut bench = Bench::new(
        "function ksr_request_route()\n\
           local t = { KSR.x.modf('is_method', 'OPTIONS'), KSR.x.modf('is_method', 'INVITE'), KSR.x.modf('nothing'),\n\
             KSR.dialog.dlg_profile_admit and 'more' or 'less' }\n\
           KSR.sl.send_reply(200, table.concat(t, ' '))\n\
         end\n",
    );
    assert_eq!(
        bench.request("OPTIONS", "user"),
        ["SIP/2.0 200 1 -1 -1 more"]
    );
    assert!(bench.logged("KSR.x.modf: no module has a function nothing"));
}
