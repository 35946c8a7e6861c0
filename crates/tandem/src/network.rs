//! The sockets that a configuration asks for, and the names that mean this proxy.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::{Alias, Statistics};
use script::ast::{Config, Listen, SettingValue};
use transport::counters::UdpCounters;
use transport::listen::{
    Advertise, ExpandOptions, ListenSpec, LocalSystem, OpenOptions, Sockets, WorkerListeners,
};
use transport::resolve::{DnsLookup, DnsOptions, Hosts, ResolveSettings, Resolver};
use transport::stream::StreamSettings;

use crate::options::Options;

/// Opens every listening socket once for each worker.
///
/// # Errors
/// All addresses that can't be used.
pub(crate) fn open(
    options: &Options,
    config: &Config,
    settings: &script::Settings,
    workers: usize,
) -> Result<(Arc<Sockets>, Vec<WorkerListeners>), String> {
    let specs = specs(options, config)?;
    let tcp = !options.no_tcp && !settings.bool("disable_tcp");
    let expand = ExpandOptions {
        port: u16::try_from(settings.int("port")).unwrap_or(5060),
        tcp,
        ipv6: settings.bool("auto_bind_ipv6"),
        link_local: settings.bool("bind_ipv6_link_local"),
        tls: false,
    };
    let expanded = transport::listen::expand(&specs, &expand, &LocalSystem).map_err(|errors| {
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\ntandem: ")
    })?;
    let mut sockets = Sockets::new(&expanded);
    let size = |name: &str| usize::try_from(settings.int(name)).unwrap_or(0);
    let defaults = OpenOptions::default();
    let open = OpenOptions {
        workers,
        receive_buffer: size("maxbuffer").max(defaults.receive_buffer),
        send_buffer: size("maxsndbuffer"),
        tos: tos(settings)?,
        free_bind: settings.bool("ip_free_bind"),
        fragment: !settings.bool("pmtu_discovery"),
        backlog: backlog(settings),
        ..defaults
    };
    let opened = transport::listen::open(&mut sockets, &open).map_err(|error| error.to_string())?;
    Ok((Arc::new(sockets), opened))
}

fn specs(options: &Options, config: &Config) -> Result<Vec<ListenSpec>, String> {
    if options.listen.is_empty() {
        return Ok(config.listens.iter().map(spec).collect());
    }
    let texts = options.listen.iter();
    texts
        .map(|text| {
            text.parse::<ListenSpec>()
                .map_err(|error| error.to_string())
        })
        .collect()
}

fn spec(listen: &Listen) -> ListenSpec {
    let name = listen.protocol.map(|protocol| protocol.name());
    ListenSpec {
        transport: name.and_then(|name| sip::Transport::from_name(name.as_bytes())),
        hosts: listen.hosts.iter().map(|host| host.to_lossy()).collect(),
        port: listen.port,
        advertise: listen.advertise.as_ref().map(|advertise| Advertise {
            host: advertise.host.to_lossy(),
            port: advertise.port,
        }),
        name: listen.name.as_ref().map(|name| name.to_lossy()),
        is_virtual: listen.virtual_address,
    }
}

fn backlog(settings: &script::Settings) -> i32 {
    let wanted = i32::try_from(settings.int("tcp_listen_backlog")).unwrap_or(0);
    if wanted > 0 {
        wanted
    } else {
        OpenOptions::default().backlog
    }
}

/// The type of service, by number or by its name in the system's headers (RFC 1349).
fn tos(settings: &script::Settings) -> Result<Option<u8>, String> {
    let Some(SettingValue::Str(name)) = settings.written("tos") else {
        return Ok(match settings.written("tos") {
            Some(_) => u8::try_from(settings.int("tos")).ok(),
            None => Some(0x10),
        });
    };
    match &name.to_lossy()[..] {
        "IPTOS_LOWDELAY" => Ok(Some(0x10)),
        "IPTOS_THROUGHPUT" => Ok(Some(0x08)),
        "IPTOS_RELIABILITY" => Ok(Some(0x04)),
        "IPTOS_LOWCOST" | "IPTOS_MINCOST" => Ok(Some(0x02)),
        other => Err(format!(
            "tos = {other}: expected a number or IPTOS_LOWDELAY and the like"
        )),
    }
}

