//! `event_route[network:msg]`: packets as they come and go, and other bytes in their place.

use engine::{FunctionRow, InitError, Interception, Pending, Run, Setup};
use script::{Args, BlockKind, Outcome, Routes, Value, Variable};

use crate::row::function;

pub(super) const FUNCTIONS: &[FunctionRow] = &[function(
    "is_incoming",
    &[],
    Routes::ANY,
    is_incoming,
    "True in event_route[network:msg] for what was received, false for what is about to be sent, and elsewhere.",
)];

/// Where the route puts what takes a packet's place.
struct State {
    replacement: Option<Variable>,
}

const EVENT: &str = "network:msg";

pub(super) fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let replacement = setup.variable("corex", "nio_msg_avp")?;
    setup.put_state(State { replacement });
    if setup.parameters.int("corex", "nio_intercept") == 0 {
        return Ok(());
    }
    setup.check_program(|program| {
        let block = program.block(BlockKind::Event, EVENT);
        block.ok_or("nio_intercept = 1 needs an event_route[network:msg]")?;
        Ok(())
    })?;
    let length_min = setup.parameters.int("corex", "nio_min_msg_len");
    setup.hooks.interception = Some(Interception {
        event: EVENT,
        length_min: usize::try_from(length_min).unwrap_or(0),
        replaced,
    });
    Ok(())
}

fn replaced(run: &mut Run) -> Option<Vec<u8>> {
    let state = run.state::<State>();
    match state.replacement.as_ref()?.get(run) {
        Value::Null => None,
        value => Some(value.to_str().as_bytes().to_vec()),
    }
}

fn is_incoming(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let incoming = run.packet.as_ref().is_some_and(|packet| packet.incoming);
    Outcome::Code(if incoming { 1 } else { -1 })
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    fn bench(route: &str) -> Bench {
        Bench::new(&format!(
            r#"
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "xlog.so"
loadmodule "cfgutils.so"
loadmodule "corex.so"
modparam("corex", "nio_intercept", 1)
modparam("corex", "nio_msg_avp", "$avp(msg)")
modparam("corex", "nio_min_msg_len", 20)
request_route {{
    xinfo("route $rU $hdr(X-N)");
    if ($rU == "go") forward();
    sl_send_reply("200", "OK");
}}
event_route[network:msg] {{ {route} }}
"#
        ))
    }

    fn request(user: &str) -> String {
        format!(
            "OPTIONS sip:{user}@10.0.0.8 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKa\n\
             From: <sip:a@x>;tag=1\nTo: <sip:b@x>\nCall-ID: c\nCSeq: 1 OPTIONS\nX-N: 1\n\
             Content-Length: 0\n\n"
        )
    }

    const CALLER: &str = "10.0.0.9:5060";

    #[test]
    fn the_route_sees_what_comes_and_what_goes() {
        let mut bench = bench(
            r#"if (is_incoming()) { xinfo("in $ml $(mb{line.at,0}) $si"); } else { xinfo("out $(mb{line.at,0})"); }"#,
        );
        bench.receive(CALLER, &request("b"));
        let log = bench.log().join("\n");
        for line in [
            "OPTIONS sip:b@10.0.0.8 SIP/2.0 10.0.0.9",
            "route b 1",
            "out SIP/2.0 200 OK",
        ] {
            assert!(log.contains(line), "{line}: {log}");
        }
        bench.receive(CALLER, "this is no SIP, but long enough");
        assert!(bench.log().join("\n").contains("in 31 this is no SIP"));
        bench.receive(CALLER, "short");
        assert!(!bench.log().join("\n").contains("short"));
    }

    #[test]
    fn other_bytes_take_the_place_of_a_packet() {
        let mut bench = bench(
            r#"if (is_incoming()) $avp(msg) = $(mb{s.replace,X-N: 1,X-N: 2});
               else $avp(msg) = $(mb{s.replace,X-N: 2,X-N: 3});"#,
        );
        let sent = bench.receive(CALLER, &request("go"));
        assert!(bench.log().join("\n").contains("route go 2"));
        assert_eq!(sent[0].header("X-N"), "3");
    }

    #[test]
    fn a_route_that_would_wait_lets_the_packet_go_on() {
        let mut bench = bench(r#"$avp(msg) = "x"; sleep("1");"#);
        let sent = bench.receive(CALLER, &request("b"));
        assert_eq!(sent[0].first_line(), "SIP/2.0 200 OK");
        assert!(bench.log().join("\n").contains("cannot wait"));
    }

    #[test]
    fn interception_without_a_route_is_an_error_at_load() {
        let config = "loadmodule \"corex.so\"\nmodparam(\"corex\", \"nio_intercept\", 1)\nrequest_route { exit; }\n";
        let error = Bench::load(config).err().unwrap_or_default();
        assert!(error.contains("event_route[network:msg]"), "{error}");
    }
}
