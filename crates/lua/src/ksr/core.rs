//! What KEMI has of the core: questions about the message, flags, destinations, logs.

use engine::{Pending, RelayOptions, Resume, Run, forward_stateless, level};
use script::{BlockKind, Completion, Outcome, Value};
use sip::{Transport, Uri};

use super::meaning::Meaning::{Do, IsMethod, Log, Row as Of};
use super::meaning::Row;
use crate::route::DropAtEnd;

pub(super) static TABLE: &[Row] = &[
    ("", "dbg", Log(level::DEBUG)),
    ("", "info", Log(level::INFO)),
    ("", "notice", Log(level::NOTICE)),
    ("", "warn", Log(level::WARNING)),
    ("", "err", Log(level::ERROR)),
    ("", "crit", Log(level::CRITICAL)),
    (
        "",
        "log",
        Do(|run, a| {
            log(&run.engine.log, level_of(&a[0]), &a[1]);
            truth(true)
        }),
    ),
    (
        "",
        "get_debug",
        Do(|run, _| Outcome::Code(i64::from(run.engine.log.threshold()))),
    ),
    (
        "",
        "set_drop",
        Do(|run, _| {
            run.slots.put(DropAtEnd);
            truth(true)
        }),
    ),
    ("", "route", Do(route)),
    ("", "forward_uri", Do(forward_uri)),
    ("", "add_tcp_alias", Of("core", "force_tcp_alias")),
    ("", "add_tcp_alias_via", Of("core", "force_tcp_alias")),
    // Destinations.
    (
        "",
        "setdsturi",
        Do(|run, a| {
            run.msg.target.next_hop = Some(a[0].to_str().to_vec());
            run.msg.uri_consumed = false;
            truth(true)
        }),
    ),
    (
        "",
        "resetdsturi",
        Do(|run, _| {
            run.msg.target.next_hop = None;
            truth(true)
        }),
    ),
    (
        "",
        "isdsturiset",
        Do(|run, _| truth(run.msg.target.next_hop.is_some())),
    ),
    // Flags.
    (
        "",
        "setflag",
        Do(|run, a| flag(Some(&mut run.msg.flags), a, set)),
    ),
    (
        "",
        "resetflag",
        Do(|run, a| flag(Some(&mut run.msg.flags), a, reset)),
    ),
    (
        "",
        "isflagset",
        Do(|run, a| flag(Some(&mut run.msg.flags), a, is_set)),
    ),
    ("", "setbflag", Do(|run, a| flag(branch(run, 0), a, set))),
    (
        "",
        "resetbflag",
        Do(|run, a| flag(branch(run, 0), a, reset)),
    ),
    (
        "",
        "isbflagset",
        Do(|run, a| flag(branch(run, 0), a, is_set)),
    ),
    (
        "",
        "setbiflag",
        Do(|run, a| flag(branch(run, int(a, 1)), a, set)),
    ),
    (
        "",
        "resetbiflag",
        Do(|run, a| flag(branch(run, int(a, 1)), a, reset)),
    ),
    (
        "",
        "isbiflagset",
        Do(|run, a| flag(branch(run, int(a, 1)), a, is_set)),
    ),
    (
        "",
        "setsflag",
        Do(|run, a| flag(Some(&mut run.script_flags), a, set)),
    ),
    (
        "",
        "resetsflag",
        Do(|run, a| flag(Some(&mut run.script_flags), a, reset)),
    ),
    (
        "",
        "issflagset",
        Do(|run, a| flag(Some(&mut run.script_flags), a, is_set)),
    ),
    // Whether something is this server.
    (
        "",
        "is_myself",
        Do(|run, a| truth(is_myself(run, &a[0].to_str()))),
    ),
    (
        "",
        "is_myself_ruri",
        Do(|run, _| truth(run.engine.is_my_uri(run.msg.uri()))),
    ),
    (
        "",
        "is_myself_nhuri",
        Do(|run, _| truth(run.engine.is_my_uri(run.msg.next_hop()))),
    ),
    (
        "",
        "is_myself_duri",
        Do(|run, _| {
            let uri = run.msg.target.next_hop.as_deref();
            truth(uri.is_some_and(|uri| run.engine.is_my_uri(uri)))
        }),
    ),
    (
        "",
        "is_myself_furi",
        Do(|run, _| {
            let from = run.msg.message.from();
            truth(from.is_some_and(|from| run.engine.is_my_uri(from.uri)))
        }),
    ),
    (
        "",
        "is_myself_turi",
        Do(|run, _| {
            let to = run.msg.message.to();
            truth(to.is_some_and(|to| run.engine.is_my_uri(to.uri)))
        }),
    ),
    (
        "",
        "is_myself_suri",
        Do(|run, _| {
            let hop = run.msg.hop;
            let host = hop.remote.ip().to_string();
            let (port, transport) = (hop.remote.port(), hop.transport);
            truth(
                run.engine
                    .is_myself(host.as_bytes(), Some(port), Some(transport)),
            )
        }),
    ),
    (
        "",
        "is_myself_srcip",
        Do(|run, _| {
            let host = run.msg.hop.remote.ip().to_string();
            truth(run.engine.is_myself(host.as_bytes(), None, None))
        }),
    ),
    // Methods.
    (
        "",
        "is_method",
        Do(|run, a| {
            let names = a[0].to_str();
            let mut names = names.split(|byte| *byte == b'|');
            truth(names.any(|name| is_method(run, name)))
        }),
    ),
    (
        "",
        "is_method_in",
        Do(|run, a| {
            let letters = a[0].to_str();
            truth(letters.iter().any(|letter| letter_is(run, *letter)))
        }),
    ),
    ("", "is_INVITE", IsMethod("INVITE")),
    ("", "is_ACK", IsMethod("ACK")),
    ("", "is_BYE", IsMethod("BYE")),
    ("", "is_CANCEL", IsMethod("CANCEL")),
    ("", "is_REGISTER", IsMethod("REGISTER")),
    ("", "is_OPTIONS", IsMethod("OPTIONS")),
    ("", "is_SUBSCRIBE", IsMethod("SUBSCRIBE")),
    ("", "is_PUBLISH", IsMethod("PUBLISH")),
    ("", "is_NOTIFY", IsMethod("NOTIFY")),
    ("", "is_REFER", IsMethod("REFER")),
    ("", "is_INFO", IsMethod("INFO")),
    ("", "is_UPDATE", IsMethod("UPDATE")),
    ("", "is_PRACK", IsMethod("PRACK")),
    ("", "is_MESSAGE", IsMethod("MESSAGE")),
    ("", "is_KDMQ", IsMethod("KDMQ")),
    ("", "is_GET", IsMethod("GET")),
    ("", "is_POST", IsMethod("POST")),
    ("", "is_PUT", IsMethod("PUT")),
    ("", "is_DELETE", IsMethod("DELETE")),
    // The way that the message came, and the one that it goes.
    ("", "is_UDP", Do(|run, _| came_by(run, b"U"))),
    ("", "is_TCP", Do(|run, _| came_by(run, b"T"))),
    ("", "is_TLS", Do(|run, _| came_by(run, b"E"))),
    ("", "is_SCTP", Do(|run, _| came_by(run, b"S"))),
    ("", "is_WS", Do(|run, _| came_by(run, b"V"))),
    ("", "is_WSS", Do(|run, _| came_by(run, b"W"))),
    ("", "is_WSX", Do(|run, _| came_by(run, b"VW"))),
    ("", "is_proto", Do(|run, a| came_by(run, &a[0].to_str()))),
    (
        "",
        "is_IPv4",
        Do(|run, _| truth(run.msg.hop.remote.is_ipv4())),
    ),
    (
        "",
        "is_IPv6",
        Do(|run, _| truth(run.msg.hop.remote.is_ipv6())),
    ),
    (
        "",
        "is_src_port",
        Do(|run, a| truth(i64::from(run.msg.hop.remote.port()) == int(a, 0))),
    ),
    (
        "",
        "is_dst_port",
        Do(|run, a| {
            let socket = run.engine.sockets.get(run.msg.hop.socket);
            let port = socket.map(|socket| i64::from(socket.address.port()));
            truth(port == Some(int(a, 0)))
        }),
    ),
    ("", "to_UDP", Do(|run, _| goes_by(run, b"U"))),
    ("", "to_TCP", Do(|run, _| goes_by(run, b"T"))),
    ("", "to_TLS", Do(|run, _| goes_by(run, b"E"))),
    ("", "to_SCTP", Do(|run, _| goes_by(run, b"S"))),
    ("", "to_WS", Do(|run, _| goes_by(run, b"V"))),
    ("", "to_WSS", Do(|run, _| goes_by(run, b"W"))),
    ("", "to_WSX", Do(|run, _| goes_by(run, b"VW"))),
    (
        "",
        "to_IPv4",
        Do(|run, _| truth(goes_to(run).is_some_and(|to| to.remote.is_ipv4()))),
    ),
    (
        "",
        "to_IPv6",
        Do(|run, _| truth(goes_to(run).is_some_and(|to| to.remote.is_ipv6()))),
    ),
];

