//! JSON-RPC doors: datagrams of one request each, and streams of requests one after the other.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::socket::{Answer, Listener};
use super::table::{DoorCounters, DoorTable};
use super::tasks::{SideTasks, Stop};
use super::{
    CONNECTIONS_MAX, ERROR_PAUSE, IDLE_TIMEOUT, READ_BYTES, REPLY_TIMEOUT, REQUEST_BYTES_MAX,
    REST_TIMEOUT, WRITE_TIMEOUT,
};
use crate::json::{Framer, Request, Response, answer_async, refuse};
use crate::{Fault, Registry};

/// What all JSON-RPC doors share.
#[derive(Clone)]
pub(super) struct Json {
    pub(super) registry: Arc<Registry>,
    pub(super) table: Arc<DoorTable>,
    pub(super) pretty: bool,
}

impl Json {
    /// The response to a request; `None` if the command did not end in time.
    pub(super) async fn respond(&self, request: Request) -> Option<Response> {
        let response = answer_async(&self.registry, request, self.pretty);
        timeout(REPLY_TIMEOUT, response).await.ok()
    }

    fn parse(&self, body: &[u8]) -> Option<Request> {
        let request = Request::parse(body);
        if request.is_none() {
            DoorCounters::count(&self.table.counters.malformed);
        }
        request
    }
}

impl Answer for Json {
    async fn answer(&self, request: &[u8]) -> Option<Vec<u8>> {
        let mut response = self.respond(self.parse(request)?).await?;
        let mut reply = Vec::new();
        while let Some(chunk) = response.next_chunk() {
            reply.extend_from_slice(&chunk);
            if reply.len() > DATAGRAM_REPLY_BYTES_MAX {
                return Some(self.too_big(request));
            }
        }
        Some(reply)
    }

    fn too_big(&self, request: &[u8]) -> Vec<u8> {
        let request = Request::parse(request).unwrap_or_default();
        let fault = Fault::new(500, "reply is too big for a datagram");
        refuse(request, fault, self.pretty).into_bytes()
    }
}

/// No datagram is longer, whatever the socket's buffer.
const DATAGRAM_REPLY_BYTES_MAX: usize = 1024 * 1024;

/// Accepts connections until the doors close.
pub(super) async fn listen<L: Listener>(json: Json, listener: L, mut stop: Stop) {
    let mut connections = SideTasks::new(CONNECTIONS_MAX);
    loop {
        let accepted = tokio::select! {
            () = stop.requested() => break,
            accepted = listener.next() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            sleep(ERROR_PAUSE).await;
            continue;
        };
        if connections.is_full() {
            DoorCounters::count(&json.table.counters.refused);
            continue;
        }
        connections
            .spawn(serve::<L>(json.clone(), stream, stop.clone()))
            .await;
    }
    connections.finish().await;
}

/// Serves one connection until the peer leaves, misbehaves, or the doors close.
async fn serve<L: Listener>(json: Json, mut stream: L::Stream, mut stop: Stop) {
    let mut framer = Framer::new(REQUEST_BYTES_MAX);
    let mut received = Vec::with_capacity(READ_BYTES);
    loop {
        received.clear();
        let patience = if framer.is_partial() {
            REST_TIMEOUT
        } else {
            IDLE_TIMEOUT
        };
        let read = tokio::select! {
            () = stop.requested() => return,
            read = timeout(patience, stream.read_buf(&mut received)) => read,
        };
        if !matches!(read, Ok(Ok(1..))) {
            return;
        }
        framer.push(&received);
        while let Some(body) = framer.next_object() {
            DoorCounters::count(&json.table.counters.requests);
            let Some(request) = json.parse(&body) else {
                continue;
            };
            let Some(response) = json.respond(request).await else {
                return;
            };
            if !write(response, &mut stream).await {
                DoorCounters::count(&json.table.counters.unsent);
                return;
            }
        }
        if framer.oversized() > 0 {
            DoorCounters::count(&json.table.counters.malformed);
            return;
        }
    }
}

/// Writes a response as fast as the peer reads it; answers whether all of it went out.
pub(super) async fn write(mut response: Response, out: &mut (impl AsyncWrite + Unpin)) -> bool {
    let mut chunk = Vec::new();
    while response.next_into(&mut chunk) {
        // Whoever waits for this core gets it now, and not some milliseconds later, when this thread's time on it is over.
        std::thread::yield_now();
        let written = timeout(WRITE_TIMEOUT, out.write_all(&chunk)).await;
        if !matches!(written, Ok(Ok(()))) {
            return false;
        }
    }
    true
}
