//! Opens a connection to a peer, from the address of the socket that the hop names.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};

use super::worker::Registration;
use super::{CloseReason, accept};

/// Opens the connection and runs it to its end. What is sent meanwhile waits in its queue.
pub(super) async fn open(registration: Registration, local: Option<IpAddr>) {
    let opened = tokio::select! {
        biased;
        reason = registration.closed() => Err(reason),
        opened = connect_in_time(&registration, local) => opened,
    };
    let worker = registration.worker();
    match opened {
        Ok(stream) => {
            accept::prepare(&stream, worker.settings());
            worker.counters().opened.increment();
            registration.run(stream).await;
        }
        Err(reason) => {
            worker.counters().connect_failed.increment();
            if reason == CloseReason::ConnectTimeout {
                worker.counters().connect_timeout.increment();
            }
            registration.finish(reason);
        }
    }
}

async fn connect_in_time(
    registration: &Registration,
    local: Option<IpAddr>,
) -> Result<TcpStream, CloseReason> {
    let limit = registration.worker().settings().connect_timeout;
    let remote = registration.hop().remote;
    let settings = registration.worker().settings();
    let source = if remote.is_ipv4() {
        settings.source_ipv4
    } else {
        settings.source_ipv6
    };
    let connecting = connect(source.or(local), remote);
    match tokio::time::timeout(limit, connecting).await {
        Ok(result) => result.map_err(|error| CloseReason::Connect(error.kind())),
        Err(_) => Err(CloseReason::ConnectTimeout),
    }
}

async fn connect(local: Option<IpAddr>, remote: SocketAddr) -> io::Result<TcpStream> {
    let socket = match remote {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(local) = local {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    socket.connect(remote).await
}
