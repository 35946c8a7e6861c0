//! RFC 3263 §4: which records to ask for, and what the answers mean for SIP. The order of asking
//! is here; who is asked is not.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use sip::Transport;

use super::hosts::Hosts;
use super::lookup::{Lookup, LookupError, Record, RecordKind};
use super::order::{Answer, Target};
use super::{Candidates, Query, ResolveError, ResolveSettings};

/// Services of one domain that are followed.
const MAX_SERVICES: usize = 4;
/// Servers of one service that are followed.
const MAX_TARGETS: usize = 16;
/// Addresses of one server that are used, of each family.
const MAX_ADDRESSES: usize = 8;

/// A URI whose host is an address needs no lookup.
pub(super) fn literal(query: &Query, address: IpAddr) -> Candidates {
    let address = SocketAddr::new(address, query.plain_port());
    Candidates::one(query.plain_transport(), address)
}

/// A name of the hosts file, if service records cannot change the answer: with a port there are
/// none, and a name without a dot is no domain.
pub(super) fn from_hosts(
    query: &Query,
    hosts: &Hosts,
    settings: &ResolveSettings,
) -> Option<Candidates> {
    let name = query.name()?;
    if query.port().is_none() && name.contains('.') {
        return None;
    }
    let addresses = usable(hosts.get(name)?, query.plain_port(), settings);
    let target = plain_target(query.plain_transport(), addresses);
    Answer::new(vec![target]).map(|answer| answer.fixed())
}

/// One search, which counts what it asks and remembers how long the answers hold.
pub(super) struct Search<'a> {
    lookup: &'a dyn Lookup,
    settings: &'a ResolveSettings,
    hosts: &'a Hosts,
    ttl: Duration,
    lookups: u64,
    /// A name server gave no answer, so that "not found" would be a guess.
    failed: bool,
}

/// What a lookup of SRV records came to.
enum Service {
    /// Servers, perhaps none that can be reached.
    Targets(Vec<Target>),
    /// The domain says that it has no such service (target `.`, RFC 2782).
    Refused,
    /// No such records.
    Absent,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        lookup: &'a dyn Lookup,
        settings: &'a ResolveSettings,
        hosts: &'a Hosts,
    ) -> Self {
        Self {
            lookup,
            settings,
            hosts,
            ttl: Duration::MAX,
            lookups: 0,
            failed: false,
        }
    }

    /// Finds the servers for a host name.
    pub(super) async fn locate(&mut self, query: &Query) -> Result<Answer, ResolveError> {
        let host = query.name().ok_or(ResolveError::NotFound)?;
        let targets = match (query.port(), query.named_transport()) {
            (Some(port), _) => vec![self.plain(host, port, query.plain_transport()).await],
            (None, Some(transport)) => self.by_transport(host, transport).await,
            (None, None) => self.by_domain(host, query).await,
        };
        Answer::new(targets).ok_or(if self.failed {
            ResolveError::Failed
        } else {
            ResolveError::NotFound
        })
    }

    /// How long the answer holds.
    pub(super) fn ttl(&self) -> Duration {
        self.ttl
    }

    /// How many lookups it took.
    pub(super) fn lookups(&self) -> u64 {
        self.lookups
    }

    /// §4.2 for a known transport and no port: SRV records, else the addresses of the host.
    async fn by_transport(&mut self, host: &str, transport: Transport) -> Vec<Target> {
        if let Some(name) = service_name(transport, host) {
            match self.service(&name, transport, 0).await {
                Service::Targets(targets) => return targets,
                Service::Refused => return Vec::new(),
                Service::Absent => {}
            }
        }
        vec![self.plain(host, transport.default_port(), transport).await]
    }

    /// §4.1 where nothing is known but the domain: NAPTR, else SRV for each of our transports,
    /// else the addresses of the host.
    async fn by_domain(&mut self, host: &str, query: &Query) -> Vec<Target> {
        if self.settings.naptr {
            let mut all = Vec::new();
            for (rank, (transport, name)) in (0..).zip(self.services(host, query.is_secure()).await)
            {
                if let Service::Targets(targets) = self.service(&name, transport, rank).await {
                    all.extend(targets);
                }
            }
            if all.iter().any(|t| !t.addresses.is_empty()) {
                return all;
            }
        }
        for transport in self.own_transports(query.is_secure()) {
            if let Some(name) = service_name(transport, host)
                && let Service::Targets(targets) = self.service(&name, transport, 0).await
            {
                return targets;
            }
        }
        let transport = query.plain_transport();
        vec![self.plain(host, query.plain_port(), transport).await]
    }

    /// The services of a domain that we can use, best first, with the names of their SRV records.
    async fn services(&mut self, host: &str, secure: bool) -> Vec<(Transport, String)> {
        let mut found = Vec::new();
        for record in self.ask(host, RecordKind::Naptr).await {
            if let Record::Naptr {
                order,
                preference,
                flags,
                service,
                regexp,
                replacement,
            } = record
                && flags.eq_ignore_ascii_case("s")
                && regexp.is_empty()
                && let Some(transport) = service_transport(&service)
                && (!secure || transport == Transport::Tls || transport == Transport::Wss)
                && let Some(own) = self.preference(transport)
            {
                let own = if self.settings.naptr_own_preference {
                    own
                } else {
                    0
                };
                found.push(((-own, order, preference), transport, replacement));
            }
        }
        found.sort_by_key(|service| service.0);
        found.truncate(MAX_SERVICES);
        found.into_iter().map(|(_, t, name)| (t, name)).collect()
    }

    /// The servers that the SRV records of `name` list.
    async fn service(&mut self, name: &str, transport: Transport, rank: u16) -> Service {
        let mut records = self.ask(name, RecordKind::Srv).await;
        if records.is_empty() {
            return Service::Absent;
        }
        let is_refusal = |r: &Record| matches!(r, Record::Srv { target, .. } if target.is_empty());
        if records.iter().all(is_refusal) {
            return Service::Refused;
        }
        records.sort_by_key(|r| match r {
            Record::Srv { priority, .. } => *priority,
            _ => u16::MAX,
        });
        let mut targets = Vec::new();
        for record in records.into_iter().take(MAX_TARGETS) {
            if let Record::Srv {
                priority,
                weight,
                port,
                target,
            } = record
                && !target.is_empty()
            {
                targets.push(Target {
                    rank,
                    transport,
                    priority,
                    weight,
                    addresses: self.addresses(&target, port).await,
                });
            }
        }
        Service::Targets(targets)
    }

    async fn plain(&mut self, host: &str, port: u16, transport: Transport) -> Target {
        plain_target(transport, self.addresses(host, port).await)
    }

    /// The addresses of a host, in the order in which they are to be tried.
    async fn addresses(&mut self, host: &str, port: u16) -> Vec<SocketAddr> {
        if let Some(known) = self.hosts.get(host) {
            return usable(known, port, self.settings);
        }
        let mut all = Vec::new();
        for kind in [RecordKind::A, RecordKind::Aaaa] {
            let wanted = match kind {
                RecordKind::A => self.settings.ipv4,
                _ => self.settings.ipv6,
            };
            if wanted {
                let records = self.ask(host, kind).await;
                all.extend(records.into_iter().filter_map(|record| match record {
                    Record::Address(address) => Some(address),
                    _ => None,
                }));
            }
        }
        usable(&all, port, self.settings)
    }

    /// Asks one question. No records is no error here; what it means depends on the question.
    async fn ask(&mut self, name: &str, kind: RecordKind) -> Vec<Record> {
        self.lookups += 1;
        let (list, ttl) = match self.lookup.lookup(name, kind).await {
            Ok(records) => (records.list, records.ttl),
            Err(LookupError::NotFound(ttl)) => {
                let most = self.settings.negative_ttl;
                (Vec::new(), ttl.map_or(most, |ttl| ttl.min(most)))
            }
            Err(LookupError::Failed) => {
                self.failed = true;
                (Vec::new(), super::FAILED_TTL)
            }
        };
        self.ttl = self.ttl.min(ttl);
        list
    }

    fn preference(&self, transport: Transport) -> Option<i32> {
        let mut all = self.settings.transports.iter();
        all.find(|(t, _)| *t == transport).map(|(_, p)| *p)
    }

    /// Our transports, the preferred first; only the encrypted ones for `sips`.
    fn own_transports(&self, secure: bool) -> Vec<Transport> {
        let mut own = self.settings.transports.clone();
        own.retain(|(t, _)| !secure || matches!(t, Transport::Tls | Transport::Wss));
        own.sort_by_key(|(_, preference)| std::cmp::Reverse(*preference));
        own.into_iter().map(|(t, _)| t).collect()
    }
}

