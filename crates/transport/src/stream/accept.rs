//! Takes incoming connections from one listening socket.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use sip::{Hop, SocketId, StreamUse, Transport};
use tokio::net::{TcpListener, TcpStream};

use super::StreamSettings;
use super::worker::Worker;

/// The pause after a failure that repeating at once would only repeat (no descriptors left).
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts for ever.
pub(super) async fn accept(
    worker: Rc<Worker>,
    socket: SocketId,
    transport: Transport,
    listener: TcpListener,
) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => take(&worker, socket, transport, stream, remote),
            Err(error) => {
                worker.counters().accept_errors.increment();
                if !is_about_one_connection(&error) {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

fn take(
    worker: &Rc<Worker>,
    socket: SocketId,
    transport: Transport,
    stream: TcpStream,
    remote: SocketAddr,
) {
    let hop = Hop {
        transport,
        socket,
        remote,
        connection: None,
        stream: StreamUse::default(),
    };
    // A refused connection is closed by dropping its stream.
    let Ok(registration) = worker.register(hop, false) else {
        return;
    };
    prepare(&stream, worker.settings());
    worker.counters().accepted.increment();
    tokio::task::spawn_local(registration.run(stream));
}

/// Sets what every connection has. Failures are of no consequence: the connection works without.
pub(super) fn prepare(stream: &TcpStream, settings: &StreamSettings) {
    let _ = stream.set_nodelay(true);
    if !settings.keepalive {
        return;
    }
    let fd = stream.as_fd();
    let _ = setsockopt(&fd, sockopt::KeepAlive, &true);
    if settings.keepalive_idle > 0 {
        let _ = setsockopt(&fd, sockopt::TcpKeepIdle, &settings.keepalive_idle);
    }
    if settings.keepalive_interval > 0 {
        let _ = setsockopt(&fd, sockopt::TcpKeepInterval, &settings.keepalive_interval);
    }
    if settings.keepalive_count > 0 {
        let _ = setsockopt(&fd, sockopt::TcpKeepCount, &settings.keepalive_count);
    }
}

/// Whether accept failed only for the connection that it would have returned.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