pub(super) const fn truth(is: bool) -> Outcome<Pending> {
    Outcome::Code(if is { 1 } else { -1 })
}

pub(super) fn int(arguments: &[Value], at: usize) -> i64 {
    arguments.get(at).and_then(Value::to_int).unwrap_or(0)
}

/// Writes a line for a script.
pub(super) fn log(log: &engine::Log, level: i32, text: &Value) {
    if log.enabled(level) {
        let text = text.to_str().to_string();
        log.line(level, "core", text.trim_end_matches('\n'));
    }
}

/// The level of a word; what is none is an error, as in Kamailio.
fn level_of(word: &Value) -> i32 {
    match word.to_str().as_bytes() {
        b"dbg" => level::DEBUG,
        b"info" => level::INFO,
        b"notice" => level::NOTICE,
        b"warn" => level::WARNING,
        b"crit" => level::CRITICAL,
        _ => level::ERROR,
    }
}

/// Changes or asks for a flag; false for a number that is none.
fn flag(
    flags: Option<&mut u32>,
    arguments: &[Value],
    act: fn(&mut u32, u32) -> bool,
) -> Outcome<Pending> {
    let number = u32::try_from(int(arguments, 0))
        .ok()
        .filter(|flag| *flag < 32);
    match (flags, number) {
        (Some(flags), Some(number)) => truth(act(flags, 1 << number)),
        _ => truth(false),
    }
}

