//! A private loopback network and a directory for one test.
//!
//! Every test owns a `127.x.y.0/24` with `x` and `y` in 100..=199, so programs use fixed ports, addresses always
//! have the same length, and two runs differ in nothing but `x.y`, which the comparison takes out.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process, thread};

/// The host part of the server's address.
const SERVER_HOST: u8 = 1;
/// Host and port whose binding marks a subnet as taken, across processes.
const GUARD: (u8, u16) = (254, 9999);
const SUBNETS: u32 = 100 * 100;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// The subnet and the directory; both are given back on drop.
pub struct Lab {
    subnet: (u8, u8),
    port: u16,
    directory: PathBuf,
    _guard: UdpSocket,
}

impl Lab {
    /// Takes a free subnet for a server on `port` and makes an empty directory.
    pub fn new(port: u16) -> Self {
        for _ in 0..SUBNETS {
            let step = NEXT.fetch_add(1, Ordering::Relaxed);
            let index = process::id().wrapping_mul(37).wrapping_add(step) % SUBNETS;
            let subnet = (100 + (index / 100) as u8, 100 + (index % 100) as u8);
            let guard =
                SocketAddr::from((Ipv4Addr::new(127, subnet.0, subnet.1, GUARD.0), GUARD.1));
            if let Ok(guard) = UdpSocket::bind(guard) {
                let directory =
                    env::temp_dir().join(format!("tandem-it-{}-{}", subnet.0, subnet.1));
                let _ = fs::remove_dir_all(&directory);
                fs::create_dir_all(&directory).expect("the temporary directory can be written");
                return Self {
                    subnet,
                    port,
                    directory,
                    _guard: guard,
                };
            }
        }
        panic!("no free 127.x.y.0/24 subnet");
    }

    /// The address of a host of this network.
    pub fn host(&self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, self.subnet.0, self.subnet.1, host)
    }

    /// The address that the server listens on.
    pub fn server(&self) -> SocketAddr {
        (self.host(SERVER_HOST), self.port).into()
    }

    /// `127.x.y.`: what differs between two runs.
    pub fn prefix(&self) -> String {
        format!("127.{}.{}.", self.subnet.0, self.subnet.1)
    }

    /// The directory for sockets, logs and configurations.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Fills `%IP%` (server), `%NET%` (`127.x.y`), `%DIR%` and `%CONFIGS%` (of the tests) into a text.
    pub fn fill(&self, template: &str) -> String {
        template
            .replace("%IP%", &self.host(SERVER_HOST).to_string())
            .replace("%NET%", &format!("127.{}.{}", self.subnet.0, self.subnet.1))
            .replace("%DIR%", &self.directory.to_string_lossy())
            .replace("%CONFIGS%", &test_file("configs").to_string_lossy())
    }

    /// Writes a filled template into the directory and returns its path.
    pub fn write(&self, name: &str, template: &str) -> PathBuf {
        let path = self.directory.join(name);
        fs::write(&path, self.fill(template)).expect("the temporary directory can be written");
        path
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if thread::panicking() || env::var_os("TANDEM_TESTS_KEEP").is_some() {
            eprintln!("files of this test: {}", self.directory.display());
        } else {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// A file below `tests/`.
pub fn test_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
