//! Commands about sockets, names and connections.

use std::sync::Arc;

use engine::{Alias, Engine, Setup};
use rpc::{Call, Fault, Name, Struct, Value};
use sip::Transport;
use transport::listen::Socket;
use transport::stream::ConnectionInfo;

use super::about::facts;
use crate::command::{CommandRow, command, list_command};

/// How many connections a listing shows.
const CONNECTIONS_MAX: usize = 10_000;

pub(super) static COMMANDS: &[CommandRow] = &[
    command("core.sockets_list", &[], sockets, "The listening sockets."),
    command(
        "core.aliases_list",
        &[],
        aliases,
        "The names that mean this server, besides its sockets.",
    ),
    command(
        "core.tcp_info",
        &[],
        tcp_info,
        "How many connections there are and may be.",
    ),
    list_command(
        "core.tcp_list",
        &[],
        tcp_list,
        "The connections; -1 stands for a timeout that their worker alone knows.",
    ),
    command(
        "core.tcp_options",
        &[],
        tcp_options,
        "The settings of connections.",
    ),
    command(
        "core.udp4_raw_info",
        &[],
        udp4_raw,
        "Raw UDP sockets, which are not used here.",
    ),
    command(
        "dns.delete_all",
        &[],
        dns_delete_all,
        "Forgets all answers of name servers.",
    ),
];

/// What both listings of sockets show first: transport and host.
pub(crate) fn socket_row(socket: &Socket) -> (&'static str, String, String, String) {
    let address = socket.address;
    (
        socket.transport.name(),
        socket.host.to_string(),
        address.ip().to_string(),
        address.port().to_string(),
    )
}

fn sockets(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let rows = engine.sockets.iter().map(|socket| {
        let (proto, host, address, port) = socket_row(socket);
        let row = Struct::new()
            .with("proto", proto)
            .with("address", host)
            .with("ipaddress", address)
            .with("port", port)
            .with("mcast", "no")
            .with("mhomed", "no")
            .with("virtual", if socket.is_virtual { "yes" } else { "no" });
        (Name::Borrowed("socket"), Value::Struct(row))
    });
    call.add(Value::Named(rows.collect()));
    Ok(())
}

/// Transport and port of an alias, `*` and `None` for any.
pub(crate) fn alias_row(alias: &Alias) -> (&'static str, &str, Option<u16>) {
    let proto = alias.transport.map_or("*", Transport::name);
    (proto, &alias.host, alias.port)
}

fn aliases(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let rows = engine.settings.aliases.iter().rev().map(|alias| {
        let (proto, host, port) = alias_row(alias);
        let port = port.map_or_else(|| "*".to_owned(), |port| port.to_string());
        let row = Struct::new()
            .with("proto", proto)
            .with("address", host)
            .with("port", port);
        (Name::Borrowed("alias"), Value::Struct(row))
    });
    let callbacks = !engine.settings.alias_subdomains.is_empty();
    call.add(
        Struct::new()
            .with("myself_callbacks", if callbacks { "yes" } else { "no" })
            .with("aliases", Value::Named(rows.collect())),
    );
    Ok(())
}

fn tcp_info(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let settings = &facts(engine)?.settings;
    let counters = engine.streams.counters();
    call.add(
        Struct::new()
            .with("readers", engine.streams.workers())
            .with("max_connections", settings.int("tcp_max_connections"))
            .with("max_tls_connections", settings.int("tls_max_connections"))
            .with("opened_connections", counters.connections.get())
            .with("opened_tls_connections", 0)
            .with("write_queued_bytes", counters.queued_bytes.get()),
    );
    Ok(())
}

fn tcp_list(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let lifetime = facts(engine)?.settings.int("tcp_connection_lifetime");
    for connection in engine.streams.connections(CONNECTIONS_MAX) {
        call.add(connection_row(engine, &connection, lifetime));
    }
    Ok(())
}

fn connection_row(engine: &Engine, connection: &ConnectionInfo, lifetime: i64) -> Struct {
    let hop = connection.hop;
    let own = engine.sockets.get(hop.socket).map(|socket| socket.address);
    let state = match connection.outgoing {
        true => "CONN_CONNECT",
        false => "CONN_ACCEPT",
    };
    Struct::new()
        .with("id", hop.connection.map_or(0, |id| id.0))
        .with("type", hop.transport.via_name())
        .with("state", state)
        .with("timeout", -1)
        .with("lifetime", lifetime)
        .with("ref_count", 1)
        .with("src_ip", hop.remote.ip().to_string())
        .with("src_port", hop.remote.port())
        .with("dst_ip", own.map(|own| own.ip().to_string()))
        .with("dst_port", own.map_or(0, |own| own.port()))
}

