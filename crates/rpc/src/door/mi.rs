//! The MI FIFO, and that of the ctl module: requests come in through one FIFO, each reply goes out through the FIFO that
//! its request names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::time::{sleep, timeout};

use super::fifo::{open_reply, reply_path};
use super::table::{DoorCounters, DoorTable};
use super::tasks::{SideTasks, Stop};
use super::{
    ERROR_PAUSE, READ_BYTES, REQUEST_BYTES_MAX, REST_TIMEOUT, SIDE_TASKS_MAX, WRITE_TIMEOUT,
};
use crate::Registry;
use crate::mi::{Commands, Framer, Request, Response, lines};

/// What answering takes.
pub(super) struct Mi {
    pub(super) notation: Notation,
    pub(super) table: Arc<DoorTable>,
    pub(super) reply_dir: PathBuf,
}

/// Whose commands are called, and how they answer.
pub(super) enum Notation {
    /// MI commands, in nodes below this indentation.
    Nodes(Commands, Arc<str>),
    /// The commands of the other doors, a value a line.
    Lines(Arc<Registry>),
}

impl Notation {
    fn respond(&self, request: &Request) -> Response {
        match self {
            Self::Nodes(commands, indent) => commands.respond(request, indent),
            Self::Lines(registry) => lines::respond(registry, request),
        }
    }
}

/// Reads requests until the doors close.
pub(super) async fn serve(mi: Mi, mut fifo: pipe::Receiver, mut stop: Stop) {
    let mi = Arc::new(mi);
    let mut framer = Framer::new(REQUEST_BYTES_MAX);
    let mut tasks = SideTasks::new(SIDE_TASKS_MAX);
    let mut received = Vec::with_capacity(READ_BYTES);
    loop {
        received.clear();
        let read = tokio::select! {
            () = stop.requested() => break,
            () = sleep(REST_TIMEOUT), if framer.is_partial() => None,
            read = fifo.read_buf(&mut received) => Some(read),
        };
        let malformed = framer.malformed();
        let requests = match read {
            None => {
                DoorCounters::count(&mi.table.counters.malformed);
                framer.reset();
                Vec::new()
            }
            Some(Err(_)) => {
                sleep(ERROR_PAUSE).await;
                Vec::new()
            }
            Some(Ok(_)) => framer.push(&received),
        };
        for request in requests {
            DoorCounters::count(&mi.table.counters.requests);
            tasks.run(answer(Arc::clone(&mi), request)).await;
        }
        for _ in malformed..framer.malformed() {
            DoorCounters::count(&mi.table.counters.malformed);
        }
    }
    tasks.finish().await;
}

async fn answer(mi: Arc<Mi>, request: Request) {
    let response = mi.notation.respond(&request);
    // A command whose reply nobody reads was carried out all the same.
    if request.reply.is_empty() {
        return;
    }
    let written = match reply_path(&mi.reply_dir, &request.reply) {
        Some(path) => send(response, &path).await,
        None => false,
    };
    if !written {
        DoorCounters::count(&mi.table.counters.unsent);
    }
}

/// Writes a reply as fast as its reader reads; answers whether all of it went out.
async fn send(mut response: Response, path: &Path) -> bool {
    let Ok(mut out) = open_reply(path).await else {
        return false;
    };
    while let Some(chunk) = response.next_chunk() {
        let written = timeout(WRITE_TIMEOUT, out.write_all(&chunk)).await;
        if !matches!(written, Ok(Ok(()))) {
            return false;
        }
    }
    true
}
