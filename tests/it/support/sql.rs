//! The command-line clients of databases: one question, or a session that stays open and holds locks.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::peers;
use super::process::{Process, run};

const LIMIT: Duration = Duration::from_secs(30);

/// How to speak with one database.
#[derive(Clone)]
pub struct Client {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Option<(&'static str, &'static str)>,
}

impl Client {
    pub fn new(program: PathBuf, arguments: &[&str]) -> Self {
        Self {
            program,
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
            environment: None,
        }
    }

    /// For a file; `None` has been said.
    pub fn sqlite(file: &Path) -> Option<Self> {
        let program = peers::require("sqlite3")?;
        Some(Self::new(program, &["-batch", &file.to_string_lossy()]))
    }

    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment = Some((name, value));
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(self.environment);
        command
    }

    /// What some statements give; they have to succeed.
    pub fn ask(&self, sql: &str) -> String {
        let mut command = self.command();
        match self.program.file_name().and_then(|name| name.to_str()) {
            Some("psql") => command.arg("-c").arg(sql),
            Some("mariadb") => command.arg("-e").arg(sql),
            _ => command.arg(sql),
        };
        let (success, said) = run(&mut command, LIMIT);
        assert!(success, "{sql}: {said}");
        said.trim().to_owned()
    }

    /// A number that a statement gives.
    pub fn count(&self, sql: &str) -> usize {
        let said = self.ask(sql);
        said.parse().unwrap_or_else(|_| panic!("{sql}: {said}"))
    }

    /// A session that lives until it is dropped.
    pub fn session(&self) -> Session {
        let mut command = self.command();
        command.stdin(Stdio::piped());
        command.stdout(Stdio::null());
        let mut process = Process::start("a session", &mut command);
        let stdin = process.stdin().expect("it has a pipe");
        let shell = match self.program.ends_with("sqlite3") {
            true => ".shell",
            false => "\\!",
        };
        Session {
            stdin,
            process,
            shell,
        }
    }
}

/// Somebody who stays connected.
pub struct Session {
    stdin: ChildStdin,
    process: Process,
    /// Its word for commands of the shell.
    shell: &'static str,
}

impl Session {
    /// Runs statements, and waits until they are done.
    pub fn run(&mut self, sql: &str) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tandem-session-{}-{number}", std::process::id());
        let done = std::env::temp_dir().join(name);
        let shell = self.shell;
        writeln!(self.stdin, "{sql}\n{shell} touch {}", done.display()).expect("it reads");
        let end = Instant::now() + LIMIT;
        while !done.exists() {
            let ended = self.process.ended();
            assert!(ended.is_none() && Instant::now() < end, "{sql}: {ended:?}");
            thread::sleep(Duration::from_millis(10));
        }
        fs::remove_file(&done).expect("it is ours");
    }

    /// Goes away; what it held is free then.
    pub fn end(self) {
        let Self {
            stdin, mut process, ..
        } = self;
        drop(stdin);
        process.wait(LIMIT);
    }
}
