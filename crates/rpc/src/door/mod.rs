//! Sockets and FIFOs through which commands come. Each door runs its commands on the runtime that it
//! was started on, which is not a SIP worker's.

mod address;
mod ctl;
mod fifo;
mod file;
mod json;
mod mi;
mod socket;
mod start;
mod table;
mod tasks;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub use address::{Address, DEFAULT_PORT};
pub use file::Access;
pub use start::Doors;
pub use table::{DoorCounters, DoorTable};

use crate::MiCommand;
use crate::binrpc::Limits;

/// The doors to open.
#[derive(Debug, Clone)]
pub struct DoorsConfig {
    /// The ctl module's doors.
    pub binrpc: Option<BinrpcConfig>,
    /// The ctl module's FIFOs.
    pub ctl_fifos: Vec<FifoConfig>,
    /// The jsonrpcs module's FIFO.
    pub fifo: Option<FifoConfig>,
    /// The jsonrpcs module's socket.
    pub datagram: Option<JsonSocketConfig>,
    /// A stream socket for JSON requests, one after the other.
    pub stream: Option<JsonSocketConfig>,
    /// The mi_fifo module's FIFO.
    pub mi: Option<MiConfig>,
    /// The commands of that FIFO.
    pub mi_commands: Vec<MiCommand>,
    /// Whether JSON is indented (`pretty_format` of the jsonrpcs module).
    pub json_pretty: bool,
    /// How long the sender of a datagram may take to make room for the answer.
    pub datagram_timeout: Duration,
}

/// No doors; indented JSON and two seconds for datagrams, as Kamailio has them.
impl Default for DoorsConfig {
    fn default() -> Self {
        Self {
            binrpc: None,
            ctl_fifos: Vec::new(),
            fifo: None,
            datagram: None,
            stream: None,
            mi: None,
            mi_commands: Vec::new(),
            json_pretty: true,
            datagram_timeout: Duration::from_secs(2),
        }
    }
}

/// The doors of the ctl module.
#[derive(Debug, Clone)]
pub struct BinrpcConfig {
    /// Where to listen.
    pub listen: Vec<Address>,
    /// Mode and owner of unix sockets.
    pub access: Access,
    /// What is read and written at most.
    pub limits: Limits,
    /// How many connections all streams together may have.
    pub connections_max: usize,
}

impl BinrpcConfig {
    /// Doors at these addresses with Kamailio's defaults: mode 0600, replies of 32 KB.
    pub fn new(listen: Vec<Address>) -> Self {
        Self {
            listen,
            access: Access::mode(0o600),
            limits: Limits::default(),
            connections_max: CONNECTIONS_MAX,
        }
    }
}

/// A FIFO of the jsonrpcs, the mi_fifo or the ctl module.
#[derive(Debug, Clone)]
pub struct FifoConfig {
    /// Where requests are written.
    pub path: PathBuf,
    /// Its mode and owner.
    pub access: Access,
    /// Where the FIFOs for the answers are.
    pub reply_dir: PathBuf,
}

impl FifoConfig {
    /// A FIFO with Kamailio's defaults: mode 0660, answers in `/tmp`.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            access: Access::mode(0o660),
            reply_dir: PathBuf::from("/tmp"),
        }
    }
}

/// The FIFO of the mi_fifo module.
#[derive(Debug, Clone)]
pub struct MiConfig {
    /// Where requests are written, and where the FIFOs for the replies are.
    pub fifo: FifoConfig,
    /// What stands before a line for each level that it is deep in the tree.
    pub indent: String,
}

/// A socket for JSON requests. Datagram doors take unix and UDP datagrams, stream doors unix and TCP.
#[derive(Debug, Clone)]
pub struct JsonSocketConfig {
    /// Where to listen.
    pub address: Address,
    /// Mode and owner of a unix socket.
    pub access: Access,
}

impl JsonSocketConfig {
    /// A socket with Kamailio's default mode, 0660.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            access: Access::mode(0o660),
        }
    }
}

/// A door that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open {door}: {source}")]
pub struct OpenError {
    /// Which door.
    pub door: String,
    /// Why.
    pub source: io::Error,
}

/// How many connections a door accepts.
const CONNECTIONS_MAX: usize = 64;
/// How many replies of one door may be under way.
const SIDE_TASKS_MAX: usize = 32;
/// The longest datagram that is read.
const DATAGRAM_BYTES_MAX: usize = 64 * 1024;
/// The longest JSON request in a stream.
const REQUEST_BYTES_MAX: usize = 64 * 1024;
const READ_BYTES: usize = 4096;
/// How long a connection may say nothing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
/// How long the rest of a request may take.
const REST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a command may defer its reply.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a peer of a stream may take to read a piece of the reply; a person may be paging.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a peer may take to open its FIFO.
const OPEN_TIMEOUT: Duration = Duration::from_secs(2);
/// The pause after the system refused something, so that a lasting error costs no CPU.
const ERROR_PAUSE: Duration = Duration::from_millis(100);
