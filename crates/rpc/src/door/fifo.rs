//! The JSON-RPC FIFO: requests come in through one FIFO, each answer goes out through the FIFO that
//! the request names.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::{Instant, sleep};

use super::file::open_fifo_writer;
use super::json::{Json, write};
use super::table::DoorCounters;
use super::tasks::{SideTasks, Stop};
use super::{
    ERROR_PAUSE, OPEN_TIMEOUT, READ_BYTES, REQUEST_BYTES_MAX, REST_TIMEOUT, SIDE_TASKS_MAX,
};
use crate::json::{Framer, Request};

/// Reads requests until the doors close.
pub(super) async fn serve(
    json: Json,
    mut fifo: pipe::Receiver,
    reply_dir: PathBuf,
    mut stop: Stop,
) {
    let reply_dir: Arc<Path> = reply_dir.into();
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
        match read {
            None => {
                DoorCounters::count(&json.table.counters.malformed);
                framer.reset();
            }
            Some(Err(_)) => sleep(ERROR_PAUSE).await,
            Some(Ok(_)) => framer.push(&received),
        }
        let oversized = framer.oversized();
        while let Some(body) = framer.next_object() {
            let work = answer(json.clone(), body, reply_dir.clone());
            tasks.run(work).await;
        }
        if framer.oversized() > oversized {
            DoorCounters::count(&json.table.counters.malformed);
        }
    }
    tasks.finish().await;
}

async fn answer(json: Json, body: Vec<u8>, reply_dir: Arc<Path>) {
    let counters = &json.table.counters;
    DoorCounters::count(&counters.requests);
    let Some(mut request) = Request::parse(&body) else {
        DoorCounters::count(&counters.malformed);
        return;
    };
    let reply_name = request.reply_name.take();
    let response = json.respond(request).await;
    let path = reply_name.and_then(|name| reply_path(&reply_dir, &name));
    let (Some(response), Some(path)) = (response, path) else {
        DoorCounters::count(&counters.unsent);
        return;
    };
    let written = match open_reply(&path).await {
        Ok(mut out) => write(response, &mut out).await,
        Err(_) => false,
    };
    if !written {
        DoorCounters::count(&counters.unsent);
    }
}

/// A name that leads out of the directory leads nowhere.
pub(super) fn reply_path(reply_dir: &Path, name: &str) -> Option<PathBuf> {
    let is_plain = !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0']);
    is_plain.then(|| reply_dir.join(name))
}

/// Clients often open their FIFO for reading only after they have written the request.
pub(super) async fn open_reply(path: &Path) -> io::Result<pipe::Sender> {
    let deadline = Instant::now() + OPEN_TIMEOUT;
    loop {
        match open_fifo_writer(path) {
            Ok(file) => return pipe::Sender::from_file(file),
            Err(error) if !is_unread(&error) || Instant::now() >= deadline => return Err(error),
            Err(_) => sleep(OPEN_PAUSE).await,
        }
    }
}

const OPEN_PAUSE: std::time::Duration = std::time::Duration::from_millis(10);

fn is_unread(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::errno::Errno::ENXIO as i32)
}

pub(super) fn receiver(fifo: File) -> io::Result<pipe::Receiver> {
    pipe::Receiver::from_file(fifo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reply_names_stay_in_their_directory() {
        let path = |name| reply_path(Path::new("/tmp"), name);
        assert_eq!(path("a"), Some(PathBuf::from("/tmp/a")));
        for name in ["", ".", "..", "a/b", "/etc/passwd", "../x", "a\0b"] {
            assert_eq!(path(name), None, "{name:?}");
        }
    }
}
