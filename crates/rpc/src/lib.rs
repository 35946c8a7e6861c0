//! The management commands and the doors through which they are called.
//!
//! A [`Command`] is one row of the [`Registry`]: a name, help, parameters, a handler. The handler
//! scans parameters from its [`Call`] and adds [`Value`]s; it does not know which notation the caller
//! speaks. [`binrpc`] (kamcmd) and [`json`] (kamctl, kamcli, HTTP) turn bytes into calls and replies
//! into bytes without doing I/O. [`Doors`] opens the sockets and FIFOs.
//!
//! ```
//! use tandem_rpc::{Command, Fault, Kind, Registry, Struct};
//!
//! let mut registry = Registry::new();
//! let command = Command::new("demo.square", "The square of a number.", |call| {
//!     let number = call.int()?;
//!     let square = number.checked_mul(number).ok_or(Fault::new(400, "Too big"))?;
//!     call.add(Struct::new().with("number", number).with("square", square));
//!     Ok(())
//! });
//! registry.add(command.parameter("number", Kind::Int)).unwrap();
//!
//! let request = br#"{"jsonrpc":"2.0","method":"demo.square","params":[7],"id":1}"#;
//! let (code, _, body) = tandem_rpc::json::execute(&registry, request, false).unwrap();
//! assert_eq!(code, 200);
//! assert_eq!(body, br#"{"jsonrpc":"2.0","result":{"number":7,"square":49},"id":1}"#);
//! ```

pub mod binrpc;
mod builtin;
mod call;
mod door;
mod fault;
mod fields;
pub mod json;
mod mi;
mod registry;
mod reply;
mod value;

pub use call::{Call, Dialect};
pub use door::{
    Access, Address, BinrpcConfig, DEFAULT_PORT, DoorCounters, DoorTable, Doors, DoorsConfig,
    FifoConfig, JsonSocketConfig, MiConfig, OpenError,
};
pub use fault::Fault;
pub use fields::{AnyFields, Fields, ValueFields};
pub use mi::{Argument, MiCall, MiCommand, MiReply, Nodes, answer_mi, write_value};
pub use registry::{Command, DuplicateCommand, Kind, Parameter, Registry};
pub use reply::{Later, Outcome, Page, Producer, Reply};
pub use value::{Name, Struct, Value};
