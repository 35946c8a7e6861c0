//! binrpc doors: streams that carry packet after packet, and datagrams of one packet each.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::WRITE_TIMEOUT;
use super::socket::{Answer, Listener};
use super::table::{ConnectionGuard, DoorCounters, DoorTable};
use super::tasks::{SideTasks, Stop};
use super::{Address, ERROR_PAUSE, IDLE_TIMEOUT, READ_BYTES, REPLY_TIMEOUT, REST_TIMEOUT};
use crate::Registry;
use crate::binrpc::{Limits, packet_len, refuse, respond_async, too_big};

/// What all binrpc doors share.
#[derive(Clone)]
pub(super) struct Ctl {
    pub(super) registry: Arc<Registry>,
    pub(super) table: Arc<DoorTable>,
    pub(super) limits: Limits,
    pub(super) connections_max: usize,
}

impl Ctl {
    /// The reply to one packet; `None` if the command did not end in time.
    async fn respond(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let reply = respond_async(&self.registry, packet, &self.limits);
        timeout(REPLY_TIMEOUT, reply).await.ok()
    }
}

impl Answer for Ctl {
    async fn answer(&self, request: &[u8]) -> Option<Vec<u8>> {
        self.respond(request).await
    }

    fn too_big(&self, request: &[u8]) -> Vec<u8> {
        too_big(request)
    }
}

/// Accepts connections until the doors close.
pub(super) async fn listen<L: Listener>(ctl: Ctl, listener: L, local: Address, mut stop: Stop) {
    let ctl = Arc::new(ctl);
    let mut connections = SideTasks::new(ctl.connections_max.saturating_add(1));
    loop {
        let accepted = tokio::select! {
            () = stop.requested() => break,
            accepted = listener.next() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            sleep(ERROR_PAUSE).await;
            continue;
        };
        if let Some(guard) = ctl.table.connect(&local, peer, ctl.connections_max) {
            let connection = serve(ctl.clone(), stream, guard, stop.clone());
            connections.spawn(connection).await;
        }
    }
    connections.finish().await;
}

/// Serves one connection until the peer leaves, misbehaves, or the doors close.
async fn serve<S>(ctl: Arc<Ctl>, mut stream: S, guard: ConnectionGuard, mut stop: Stop)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut received = Vec::new();
    loop {
        received.reserve(READ_BYTES);
        let patience = patience(&received);
        let read = tokio::select! {
            () = stop.requested() => break,
            read = timeout(patience, stream.read_buf(&mut received)) => read,
        };
        let alive = matches!(read, Ok(Ok(1..)));
        if !alive || !serve_packets(&ctl, &mut stream, &mut received).await {
            break;
        }
    }
    drop(guard);
}

fn patience(received: &[u8]) -> Duration {
    if received.is_empty() {
        IDLE_TIMEOUT
    } else {
        REST_TIMEOUT
    }
}

/// Answers the whole packets in `received`; answers whether to go on.
async fn serve_packets<S>(ctl: &Ctl, stream: &mut S, received: &mut Vec<u8>) -> bool
where
    S: AsyncWrite + Unpin,
{
    loop {
        let len = match packet_len(received) {
            Ok(Some(len)) if len <= ctl.limits.request_bytes_max => len,
            Ok(None) => return true,
            Ok(Some(_)) => {
                DoorCounters::count(&ctl.table.counters.malformed);
                return false;
            }
            Err(error) => {
                DoorCounters::count(&ctl.table.counters.malformed);
                write(ctl, stream, &refuse(error)).await;
                return false;
            }
        };
        if received.len() < len {
            return true;
        }
        let packet: Vec<u8> = received.drain(..len).collect();
        DoorCounters::count(&ctl.table.counters.requests);
        let Some(reply) = ctl.respond(&packet).await else {
            return false;
        };
        if !write(ctl, stream, &reply).await {
            return false;
        }
    }
}

async fn write<S>(ctl: &Ctl, stream: &mut S, reply: &[u8]) -> bool
where
    S: AsyncWrite + Unpin,
{
    let written = timeout(WRITE_TIMEOUT, stream.write_all(reply)).await;
    let written = matches!(written, Ok(Ok(())));
    if !written {
        DoorCounters::count(&ctl.table.counters.unsent);
    }
    written
}