fn plain_target(transport: Transport, addresses: Vec<SocketAddr>) -> Target {
    Target {
        rank: 0,
        transport,
        priority: 0,
        weight: 0,
        addresses,
    }
}

/// The addresses that we can reach, the preferred family first, otherwise in their order.
fn usable(addresses: &[IpAddr], port: u16, settings: &ResolveSettings) -> Vec<SocketAddr> {
    let of_family = |v6: bool| {
        let wanted = if v6 { settings.ipv6 } else { settings.ipv4 };
        addresses
            .iter()
            .filter(move |a| wanted && a.is_ipv6() == v6)
            .take(MAX_ADDRESSES)
            .map(move |a| SocketAddr::new(*a, port))
    };
    of_family(settings.prefer_ipv6)
        .chain(of_family(!settings.prefer_ipv6))
        .collect()
}

/// The name of the SRV records for a transport (RFC 3263 §4.2, RFC 7118 §5.4 has none for
/// WebSocket).
fn service_name(transport: Transport, host: &str) -> Option<String> {
    let prefix = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
        Transport::Sctp => "_sip._sctp",
        Transport::Ws | Transport::Wss => return None,
    };
    Some(format!("{prefix}.{host}"))
}

/// The transport that a NAPTR service field names (RFC 3263 §4.1, RFC 7118 §5.2).
fn service_transport(service: &str) -> Option<Transport> {
    [
        ("SIP+D2U", Transport::Udp),
        ("SIP+D2T", Transport::Tcp),
        ("SIPS+D2T", Transport::Tls),
        ("SIP+D2S", Transport::Sctp),
        ("SIP+D2W", Transport::Ws),
        ("SIPS+D2W", Transport::Wss),
    ]
    .into_iter()
    .find(|(name, _)| name.eq_ignore_ascii_case(service))
    .map(|(_, transport)| transport)
}
