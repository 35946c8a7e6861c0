//! Child processes: the server under test, and helpers with a time limit. Ends only what it started.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::agent::Transport;
use super::lab::Lab;
use super::peers;

const START_LIMIT: Duration = Duration::from_secs(15);
/// Tandem has five seconds; Kamailio sometimes never ends.
const STOP_LIMIT: Duration = Duration::from_secs(6);

/// The program under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Kamailio,
    Tandem,
}

impl Program {
    /// Where the program is; `None` has been said.
    pub fn path(self) -> Option<PathBuf> {
        match self {
            Self::Kamailio => peers::require("kamailio"),
            Self::Tandem => peers::tandem(),
        }
    }

    /// The command with the switches that both programs share.
    pub fn command(self, path: &Path, lab: &Lab) -> Command {
        let mut command = Command::new(path);
        command.args(["-DD", "-E", "-Y"]).arg(lab.directory());
        command
            .arg("-P")
            .arg(lab.directory().join("pid"))
            .arg("-w")
            .arg(lab.directory());
        if self == Self::Kamailio {
            command.args(["-m", "32", "-M", "8"]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .current_dir(lab.directory());
        command
    }
}

/// A running child that is ended, politely first, when dropped.
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts a command.
    pub fn start(name: &str, command: &mut Command) -> Self {
        let child = command
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("{name} does not start: {e}"));
        Self {
            child,
            name: name.to_owned(),
        }
    }

    /// Waits for the end; a child that takes longer is ended and fails the test.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        self.wait_for(limit)
            .unwrap_or_else(|| panic!("{} did not end within {limit:?}", self.name))
    }

    /// The exit status, if the child has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Where it reads from, if that is a pipe.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.child.id() as i32), signal);
    }

    fn wait_for(&mut self, limit: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            if Instant::now() >= end {
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        self.signal(Signal::SIGTERM);
        if self.wait_for(STOP_LIMIT).is_none() {
            eprintln!("{} ignored SIGTERM for {STOP_LIMIT:?}", self.name);
            let group = Pid::from_raw(self.child.id() as i32);
            let _ = killpg(group, Signal::SIGKILL);
            let _ = self.child.wait();
        }
    }
}

/// The server under test, listening.
pub struct Server {
    process: Process,
    log: PathBuf,
}

impl Server {
    /// Starts `program` on a configuration and waits until the lab's server address is bound.
    pub fn start(program: Program, path: &Path, lab: &Lab, template: &str) -> Self {
        let config = lab.write("server.cfg", template);
        let mut command = program.command(path, lab);
        command.arg("-f").arg(&config);
        Self::start_command(&format!("{program:?}"), lab, &mut command)
    }

    /// Starts Tandem on its built-in configuration.
    pub fn start_builtin(path: &Path, lab: &Lab) -> Self {
        let mut command = Program::Tandem.command(path, lab);
        for transport in ["udp", "tcp"] {
            command.args(["-l", &format!("{transport}:{}", lab.server())]);
        }
        Self::start_command("Tandem", lab, &mut command)
    }

    fn start_command(name: &str, lab: &Lab, command: &mut Command) -> Self {
        let log = lab.directory().join("server.log");
        let stderr = File::create(&log).expect("the temporary directory can be written");
        let process = Process::start(name, command.stderr(stderr));
        let mut server = Self { process, log };
        server.await_start(lab.server());
        server
    }

    /// The process itself.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Everything that the server has written to its log so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn await_start(&mut self, address: SocketAddr) {
        let end = Instant::now() + START_LIMIT;
        while !bound(address, Transport::Udp) {
            if let Some(status) = self.process.ended() {
                panic!(
                    "{} ended while starting ({status}):\n{}",
                    self.process.name,
                    self.log()
                );
            }
            if Instant::now() > end {
                panic!(
                    "{} does not listen on {address}:\n{}",
                    self.process.name,
                    self.log()
                );
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Waits until some process has bound an address.
pub fn await_bound(address: SocketAddr, transport: Transport) {
    let end = Instant::now() + START_LIMIT;
    while !bound(address, transport) {
        assert!(
            Instant::now() < end,
            "nobody listens on {address} ({transport:?})"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether some process has bound this address, by the kernel's table.
pub fn bound(address: SocketAddr, transport: Transport) -> bool {
    entry(address, transport).is_some()
}

/// Waits until whoever has bound an address has read all datagrams that came.
pub fn await_read(address: SocketAddr) {
    let end = Instant::now() + START_LIMIT;
    let is_unread = |entry: String| {
        let queues = entry.split_whitespace().nth(4)?.split_once(':')?.1;
        Some(u64::from_str_radix(queues, 16).ok()? > 0)
    };
    while entry(address, Transport::Udp).and_then(is_unread) == Some(true) {
        assert!(Instant::now() < end, "nobody reads at {address}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A socket's line in the kernel's table.
fn entry(address: SocketAddr, transport: Transport) -> Option<String> {
    let SocketAddr::V4(v4) = address else {
        return None;
    };
    let octets = v4.ip().octets();
    let key = format!("{:08X}:{:04X}", u32::from_le_bytes(octets), v4.port());
    let table = match transport {
        Transport::Udp => "/proc/net/udp",
        Transport::Tcp => "/proc/net/tcp",
    };
    let table = fs::read_to_string(table).unwrap_or_default();
    let mut lines = table.lines();
    let line = lines.find(|line| line.split_whitespace().nth(1) == Some(key.as_str()));
    line.map(str::to_owned)
}

/// Runs a command to its end within a limit and returns (success, stdout and stderr together).
pub fn run(command: &mut Command, limit: Duration) -> (bool, String) {
    let name = command.get_program().to_string_lossy().into_owned();
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    command
        .stdin(Stdio::null())
        .stderr(writer.try_clone().expect("a pipe end can be cloned"));
    command.stdout(writer);
    let mut process = Process::start(&name, command);
    // The command keeps copies of the pipe's ends; they must go before the reader can see the end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let collector = thread::spawn(move || {
        let mut text = Vec::new();
        let _ = std::io::Read::read_to_end(&mut { reader }, &mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let status = process.wait(limit);
    (status.success(), collector.join().unwrap_or_default())
}
