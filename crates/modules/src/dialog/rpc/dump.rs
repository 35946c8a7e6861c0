//! All calls into a file, one JSON object a line.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use rpc::json::JsonFields;
use rpc::{Command, Fault, Kind, Reply};
use tokio::sync::oneshot;

use super::command;
use super::pages::Walk;
use crate::dialog::listing;
use crate::dialog::state::State;

pub(super) fn dump_file(state: &Arc<State>) -> Command {
    let doc = "Appends all calls to a file, one JSON object a line.";
    command("dlg.dump_file", doc, state, |call, state| {
        let path = call.text()?;
        let walk = Walk::new(state);
        let (sender, done) = oneshot::channel();
        // A disk may be slow: neither a worker nor the control thread waits for it.
        let writer = move || {
            let _ = sender.send(write(Path::new(&path), walk));
        };
        std::thread::Builder::new()
            .name("dlg.dump_file".to_owned())
            .spawn(writer)
            .map_err(|error| failed(&error))?;
        call.defer(async move {
            match done.await {
                Ok(Ok(())) => Ok(Reply::new()),
                Ok(Err(error)) => Err(failed(&error)),
                Err(_) => Err(Fault::new(500, "the file was not written to its end")),
            }
        });
        Ok(())
    })
    .parameter("file", Kind::Str)
}

fn failed(error: &io::Error) -> Fault {
    Fault::new(500, format!("the file cannot be written: {error}"))
}

fn write(path: &Path, mut walk: Walk) -> io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    let mut file = BufWriter::with_capacity(1 << 18, file);
    let mut line = Vec::with_capacity(2048);
    loop {
        let page = walk.page();
        if page.is_empty() {
            return file.flush();
        }
        for call in page {
            line.clear();
            JsonFields::record(&mut line, false, 0, |fields| listing::dump(call, fields));
            line.push(b'\n');
            file.write_all(&line)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_opened_is_an_error() {
        let error = OpenOptions::new()
            .append(true)
            .open("/nonexistent/x")
            .unwrap_err();
        assert_eq!(failed(&error).code, 500);
    }
}
