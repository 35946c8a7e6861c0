//! `exec()`: commands for the shell. Each runs in a thread of its own, so that no worker stands still.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use engine::{FunctionRow, Pending, Run, level};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use script::{Args, Outcome, ParameterKind};

use crate::aside;
use crate::row::{action, param};

pub(super) const EXEC: FunctionRow = action(
    "exec",
    &[param("command", ParameterKind::Static)],
    1,
    exec,
    "Runs a command by /bin/sh and waits for its end, 30 seconds at most; true whatever it returns.",
);

/// How long a command may take before it is killed.
const TIME_MAX: Duration = Duration::from_secs(30);
/// How much longer the run waits for the thread that kills it.
const TIME_TO_KILL: Duration = Duration::from_secs(5);
/// The longest pause between two looks at a command.
const PAUSE_MAX: Duration = Duration::from_millis(50);

fn exec(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(command) = args.str(0).as_str().map(str::to_owned) else {
        run.log(level::ERROR, "core", "exec: the command is not UTF-8");
        return Outcome::Code(-1);
    };
    let work = move || shell(&command, TIME_MAX);
    match aside::work(run, TIME_MAX + TIME_TO_KILL, work, ended) {
        Ok(outcome) => outcome,
        Err(error) => {
            run.log(level::ERROR, "core", &format!("exec: {error}"));
            Outcome::Code(-1)
        }
    }
}

fn ended(run: &mut Run, result: Option<io::Result<ExitStatus>>) -> Outcome<Pending> {
    match result {
        Some(Ok(status)) => {
            if !status.success() {
                // As the shell gives it to the parent: the exit code in the upper byte.
                let text = format!("exec() returned {}", status.into_raw());
                run.log(level::NOTICE, "core", &text);
            }
            Outcome::Code(1)
        }
        Some(Err(error)) => {
            run.log(level::ERROR, "core", &format!("exec: {error}"));
            Outcome::Code(-1)
        }
        None => {
            run.log(level::ERROR, "core", "exec: the command does not end");
            Outcome::Code(-1)
        }
    }
}

/// Runs a command and waits for its end; kills it, with all that it started, when it takes too long.
fn shell(command: &str, limit: Duration) -> io::Result<ExitStatus> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= end {
            kill(&mut child)?;
            let text = format!("killed after {} s: {command}", limit.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Kills a command that has not been waited for yet, so that its number is still its own.
fn kill(child: &mut Child) -> io::Result<()> {
    let group = i32::try_from(child.id()).map_err(io::Error::other)?;
    killpg(Pid::from_raw(group), Signal::SIGKILL)?;
    child.wait().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn the_shell_tells_what_the_command_returned() {
        let code = |command| shell(command, TIME_MAX).map(|status| status.code());
        assert_eq!(code("exit 3").ok(), Some(Some(3)));
        assert_eq!(code("true && test -e /").ok(), Some(Some(0)));
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed() {
        let error = shell("sleep 60 & wait", Duration::ZERO).expect_err("killed");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn the_script_goes_on_when_the_command_has_ended() {
        let mut bench = Bench::new(
            "loadmodule \"xlog.so\"\nrequest_route {\n\
             if (exec(\"exit 3\")) xinfo(\"went on\");\n error(\"first\", \"second\"); }\n",
        );
        bench.receive(
            "10.0.0.9:5060",
            "OPTIONS sip:b@10.0.0.8 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKa\n\
             From: <sip:a@x>;tag=1\nTo: <sip:b@x>\nCall-ID: c\nCSeq: 1 OPTIONS\n\
             Content-Length: 0\n\n",
        );
        assert!(!bench.log().iter().any(|line| line.contains("went on")));
        bench.open_gates();
        let log = bench.log().join("\n");
        for part in ["exec() returned 768", "went on", "first: second"] {
            assert!(log.contains(part), "{part}: {log}");
        }
    }
}
