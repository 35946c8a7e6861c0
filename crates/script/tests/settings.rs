//! Statements outside of blocks.

mod common;

use common::{good, messages};
use tandem_script::Settings;
use tandem_script::ast::{Endpoint, Listen, ModuleStatement, ParamValue};

fn endpoint(e: &Endpoint) -> String {
    let protocol = e.protocol.map_or("*", |p| p.name());
    let port = e.port.map_or_else(|| "*".to_owned(), |p| p.to_string());
    format!("{protocol}|{}|{port}", e.host.to_lossy())
}

fn listen(l: &Listen) -> String {
    let protocol = l.protocol.map_or("*", |p| p.name());
    let port = l.port.map_or_else(|| "*".to_owned(), |p| p.to_string());
    let hosts: Vec<_> = l.hosts.iter().map(|h| h.to_lossy()).collect();
    let mut text = format!("{protocol}|{}|{port}", hosts.join(","));
    if let Some(e) = &l.advertise {
        text.push_str(&format!(" as {}", endpoint(e)));
    }
    if let Some(name) = &l.name {
        text.push_str(&format!(" named {}", name.to_lossy()));
    }
    if l.virtual_address {
        text.push_str(" virtual");
    }
    text
}

fn listens(text: &str) -> String {
    good(text)
        .listens
        .iter()
        .map(listen)
        .collect::<Vec<_>>()
        .join("; ")
}

#[test]
fn sockets() {
    for (written, expected) in [
        ("listen=udp:127.0.0.1:5060", "udp|127.0.0.1|5060"),
        ("listen = TCP:example.org", "tcp|example.org|*"),
        ("listen=127.0.0.1", "*|127.0.0.1|*"),
        ("listen=eth0", "*|eth0|*"),
        ("listen=udp:eth0:5070;", "udp|eth0|5070"),
        ("listen=eth0:5070", "*|eth0|5070"),
        (
            "listen=my-host.example.org:5070",
            "*|my-host.example.org|5070",
        ),
        ("listen=[::1]:5060", "*|::1|5060"),
        ("listen=tls:[2001:db8::1]", "tls|2001:db8::1|*"),
        ("listen=2001:db8::1", "*|2001:db8::1|*"),
        ("listen=\"127.0.0.1\":5060", "*|127.0.0.1|5060"),
        ("listen=tcp:localhost:*", "tcp|localhost|*"),
        ("listen=*:127.0.0.1:5060", "*|127.0.0.1|5060"),
        (
            "listen=(10.0.0.1, 10.0.0.2):5060",
            "*|10.0.0.1,10.0.0.2|5060",
        ),
        ("listen=sctp:(10.0.0.1,eth1)", "sctp|10.0.0.1,eth1|*"),
        (
            "listen=127.0.0.1 127.0.0.2:5060 eth0\nlisten=eth1",
            "*|127.0.0.1|*; *|127.0.0.2|5060; *|eth0|*; *|eth1|*",
        ),
        ("listen=eth0\na.b=5", "*|eth0|*"),
        ("listen=eth0\nroute[A] { exit; }", "*|eth0|*"),
        (
            "#!define IP 10.0.0.1\n#!define P 5070\nlisten=udp:IP:P",
            "udp|10.0.0.1|5070",
        ),
        (
            "listen=udp:10.0.0.1:5060 advertise 1.2.3.4:5090 name \"a\" virtual",
            "udp|10.0.0.1|5060 as *|1.2.3.4|5090 named a virtual",
        ),
        (
            "listen=udp:10.0.0.1 advertise tcp:a.b",
            "udp|10.0.0.1|* as tcp|a.b|*",
        ),
        (
            "listen=udp:10.0.0.1:5060 advertise \"a.b\" listen=eth0",
            "udp|10.0.0.1|5060 as *|a.b|*; *|eth0|*",
        ),
        (
            "socket = { bind = udp:10.0.0.1:5060; name=\"a\"; advertise=a.b:5090; virtual=yes; workers=4; agname=\"g\"; vrf=\"v\" }",
            "udp|10.0.0.1|5060 as *|a.b|5090 named a virtual",
        ),
        ("socket = { bind = eth0 }", "*|eth0|*"),
    ] {
        assert_eq!(listens(written), expected, "{written}");
    }
    for (written, fault) in [
        ("listen=", "expected an address"),
        ("listen udp:1.2.3.4", "expected `=`"),
        ("listen=udp:1.2.3.4:70000", "numbered from 0 to 65535"),
        ("listen=upd:1.2.3.4:5060", "`upd` is no protocol"),
        ("listen=udp:1.2.3.4:abc", "a port is a number"),
        (
            "listen=eth0 name \"x\" advertise 1.2.3.4",
            "`advertise` stands before `name`",
        ),
        ("socket = { name = \"x\"; }", "this socket has no address"),
        ("socket = { binds = eth0; }", "a socket has no `binds`"),
    ] {
        let found = messages(written);
        assert!(
            found.contains(fault) && found.lines().count() == 1,
            "{written}: {found}"
        );
    }
}

