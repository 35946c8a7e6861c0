//! SIPp, with the scenarios of `tests/scenarios/`.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::agent::Transport;
use super::lab::{Lab, test_file};
use super::process::Process;

/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(60);

/// One SIPp process, caller or callee, that stops after a number of calls.
pub struct Sipp {
    process: Process,
    name: String,
    errors: std::path::PathBuf,
}

impl Sipp {
    /// Starts a scenario at `127.x.y.host:5060`; further arguments come last.
    pub fn start(
        program: &Path,
        lab: &Lab,
        scenario: &str,
        host: u8,
        transport: Transport,
        calls: u32,
        more: &[&str],
    ) -> Self {
        let errors = lab.directory().join(format!("{scenario}-{host}.errors"));
        let screen = File::create(lab.directory().join(format!("{scenario}-{host}.screen")));
        let mut command = Command::new(program);
        command
            .arg(lab.server().to_string())
            .args([
                "-sf",
                &test_file(&format!("scenarios/{scenario}.xml")).to_string_lossy(),
            ])
            .args(["-i", &lab.host(host).to_string(), "-p", "5060"])
            .args([
                "-t",
                if transport == Transport::Tcp {
                    "t1"
                } else {
                    "u1"
                },
            ])
            .args([
                "-m",
                &calls.to_string(),
                "-nostdin",
                "-trace_err",
                "-error_file",
            ])
            .arg(&errors)
            .args([
                "-timeout",
                &format!("{}s", LIMIT.as_secs()),
                "-timeout_error",
                "-cp",
                "0",
            ])
            .args(more)
            .stdin(Stdio::null())
            .stdout(screen.expect("the temporary directory can be written"))
            .stderr(Stdio::null())
            .env("TERM", "dumb")
            .current_dir(lab.directory());
        let name = format!("sipp {scenario} at .{host}");
        Self {
            process: Process::start(&name, &mut command),
            name,
            errors,
        }
    }

    /// Sends it a signal; SIGUSR1 means: no further calls.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for the end; `Err` says what SIPp complained about.
    pub fn finish(mut self) -> Result<(), String> {
        let status = self.process.wait(LIMIT + Duration::from_secs(5));
        if status.success() {
            return Ok(());
        }
        let errors = fs::read_to_string(&self.errors).unwrap_or_default();
        let shown: String = errors.chars().take(4000).collect();
        Err(format!("{} ended with {status}:\n{shown}", self.name))
    }
}
