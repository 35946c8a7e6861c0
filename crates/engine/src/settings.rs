//! The core settings that the engine acts on, as plain values.

use crate::redirection::RichRedirect;

/// Core settings; the defaults are Kamailio's.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Shown in Via instead of the socket's address.
    pub advertised_address: Option<String>,
    /// Shown in Via instead of the socket's port.
    pub advertised_port: Option<u16>,
    /// `force_rport()` on every request.
    pub force_rport: bool,
    /// Ask for `rport` in every Via of ours.
    pub local_rport: bool,
    /// Most destinations of one request, the Request-URI included.
    pub max_branches: usize,
    /// Try the next address of a destination when one fails (`use_dns_failover`).
    pub dns_failover: bool,
    /// Add a Warning header to replies made here.
    pub sip_warning: bool,
    /// Replies over UDP go to the address in Via, not to the source.
    pub reply_to_via: bool,
    /// A `sip` URI with `user=phone` shows as a `tel` one.
    pub phone2tel: bool,
    /// The level of log lines about what cannot be read.
    pub parser_log_level: i32,
    /// Longer messages are dropped, bytes.
    pub message_max: usize,
    /// Questions to name servers that take longer are logged, ms; 0 none.
    pub dns_slow_ms: u64,
    /// Kamailio's `server_id`.
    pub server_id: i64,
    /// The `$xavp` whose fields become parameters of our Via where a script wants that (module corex).
    pub xavp_via_params: Option<String>,
    /// The `$xavp` whose fields replace host and port of our Via where a script wants that (module corex).
    pub xavp_via_fields: Option<String>,
    /// A Via with `alias` lets its port be an alias of the request's connection (`tcp_accept_aliases`).
    pub accept_aliases: bool,
    /// Replies of others whose first Via is not ours are dropped (`check_via`).
    pub check_via: bool,
    /// `onsend_route` also runs for replies that are passed on (`onsend_route_reply`).
    pub onsend_for_replies: bool,
    /// Requests longer than this leave over another transport; 0 never.
    pub udp_mtu: usize,
    /// That transport.
    pub udp_mtu_transport: sip::Transport,
    /// Names that mean this proxy besides its sockets.
    pub aliases: Vec<Alias>,
    /// `foo.org` in `aliases` covers `bar.foo.org` (module corex).
    pub alias_subdomains: Vec<Alias>,
    /// When new calls are refused (`overload_wait`).
    pub overload: crate::overload::Limits,
    /// What a script may use up (`max_while_loops`, `max_recursive_level`).
    pub limits: script::Limits,
    /// Transaction timers and policy (module tm).
    pub transactions: transaction::Settings,
    /// How requests are relayed (module tm).
    pub relaying: Relaying,
    /// What stands in the Contact of a redirection without a transaction (module sl).
    pub rich_redirect_stateless: RichRedirect,
}

/// A name that means this proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Only for this transport.
    pub transport: Option<sip::Transport>,
    /// Host name or address, lower case.
    pub host: String,
    /// Only for this port.
    pub port: Option<u16>,
}

impl Alias {
    /// The name as a configuration gives it.
    pub fn from_config(alias: &script::ast::Alias) -> Self {
        let endpoint = &alias.endpoint;
        let transport = endpoint
            .protocol
            .and_then(|protocol| sip::Transport::from_name(protocol.name().as_bytes()));
        Self {
            transport,
            host: endpoint.host.to_lossy().to_ascii_lowercase(),
            port: endpoint.port.filter(|port| *port != 0),
        }
    }
}

/// How requests are relayed: the parameters of module tm that the engine itself acts on.
#[derive(Clone, Debug)]
pub struct Relaying {
    /// Answer INVITE with 100 at once.
    pub auto_inv_100: bool,
    /// The reason phrase of that 100.
    pub auto_inv_100_reason: Vec<u8>,
    /// What becomes of a CANCEL without its INVITE.
    pub unmatched_cancel: UnmatchedCancel,
    /// Send a winning 503 as 500.
    pub remap_503_500: bool,
    /// The reason phrase for a branch that timed out.
    pub reply_408_reason: Vec<u8>,
    /// What stands in the Contact of a redirection with a transaction.
    pub rich_redirect: RichRedirect,
    /// The onreply route for replies that belong to no transaction.
    pub on_sl_reply: Option<String>,
    /// Deliver provisional replies to local requests.
    pub pass_provisional_replies: bool,
    /// The status of a reply that a script gave none.
    pub default_code: u16,
    /// The reason phrase of a reply that a script gave none.
    pub default_reason: Vec<u8>,
}

/// What becomes of a CANCEL without its INVITE (`unmatched_cancel`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UnmatchedCancel {
    /// 0: forwarded with a transaction of its own.
    #[default]
    Stateful,
    /// 1: forwarded without.
    Stateless,
    /// 2: dropped.
    Drop,
}

impl Default for Relaying {
    fn default() -> Self {
        Self {
            auto_inv_100: true,
            auto_inv_100_reason: b"trying -- your call is important to us".to_vec(),
            unmatched_cancel: UnmatchedCancel::Stateful,
            remap_503_500: true,
            reply_408_reason: b"Request Timeout".to_vec(),
            rich_redirect: RichRedirect::default(),
            on_sl_reply: None,
            pass_provisional_replies: false,
            default_code: 500,
            default_reason: b"Server Internal Error".to_vec(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            advertised_address: None,
            advertised_port: None,
            force_rport: false,
            local_rport: false,
            max_branches: 12,
            dns_failover: false,
            sip_warning: false,
            reply_to_via: false,
            phone2tel: true,
            parser_log_level: crate::log::level::INFO,
            message_max: usize::MAX,
            dns_slow_ms: 0,
            server_id: 0,
            xavp_via_params: None,
            xavp_via_fields: None,
            accept_aliases: false,
            check_via: false,
            onsend_for_replies: false,
            udp_mtu: 0,
            udp_mtu_transport: sip::Transport::Udp,
            aliases: Vec::new(),
            alias_subdomains: Vec::new(),
            overload: crate::overload::Limits::default(),
            limits: script::Limits::default(),
            transactions: transaction::Settings::default(),
            relaying: Relaying::default(),
            rich_redirect_stateless: RichRedirect::default(),
        }
    }
}
