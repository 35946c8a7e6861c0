//! A bare UDP forwarder: what the kernel alone costs for as many packets. It reads batches and sends them on,
//! caller to callee and back, without looking inside.

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
        let mut out: Vec<(Vec<u8>, SocketAddr)> = Vec::new();
        loop {
            socket.recv_batch(&mut batch).await?;
            for datagram in batch.iter() {
                let to = if datagram.from == callee {
                    caller
                } else {
                    caller = Some(datagram.from);
                    Some(callee)
                };
                if let Some(to) = to {
                    out.push((datagram.bytes.to_vec(), to));
                }
            }
            socket.sender().send_or_drop(&out);
            out.clear();
        }
    })
}