/// The figures of `core.tcp_options`, with the settings that they come from.
const TCP_OPTIONS: &[(&str, &str)] = &[
    ("connect_timeout", "tcp_connect_timeout"),
    ("send_timeout", "tcp_send_timeout"),
    ("connection_lifetime", "tcp_connection_lifetime"),
    ("max_connections(soft)", "tcp_max_connections"),
    ("max_tls_connections(soft)", "tls_max_connections"),
    ("no_connect", "tcp_no_connect"),
    ("fd_cache", "tcp_fd_cache"),
    ("async", "tcp_async"),
    ("conn_wq_max", "tcp_conn_wq_max"),
    ("wq_max", "tcp_wq_max"),
    ("defer_accept", "tcp_defer_accept"),
    ("delayed_ack", "tcp_delayed_ack"),
    ("syncnt", "tcp_syncnt"),
    ("linger2", "tcp_linger2"),
    ("keepalive", "tcp_keepalive"),
    ("keepidle", "tcp_keepidle"),
    ("keepintvl", "tcp_keepintvl"),
    ("keepcnt", "tcp_keepcnt"),
    ("crlf_ping", "tcp_crlf_ping"),
    ("accept_aliases", "tcp_accept_aliases"),
];

fn tcp_options(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let settings = &facts(engine)?.settings;
    let mut options = Struct::with_capacity(TCP_OPTIONS.len());
    for (name, setting) in TCP_OPTIONS {
        options.add(*name, settings.int(setting));
    }
    call.add(options);
    Ok(())
}

fn udp4_raw(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let settings = &facts(engine)?.settings;
    call.add(
        Struct::new()
            .with("udp4_raw", 0)
            .with("udp4_raw_mtu", settings.int("udp4_raw_mtu"))
            .with("udp4_raw_ttl", settings.int("udp4_raw_ttl")),
    );
    Ok(())
}

fn dns_delete_all(engine: &Arc<Engine>, _: &mut Call<'_>) -> Result<(), Fault> {
    engine.resolver.clear();
    Ok(())
}

/// The groups `tcp` and `dns`: figures that the transports count.
pub(super) fn add_statistics(setup: &mut Setup<'_>) {
    type Read = fn(&Engine) -> u64;
    let rows: [(&str, &str, Read, &str); 10] = [
        (
            "tcp",
            "con_timeout",
            |e| e.streams.counters().idle_closed.get(),
            "Connections closed because they were idle.",
        ),
        (
            "tcp",
            "connect_failed",
            |e| e.streams.counters().connect_failed.get(),
            "Connections that could not be opened.",
        ),
        (
            "tcp",
            "connect_success",
            |e| e.streams.counters().opened.get(),
            "Connections opened.",
        ),
        (
            "tcp",
            "current_opened_connections",
            |e| e.streams.counters().connections.get(),
            "Connections now.",
        ),
        (
            "tcp",
            "current_write_queue_size",
            |e| e.streams.counters().queued_bytes.get(),
            "Bytes that wait to be written.",
        ),
        (
            "tcp",
            "established",
            established,
            "Connections opened and accepted.",
        ),
        (
            "tcp",
            "local_reject",
            |e| e.streams.counters().refused.get(),
            "Connections refused because there were too many.",
        ),
        (
            "tcp",
            "passive_open",
            |e| e.streams.counters().accepted.get(),
            "Connections accepted.",
        ),
        (
            "tcp",
            "sendq_full",
            |e| e.streams.counters().queue_full.get(),
            "Messages refused because too much was waiting.",
        ),
        (
            "dns",
            "failed_dns_request",
            |e| e.resolver.counters().failures.get(),
            "Lookups that failed.",
        ),
    ];
    for (group, name, read, doc) in rows {
        let handle = setup.engine.clone();
        let compute = move || {
            let figure = handle.get().map_or(0, |engine| read(&engine));
            i64::try_from(figure).unwrap_or(i64::MAX)
        };
        setup.statistics.computed(group, name, doc, compute);
    }
}

fn established(engine: &Engine) -> u64 {
    let counters = engine.streams.counters();
    counters.opened.get() + counters.accepted.get()
}