const fn set(flags: &mut u32, bit: u32) -> bool {
    *flags |= bit;
    true
}

const fn reset(flags: &mut u32, bit: u32) -> bool {
    *flags &= !bit;
    true
}

const fn is_set(flags: &mut u32, bit: u32) -> bool {
    *flags & bit != 0
}

/// The flags of a branch: 0 is the Request-URI, others are those that were appended.
fn branch(run: &mut Run, number: i64) -> Option<&mut u32> {
    match usize::try_from(number).ok()?.checked_sub(1) {
        None => Some(&mut run.msg.target.flags),
        Some(at) => run.msg.branches.get_mut(at).map(|branch| &mut branch.flags),
    }
}

/// A URI or a host.
fn is_myself(run: &Run, text: &[u8]) -> bool {
    match Uri::parse(text) {
        Ok(uri) if !uri.host.is_empty() => {
            let transport = uri.transport().and_then(Transport::from_name);
            run.engine.is_myself(uri.host, uri.port, transport)
        }
        _ => run.engine.is_myself(text, None, None),
    }
}

pub(super) fn is_method(run: &Run, name: &[u8]) -> bool {
    sip::trim(name).eq_ignore_ascii_case(run.msg.message.method_bytes())
}

/// Whether the method is the one with this letter.
fn letter_is(run: &Run, letter: u8) -> bool {
    let name: &[u8] = match letter.to_ascii_uppercase() {
        b'I' => b"INVITE",
        b'A' => b"ACK",
        b'B' => b"BYE",
        b'C' => b"CANCEL",
        b'R' => b"REGISTER",
        b'M' => b"MESSAGE",
        b'O' => b"OPTIONS",
        b'S' => b"SUBSCRIBE",
        b'P' => b"PUBLISH",
        b'N' => b"NOTIFY",
        b'U' => b"UPDATE",
        b'K' => b"PRACK",
        b'Q' => b"INFO",
        b'F' => b"REFER",
        b'D' => b"KDMQ",
        b'G' => b"GET",
        b'J' => b"POST",
        b'V' => b"PUT",
        b'X' => b"DELETE",
        _ => return false,
    };
    is_method(run, name)
}

const fn letter_of(transport: Transport) -> u8 {
    match transport {
        Transport::Udp => b'U',
        Transport::Tcp => b'T',
        Transport::Tls => b'E',
        Transport::Ws => b'V',
        Transport::Wss => b'W',
        Transport::Sctp => b'S',
    }
}

fn came_by(run: &Run, letters: &[u8]) -> Outcome<Pending> {
    let own = letter_of(run.msg.hop.transport);
    truth(
        letters
            .iter()
            .any(|letter| letter.to_ascii_uppercase() == own),
    )
}

/// Where the message goes: known in `ksr_onsend_route` alone.
fn goes_to(run: &Run) -> Option<sip::Hop> {
    run.sending.as_ref().map(|sending| sending.hop)
}

fn goes_by(run: &Run, letters: &[u8]) -> Outcome<Pending> {
    let hop = goes_to(run);
    truth(hop.is_some_and(|hop| letters.contains(&letter_of(hop.transport))))
}

fn forward_uri(run: &mut Run, arguments: &[Value]) -> Outcome<Pending> {
    if !run.msg.message.is_request() {
        return truth(false);
    }
    let options = RelayOptions {
        to: Some(arguments[0].to_str().to_vec()),
        ..RelayOptions::default()
    };
    forward_stateless(run, options)
}

/// Runs a route block of the native language.
fn route(run: &mut Run, arguments: &[Value]) -> Outcome<Pending> {
    let name = arguments[0].to_str();
    let program = &run.script.program;
    let block = name
        .as_str()
        .and_then(|name| program.block(BlockKind::Request, name));
    match block {
        Some(block) => Outcome::Route {
            block,
            routes: run.routes,
            then: Pending::native(Routed),
        },
        None => {
            run.log(
                level::ERROR,
                "app_lua",
                &format!("KSR.route: there is no route[{name}]"),
            );
            truth(false)
        }
    }
}

struct Routed;

impl Resume for Routed {
    fn resume(self: Box<Self>, run: &mut Run, with: Completion) -> Outcome<Pending> {
        match with {
            Completion::Route(end) => {
                if end.dropped {
                    run.slots.put(DropAtEnd);
                }
                Outcome::Code(if end.exited { 0 } else { end.code })
            }
            _ => truth(false),
        }
    }
}
