//! Which outside programs are there, and what happens when one is not.

use std::collections::HashSet;
use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// Says once, even for passing tests, that something is not tested, or fails where `variable` is `require`.
pub fn skip(variable: &str, why: &str) {
    if env::var(variable).is_ok_and(|v| v == "require") {
        panic!("{why}, and {variable}=require");
    }
    static SAID: OnceLock<Mutex<HashSet<String>>> = OnceLock::new();
    let mut said = SAID
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(|e| e.into_inner());
    if said.insert(why.to_owned()) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
    }
}

/// The path of an outside program, looked for in `PATH` and in the system directories.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|p| p.is_file())
}

/// The path of an outside program; `None` has been said (or has failed the test).
pub fn require(program: &str) -> Option<PathBuf> {
    let found = find(program);
    if found.is_none() {
        skip(
            "TANDEM_TEST_PEERS",
            &format!("{program} is not installed (see tests/install-peers.sh)"),
        );
    }
    found
}

/// The Tandem under test: `$TANDEM`, or the binary of this build; `None` has been said (or has failed the test).
pub fn tandem() -> Option<PathBuf> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match FOUND.get_or_init(find_tandem) {
        Ok(path) => Some(path.clone()),
        Err(why) => {
            skip("TANDEM_TESTS", why);
            None
        }
    }
}

fn find_tandem() -> Result<PathBuf, String> {
    if env::var("TANDEM_TESTS").is_ok_and(|v| v == "skip") {
        return Err("TANDEM_TESTS=skip, so Tandem is not tested".to_owned());
    }
    let path = match env::var_os("TANDEM") {
        Some(path) => PathBuf::from(path),
        None => beside_this_binary().ok_or("there is no tandem binary beside the test binary")?,
    };
    // Its own configuration is the least that it has to take.
    let answer = Command::new(&path).arg("-c").stdin(Stdio::null()).output();
    match answer {
        Ok(out) if out.status.success() => Ok(path),
        Ok(_) => Err(format!(
            "{} refuses its built-in configuration, so it is not ready",
            path.display()
        )),
        Err(e) => Err(format!("{} cannot be run: {e}", path.display())),
    }
}

/// `target/PROFILE/tandem`, from `target/PROFILE/deps/it-…`; the release build will do too.
fn beside_this_binary() -> Option<PathBuf> {
    let own = env::current_exe().ok()?;
    let profile = own.parent().and_then(Path::parent)?;
    [
        profile.join("tandem"),
        profile.parent()?.join("release/tandem"),
    ]
    .into_iter()
    .find(|p| p.is_file())
}
