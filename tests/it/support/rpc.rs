//! Management clients: JSON-RPC over the datagram socket, and the real kamcmd.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{peers, process};

const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Calls a command over `DIR/kamailio_rpc.sock` and returns the whole answer.
pub fn call(directory: &Path, method: &str, params: &Value) -> Result<Value, String> {
    let own = directory.join("client.sock");
    let _ = std::fs::remove_file(&own);
    let socket = UnixDatagram::bind(&own).map_err(|e| e.to_string())?;
    socket
        .set_read_timeout(Some(ANSWER_LIMIT))
        .map_err(|e| e.to_string())?;
    let request =
        json!({"jsonrpc": "2.0", "method": method, "params": params, "id": 1}).to_string();
    send(&socket, &request, &directory.join("kamailio_rpc.sock"))?;
    let mut buffer = vec![0; 1 << 20];
    let n = socket
        .recv(&mut buffer)
        .map_err(|e| format!("no answer to {method}: {e}"))?;
    serde_json::from_slice(&buffer[..n]).map_err(|e| format!("{method} answers no JSON: {e}"))
}

/// Sends once the server has made its socket.
fn send(socket: &UnixDatagram, request: &str, to: &Path) -> Result<(), String> {
    let end = Instant::now() + ANSWER_LIMIT;
    loop {
        match socket.send_to(request.as_bytes(), to) {
            Ok(_) => return Ok(()),
            Err(e) if Instant::now() > end => return Err(format!("{}: {e}", to.display())),
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Runs kamcmd against `DIR/ctl`; `None` if it is not installed.
pub fn kamcmd(directory: &Path, args: &[&str]) -> Option<String> {
    let program = peers::require("kamcmd")?;
    let socket = format!("unixs:{}", directory.join("ctl").display());
    let mut command = Command::new(program);
    command.args(["-s", &socket]).args(args);
    Some(process::run(&mut command, ANSWER_LIMIT).1)
}
