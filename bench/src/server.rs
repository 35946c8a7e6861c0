//! A server under test: started on a port of its own, asked by its control socket, its CPU and memory read, stopped.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::accounting::{self, Cpu};
use crate::control::Control;

/// Which kind of program it is: they are started differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The bare forwarder: no calls, no control socket.
    Forwarder,
    /// The program to replace.
    Kamailio,
    /// Ours.
    Tandem,
}

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its configuration file, which takes the defines PORT, CALLEE and CHILDREN.
    pub config: PathBuf,
    /// The CPUs that it may use; all if empty.
    pub cpus: Vec<usize>,
    /// Worker threads, of a program that has them.
    pub workers: usize,
    /// Child processes, of a program that has them.
    pub children: usize,
    /// Megabytes of shared memory, of a program that reserves it. It takes only what it uses.
    pub shared_mb: u64,
    /// Where it keeps calls, of a configuration that takes the defines DATABASE and DRIVER.
    pub database: Option<String>,
    /// Where it listens and where it sends calls to; any free ports if not given.
    pub ports: Option<[u16; 2]>,
}

/// A program that runs. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it keeps its log and its control socket.
    directory: PathBuf,
    /// Where it listens.
    pub address: SocketAddrV4,
    /// The port that it sends calls to.
    pub callee_port: u16,
    /// Asks it.
    pub control: Control,
}

const START: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(8);
const POLL: Duration = Duration::from_millis(50);
/// For its other processes and threads to start.
const SETTLE: Duration = Duration::from_secs(1);

impl Server {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// It cannot be started, or does not listen in time; its last words are in the message.
    pub fn start(kind: Kind, binary: &Path, setup: &Setup) -> io::Result<Self> {
        let mut server = Self::spawn(kind, binary, setup)?;
        server.wait_until_it_listens()?;
        Ok(server)
    }

    /// Starts it, and does not wait.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(kind: Kind, binary: &Path, setup: &Setup) -> io::Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let [address, callee] = match setup.ports {
            Some(ports) => ports,
            None => free_ports()?,
        };
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("tandem-bench-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory)?;
        let log = File::create(directory.join("log"))?;
        let mut command = pinned(&setup.cpus, binary);
        match kind {
            Kind::Forwarder => {
                command.arg(local(address).to_string());
                command.arg(local(callee).to_string());
            }
            Kind::Kamailio => {
                proxy_arguments(&mut command, setup, &directory, [address, callee]);
                command.arg("-m").arg(setup.shared_mb.to_string());
            }
            Kind::Tandem => {
                proxy_arguments(&mut command, setup, &directory, [address, callee]);
                command.arg("--workers").arg(setup.workers.to_string());
            }
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Self {
            child,
            control: Control::new(&directory),
            directory,
            address: local(address),
            callee_port: callee,
        })
    }

    fn wait_until_it_listens(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        while !accounting::is_udp_port_bound(self.address.port()) {
            let ended = self.child.try_wait()?;
            if ended.is_some() || begun.elapsed() > START {
                let words = self.last_words();
                return Err(io::Error::other(format!("it does not listen:\n{words}")));
            }
            std::thread::sleep(POLL);
        }
        std::thread::sleep(SETTLE);
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

    /// The most bytes that one of its processes ever had resident.
    pub fn peak_memory(&self) -> u64 {
        accounting::peak_memory(self.child.id())
    }

    /// How many calls are in the profile of `bench.cfg`.
    pub fn calls(&self) -> Option<u64> {
        self.control.number(&["dlg.profile_get_size", "calls"], "")
    }

    /// Waits until no transaction is left, at most for `limit`; how many are left, if the server tells.
    pub fn wait_for_transactions(&self, limit: Duration) -> Option<u64> {
        let begun = Instant::now();
        loop {
            let left = self.control.number(&["tm.stats"], "current");
            if left == Some(0) || begun.elapsed() > limit {
                return left;
            }
            std::thread::sleep(POLL);
        }
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
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

/// A program that ends when we do, whatever ends us.
pub(crate) fn ends_with_us(binary: &Path) -> Command {
    pinned(&[], binary)
}

/// The tools of util-linux that start it become the program, so that it has the same process id: `setpriv` has it end when
/// we do; `taskset` keeps it on its CPUs.
fn pinned(cpus: &[usize], binary: &Path) -> Command {
    let mut words: Vec<OsString> = Vec::new();
    if Path::new(SETPRIV).exists() {
        words.extend([SETPRIV, "--pdeathsig", "TERM"].map(OsString::from));
    }
    if !cpus.is_empty() {
        let list: Vec<String> = cpus.iter().map(ToString::to_string).collect();
        words.extend(["taskset".into(), "-c".into(), list.join(",").into()]);
    }
    words.push(binary.into());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

const SETPRIV: &str = "/usr/bin/setpriv";

fn proxy_arguments(command: &mut Command, setup: &Setup, directory: &Path, ports: [u16; 2]) {
    let [port, callee] = ports;
    command.arg("-f").arg(&setup.config).args(["-DD", "-E"]);
    command.arg("-Y").arg(directory);
    command.arg("-A").arg(format!("PORT={port}"));
    command.arg("-A").arg(format!("CALLEE={callee}"));
    command
        .arg("-A")
        .arg(format!("CHILDREN={}", setup.children));
    if let Some(url) = &setup.database {
        let driver = store::Url::parse(url).map_or("db_sqlite", |url| url.driver.module());
        command.arg("-A").arg(format!("DATABASE=\"{url}\""));
        command.arg("-A").arg(format!("DRIVER=\"{driver}.so\""));
    }
}

fn local(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

/// Two ports that are free now.
///
/// # Errors
/// There are none.
pub fn free_ports() -> io::Result<[u16; 2]> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (one, other) = (UdpSocket::bind(any)?, UdpSocket::bind(any)?);
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}
