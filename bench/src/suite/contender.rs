//! Finds the programs to compare, and builds those that are our own.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::options::Options;
use crate::server::Kind;

/// A program that takes part.
#[derive(Clone, Debug)]
pub struct Contender {
    /// What the tables call it.
    pub name: String,
    /// Which it is.
    pub kind: Kind,
    /// Its binary.
    pub binary: PathBuf,
}

/// Those that run, in their order. A Kamailio that is not there is left out, and said to be.
///
/// # Errors
/// Something cannot be built.
pub fn all(options: &Options) -> io::Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    let mut add = |name: String, kind, binary| {
        contenders.push(Contender { name, kind, binary });
    };
    if options.runs("forwarder") {
        let profile = own_profile()?;
        let binary = build("tandem-bench", "forwarder", &profile, options.builds)?;
        add("forwarder".to_owned(), Kind::Forwarder, binary);
    }
    if options.runs("kamailio") {
        for binary in &options.kamailios {
            match version(binary) {
                Some(version) => add(version, Kind::Kamailio, binary.clone()),
                None => eprintln!("{} cannot be run: going on without it", binary.display()),
            }
        }
    }
    if options.runs("tandem") {
        let binary = match &options.tandem {
            Some(binary) => binary.clone(),
            None => build_tandem(&options.build, options.builds)?,
        };
        add("Tandem".to_owned(), Kind::Tandem, binary);
    }
    Ok(contenders)
}

/// Tandem, built with a profile.
///
/// # Errors
/// It cannot be built.
pub fn build_tandem(profile: &str, builds: bool) -> io::Result<PathBuf> {
    build("tandem", "tandem", profile, builds)
}

/// `Kamailio 5.6.3` of `version: kamailio 5.6.3 (x86_64/linux) …`.
fn version(kamailio: &Path) -> Option<String> {
    let output = Command::new(kamailio).arg("-v").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.lines().next()?.split_whitespace();
    Some(format!("Kamailio {}", words.nth(2)?))
}

/// The directory of this program's profile.
fn own_directory() -> io::Result<PathBuf> {
    let executable = std::env::current_exe()?;
    let directory = executable.parent().map(Path::to_owned);
    directory.ok_or_else(|| io::Error::other("this program is in no directory"))
}

/// The profile that this program was built with.
pub(super) fn own_profile() -> io::Result<String> {
    let directory = own_directory()?;
    match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") => {
            eprintln!("The load of a debug build is slow: use --release.");
            Ok("dev".to_owned())
        }
        Some(profile) => Ok(profile.to_owned()),
        None => Err(io::Error::other(
            "this program is in no directory of a profile",
        )),
    }
}

/// A program of this workspace.
pub(super) fn build(
    package: &str,
    binary: &str,
    profile: &str,
    builds: bool,
) -> io::Result<PathBuf> {
    build_what(package, "--bin", binary, profile, builds)
}

/// An example of this workspace, built as this program is.
pub(super) fn build_example(package: &str, example: &str, builds: bool) -> io::Result<PathBuf> {
    let built = build_what(package, "--example", example, &own_profile()?, builds)?;
    let directory = built.parent().unwrap_or(Path::new("."));
    Ok(directory.join("examples").join(example))
}

fn build_what(
    package: &str,
    what: &str,
    name: &str,
    profile: &str,
    builds: bool,
) -> io::Result<PathBuf> {
    let directory = own_directory()?;
    let target = directory.parent().unwrap_or(Path::new("."));
    let built_in = if profile == "dev" { "debug" } else { profile };
    let built = target.join(built_in).join(name);
    if !builds {
        return Ok(built);
    }
    eprintln!("building {name} with the profile {profile}");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", profile])
        .args(["-p", package, what, name])
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !status.success() {
        return Err(io::Error::other(format!("{name} cannot be built")));
    }
    Ok(built)
}
