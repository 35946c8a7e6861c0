//! Which variables there are: the configuration's own, the core's settings, the parameters of modules.

use engine::{ParameterType, Setup};
use script::ast::{ConfigVariable, SettingValue};
use script::settings::{self, SettingKind};
use script::{Settings, Str, Value};

use super::variable::{Group, Variable, VariableKind};

/// Core settings that Kamailio shows in its group `core`.
const CORE: &[&str] = &[
    "debug",
    "log_facility",
    "memdbg",
    "use_dst_blocklist",
    "dst_blocklist_expire",
    "dst_blocklist_mem",
    "dst_blocklist_udp_imask",
    "dst_blocklist_tcp_imask",
    "dst_blocklist_tls_imask",
    "dst_blocklist_sctp_imask",
    "dns_try_ipv6",
    "dns_try_naptr",
    "dns_udp_pref",
    "dns_tcp_pref",
    "dns_tls_pref",
    "dns_sctp_pref",
    "dns_retr_time",
    "dns_slow_query_ms",
    "dns_retr_no",
    "dns_servers_no",
    "dns_use_search_list",
    "dns_search_full_match",
    "dns_naptr_ignore_rfc",
    "use_dns_cache",
    "dns_cache_flags",
    "use_dns_failover",
    "dns_srv_lb",
    "dns_cache_negative_ttl",
    "dns_cache_min_ttl",
    "dns_cache_max_ttl",
    "dns_cache_mem",
    "dns_cache_del_nonexp",
    "dns_cache_rec_pref",
    "max_while_loops",
    "udp_mtu",
    "udp_mtu_try_proto",
    "udp4_raw",
    "udp4_raw_mtu",
    "udp4_raw_ttl",
    "force_rport",
    "memlog",
    "mem_summary",
    "mem_safety",
    "mem_join",
    "mem_status_mode",
    "sip_parser_log_oneline",
    "sip_parser_log",
    "corelog",
    "latency_cfg_log",
    "latency_log",
    "latency_limit_db",
    "latency_limit_action",
    "latency_limit_cfg",
    "pv_cache_limit",
    "pv_cache_action",
];

/// Core settings that Kamailio shows in its group `tcp`, without the prefix that they have elsewhere.
const TCP: &[&str] = &[
    "connect_timeout",
    "send_timeout",
    "connection_lifetime",
    "max_connections",
    "no_connect",
    "fd_cache",
    "async",
    "conn_wq_max",
    "wq_max",
    "defer_accept",
    "delayed_ack",
    "syncnt",
    "linger2",
    "keepalive",
    "keepidle",
    "keepintvl",
    "keepcnt",
    "crlf_ping",
    "accept_aliases",
    "accept_no_cl",
    "reuse_port",
    "rd_buf_size",
    "wq_blk_size",
];

/// Parameters of modules that Kamailio shows in groups of the modules' names.
const MODULES: &[(&str, &[&str])] = &[
    ("xlog", &["methods_filter"]),
    (
        "tm",
        &[
            "auto_inv_100_reason",
            "default_reason",
            "ac_extra_hdrs",
            "ruri_matching",
            "via1_matching",
            "callid_matching",
            "fr_timer",
            "fr_inv_timer",
            "fr_inv_timer_next",
            "wt_timer",
            "retr_timer1",
            "retr_timer2",
            "max_inv_lifetime",
            "max_noninv_lifetime",
            "noisy_ctimer",
            "auto_inv_100",
            "unix_tx_timeout",
            "restart_fr_on_each_reply",
            "pass_provisional_replies",
            "aggregate_challenges",
            "unmatched_cancel",
            "default_code",
            "reparse_invite",
            "blst_503",
            "cancel_b_method",
            "reparse_on_dns_failover",
            "disable_6xx_block",
            "local_ack_mode",
            "local_cancel_reason",
            "e2e_cancel_reason",
            "relay_100",
            "enable_uac_fr",
        ],
    ),
    (
        "registrar",
        &[
            "realm_prefix",
            "default_expires",
            "default_expires_range",
            "expires_range",
            "min_expires",
            "max_expires",
            "max_contacts",
            "retry_after",
            "case_sensitive",
            "default_q",
            "append_branches",
        ],
    ),
    ("maxfwd", &["max_limit"]),
];

