//! Asks real name servers. The only file that knows which DNS library is used. Nothing is cached
//! here: the resolver's own cache is the only one, so that forgetting is complete.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::lookup::{Lookup, LookupError, LookupFuture, Record, RecordKind, Records};

/// How to ask; the names of the settings in brackets. `None` leaves the system's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct DnsOptions {
    /// How long to wait for one answer (`dns_retr_time`).
    pub timeout: Option<Duration>,
    /// How often to ask again (`dns_retr_no`).
    pub attempts: Option<usize>,
    /// Do not complete names from the system's search list (`dns_use_search_list=no`).
    pub no_search_list: bool,
    /// How many of the system's name servers to use (`dns_servers_no`).
    pub servers: Option<usize>,
}

/// Name servers, asked over UDP and, for long answers, TCP.
#[derive(Clone)]
pub struct DnsLookup {
    resolver: TokioResolver,
    search: bool,
}

impl DnsLookup {
    /// The name servers of `/etc/resolv.conf`. To be called within a runtime.
    pub fn from_system(options: &DnsOptions) -> io::Result<Self> {
        let (mut config, settings) =
            hickory_resolver::system_conf::read_system_conf().map_err(io::Error::other)?;
        if let Some(count) = options.servers {
            let (domain, search, mut servers) = config.into_parts();
            servers.truncate(count.max(1));
            config = ResolverConfig::from_parts(domain, search, servers);
        }
        Self::build(config, settings, options)
    }

    /// The given name servers, without a search list.
    pub fn with_servers(servers: &[SocketAddr], options: &DnsOptions) -> io::Result<Self> {
        let server = |address: &SocketAddr| {
            let on_port = |mut connection: ConnectionConfig| {
                connection.port = address.port();
                connection
            };
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            NameServerConfig::new(
                address.ip(),
                true,
                connections.into_iter().map(on_port).collect(),
            )
        };
        let servers = servers.iter().map(server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        Self::build(config, ResolverOpts::default(), options)
    }

    fn build(
        config: ResolverConfig,
        mut settings: ResolverOpts,
        options: &DnsOptions,
    ) -> io::Result<Self> {
        settings.cache_size = 0;
        settings.use_hosts_file = ResolveHosts::Never;
        settings.timeout = options.timeout.unwrap_or(settings.timeout);
        settings.attempts = options.attempts.unwrap_or(settings.attempts);
        let provider = TokioRuntimeProvider::default();
        let resolver = TokioResolver::builder_with_config(config, provider)
            .with_options(settings)
            .build()
            .map_err(io::Error::other)?;
        Ok(Self {
            resolver,
            search: !options.no_search_list,
        })
    }

    async fn ask(&self, name: &str, kind: RecordKind) -> Result<Records, LookupError> {
        let mut name = Name::from_ascii(name).map_err(|_| LookupError::NotFound(None))?;
        let is_host = matches!(kind, RecordKind::A | RecordKind::Aaaa);
        name.set_fqdn(!(self.search && is_host));
        let record_type = match kind {
            RecordKind::A => RecordType::A,
            RecordKind::Aaaa => RecordType::AAAA,
            RecordKind::Srv => RecordType::SRV,
            RecordKind::Naptr => RecordType::NAPTR,
        };
        let answer = self.resolver.lookup(name, record_type).await;
        let answer = answer.map_err(|error| translate_error(&error))?;
        let records = answer.answers();
        let ttl = records.iter().map(|r| r.ttl).min().unwrap_or_default();
        let list: Vec<Record> = records.iter().filter_map(|r| translate(&r.data)).collect();
        if list.is_empty() {
            return Err(LookupError::NotFound(None));
        }
        Ok(Records {
            list,
            ttl: Duration::from_secs(ttl.into()),
        })
    }
}

impl Lookup for DnsLookup {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordKind) -> LookupFuture<'a> {
        Box::pin(self.ask(name, kind))
    }
}

impl std::fmt::Debug for DnsLookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DnsLookup").finish_non_exhaustive()
    }
}

/// Aliases on the way to an answer stand in it too; they have been followed already.
fn translate(data: &RData) -> Option<Record> {
    match data {
        RData::A(address) => Some(Record::Address(IpAddr::V4(address.0))),
        RData::AAAA(address) => Some(Record::Address(IpAddr::V6(address.0))),
        RData::SRV(srv) => Some(Record::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: text(&srv.target),
        }),
        RData::NAPTR(naptr) => Some(Record::Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: String::from_utf8_lossy(&naptr.flags).into_owned(),
            service: String::from_utf8_lossy(&naptr.services).into_owned(),
            regexp: String::from_utf8_lossy(&naptr.regexp).into_owned(),
            replacement: text(&naptr.replacement),
        }),
        _ => None,
    }
}

fn text(name: &Name) -> String {
    let mut text = name.to_ascii();
    if text.ends_with('.') {
        text.pop();
    }
    text
}

fn translate_error(error: &NetError) -> LookupError {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            let ttl = none.negative_ttl.map(|s| Duration::from_secs(s.into()));
            LookupError::NotFound(ttl)
        }
        _ => LookupError::Failed,
    }
}
