//! SIP messages, URIs and headers: bytes and an index, edits, and building.

mod address;
mod auth;
pub mod branch;
pub mod build;
mod edit;
mod error;
mod escape;
pub mod frame;
mod hop;
mod index;
mod lex;
mod message;
mod method;
mod name;
mod params;
mod source_note;
mod uri;
mod values;
mod verdict;
mod via;

pub use address::NameAddr;
pub use auth::Credentials;
pub use edit::{EditView, Edits, Framing, Tag};
pub use error::{Fault, ParseError, Rejected};
pub use escape::{escape_param, escape_user, quote, unescape, unfold, unquote};
pub use hop::{ConnectionId, Hop, SocketId, Transport};
pub use index::Index;
pub use lex::{Span, number, push_number, trim};
pub use message::{CSeq, Header, Message};
pub use method::Method;
pub use name::HeaderId;
pub use params::{Param, Params, ParamsIter};
pub use uri::{Scheme, Uri, UriError, host_address, same_host};
pub use values::{Value, Values, split_values};
pub use verdict::{Verdict, check, check_with, unsupported};
pub use via::Via;
