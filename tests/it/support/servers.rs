//! Database servers of a test's own: Debian's programs, on a free port, in the test's directory.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::{User, geteuid};

use super::lab::Lab;
use super::peers;
use super::process::Process;
use super::sql::Client;

const START_LIMIT: Duration = Duration::from_secs(60);
/// How many ports the servers of tests share.
const PORTS: u16 = 8000;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    MySql,
    Postgres,
}

/// A running server with an empty database `kamailio`.
pub struct DbServer {
    kind: Kind,
    port: u16,
    directory: PathBuf,
    program: PathBuf,
    process: Option<Process>,
}

impl DbServer {
    /// Makes a database in the directory of a lab and starts its server; `None` has been said.
    pub fn start(kind: Kind, lab: &Lab) -> Option<Self> {
        Self::start_in(kind, lab.directory().join("database"))
    }

    /// The same in a directory of one's own.
    pub fn start_in(kind: Kind, directory: PathBuf) -> Option<Self> {
        fs::create_dir_all(&directory).expect("the temporary directory can be written");
        let program = match kind {
            Kind::MySql => make_mysql(&directory)?,
            Kind::Postgres => make_postgres(&directory)?,
        };
        let mut server = Self {
            kind,
            port: free_port(),
            directory,
            program,
            process: None,
        };
        server.resume();
        if kind == Kind::Postgres {
            let everywhere = server.client_of("postgres");
            everywhere.ask("CREATE ROLE kamailio LOGIN PASSWORD 'secret'");
            everywhere.ask("CREATE DATABASE kamailio OWNER kamailio");
        }
        Some(server)
    }

    /// A copy of a running PostgreSQL server that follows it, until it is promoted.
    pub fn standby(&self, directory: PathBuf) -> Self {
        fs::create_dir_all(&directory).expect("the temporary directory can be written");
        if let Some(user) = own_user() {
            let (uid, gid) = (Some(user.uid.as_raw()), Some(user.gid.as_raw()));
            chown(&directory, uid, gid).expect("root may do that");
        }
        let mut copy = Command::new(beside(&self.program, "pg_basebackup"));
        copy.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        copy.args([
            "-U",
            "postgres",
            "--write-recovery-conf",
            "--checkpoint=fast",
        ]);
        copy.arg("--no-sync").arg("-D").arg(directory.join("data"));
        copy.env("PGPASSWORD", "secret");
        as_its_user(&mut copy);
        finish(&mut copy, &directory);
        let mut standby = Self {
            kind: self.kind,
            port: free_port(),
            directory,
            program: self.program.clone(),
            process: None,
        };
        standby.resume();
        standby
    }

    /// Where it is, as configurations name it.
    pub fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// The same for somebody who reaches it elsewhere.
    pub fn url_at(&self, address: SocketAddr) -> String {
        let scheme = match self.kind {
            Kind::MySql => "mysql",
            Kind::Postgres => "postgres",
        };
        format!("{scheme}://kamailio:secret@{address}/kamailio")
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Where root of this machine reaches a server of MySQL.
    pub fn socket(&self) -> PathBuf {
        self.directory.join("socket")
    }

    /// Who may do everything in its database.
    pub fn client(&self) -> Client {
        self.client_of("kamailio")
    }

    fn client_of(&self, database: &str) -> Client {
        let port = self.port.to_string();
        match self.kind {
            Kind::MySql => {
                let program = peers::find("mariadb").expect("a server comes with its client");
                let socket = format!("--socket={}/socket", self.directory.display());
                let usual = [
                    "--no-defaults",
                    "--user=root",
                    "--batch",
                    "--skip-column-names",
                ];
                Client::new(program, &[&usual[..], &[&socket, database]].concat())
            }
            Kind::Postgres => {
                let program = beside(&self.program, "psql");
                let usual = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"];
                let place = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", database];
                Client::new(program, &[&usual[..], &place].concat()).with("PGPASSWORD", "secret")
            }
        }
    }

    /// Ends the server; what was committed stays.
    pub fn stop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        // To PostgreSQL this means: do not wait for clients.
        process.signal(match self.kind {
            Kind::MySql => Signal::SIGTERM,
            Kind::Postgres => Signal::SIGINT,
        });
        process.wait(Duration::from_secs(30));
    }

