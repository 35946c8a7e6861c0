//! Records from a table: for tests, and for simulations without a network.

use std::collections::HashMap;
use std::future::ready;
use std::net::IpAddr;
use std::time::Duration;

use super::lookup::{Lookup, LookupError, LookupFuture, Record, RecordKind, Records};

/// Answers at once from what was put in; everything else does not exist.
#[derive(Clone, Debug, Default)]
pub struct TableLookup {
    records: HashMap<(String, RecordKind), Result<Records, LookupError>>,
}

impl TableLookup {
    /// The lifetime of the records that are put in without one.
    pub const TTL: Duration = Duration::from_secs(300);

    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the answer to one question.
    pub fn set(
        mut self,
        name: &str,
        kind: RecordKind,
        answer: Result<Records, LookupError>,
    ) -> Self {
        self.records
            .insert((name.to_ascii_lowercase(), kind), answer);
        self
    }

    /// Adds an address.
    pub fn address(self, name: &str, address: IpAddr) -> Self {
        let kind = match address {
            IpAddr::V4(_) => RecordKind::A,
            IpAddr::V6(_) => RecordKind::Aaaa,
        };
        self.add(name, kind, Record::Address(address))
    }

    /// Adds a server of a service; `name` is such as `_sip._udp.example.com`.
    pub fn srv(self, name: &str, priority: u16, weight: u16, port: u16, target: &str) -> Self {
        let target = target.to_owned();
        let record = Record::Srv {
            priority,
            weight,
            port,
            target,
        };
        self.add(name, RecordKind::Srv, record)
    }

    /// Adds a service of a domain.
    pub fn naptr(self, name: &str, order: u16, service: &str, replacement: &str) -> Self {
        let record = Record::Naptr {
            order,
            preference: 0,
            flags: "s".to_owned(),
            service: service.to_owned(),
            regexp: String::new(),
            replacement: replacement.to_owned(),
        };
        self.add(name, RecordKind::Naptr, record)
    }

    fn add(mut self, name: &str, kind: RecordKind, record: Record) -> Self {
        let empty = || {
            Ok(Records {
                list: Vec::new(),
                ttl: Self::TTL,
            })
        };
        let key = (name.to_ascii_lowercase(), kind);
        if let Ok(records) = self.records.entry(key).or_insert_with(empty) {
            records.list.push(record);
        }
        self
    }
}

impl Lookup for TableLookup {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordKind) -> LookupFuture<'a> {
        let key = (name.to_ascii_lowercase(), kind);
        let answer = self.records.get(&key).cloned();
        Box::pin(ready(answer.unwrap_or(Err(LookupError::NotFound(None)))))
    }
}
