//! What the tests are made of: programs, addresses, SIP agents, management clients and the comparison.

pub mod accepted;
pub mod agent;
pub mod call;
pub mod database;
pub mod forwarder;
pub mod golden;
pub mod lab;
pub mod message;
pub mod normal;
pub mod peers;
pub mod process;
pub mod rpc;
pub mod scene;
pub mod servers;
pub mod sipp;
pub mod sql;
pub mod tmpfs;

pub use process::Program;
pub use scene::Scene;
