//! Our own Via with parameters, or host and port, out of an `$xavp` that a core setting names.

use engine::{BranchOut, FunctionRow, Pending, Run, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};

use super::internal::{VIA_FIELDS, VIA_PARAMS, put};
use crate::pv::{Kind, Level, Node, Trees};
use crate::row::{function, param};

const FLAGS: &[Parameter] = &[param("flags", ParameterKind::Int)];

pub(super) const FUNCTIONS: &[FunctionRow] = &[
    function(
        "via_add_xavp_params",
        FLAGS,
        Routes::ANY,
        add_params,
        "Adds the fields of the $xavp in xavp_via_params to our Via; 0 does not.",
    ),
    function(
        "via_use_xavp_fields",
        FLAGS,
        Routes::ANY,
        use_fields,
        "Shows address and port of the $xavp in xavp_via_fields in our Via; 0 does not.",
    ),
];

/// The longest parameters that are added, bytes.
const PARAMS_MAX: usize = 1024;

fn add_params(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    put(run, VIA_PARAMS, args.int(0) != 0);
    Outcome::Code(1)
}

fn use_fields(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    put(run, VIA_FIELDS, args.int(0) != 0);
    Outcome::Code(1)
}

/// Puts into a request that leaves what the script wants in our Via.
pub(super) fn write(run: &Run, out: &mut BranchOut<'_>) {
    let flags = out.working.internal_flags;
    let settings = &run.engine.settings;
    if flags & VIA_PARAMS != 0
        && let Some(level) = tree(run, settings.xavp_via_params.as_deref())
    {
        let (line, whole) = params(level);
        if !whole {
            let text =
                "via_add_xavp_params: values that are too long or not printable are left out";
            run.log(level::ERROR, "corex", text);
        }
        out.via_params.extend_from_slice(&line);
    }
    if flags & VIA_FIELDS != 0
        && let Some(level) = tree(run, settings.xavp_via_fields.as_deref())
    {
        let port =
            field(level, b"port").and_then(|port| std::str::from_utf8(&port).ok()?.parse().ok());
        if let Some(host) = field(level, b"address") {
            out.advertised_host = Some(host);
        }
        out.advertised_port = port;
    }
}

/// What is below the newest `$xavp` of this name.
fn tree<'a>(run: &'a Run, name: Option<&str>) -> Option<&'a Level> {
    let trees = run.shared_ref().slots.get::<Trees>()?;
    let node = trees
        .level(Kind::Plain)
        .node(Kind::Plain, name?.as_bytes(), 0);
    match node? {
        Node::Level(level) => Some(level),
        Node::Value(_) => None,
    }
}

/// All values, the newest first, as parameters with a semicolon each; false if some had to be left out.
fn params(level: &Level) -> (Vec<u8>, bool) {
    let (mut line, mut whole) = (Vec::new(), true);
    for (name, node) in level.iter() {
        let Node::Value(value) = node else { continue };
        let before = line.len();
        line.push(b';');
        line.extend_from_slice(name.as_bytes());
        line.push(b'=');
        let bare = line.len();
        value.print(&mut line);
        if line.len() == bare {
            line.pop();
        }
        if line.len() > PARAMS_MAX || !is_printable(&line[before..]) {
            line.truncate(before);
            whole = false;
        }
    }
    (line, whole)
}

/// A value that can stand in a header.
fn field(level: &Level, name: &[u8]) -> Option<Vec<u8>> {
    let Some(Node::Value(value)) = level.node(Kind::Plain, name, 0) else {
        return None;
    };
    let mut text = Vec::new();
    value.print(&mut text);
    (!text.is_empty() && is_printable(&text)).then_some(text)
}

/// Whether a text has nothing that would end a header line.
fn is_printable(text: &[u8]) -> bool {
    !text.iter().any(u8::is_ascii_control)
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::Bench;

    pub(crate) const REQUEST: &str = "OPTIONS sip:b@10.0.0.8 SIP/2.0\n\
        Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKa\nFrom: <sip:a@x>;tag=1\nTo: <sip:b@x>\nCall-ID: c\n\
        CSeq: 1 OPTIONS\nContent-Length: 0\n\n";

    /// Our Via after these statements, sent with and without a transaction.
    fn vias(statements: &str) -> Vec<String> {
        let send = ["t_relay();", "forward();"];
        let via = |send: &&str| {
            let mut bench = Bench::new(&format!(
                "loadmodule \"tm.so\"\nloadmodule \"pv.so\"\nloadmodule \"corex.so\"\n\
                 server_id=5\nxavp_via_params=\"vp\"\nxavp_via_fields=\"vf\"\n\
                 request_route {{ {statements} {send} }}\n"
            ));
            let sent = bench.receive("10.0.0.9:5060", REQUEST);
            let forwarded = sent
                .iter()
                .find(|sent| sent.first_line().starts_with("OPTIONS"));
            let via = forwarded.expect("a request").header("via").to_owned();
            let (sent_by, params) = via.split_once(";branch=").expect("a branch");
            let more = params.split_once(';').map_or("", |(_, more)| more);
            format!("{sent_by} {more}")
        };
        send.iter().map(via).collect()
    }

    fn check(statements: &str, expected: &str) {
        let expected = format!("SIP/2.0/UDP {expected}");
        assert_eq!(
            vias(statements),
            [expected.clone(), expected],
            "{statements}"
        );
    }

    #[test]
    fn parameters_come_newest_first_and_last_of_all() {
        let fill = r#"$xavp(vp=>one) = "1st"; $xavp(vp[0]=>two) = 2; $xavp(vp[0]=>three) = "";
            $xavp(vp[0]=>one) = "again";"#;
        let on = r#"via_add_xavp_params("1");"#;
        check(
            &format!("{fill}{on}"),
            "10.0.0.1 one=again;three;two=2;one=1st",
        );
        check(fill, "10.0.0.1 ");
        check(
            &format!("{fill}{on} via_add_xavp_params(\"0\");"),
            "10.0.0.1 ",
        );
        check(on, "10.0.0.1 ");
        let all = format!(r#"{on} $xavp(vp=>x) = 1; via_add_srvid("1"); add_local_rport();"#);
        check(&all, "10.0.0.1 rport;srvid=5;x=1");
    }

    #[test]
    fn nothing_gets_into_another_header() {
        check(
            r#"via_add_xavp_params("1"); $xavp(vp=>x) = "1\r\nX-Y: 2"; $xavp(vp[0]=>y) = "ok";"#,
            "10.0.0.1 y=ok",
        );
    }

    #[test]
    fn host_and_port_can_be_replaced() {
        let on = r#"via_use_xavp_fields("1");"#;
        let host = r#"$xavp(vf=>address) = "9.9.9.9";"#;
        check(&format!("{on}{host}"), "9.9.9.9:5060 ");
        let both = format!("{host} $xavp(vf[0]=>port) = \"99\";");
        check(&format!("{on}{both}"), "9.9.9.9:99 ");
        check(&format!("{on} $xavp(vf=>port) = 77;"), "10.0.0.1:77 ");
        check(&both, "10.0.0.1 ");
        check(
            &format!("{on}{both} via_use_xavp_fields(\"0\");"),
            "10.0.0.1 ",
        );
    }
}
