//! Going to the background: the program starts itself again in a session of its own, and the first process
//! ends when the second one serves or has failed.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::options::Options;

const CHILD: &str = "TANDEM_BACKGROUND";

/// Whether the command line and the configuration ask for the background. The built-in configuration never does.
pub(crate) fn wanted(options: &Options, settings: &script::Settings) -> bool {
    let stays = matches!(options.foreground, 1 | 2);
    options.file.is_some() && !stays && settings.bool("fork")
}

/// Whether this is the second process.
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Starts the second process and waits for its word.
///
/// # Errors
/// It could not be started, or it ended before it served; it has said why itself.
pub(crate) fn start_child() -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut child = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(CHILD, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot go to the background: {error}"))?;
    let mut word = String::new();
    if let Some(mut output) = child.stdout.take() {
        // An empty word means that it ended without one.
        let _ = output.read_to_string(&mut word);
    }
    match word.trim() {
        "ready" => Ok(()),
        _ => Err("did not start".to_owned()),
    }
}

/// In the second process: leaves the terminal's session.
pub(crate) fn detach() {
    if is_child() {
        // It fails only for a process group leader, and then there is no terminal to leave.
        let _ = nix::unistd::setsid();
    }
}

/// In the second process: tells the first one that we serve, and lets the terminal go.
pub(crate) fn tell_ready() {
    if !is_child() {
        return;
    }
    let mut output = std::io::stdout();
    let _ = output.write_all(b"ready\n").and_then(|()| output.flush());
    if let Ok(null) = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
    {
        let _ = nix::unistd::dup2_stdout(&null);
    }
}