    /// Starts it again.
    pub fn resume(&mut self) {
        let mut command = Command::new(&self.program);
        let directory = self.directory.display();
        match self.kind {
            Kind::MySql => {
                command.arg("--no-defaults").args([
                    format!("--datadir={directory}/data"),
                    format!("--socket={directory}/socket"),
                    format!("--pid-file={directory}/pid"),
                    format!("--init-file={directory}/init.sql"),
                    format!("--port={}", self.port),
                    "--bind-address=127.0.0.1".to_owned(),
                    "--skip-name-resolve".to_owned(),
                ]);
                command.env("TMPDIR", &self.directory);
                if geteuid().is_root() {
                    command.arg("--user=root");
                }
            }
            Kind::Postgres => {
                command.arg("-D").arg(self.directory.join("data"));
                command.args([
                    "-p",
                    &self.port.to_string(),
                    "-c",
                    "listen_addresses=127.0.0.1",
                ]);
                command
                    .arg("-c")
                    .arg(format!("unix_socket_directories={directory}"));
                as_its_user(&mut command);
            }
        }
        let log = File::create(self.directory.join("server.log")).expect("a log");
        let errors = log.try_clone().expect("a file can be cloned");
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        command.current_dir(&self.directory);
        self.process = Some(Process::start("the database server", &mut command));
        self.await_start();
    }

    fn await_start(&mut self) {
        let end = Instant::now() + START_LIMIT;
        let log = self.directory.join("server.log");
        let log = || fs::read_to_string(&log).unwrap_or_default();
        // PostgreSQL listens before it is ready; both say when they are.
        let is_ready =
            |log: &str| log.contains("ready to accept") || log.contains("ready for connections");
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() || !is_ready(&log()) {
            let ended = self.process.as_mut().and_then(Process::ended);
            assert!(
                ended.is_none() && Instant::now() < end,
                "no server:\n{}",
                log()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for DbServer {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.stop();
        }
    }
}

fn make_mysql(directory: &Path) -> Option<PathBuf> {
    let server = peers::require("mariadbd")?;
    let mut install = Command::new(peers::require("mariadb-install-db")?);
    install.args(["--no-defaults", "--auth-root-authentication-method=normal"]);
    install.args(["--skip-test-db", "--skip-name-resolve"]);
    install.arg(format!("--datadir={}/data", directory.display()));
    // Where they share one, a server that starts removes the temporary tables of another.
    install.env("TMPDIR", directory);
    if geteuid().is_root() {
        install.arg("--user=root");
    }
    finish(&mut install, directory);
    let init = "CREATE DATABASE IF NOT EXISTS kamailio;\n\
                CREATE USER IF NOT EXISTS 'kamailio'@'%' IDENTIFIED BY 'secret';\n\
                GRANT ALL ON kamailio.* TO 'kamailio'@'%';\n";
    fs::write(directory.join("init.sql"), init).expect("a file can be written");
    Some(server)
}

fn make_postgres(directory: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut servers = versions.map(|version| version.path().join("bin/postgres"));
    let server = servers.find(|path| path.is_file());
    let Some(server) = server else {
        peers::skip(
            "TANDEM_TEST_PEERS",
            "postgres is not installed (see tests/install-peers.sh)",
        );
        return None;
    };
    let password = directory.join("password");
    fs::write(&password, "secret\n").expect("a file can be written");
    if let Some(user) = own_user() {
        let (uid, gid) = (Some(user.uid.as_raw()), Some(user.gid.as_raw()));
        for path in [directory, &password] {
            chown(path, uid, gid).expect("root may do that");
        }
        // The directory above has to let it in.
        for above in directory.ancestors().skip(1).take(1) {
            let open = fs::Permissions::from_mode(0o755);
            fs::set_permissions(above, open).expect("it is ours");
        }
    }
    let mut init = Command::new(beside(&server, "initdb"));
    init.arg("-D").arg(directory.join("data"));
    init.args([
        "-U",
        "postgres",
        "-A",
        "scram-sha-256",
        "--no-sync",
        "--locale=C.UTF-8",
    ]);
    init.arg(format!("--pwfile={}", password.display()));
    as_its_user(&mut init);
    finish(&mut init, directory);
    Some(server)
}

/// A port below those that the kernel gives to connections, one of which could take it before the server does.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    (0..PORTS)
        .map(|_| {
            let step = NEXT.fetch_add(1, Ordering::Relaxed);
            20_000 + (process::id() as u16).wrapping_mul(37).wrapping_add(step) % PORTS
        })
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("loopback has free ports")
}

fn beside(program: &Path, name: &str) -> PathBuf {
    program.with_file_name(name)
}

/// PostgreSQL does not run as root: the account that its package made.
fn own_user() -> Option<User> {
    let wanted = geteuid().is_root();
    wanted
        .then(|| User::from_name("postgres").ok().flatten())
        .flatten()
}

fn as_its_user(command: &mut Command) {
    if let Some(user) = own_user() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
}

fn finish(command: &mut Command, directory: &Path) {
    command.current_dir(directory);
    let (success, text) = super::process::run(command, Duration::from_secs(60));
    assert!(success, "{command:?}:\n{text}");
}
