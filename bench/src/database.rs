//! Databases of a run's own: a file, or one of Debian's servers on a free port of 127.0.0.1, with its data in a directory
//! for temporary files. Dropping one ends its server.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use store::Driver;

use crate::server::ends_with_us;

/// How long a server may take until it takes statements, and until it has ended.
const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// What `--database` calls each of them, and its server.
const KINDS: [(Driver, &str, &str); 3] = [
    (Driver::Sqlite, "sqlite", "SQLite"),
    (Driver::MySql, "mysql", "MariaDB"),
    (Driver::Postgres, "postgres", "PostgreSQL"),
];

/// A database that is there for this run.
#[derive(Debug)]
pub struct Database {
    driver: Driver,
    directory: PathBuf,
    port: u16,
    server: Option<Child>,
}

/// The database that `--database` means by a name.
pub fn driver(name: &str) -> Option<Driver> {
    let found = KINDS.iter().find(|kind| kind.1 == name)?;
    Some(found.0)
}

/// All of them.
pub fn drivers() -> Vec<Driver> {
    KINDS.iter().map(|kind| kind.0).collect()
}

/// As a table shows it.
pub fn title(driver: Driver) -> &'static str {
    let found = KINDS.iter().find(|kind| kind.0 == driver);
    found.map_or("", |kind| kind.2)
}

impl Database {
    /// An empty one, without tables.
    ///
    /// # Errors
    /// Its server is not installed, or does not start; what it said is in the message.
    pub fn start(driver: Driver) -> io::Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("tandem-bench-database-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory)?;
        let mut database = Self {
            driver,
            directory,
            port: free_port()?,
            server: None,
        };
        match driver {
            Driver::Sqlite => {}
            Driver::MySql => database.start_mysql()?,
            Driver::Postgres => database.start_postgres()?,
        }
        Ok(database)
    }

    /// Where it is, as configurations name it.
    pub fn url(&self) -> String {
        let scheme = match self.driver {
            Driver::Sqlite => return format!("sqlite://{}/calls.db", self.directory.display()),
            Driver::MySql => "mysql",
            Driver::Postgres => "postgres",
        };
        format!(
            "{scheme}://{NAME}:{PASSWORD}@127.0.0.1:{}/{NAME}",
            self.port
        )
    }

    fn start_mysql(&mut self) -> io::Result<()> {
        let directory = self.directory.display();
        let mut install = Command::new("mariadb-install-db");
        install.args(["--no-defaults", "--auth-root-authentication-method=normal"]);
        install.args(["--skip-test-db", "--skip-name-resolve"]);
        install.arg(format!("--datadir={directory}/data"));
        let mut server = ends_with_us(Path::new("mariadbd"));
        server.arg("--no-defaults").args([
            format!("--datadir={directory}/data"),
            format!("--socket={directory}/socket"),
            format!("--pid-file={directory}/pid"),
            format!("--init-file={directory}/init.sql"),
            format!("--port={}", self.port),
            "--bind-address=127.0.0.1".to_owned(),
            "--skip-name-resolve".to_owned(),
        ]);
        // Where they share one, a server that starts removes the temporary tables of another.
        install.env("TMPDIR", &self.directory);
        server.env("TMPDIR", &self.directory);
        if geteuid().is_root() {
            install.arg("--user=root");
            server.arg("--user=root");
        }
        let init = format!(
            "CREATE DATABASE {NAME};\nCREATE USER '{NAME}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL ON {NAME}.* TO '{NAME}'@'%';\n"
        );
        fs::write(self.directory.join("init.sql"), init)?;
        self.finish(&mut install)?;
        self.run(server)
    }

    fn start_postgres(&mut self) -> io::Result<()> {
        let programs = postgres_programs()?;
        let password = self.directory.join("password");
        fs::write(&password, PASSWORD)?;
        let user = postgres_user();
        if let Some(user) = &user {
            let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
            for path in [&self.directory, &password] {
                chown(path, Some(uid), Some(gid))?;
            }
        }
        let data = self.directory.join("data");
        let mut init = Command::new(programs.join("initdb"));
        init.arg("-D").arg(&data);
        init.args([
            "-U",
            NAME,
            "-A",
            "scram-sha-256",
            "--no-sync",
            "--locale=C.UTF-8",
        ]);
        init.arg(format!("--pwfile={}", password.display()));
        let mut server = ends_with_us(&programs.join("postgres"));
        server.arg("-D").arg(&data);
        server.args([
            "-p",
            &self.port.to_string(),
            "-c",
            "listen_addresses=127.0.0.1",
        ]);
        let sockets = format!("unix_socket_directories={}", self.directory.display());
        server.args(["-c", &sockets]);
        for command in [&mut init, &mut server] {
            if let Some(user) = &user {
                command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
            }
        }
        self.finish(&mut init)?;
        self.run(server)?;
        let mut create = Command::new(programs.join("createdb"));
        create.args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-U",
            NAME,
            NAME,
        ]);
        self.finish(create.env("PGPASSWORD", PASSWORD))
    }

    /// Runs a program to its end.
    fn finish(&self, command: &mut Command) -> io::Result<()> {
        command.current_dir(&self.directory).stdin(Stdio::null());
        let name = command.get_program().to_string_lossy().into_owned();
        let output = command
            .output()
            .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("{name}: {}", said.trim())))
    }

    /// Starts the server and waits until it takes statements.
    fn run(&mut self, mut command: Command) -> io::Result<()> {
        let path = self.directory.join("log");
        let log = File::create(&path)?;
        command.current_dir(&self.directory).stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        let server = self.server.insert(command.spawn()?);
        let begun = Instant::now();
        loop {
            let said = fs::read(&path).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            // PostgreSQL listens before it is ready; both say when they are.
            let is_ready = said.contains("ready to accept connections")
                || said.contains("ready for connections");
            if is_ready && TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return Ok(());
            }
            if server.try_wait()?.is_some() || begun.elapsed() > LIMIT {
                return Err(io::Error::other(format!("the database server:\n{said}")));
            }
            std::thread::sleep(POLL);
        }
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(mut server) = self.server.take() else {
            return Ok(());
        };
        // To PostgreSQL SIGINT means: do not wait for clients.
        let end = match self.driver {
            Driver::Postgres => Signal::SIGINT,
            Driver::Sqlite | Driver::MySql => Signal::SIGTERM,
        };
        if let Ok(process) = i32::try_from(server.id()) {
            // It may have ended by itself.
            let _ = kill(Pid::from_raw(process), end);
        }
        let begun = Instant::now();
        while begun.elapsed() < LIMIT {
            if server.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        server.kill()?;
        server.wait().map(|_| ())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("{}: {error}", self.directory.display());
        }
        // What is left in the directory for temporary files is of no use to anyone.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The database, and who may use it.
const NAME: &str = "kamailio";
const PASSWORD: &str = "secret";

fn free_port() -> io::Result<u16> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(socket.local_addr()?.port())
}

/// Where Debian puts PostgreSQL's programs, which are in no path: one directory a version.
fn postgres_programs() -> io::Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql");
    let versions = versions.into_iter().flatten().flatten();
    let mut programs = versions.map(|version| version.path().join("bin"));
    let found = programs.find(|programs| programs.join("postgres").is_file());
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "postgres is not installed"))
}

/// PostgreSQL does not run as root: the account that its package made.
fn postgres_user() -> Option<User> {
    let wanted = geteuid().is_root();
    wanted.then(|| User::from_name("postgres").ok().flatten())?
}
