//! SIP messages, URIs and headers: bytes and an index, edits, and building.
//!
//! A [`Message`] owns the bytes as they came and an [`Index`] of where things are in them; its accessors give slices of
//! those bytes. Nothing changes a message: [`Edits`] are kept beside it and applied when the outgoing bytes are
//! written. [`build`] writes messages that are not made from a received one as a whole. [`check`] tells what a proxy
//! has to refuse, and [`frame`] finds messages in a stream. There is no I/O, no clock and no randomness here.
//!
//! ```
//! use tandem_sip::{Edits, Framing, Message, Method, Tag};
//!
//! let bytes = b"BYE sip:bob@example.com SIP/2.0\r\nMax-Forwards: 70\r\n\r\n";
//! let message = Message::parse(bytes.to_vec())?;
//! assert_eq!(message.method(), Method::Bye);
//!
//! let mut edits = Edits::new();
//! edits.set_request_uri(&message, b"sip:bob@192.0.2.4");
//! edits.append_last(Tag::Script, &message, b"X-Hop: 1\r\n");
//! assert_eq!(
//!     edits.applied(&message, Framing::Datagram),
//!     b"BYE sip:bob@192.0.2.4 SIP/2.0\r\nMax-Forwards: 70\r\nX-Hop: 1\r\n\r\n"
//! );
//! # Ok::<(), tandem_sip::Rejected>(())
//! ```

mod address;
mod auth;
mod block;
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
pub use hop::{ConnectionId, Hop, SocketId, StreamUse, Transport};
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