#[test]
fn aliases() {
    let text = "alias=a.b:5060 c.d\ndomain=\"e.f\":99 tcp:g.h:5061\nalias=i.j;\nport=1\nx.y=1";
    let config = good(text);
    let names: Vec<_> = config
        .aliases
        .iter()
        .map(|a| endpoint(&a.endpoint))
        .collect();
    assert_eq!(
        names,
        [
            "*|a.b|5060",
            "*|c.d|*",
            "*|e.f|99",
            "tcp|g.h|5061",
            "*|i.j|*"
        ]
    );
    assert!(messages("alias=\"foo.org:99\"").contains("warning: this never matches"));
    assert!(messages("alias=a.b, c.d").contains("separated by blanks"));
}

#[test]
fn core_settings() {
    let text = "debug=-1 fork=no; children=4\nlog_facility=LOG_LOCAL0\nlog_prefix=\"{$ci} \"\nuser=kam group=\"kam\"
        tos=IPTOS_LOWDELAY\nadvertised_address=a-b.c.d\nkemi.reply_route_callback=\"none\"\nuse_dns_cache=off
        ser_kill_timeout=5\nserver_header=\"Server: x\"\nchildren=5";
    let settings = Settings::new(&good(text));
    assert_eq!(settings.int("debug"), -1);
    assert!(!settings.bool("fork") && !settings.bool("use_dns_cache"));
    assert_eq!(settings.int("children"), 5);
    assert_eq!(settings.str("log_facility"), "LOG_LOCAL0");
    assert_eq!(settings.str("log_prefix"), "{$ci} ");
    assert_eq!(
        (settings.str("user"), settings.str("group")),
        ("kam", "kam")
    );
    assert_eq!(settings.str("tos"), "IPTOS_LOWDELAY");
    assert_eq!(settings.str("advertised_address"), "a-b.c.d");
    assert_eq!(settings.str("kemi.reply_route_callback"), "none");
    assert_eq!(settings.int("exit_timeout"), 5);
    assert!(settings.is_set("server_header") && !settings.is_set("user_agent_header"));
    assert_eq!(settings.int("tcp_max_connections"), 2048);
}

#[test]
fn wrong_settings() {
    for (written, fault) in [
        ("childern=5", "there is no core setting `childern`"),
        ("foo=5", "there is no core setting `foo`"),
        ("children=\"5\"", "must be a number that is not negative"),
        ("children=-1", "must be a number that is not negative"),
        ("fork=maybe", "`fork` must be `yes` or `no`"),
        (
            "log_facility=\"LOG_LOCAL0\"",
            "must be a word without quotes",
        ),
        ("workdir=/tmp", "must be a string in quotes"),
        ("server_header=x", "must be a string in quotes"),
        ("children 8", "expected `=` after the setting's name"),
        (
            "children=\nport=5",
            "expected a number that is not negative, found `port`",
        ),
        ("kemi.nope=", "expected a number or a string"),
        ("xlog(\"a\");", "`xlog` is called outside of a route block"),
        ("route_x { exit; }", "`route_x` begins no statement"),
        ("log_name=\"\\xff\"", "written in UTF-8"),
        (
            "\"a\"",
            "expected a setting, a module or a route block, found a string",
        ),
    ] {
        let found = messages(written);
        assert!(
            found.contains(fault) && found.lines().count() == 1,
            "{written}: {found}"
        );
    }
}

