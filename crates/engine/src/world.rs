//! What surrounds an engine: sockets, names, streams, time, files.

use std::path::PathBuf;
use std::sync::Arc;

use transport::listen::{SocketSpec, Sockets};
use transport::resolve::{Hosts, ResolveSettings, Resolver, TableLookup};
use transport::stream::{self, StreamHandle, StreamSettings};

use crate::clock::Now;
use crate::log::Log;

/// What the outside world gives an engine.
pub struct World {
    /// Listening sockets.
    pub sockets: Arc<Sockets>,
    /// Names of destinations.
    pub resolver: Arc<Resolver>,
    /// Stream connections of all workers.
    pub streams: StreamHandle,
    /// The log.
    pub log: Log,
    /// The time.
    pub now: Now,
    /// Randomness for tags and ids.
    pub seed: u64,
    /// A clock to measure with how long scripts take, µs.
    pub stopwatch: fn() -> u64,
    /// Where control sockets go.
    pub run_dir: PathBuf,
    /// Where files that outlive the process go when their names are relative.
    pub data_dir: PathBuf,
    /// Databases.
    pub databases: store::Databases,
    /// Names that mean this proxy besides the configuration's.
    pub aliases: Vec<crate::settings::Alias>,
}

impl World {
    /// A world without a network: a socket that nobody opens, streams that lead nowhere, no names and no databases. For
    /// tests, simulations and measurements, which put their own in the place of some of it.
    pub fn offline(socket: SocketSpec, log: Log, now: Now) -> Self {
        let sockets = Arc::new(Sockets::new(&[socket]));
        let (streams, _) = stream::pool(
            1,
            Arc::clone(&sockets),
            StreamSettings::default(),
            Arc::default(),
        );
        let names = Resolver::new(
            Box::new(TableLookup::new()),
            ResolveSettings::default(),
            Hosts::default(),
            Box::new(|_| 0),
            Arc::default(),
        );
        Self {
            sockets,
            resolver: Arc::new(names),
            streams,
            log,
            now,
            seed: 42,
            stopwatch: || 0,
            run_dir: std::env::temp_dir(),
            data_dir: std::env::temp_dir(),
            databases: store::Databases::default(),
            aliases: Vec::new(),
        }
    }
}
