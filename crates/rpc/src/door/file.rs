//! Sockets and FIFOs in the file system: made with the right mode and owner, never taken from a
//! running program, removed at the end.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::Mode;
use nix::unistd::{Group, User, mkfifo};

/// Who may open a door's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Permission bits.
    pub mode: u32,
    /// The owner by name or number; unchanged if absent.
    pub user: Option<String>,
    /// The group by name or number; unchanged if absent.
    pub group: Option<String>,
}

impl Access {
    /// These permission bits for whoever runs the program.
    pub fn mode(mode: u32) -> Self {
        Self {
            mode,
            user: None,
            group: None,
        }
    }

    fn apply(&self, path: &Path) -> io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(self.mode & 0o7777))?;
        let user = self.user.as_deref().map(user_id).transpose()?;
        let group = self.group.as_deref().map(group_id).transpose()?;
        if user.is_some() || group.is_some() {
            std::os::unix::fs::chown(path, user, group)?;
        }
        Ok(())
    }
}

/// Removes the file when dropped, if it is still the one that was made.
#[derive(Debug)]
pub(super) struct FileGuard {
    path: PathBuf,
    identity: (u64, u64),
}

impl FileGuard {
    fn new(path: &Path, access: &Access) -> io::Result<Self> {
        let guard = Self {
            path: path.to_owned(),
            identity: identity(path)?,
        };
        access.apply(path)?;
        Ok(guard)
    }
}

impl Drop for FileGuard {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            // Nobody can be told, and the next start removes a stale file.
            let _ = fs::remove_file(&self.path);
        }
    }
}

pub(super) fn bind_stream(path: &Path, access: &Access) -> io::Result<(UnixListener, FileGuard)> {
    remove_stale(path, |path| UnixStream::connect(path).map(drop))?;
    let listener = UnixListener::bind(path)?;
    let guard = FileGuard::new(path, access)?;
    listener.set_nonblocking(true)?;
    Ok((listener, guard))
}

pub(super) fn bind_datagram(path: &Path, access: &Access) -> io::Result<(UnixDatagram, FileGuard)> {
    remove_stale(path, |path| UnixDatagram::unbound()?.connect(path))?;
    let socket = UnixDatagram::bind(path)?;
    let guard = FileGuard::new(path, access)?;
    socket.set_nonblocking(true)?;
    Ok((socket, guard))
}

/// Makes the FIFO and opens it for reading and writing, so that it never comes to an end.
pub(super) fn make_fifo(path: &Path, access: &Access) -> io::Result<(fs::File, FileGuard)> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_fifo() => return Err(foreign(path)),
        Ok(_) if open_fifo_writer(path).is_ok() => return Err(in_use(path)),
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    mkfifo(path, Mode::from_bits_truncate(0o600))?;
    let guard = FileGuard::new(path, access)?;
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW).bits())
        .open(path)?;
    Ok((file, guard))
}

/// Opens a FIFO that somebody reads; fails with `ENXIO` if nobody does. Never makes a file, never
/// follows a link.
pub(super) fn open_fifo_writer(path: &Path) -> io::Result<fs::File> {
    let file = fs::OpenOptions::new()
        .write(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW).bits())
        .open(path)?;
    if !file.metadata()?.file_type().is_fifo() {
        return Err(foreign(path));
    }
    // With room for several pieces of a long answer neither side waits for the other after each; without, it works too.
    let _ = fcntl(&file, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
    Ok(file)
}

/// Room in a FIFO. The processor's caches still hold what was written when it is read.
const PIPE_BYTES: i32 = 256 * 1024;

/// Removes a socket that nobody listens to any more.
fn remove_stale(path: &Path, connect: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => Err(foreign(path)),
        Ok(_) => match connect(path) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
            Ok(()) => Err(in_use(path)),
            Err(error) => Err(error),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

fn foreign(path: &Path) -> io::Error {
    let text = format!("{} is something else", path.display());
    io::Error::new(ErrorKind::AlreadyExists, text)
}

fn in_use(path: &Path) -> io::Error {
    let text = format!("{} belongs to a running program", path.display());
    io::Error::new(ErrorKind::AddrInUse, text)
}

fn user_id(name: &str) -> io::Result<u32> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let user = User::from_name(name)?.ok_or_else(|| unknown("user", name))?;
    Ok(user.uid.as_raw())
}

fn group_id(name: &str) -> io::Result<u32> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let group = Group::from_name(name)?.ok_or_else(|| unknown("group", name))?;
    Ok(group.gid.as_raw())
}

fn unknown(what: &str, name: &str) -> io::Error {
    io::Error::new(ErrorKind::NotFound, format!("there is no {what} {name}"))
}
