//! Opens a connection to a peer, from the address of the socket that the hop names.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};

use super::worker::Registration;
use super::{CloseReason, accept};

/// Opens the connection and runs it to its end. What is sent meanwhile waits in its queue.
pub(super) async fn open(registration: Registration, local: Option<IpAddr>) {
    let settings = registration.worker().settings();
    let connecting = connect(local, registration.hop().remote);
    let counters = registration.worker().counters();
    match tokio::time::timeout(settings.connect_timeout, connecting).await {
        Ok(Ok(stream)) => {
            accept::prepare(&stream, settings);
            counters.opened.increment();
            registration.run(stream).await;
        }
        Ok(Err(error)) => {
            counters.connect_failed.increment();
            registration.finish(CloseReason::Connect(error.kind()));
        }
        Err(_) => {
            counters.connect_failed.increment();
            counters.connect_timeout.increment();
            registration.finish(CloseReason::ConnectTimeout);
        }
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
