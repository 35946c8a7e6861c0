//! JSON-RPC 2.0 in the shapes that Kamailio's clients know: one value stands bare, several make an
//! array, none makes `{}`; faults carry the command's own code.

mod fields;
mod framer;
mod put;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod write;

pub use fields::JsonFields;
pub use framer::Framer;
pub use request::Request;
pub use response::{Response, answer, answer_async, execute, refuse};
pub(crate) use write::write_separator;
pub use write::write_value;