/// The groups of a configuration.
pub(super) fn all(setup: &Setup<'_>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (module, names) in MODULES {
        if setup.is_loaded(module) {
            groups.push(module_group(setup, module, names));
        }
    }
    let settings = Settings::new(setup.config);
    let mut tcp = core_group("tcp", TCP, "tcp_", &settings);
    tcp.variables.extend(core_variable(
        "max_tls_connections",
        "tls_max_connections",
        &settings,
    ));
    groups.push(tcp);
    groups.push(core_group("core", CORE, "", &settings));
    for variable in &setup.config.variables {
        add_own(&mut groups, variable);
    }
    groups
}

fn module_group(setup: &Setup<'_>, module: &str, names: &[&str]) -> Group {
    let mut group = Group::new(module);
    let loaded = setup
        .catalog
        .loaded()
        .iter()
        .find(|known| known.name == module);
    let rows = loaded.map_or(&[][..], |module| module.parameters);
    for row in rows.iter().filter(|row| names.contains(&row.name)) {
        let value = match row.kind {
            ParameterType::Int(_) => Value::Int(setup.parameters.int(module, row.name)),
            _ => text(setup.parameters.str(module, row.name)),
        };
        let is_int = matches!(row.kind, ParameterType::Int(_));
        let kind = VariableKind::Fixed;
        group
            .variables
            .push(Variable::new(row.name, row.doc, value, is_int, kind));
    }
    group
}

fn text(text: Option<String>) -> Value {
    text.map_or(Value::Null, |text| Value::Str(Str::from(text)))
}

fn core_group(name: &str, names: &[&str], prefix: &str, settings: &Settings) -> Group {
    let mut group = Group::new(name);
    for name in names {
        let setting = format!("{prefix}{name}");
        group
            .variables
            .extend(core_variable(name, &setting, settings));
    }
    group
}

fn core_variable(name: &str, setting: &str, settings: &Settings) -> Option<Variable> {
    let row = settings::find(setting)?;
    let is_int = matches!(
        row.kind,
        SettingKind::Bool | SettingKind::Count | SettingKind::Int
    );
    let value = match is_int {
        true => Value::Int(settings.int(row.name)),
        false => text(Some(settings.str(row.name).to_owned())),
    };
    let kind = match row.name {
        "debug" => VariableKind::LogLevel,
        _ => VariableKind::Fixed,
    };
    Some(Variable::new(name, row.doc, value, is_int, kind))
}

fn add_own(groups: &mut Vec<Group>, variable: &ConfigVariable) {
    let at = groups.iter().position(|group| group.name == variable.group);
    let at = at.unwrap_or_else(|| {
        groups.push(Group::new(&variable.group));
        groups.len() - 1
    });
    let (value, is_int) = match &variable.value {
        SettingValue::Int(number) => (Value::Int(*number), true),
        SettingValue::Str(text) => (Value::Str(Str::new(&text.bytes)), false),
    };
    let group = &mut groups[at];
    if let Some(id) = variable.instance {
        let count = group.variables.len();
        if let Some(place) = group.position(&variable.name) {
            let values = group.instances.entry(id).or_default();
            values.resize(count, None);
            values[place] = Some(value);
        }
        return;
    }
    let doc = variable
        .description
        .as_ref()
        .map(|text| text.to_lossy())
        .unwrap_or_default();
    match group.position(&variable.name) {
        Some(place) if group.variables[place].kind == VariableKind::Own => {
            group.variables[place].value = value.clone();
            group.variables[place].initial = value;
        }
        // What the core or a module takes is not changed by a variable of the same name.
        Some(_) => {}
        None => {
            let own = Variable::new(&variable.name, &doc, value, is_int, VariableKind::Own);
            group.variables.push(own);
        }
    }
}
