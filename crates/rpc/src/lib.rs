//! The command registry and its doors: binrpc, JSON-RPC over sockets and FIFO.