/// A resolver over the system's name servers.
///
/// # Errors
/// The system's resolver configuration can't be used.
pub(crate) fn resolver(settings: &script::Settings) -> Result<Resolver, String> {
    let seconds = |name: &str, default: u64| match u64::try_from(settings.int(name)) {
        Ok(value) if settings.is_set(name) => Duration::from_secs(value),
        _ => Duration::from_secs(default),
    };
    let defaults = ResolveSettings::default();
    let preference = |name: &str| i32::try_from(settings.int(name)).unwrap_or(0);
    let family = settings.int("dns_cache_flags");
    let resolve = ResolveSettings {
        transports: vec![
            (sip::Transport::Udp, preference("dns_udp_pref")),
            (sip::Transport::Tcp, preference("dns_tcp_pref")),
        ],
        ipv4: family & 2 == 0,
        ipv6: settings.bool("dns_try_ipv6") && family & 1 == 0,
        prefer_ipv6: family & 4 != 0,
        naptr: settings.bool("dns_try_naptr"),
        naptr_own_preference: settings.bool("dns_naptr_ignore_rfc"),
        srv_weights: settings.bool("dns_srv_lb"),
        cache: settings.bool("use_dns_cache"),
        negative_ttl: seconds("dns_cache_negative_ttl", 60),
        min_ttl: seconds("dns_cache_min_ttl", 0),
        max_ttl: seconds("dns_cache_max_ttl", defaults.max_ttl.as_secs()),
        ..defaults
    };
    let lookup = DnsLookup::from_system(&dns_options(settings))
        .map_err(|error| format!("cannot read the resolver's configuration: {error}"))?;
    let hosts = Hosts::read(std::path::Path::new("/etc/hosts")).unwrap_or_default();
    let random = Box::new(|limit: u64| fastrand::u64(..limit.max(1)));
    Ok(Resolver::new(
        Box::new(lookup),
        resolve,
        hosts,
        random,
        Arc::default(),
    ))
}

/// How name servers are asked; what is negative is the system's own.
fn dns_options(settings: &script::Settings) -> DnsOptions {
    let number = |name: &str| usize::try_from(settings.int(name)).ok();
    DnsOptions {
        timeout: number("dns_retr_time")
            .filter(|seconds| *seconds > 0)
            .map(|seconds| Duration::from_secs(seconds as u64)),
        attempts: number("dns_retr_no"),
        no_search_list: !settings.bool("dns_use_search_list"),
        servers: number("dns_servers_no").filter(|count| *count > 0),
    }
}

/// How streams behave.
pub(crate) fn streams(settings: &script::Settings) -> StreamSettings {
    let number = |name: &str| u64::try_from(settings.int(name)).unwrap_or(0);
    let small = |name: &str| u32::try_from(settings.int(name)).unwrap_or(0);
    StreamSettings {
        connect_timeout: Duration::from_secs(number("tcp_connect_timeout").max(1)),
        send_timeout: Duration::from_secs(number("tcp_send_timeout").max(1)),
        message_timeout: message_timeout(settings),
        lifetime: Duration::from_secs(number("tcp_connection_lifetime").max(1)),
        max_connections: number("tcp_max_connections"),
        connection_queue: number("tcp_conn_wq_max").max(1) as usize,
        total_queue: number("tcp_wq_max").max(1),
        length_optional: settings.bool("tcp_accept_no_cl"),
        crlf_ping: settings.bool("tcp_crlf_ping"),
        keepalive: settings.bool("tcp_keepalive"),
        keepalive_idle: small("tcp_keepidle"),
        keepalive_interval: small("tcp_keepintvl"),
        keepalive_count: small("tcp_keepcnt"),
        no_connect: settings.bool("tcp_no_connect"),
        source_ipv4: source(settings, "tcp_source_ipv4"),
        source_ipv6: source(settings, "tcp_source_ipv6"),
        max_per_address: if settings.is_set("tcp_accept_iplimit") {
            number("tcp_accept_iplimit")
        } else {
            0
        },
    }
}

