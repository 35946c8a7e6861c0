//! A bare UDP forwarder: what the kernel alone costs for the packets of a call. It reads batches and sends them on,
//! caller to callee and back, without looking inside, but for one thing: as a proxy does, it answers an INVITE with
//! a 100, so that it sends as many packets.

use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::sync::Arc;

use sip::SocketId;
use transport::udp::{RecvBatch, UdpSocket};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(own), Some(callee)) = (arguments.next(), arguments.next()) else {
        return Err("usage: forwarder OWN_ADDR:PORT CALLEE_ADDR:PORT".into());
    };
    let (own, callee): (SocketAddr, SocketAddr) = (own.parse()?, callee.parse()?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let socket = UdpSocket::new(SocketId(0), StdSocket::bind(own)?, Arc::default())?;
        let mut batch = RecvBatch::new();
        let mut caller = None;
        let mut out = Outgoing::default();
        loop {
            socket.recv_batch(&mut batch).await?;
            for datagram in batch.iter() {
                if datagram.from == callee {
                    if let Some(caller) = caller {
                        out.push(caller, &[datagram.bytes]);
                    }
                    continue;
                }
                caller = Some(datagram.from);
                if let Some(copied) = copied_by_100(datagram.bytes) {
                    let parts = [
                        b"SIP/2.0 100 Trying\r\n".as_slice(),
                        copied,
                        b"\r\nContent-Length: 0\r\n\r\n",
                    ];
                    out.push(datagram.from, &parts);
                }
                out.push(callee, &[datagram.bytes]);
            }
            socket.sender().send_or_drop(out.used(), false);
            out.count = 0;
        }
    })
}

/// Datagrams to be sent together, in buffers that are used again.
#[derive(Default)]
struct Outgoing {
    datagrams: Vec<(Vec<u8>, SocketAddr)>,
    count: usize,
}

impl Outgoing {
    fn push(&mut self, to: SocketAddr, parts: &[&[u8]]) {
        if self.datagrams.len() == self.count {
            self.datagrams.push((Vec::with_capacity(2_048), to));
        }
        let (bytes, address) = &mut self.datagrams[self.count];
        *address = to;
        bytes.clear();
        for part in parts {
            bytes.extend_from_slice(part);
        }
        self.count += 1;
    }

    fn used(&self) -> &[(Vec<u8>, SocketAddr)] {
        &self.datagrams[..self.count]
    }
}

/// What a 100 has of the load's INVITE: everything from Via to CSeq, which Contact follows.
fn copied_by_100(datagram: &[u8]) -> Option<&[u8]> {
    const AFTER: &[u8] = b"\r\nContact:";
    if !datagram.starts_with(b"INVITE ") {
        return None;
    }
    let from = datagram.iter().position(|byte| *byte == b'\n')? + 1;
    let to = datagram
        .windows(AFTER.len())
        .position(|window| window == AFTER)?;
    datagram.get(from..to)
}
