//! Listening addresses: as written, as concrete sockets, and opened.

mod expand;
mod interfaces;
mod open;
mod sockets;
mod spec;

pub use expand::{ExpandOptions, SocketSpec, expand};
pub use interfaces::{Interface, LocalSystem, System, source_address};
pub use open::{OpenError, OpenOptions, WorkerListeners, open};
pub use sockets::{Socket, Sockets};
pub use spec::{Advertise, ListenError, ListenSpec};