#[test]
fn configuration_variables() {
    let config = good("a.b=5 desc \"x y\"\na.c=\"t\" descr 'z';a[2].b=-7 a.d=yes");
    let shown: Vec<_> = config
        .variables
        .iter()
        .map(|v| {
            format!(
                "{}{:?}.{} {}",
                v.group,
                v.instance,
                v.name,
                v.description.is_some()
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "aNone.b true",
            "aNone.c true",
            "aSome(2).b false",
            "aNone.d false"
        ]
    );
    assert!(messages("a.b=c").contains("expected a number or a string, found `c`"));
}

#[test]
fn flags() {
    let config = good("flags a, b:5, \"c\", d\nbool e\navpflags x, y");
    let flags: Vec<_> = config
        .flags
        .iter()
        .map(|f| (f.name.text.as_str(), f.number))
        .collect();
    assert_eq!(flags, [("a", 0), ("b", 5), ("c", 1), ("d", 2), ("e", 3)]);
    assert_eq!(config.avp_flags.len(), 2);
    assert!(messages("flags a, a").contains("`a` is a flag already"));
    assert!(messages("flags a:32").contains("numbered from 0 to 31"));
}

#[test]
fn modules() {
    let text = "loadpath \"/x\"\nmpath=\"/y\"\nloadmodule \"tm.so\"\nloadmodule \"/l/rr/rr.so\"\nloadmodule(\"nathelper\", \"g\")
        loadmodule \"registrar\"\n#!define M sl\nloadmodulex \"$def(M).so\"\nmodparam(\"tm\", \"fr_timer\", 30000)
        modparam(\"NATHELPER|registrar\", \"x\", -5)\nmodparam(\"tm|rr\", \"y\", \"a\" \"b\")\nmodparam(\"sl\", \"z\", yes)
        modparamx(\"tm\", \"v\", $def(M))\ncfgengine \"native\"";
    let config = good(text);
    let show = |m: &ModuleStatement| match m {
        ModuleStatement::Load(l) => format!("load {}", l.module),
        ModuleStatement::Path(p) => format!("path {}", p.to_lossy()),
        ModuleStatement::Param(p) => {
            let value = match &p.value {
                ParamValue::Int(n) => n.to_string(),
                ParamValue::Str(t) => format!("\"{}\"", t.to_lossy()),
                ParamValue::Variable(t) => t.to_lossy(),
            };
            format!("{}.{}={value}", p.modules.join("+"), p.name.to_lossy())
        }
    };
    let shown: Vec<_> = config.modules.iter().map(show).collect();
    let expected = [
        "path /x",
        "path /y",
        "load tm",
        "load rr",
        "load nathelper",
        "load registrar",
        "load sl",
        "tm.fr_timer=30000",
        "nathelper+registrar.x=-5",
        "tm+rr.y=\"ab\"",
        "sl.z=1",
        "tm.v=$def(M)",
    ];
    assert_eq!(shown, expected);
    assert_eq!(
        config.engine.map(|e| e.to_lossy()),
        Some("native".to_owned())
    );
    for (written, fault) in [
        (
            "loadmodule \"tm\" loadmodule \"/x/tm.so\"",
            "`tm` is loaded twice",
        ),
        (
            "modparam(\"tm\", \"x\", 1)",
            "no module `tm` is loaded before this",
        ),
        (
            "loadmodule \"tm\" modparam(\"t\", \"x\", 1)",
            "no module `t` is loaded",
        ),
        (
            "loadmodule \"tm\" modparam(\"(\", \"x\", 1)",
            "in this expression over module names",
        ),
        (
            "loadmodule \"tm\" modparam(\"tm\", \"x\", FLT)",
            "`FLT` is neither a number nor in quotes",
        ),
        (
            "loadmodule \"tm\" modparam(\"tm\", \"x\", $ru)",
            "`modparam` takes no variables",
        ),
        ("modparam(\"tm\", 1)", "expected a parameter's name"),
        ("loadmodule \"\"", "a module's name is expected"),
    ] {
        let found = messages(written);
        assert!(
            found.contains(fault) && found.lines().count() == 1,
            "{written}: {found}"
        );
    }
}
