//! Route headers in, Route headers and next hops out.

use crate::testing::Bench;

const CONFIG: &str = r#"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
request_route {
    if (method == "INVITE") {
        record_route(";x=1");
        add_rr_param(";y=2");
        record_route();
        xlog("L_ERR", "second $rc\n");
        t_relay();
        exit;
    }
    loose_route();
    xlog("L_ERR", "lr $rc du=$du\n");
    if (is_direction("upstream")) xlog("L_ERR", "upstream\n");
    if ($rc != -3) t_relay();
}
"#;

fn request(method: &str, uri: &str, to_tag: &str, routes: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK{}\r\n\
         From: <sip:a@x>;tag=f1\r\nTo: <sip:b@x>{to_tag}\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n\
         {routes}Content-Length: 0\r\n\r\n",
        uri.len() + routes.len()
    )
}

/// The log line, then what was sent: Request-URI and Routes.
fn follow(uri: &str, to_tag: &str, routes: &str) -> (String, String, Vec<String>) {
    let mut bench = Bench::new(CONFIG);
    let sent = bench.receive("10.0.0.9:5060", &request("BYE", uri, to_tag, routes));
    let log = bench.log().join(" ");
    let out = sent.iter().find(|sent| sent.text.starts_with("BYE"));
    let target = out
        .map(|out| out.first_line().to_owned())
        .unwrap_or_default();
    let routes = out.map(|out| {
        out.headers("Route")
            .into_iter()
            .map(str::to_owned)
            .collect()
    });
    (log, target, routes.unwrap_or_default())
}

const OWN: &str = "<sip:10.0.0.1;lr;ftag=f1>";

#[test]
fn an_own_route_alone_is_consumed() {
    let (log, target, routes) = follow("sip:b@10.0.0.8", ";tag=t", &format!("Route: {OWN}\r\n"));
    assert!(log.contains("lr 1 du=<null>"), "{log}");
    assert_eq!(
        (target.as_str(), routes.len()),
        ("BYE sip:b@10.0.0.8 SIP/2.0", 0)
    );
}

#[test]
fn the_next_route_is_the_next_hop() {
    let lines = format!("Route: {OWN}, <sip:10.0.0.7;lr;p=q>\r\n");
    let (log, target, routes) = follow("sip:b@10.0.0.8", ";tag=t", &lines);
    assert!(log.contains("lr 1 du=sip:10.0.0.7;lr;p=q"), "{log}");
    assert_eq!(target, "BYE sip:b@10.0.0.8 SIP/2.0");
    assert_eq!(routes, ["<sip:10.0.0.7;lr;p=q>"]);
}

#[test]
fn both_headers_of_a_double_record_route_go() {
    let lines =
        "Route: <sip:10.0.0.1;r2=on;lr>\r\nRoute: <sip:10.0.0.1;transport=tcp;r2=on;lr>\r\n";
    let (_, _, routes) = follow("sip:b@10.0.0.8", ";tag=t", lines);
    assert!(routes.is_empty(), "{routes:?}");
}

#[test]
fn a_strict_router_gets_its_uri_and_the_target_goes_last() {
    let lines = format!("Route: {OWN}\r\nRoute: <sip:s@10.0.0.7>\r\n");
    let (_, target, routes) = follow("sip:b@10.0.0.8", ";tag=t", &lines);
    assert_eq!(target, "BYE sip:s@10.0.0.7 SIP/2.0");
    assert_eq!(routes, ["<sip:b@10.0.0.8>"]);
}

#[test]
fn a_strict_router_before_us_left_the_target_in_the_last_route() {
    let lines = "Route: <sip:10.0.0.7;lr>\r\nRoute: <sip:b@10.0.0.8>\r\n";
    let (log, target, routes) = follow("sip:10.0.0.1;lr", ";tag=t", lines);
    assert!(log.contains("du=sip:10.0.0.7;lr"), "{log}");
    assert_eq!(target, "BYE sip:b@10.0.0.8 SIP/2.0");
    assert_eq!(routes, ["<sip:10.0.0.7;lr>"]);
}

#[test]
fn a_preloaded_own_route_is_not_followed() {
    let (log, ..) = follow("sip:b@10.0.0.8", "", &format!("Route: {OWN}\r\n"));
    assert!(log.contains("lr -3"), "{log}");
    let (log, ..) = follow("sip:b@10.0.0.8", ";tag=t", "");
    assert!(log.contains("lr -1"), "{log}");
}

#[test]
fn the_tag_in_the_route_tells_the_direction() {
    let (log, ..) = follow("sip:b@10.0.0.8", ";tag=t", &format!("Route: {OWN}\r\n"));
    assert!(!log.contains("upstream"), "{log}");
    let back = "Route: <sip:10.0.0.1;lr;ftag=t>\r\n";
    let (log, ..) = follow("sip:b@10.0.0.8", ";tag=t", back);
    assert!(log.contains("upstream"), "{log}");
}

#[test]
fn record_route_is_written_once_with_all_parameters() {
    let mut bench = Bench::new(CONFIG);
    let sent = bench.receive(
        "10.0.0.9:5060",
        &request("INVITE", "sip:b@10.0.0.8", "", ""),
    );
    let out = sent
        .iter()
        .find(|sent| sent.text.starts_with("INVITE"))
        .expect("it is relayed");
    assert_eq!(
        out.headers("Record-Route"),
        ["<sip:10.0.0.1;lr;ftag=f1;x=1;y=2>"]
    );
    assert!(bench.log().join(" ").contains("second -1"));
}

#[test]
fn record_route_has_the_socket_s_name_where_that_is_wanted() {
    let mut bench = Bench::new(
        "loadmodule \"rr.so\"\nloadmodule \"pv.so\"\nloadmodule \"xlog.so\"\n\
         modparam(\"rr\", \"sockname_mode\", 1)\nmodparam(\"rr\", \"append_fromtag\", 0)\n\
         request_route { loose_route(); xinfo(\"leaves by $fs\"); record_route(); forward(); }\n",
    );
    // The second own Route names a socket by its name alone: its port is none of ours.
    let sent = bench.receive(
        "10.0.0.9:5060",
        "INFO sip:b@10.0.0.8 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKa\n\
         Route: <sip:10.0.0.1;r2=on;lr>, <sip:10.0.0.1:9;sn=bench;r2=on;lr>\n\
         From: <sip:a@x>;tag=1\nTo: <sip:b@x>;tag=2\nCall-ID: c\nCSeq: 1 INFO\nContent-Length: 0\n\n",
    );
    assert_eq!(sent[0].header("Record-Route"), "<sip:10.0.0.1;sn=bench;lr>");
    assert!(
        bench
            .log()
            .join("\n")
            .contains("leaves by udp:10.0.0.1:5060")
    );
}
