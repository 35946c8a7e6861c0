//! The doors as their clients see them: kamcmd, raw sockets, FIFOs.

mod binrpc;
mod house;
mod json;
mod kamailio;
mod kamcmd;
mod lifecycle;
mod mi;
