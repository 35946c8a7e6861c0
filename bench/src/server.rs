//! A server under test: started on a port of its own, asked by kamcmd, its CPU and memory read, stopped.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::accounting::{self, Cpu};

/// What to start.
#[derive(Clone, Debug)]
pub enum Program {
    /// The bare forwarder, by its path.
    Forwarder(PathBuf),
    /// A proxy with Kamailio's command line, and its configuration, which takes the defines PORT and CALLEE.
    Proxy {
        /// The binary.
        binary: PathBuf,
        /// Its configuration file.
        config: PathBuf,
    },
}

/// A program that runs. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it keeps its log and its control socket.
    directory: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it sends calls.
    pub callee: SocketAddr,
}

const START: Duration = Duration::from_secs(10);
const STOP: Duration = Duration::from_secs(8);
const POLL: Duration = Duration::from_millis(50);

impl Server {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// It cannot be started, or does not listen in time; its last words are in the message.
    pub fn start(program: &Program, name: &str) -> io::Result<Self> {
        let [address, callee] = free_addresses()?;
        let directory =
            std::env::temp_dir().join(format!("tandem-bench-{}-{name}", std::process::id()));
        fs::create_dir_all(&directory)?;
        let log = File::create(directory.join("log"))?;
        let child = command(program, &directory, address, callee)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut server = Self {
            child,
            directory,
            address,
            callee,
        };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    fn wait_until_it_listens(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        while !accounting::is_udp_port_bound(self.address.port()) {
            let ended = self.child.try_wait()?;
            if ended.is_some() || begun.elapsed() > START {
                return Err(io::Error::other(format!(
                    "{} does not listen:\n{}",
                    self.directory.display(),
                    self.last_words()
                )));
            }
            std::thread::sleep(POLL);
        }
        // Its other processes and threads may still be starting.
        std::thread::sleep(Duration::from_secs(1));
        Ok(())
    }

    /// The last lines of its log.
    pub fn last_words(&self) -> String {
        let log = fs::read(self.directory.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// CPU used so far.
    pub fn cpu(&self) -> Cpu {
        accounting::cpu(self.child.id())
    }

    /// Resident bytes.
    pub fn memory(&self) -> u64 {
        accounting::memory(self.child.id())
    }

    /// What kamcmd prints for a command; `None` when the server does not answer it.
    pub fn ask(&self, command: &[&str]) -> Option<String> {
        let socket = self.directory.join("kamailio_ctl");
        let output = Command::new("kamcmd")
            .arg("-s")
            .arg(format!("unix:{}", socket.display()))
            .args(command)
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        (output.status.success() && !text.starts_with("error")).then_some(text)
    }

    /// One number of a command's answer: that of the line with this name, or the answer itself if `name` is empty.
    pub fn ask_number(&self, command: &[&str], name: &str) -> Option<u64> {
        let answer = self.ask(command)?;
        answer.lines().find_map(|line| {
            let value = match name {
                "" => line,
                _ => line.trim().strip_prefix(name)?.strip_prefix(':')?,
            };
            value.trim().parse().ok()
        })
    }

    /// Waits until no transaction is left, at most for `limit`; how many are left, if the server tells.
    pub fn wait_for_transactions(&self, limit: Duration) -> Option<u64> {
        let begun = Instant::now();
        loop {
            let left = self.ask_number(&["tm.stats"], "current");
            if left == Some(0) || begun.elapsed() > limit {
                return left;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    fn end(&mut self) -> io::Result<()> {
        let family = accounting::family(self.child.id());
        signal(self.child.id(), Signal::SIGTERM);
        let begun = Instant::now();
        while begun.elapsed() < STOP {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        for process in family {
            signal(process, Signal::SIGKILL);
        }
        self.child.wait().map(|_| ())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("{}: {error}", self.directory.display());
        }
        // What is left in the directory for temporary files is of no use to anyone.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn signal(process: u32, signal: Signal) {
    if let Ok(process) = i32::try_from(process) {
        // It may have ended by itself.
        let _ = kill(Pid::from_raw(process), signal);
    }
}

fn command(
    program: &Program,
    directory: &Path,
    address: SocketAddr,
    callee: SocketAddr,
) -> Command {
    match program {
        Program::Forwarder(binary) => {
            let mut command = Command::new(binary);
            command.arg(address.to_string()).arg(callee.to_string());
            command
        }
        Program::Proxy { binary, config } => {
            let mut command = Command::new(binary);
            command
                .arg("-f")
                .arg(config)
                // Megabytes of shared memory: room for a hundred thousand calls. It takes only what it uses.
                .args(["-DD", "-E", "-m", "1024"])
                .arg("-Y")
                .arg(directory)
                .arg("-A")
                .arg(format!("PORT={}", address.port()))
                .arg("-A")
                .arg(format!("CALLEE={}", callee.port()));
            command
        }
    }
}

/// Two addresses of which the ports are free now.
fn free_addresses() -> io::Result<[SocketAddr; 2]> {
    let any = (Ipv4Addr::LOCALHOST, 0);
    let (one, other) = (UdpSocket::bind(any)?, UdpSocket::bind(any)?);
    Ok([one.local_addr()?, other.local_addr()?])
}
