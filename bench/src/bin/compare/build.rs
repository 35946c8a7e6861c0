//! Finds the programs to compare, and builds those that are our own.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tandem_bench::server::Program;

use crate::options::Options;

/// A program that takes part.
#[derive(Clone, Debug)]
pub struct Contender {
    /// What the table calls it.
    pub name: String,
    /// Short and without spaces.
    pub kind: Kind,
    /// How it is started.
    pub program: Program,
}

/// Which of the three it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The bare forwarder: no calls, no control socket.
    Forwarder,
    /// The program to replace.
    Kamailio,
    /// Ours.
    Tandem,
}

impl Kind {
    /// As `--only` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forwarder => "forwarder",
            Self::Kamailio => "kamailio",
            Self::Tandem => "tandem",
        }
    }
}

/// Those that run, in their order. A Kamailio that is not there is left out, and said to be.
///
/// # Errors
/// Something cannot be built.
pub fn contenders(options: &Options) -> io::Result<Vec<Contender>> {
    let own = Own::new(options.builds)?;
    let mut contenders = Vec::new();
    if options.runs(Kind::Forwarder.name()) {
        let binary = own.build("tandem-bench", "forwarder")?;
        contenders.push(Contender {
            name: "forwarder".to_owned(),
            kind: Kind::Forwarder,
            program: Program::Forwarder(binary),
        });
    }
    if options.runs(Kind::Kamailio.name()) {
        match version(&options.kamailio) {
            Some(version) => {
                contenders.push(proxy(version, Kind::Kamailio, &options.kamailio, options))
            }
            None => eprintln!(
                "{} cannot be run: going on without Kamailio",
                options.kamailio.display()
            ),
        }
    }
    if options.runs(Kind::Tandem.name()) {
        let binary = match &options.tandem {
            Some(binary) => binary.clone(),
            None => own.build("tandem", "tandem")?,
        };
        contenders.push(proxy("Tandem".to_owned(), Kind::Tandem, &binary, options));
    }
    Ok(contenders)
}

fn proxy(name: String, kind: Kind, binary: &Path, options: &Options) -> Contender {
    Contender {
        name,
        kind,
        program: Program::Proxy {
            binary: binary.to_owned(),
            config: options.config.clone(),
        },
    }
}

/// `Kamailio 5.6.3` of `version: kamailio 5.6.3 (x86_64/linux) …`.
fn version(kamailio: &Path) -> Option<String> {
    let output = Command::new(kamailio).arg("-v").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.lines().next()?.split_whitespace();
    let version = words.nth(2)?;
    Some(format!("Kamailio {version}"))
}

/// Programs of this workspace, built as this one is.
struct Own {
    directory: PathBuf,
    profile: String,
    builds: bool,
}

impl Own {
    fn new(builds: bool) -> io::Result<Self> {
        let executable = std::env::current_exe()?;
        let directory = executable.parent().unwrap_or(Path::new(".")).to_owned();
        let profile = match directory.file_name().and_then(|name| name.to_str()) {
            Some("debug") => {
                eprintln!("These are figures of a debug build: they mean nothing. Use --release.");
                "dev".to_owned()
            }
            Some(profile) => profile.to_owned(),
            None => {
                return Err(io::Error::other(
                    "this program is in no directory of a profile",
                ));
            }
        };
        Ok(Self {
            directory,
            profile,
            builds,
        })
    }

    fn build(&self, package: &str, binary: &str) -> io::Result<PathBuf> {
        let built = self.directory.join(binary);
        if !self.builds {
            return Ok(built);
        }
        let target = self.directory.parent().unwrap_or(Path::new("."));
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--profile", &self.profile])
            .args(["-p", package, "--bin", binary])
            .arg("--target-dir")
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()?;
        if !status.success() {
            return Err(io::Error::other(format!("{binary} cannot be built")));
        }
        Ok(built)
    }
}
