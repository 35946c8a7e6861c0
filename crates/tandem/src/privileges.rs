//! The user, group and directory to run in, and the files that name the process.

use std::path::Path;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Gid, Group, Uid, User, setgid, setgroups, setuid};

/// Becomes the group and the user, in this order.
///
/// # Errors
/// The name is unknown, or the change is not allowed.
pub(crate) fn drop_to(user: Option<&str>, group: Option<&str>) -> Result<(), String> {
    let account = user.map(find_user).transpose()?;
    let gid = match group {
        Some(name) => Some(find_group(name)?),
        None => account.as_ref().map(|account| account.gid),
    };
    if let Some(gid) = gid {
        setgroups(&[gid])
            .and_then(|()| setgid(gid))
            .map_err(|error| format!("cannot become group {gid}: {error}"))?;
    }
    if let Some(account) = account {
        setuid(account.uid)
            .map_err(|error| format!("cannot become user {}: {error}", account.name))?;
    }
    Ok(())
}

fn find_user(name: &str) -> Result<User, String> {
    let found = match name.parse() {
        Ok(number) => User::from_uid(Uid::from_raw(number)),
        Err(_) => User::from_name(name),
    };
    found
        .ok()
        .flatten()
        .ok_or_else(|| format!("there is no user {name}"))
}

fn find_group(name: &str) -> Result<Gid, String> {
    if let Ok(number) = name.parse() {
        return Ok(Gid::from_raw(number));
    }
    let found = Group::from_name(name).ok().flatten();
    found
        .map(|group| group.gid)
        .ok_or_else(|| format!("there is no group {name}"))
}

/// Makes a directory the root.
///
/// # Errors
/// It is not there, or the change is not allowed.
pub(crate) fn change_root(dir: &Path) -> Result<(), String> {
    nix::unistd::chroot(dir)
        .and_then(|()| nix::unistd::chdir("/"))
        .map_err(|error| format!("cannot make {} the root: {error}", dir.display()))
}

/// Allows so many open files, or says why not.
///
/// # Errors
/// More than the process may ask for.
pub(crate) fn allow_open_files(count: u64) -> Result<(), String> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)
        .map_err(|error| format!("cannot read the limit of open files: {error}"))?;
    setrlimit(Resource::RLIMIT_NOFILE, count, most.max(count))
        .map_err(|error| format!("cannot allow {count} open files: {error}"))
}

/// Writes no core file, or one of any size.
///
/// # Errors
/// The system refuses.
pub(crate) fn allow_core_file(allowed: bool) -> Result<(), String> {
    let (_, most) = getrlimit(Resource::RLIMIT_CORE)
        .map_err(|error| format!("cannot read the limit of core files: {error}"))?;
    let size = if allowed { most } else { 0 };
    setrlimit(Resource::RLIMIT_CORE, size, most)
        .map_err(|error| format!("cannot set the limit of core files: {error}"))
}

/// Writes a number into a file.
///
/// # Errors
/// The file can't be written.
pub(crate) fn write_number(path: &Path, number: i32) -> Result<(), String> {
    std::fs::write(path, format!("{number}\n"))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}
