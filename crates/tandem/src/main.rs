//! The Tandem SIP proxy.
fn main() {}
