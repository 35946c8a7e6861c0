//! SIP messages, URIs and headers: bytes and an index, edits, and building.

mod hop;

pub use hop::{ConnectionId, Hop, SocketId, Transport};
