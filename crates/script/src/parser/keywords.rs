//! Words with a meaning of their own. They are never replaced by a define of the same name.

use crate::settings;

/// Words of the language that are neither settings nor core actions.
const WORDS: &[&str] = &[
    "if",
    "else",
    "while",
    "switch",
    "case",
    "default",
    "return",
    "exit",
    "drop",
    "break",
    "route",
    "request_route",
    "reply_route",
    "onreply_route",
    "failure_route",
    "branch_route",
    "onsend_route",
    "event_route",
    "loadmodule",
    "loadmodulex",
    "loadpath",
    "mpath",
    "modparam",
    "modparamx",
    "cfgengine",
    "listen",
    "socket",
    "alias",
    "domain",
    "flags",
    "avpflags",
    "bool",
    "advertise",
    "virtual",
    "and",
    "or",
    "not",
    "mod",
    "eq",
    "ne",
    "ieq",
    "ine",
    "strlen",
    "strempty",
    "defined",
    "selval",
    "myself",
    "method",
    "uri",
    "from_uri",
    "to_uri",
    "status",
    "src_ip",
    "dst_ip",
    "src_port",
    "dst_port",
    "proto",
    "af",
    "msg",
    "snd_ip",
    "snd_port",
    "snd_proto",
    "snd_af",
    "to_ip",
    "to_port",
    "to_proto",
    "max_len",
    "yes",
    "true",
    "on",
    "enable",
    "no",
    "false",
    "off",
    "disable",
    "udp",
    "UDP",
    "tcp",
    "TCP",
    "tls",
    "TLS",
    "sctp",
    "SCTP",
    "ws",
    "WS",
    "wss",
    "WSS",
    "inet",
    "INET",
    "ipv4",
    "IPv4",
    "IPV4",
    "inet6",
    "INET6",
    "ipv6",
    "IPv6",
    "IPV6",
];

/// Words that begin a statement outside of blocks, apart from settings.
const GLOBALS: &[&str] = &[
    "loadmodule",
    "loadmodulex",
    "loadpath",
    "mpath",
    "modparam",
    "modparamx",
    "cfgengine",
    "listen",
    "socket",
    "alias",
    "domain",
    "flags",
    "avpflags",
    "bool",
];

/// Core actions: the main spelling and the others.
pub(crate) const ACTIONS: &[(&str, &[&str])] = &[
    ("forward", &[]),
    ("forward_udp", &[]),
    ("forward_tcp", &[]),
    ("forward_tls", &[]),
    ("forward_sctp", &[]),
    ("log", &[]),
    ("error", &[]),
    ("exec", &[]),
    ("setflag", &[]),
    ("resetflag", &[]),
    ("isflagset", &["flagset"]),
    ("setavpflag", &[]),
    ("resetavpflag", &[]),
    ("isavpflagset", &["avpflagset"]),
    ("sethost", &["rewritehost", "seth"]),
    ("sethostport", &["rewritehostport", "sethp"]),
    ("sethostporttrans", &["rewritehostporttrans", "sethpt"]),
    ("setuser", &["rewriteuser", "setu"]),
    ("setuserpass", &["rewriteuserpass", "setup"]),
    ("setport", &["rewriteport", "setp"]),
    ("seturi", &["rewriteuri"]),
    ("revert_uri", &[]),
    ("prefix", &[]),
    ("strip", &[]),
    ("strip_tail", &[]),
    ("userphone", &[]),
    ("remove_branch", &[]),
    ("clear_branches", &[]),
    ("force_rport", &["add_rport"]),
    ("add_local_rport", &[]),
    ("force_tcp_alias", &["add_tcp_alias"]),
    ("udp_mtu_try_proto", &[]),
    ("set_advertised_address", &[]),
    ("set_advertised_port", &[]),
    ("force_send_socket", &[]),
    ("set_forward_no_connect", &[]),
    ("set_reply_no_connect", &[]),
    ("set_forward_close", &[]),
    ("set_reply_close", &[]),
    ("cfg_select", &[]),
    ("cfg_reset", &[]),
];

/// The main spelling of a core action.
pub(crate) fn action(word: &str) -> Option<&'static str> {
    let row = ACTIONS
        .iter()
        .find(|(name, aliases)| *name == word || aliases.contains(&word));
    row.map(|(name, _)| *name)
}

/// Whether a word has a meaning of its own.
pub(crate) fn is_reserved(word: &str) -> bool {
    WORDS.contains(&word) || action(word).is_some() || settings::find(word).is_some()
}

/// Whether a word begins a statement outside of blocks.
pub(crate) fn begins_global(word: &str) -> bool {
    GLOBALS.contains(&word) || settings::find(word).is_some()
}

/// All words that can begin a statement outside of blocks, for suggestions.
pub(crate) fn globals() -> impl Iterator<Item = &'static str> {
    let blocks = [
        "request_route",
        "route",
        "reply_route",
        "onreply_route",
        "failure_route",
    ];
    let more = [
        "branch_route",
        "onsend_route",
        "event_route",
        "include_file",
        "import_file",
    ];
    let settings = settings::TABLE.iter().map(|row| row.name);
    GLOBALS
        .iter()
        .copied()
        .chain(blocks)
        .chain(more)
        .chain(settings)
}

/// `yes` and its like are true, `no` and its like are false.
pub(crate) fn boolean(word: &str) -> Option<bool> {
    match word {
        "yes" | "true" | "on" | "enable" => Some(true),
        "no" | "false" | "off" | "disable" => Some(false),
        _ => None,
    }
}

/// `INET` is 4, `INET6` is 6.
pub(crate) fn family(word: &str) -> Option<u8> {
    match word {
        "inet" | "INET" | "ipv4" | "IPv4" | "IPV4" => Some(4),
        "inet6" | "INET6" | "ipv6" | "IPv6" | "IPV6" => Some(6),
        _ => None,
    }
}