/// The address that connections are opened from, when it is not the socket's.
fn source(settings: &script::Settings, name: &str) -> Option<IpAddr> {
    let text = settings.str(name);
    text.trim_matches(['[', ']']).parse().ok()
}

fn message_timeout(settings: &script::Settings) -> Duration {
    match u64::try_from(settings.int("tcp_msg_read_timeout")) {
        Ok(seconds) if seconds > 0 => Duration::from_secs(seconds),
        _ => StreamSettings::default().message_timeout,
    }
}

/// Aliases of the command line and, unless that was switched off, the host's own name and the names that its hosts
/// file has for our addresses.
///
/// # Errors
/// An alias of the command line that is none.
pub(crate) fn aliases(
    options: &Options,
    settings: &script::Settings,
    sockets: &Sockets,
) -> Result<Vec<Alias>, String> {
    let mut aliases = Vec::new();
    for text in &options.aliases {
        let spec: ListenSpec = text
            .parse()
            .map_err(|_| format!("--alias {text:?}: expected [proto:]host[:port]"))?;
        aliases.extend(spec.hosts.iter().map(|host| Alias {
            transport: spec.transport,
            host: host.to_ascii_lowercase(),
            port: spec.port,
        }));
    }
    let automatic = options
        .auto_aliases
        .unwrap_or_else(|| settings.bool("auto_aliases"));
    if automatic {
        aliases.extend(automatic_aliases(sockets));
    }
    Ok(aliases)
}

fn automatic_aliases(sockets: &Sockets) -> Vec<Alias> {
    let mut aliases = Vec::new();
    if let Ok(name) = nix::unistd::gethostname() {
        aliases.push(Alias {
            transport: None,
            host: name.to_string_lossy().to_ascii_lowercase(),
            port: None,
        });
    }
    let hosts = Hosts::read(std::path::Path::new("/etc/hosts")).unwrap_or_default();
    for socket in sockets.iter() {
        let names = hosts.names_of(socket.address.ip());
        aliases.extend(names.into_iter().map(|name| Alias {
            transport: Some(socket.transport),
            host: name.to_owned(),
            port: Some(socket.address.port()),
        }));
    }
    aliases
}

/// Counters for the UDP sockets of each worker, and their sums as the statistics `udp:…`. Each worker has its own, so
/// that they do not write to one cache line for every batch.
pub(crate) fn udp_counters(statistics: &Statistics, workers: usize) -> Vec<Arc<UdpCounters>> {
    let counters: Vec<Arc<UdpCounters>> = (0..workers).map(|_| Arc::default()).collect();
    for (name, _) in UdpCounters::default().each() {
        let counters = counters.clone();
        let sum = move || {
            let all = counters.iter().flat_map(|counters| counters.each());
            let sum: u64 = all
                .filter(|figure| figure.0 == name)
                .map(|figure| figure.1)
                .sum();
            i64::try_from(sum).unwrap_or(i64::MAX)
        };
        statistics.computed("udp", name, "Of the UDP sockets of all workers.", sum);
    }
    counters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_worker_counts_is_summed() {
        let statistics = Statistics::default();
        let counters = udp_counters(&statistics, 2);
        counters[0].received.add(2);
        counters[1].received.add(3);
        assert_eq!(statistics.get("udp", "received"), Some(5));
        assert_eq!(statistics.get("udp", "kernel_drops"), Some(0));
    }
}
