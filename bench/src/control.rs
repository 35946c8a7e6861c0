//! A client of a server's control sockets: short questions, and the long lists of which the time to the first and to the
//! last byte count.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rpc::Value;
use rpc::binrpc::{Header, PacketKind, decode_values, encode_request};

/// For answers that are short.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Where a server listens for commands.
#[derive(Clone, Debug)]
pub struct Control {
    directory: PathBuf,
}

/// How a long list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// JSON-RPC over the FIFO.
    Json,
    /// binrpc over the stream socket, by a client of our own.
    Binrpc,
    /// Kamailio's own client, which keeps everything until the end.
    Kamcmd,
}

impl Door {
    /// As a table shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON-RPC, FIFO",
            Self::Binrpc => "binrpc, stream socket",
            Self::Kamcmd => "kamcmd",
        }
    }
}

/// A long list that came.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// Until its first byte.
    pub first: Duration,
    /// Until its last.
    pub total: Duration,
    /// Its length.
    pub bytes: u64,
    /// How many calls are in it.
    pub calls: u64,
}

impl Control {
    /// Of the server with this runtime directory.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    fn socket(&self) -> PathBuf {
        self.directory.join("kamailio_ctl")
    }

    /// The values of a short answer.
    ///
    /// # Errors
    /// There is no answer, or it is a fault.
    pub fn ask(&self, command: &[&str]) -> io::Result<Vec<Value>> {
        let mut stream = UnixStream::connect(self.socket())?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        stream.write_all(&request(command)?)?;
        let mut answer = Vec::new();
        let mut chunk = [0; 16_384];
        loop {
            if let Some(header) = Header::parse(&answer).map_err(io::Error::other)?
                && answer.len() >= header.packet_len()
            {
                let body = &answer[header.header_len..header.packet_len()];
                let values = decode_values(body).map_err(io::Error::other)?;
                return match header.kind {
                    PacketKind::Reply => Ok(values),
                    _ => Err(io::Error::other(format!("{command:?}: {values:?}"))),
                };
            }
            match stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => answer.extend_from_slice(&chunk[..count]),
            }
        }
    }

    /// One number of a short answer: the member with this name, or the whole answer if `name` is empty.
    pub fn number(&self, command: &[&str], name: &str) -> Option<u64> {
        let values = self.ask(command).ok()?;
        let found = match values.first()? {
            value if name.is_empty() => value.as_int(),
            value => value.as_struct()?.get(name)?.as_int(),
        };
        u64::try_from(found?).ok()
    }

    /// Asks for a long list and reads all of it.
    ///
    /// # Errors
    /// The server has no such door, gives up, or takes longer than the limit.
    pub fn list(&self, door: Door, command: &str, limit: Duration) -> io::Result<Listed> {
        match door {
            Door::Json => self.list_json(command, limit),
            Door::Binrpc => self.list_binrpc(command, limit),
            Door::Kamcmd => self.list_kamcmd(command, limit),
        }
    }

    fn list_binrpc(&self, command: &str, limit: Duration) -> io::Result<Listed> {
        let mut stream = UnixStream::connect(self.socket())?;
        let mut reading = Reading::start(limit);
        stream.write_all(&request(&[command])?)?;
        loop {
            if reading.next(&mut stream)? == 0 {
                return Err(io::Error::other("the list ends too early"));
            }
            let Some(header) = Header::parse(&reading.head).map_err(io::Error::other)? else {
                continue;
            };
            if header.kind != PacketKind::Reply {
                return Err(io::Error::other("the list is refused"));
            }
            if reading.bytes >= header.packet_len() as u64 {
                return reading.listed();
            }
        }
    }

    fn list_json(&self, command: &str, limit: Duration) -> io::Result<Listed> {
        let name = format!("tandem-bench-{}", std::process::id());
        let path = Path::new("/tmp").join(&name);
        // One that an earlier run left would do as well.
        let _ = nix::unistd::mkfifo(
            &path,
            nix::sys::stat::Mode::S_IRWXU | nix::sys::stat::Mode::S_IRWXG,
        );
        let listed = self.list_json_at(command, &name, &path, limit);
        std::fs::remove_file(&path)?;
        listed
    }

    fn list_json_at(
        &self,
        command: &str,
        name: &str,
        path: &Path,
        limit: Duration,
    ) -> io::Result<Listed> {
        const O_NONBLOCK: i32 = 0o4000;
        let mut answers = OpenOptions::new()
            .read(true)
            .custom_flags(O_NONBLOCK)
            .open(path)?;
        let mut door = OpenOptions::new()
            .write(true)
            .custom_flags(O_NONBLOCK)
            .open(self.directory.join("kamailio_rpc.fifo"))?;
        let mut reading = Reading::start(limit);
        let text = format!(
            "{{\"jsonrpc\": \"2.0\", \"method\": \"{command}\", \"reply_name\": \"{name}\", \"id\": 1}}\n"
        );
        door.write_all(text.as_bytes())?;
        loop {
            if reading.next(&mut answers)? == 0 && reading.bytes > 0 {
                return reading.listed();
            }
        }
    }

    fn list_kamcmd(&self, command: &str, limit: Duration) -> io::Result<Listed> {
        let mut reading = Reading::start(limit);
        let mut child = Command::new("kamcmd")
            .arg("-s")
            .arg(format!("unix:{}", self.socket().display()))
            .arg(command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let read = match &mut child.stdout {
            Some(output) => read_all(&mut reading, output),
            None => Ok(()),
        };
        if read.is_err() {
            child.kill()?;
        }
        let status = child.wait()?;
        read?;
        let mut said = String::new();
        if let Some(errors) = &mut child.stderr {
            errors.read_to_string(&mut said)?;
        }
        // It prints why it gives up, and does not always say so by its exit code.
        if !status.success() || reading.bytes == 0 {
            let text = format!("kamcmd gives up: {}", said.trim());
            return Err(io::Error::other(text));
        }
        reading.listed()
    }
}

fn read_all(reading: &mut Reading, from: &mut (impl Read + AsFd)) -> io::Result<()> {
    while reading.next(from)? > 0 {}
    Ok(())
}

fn request(command: &[&str]) -> io::Result<Vec<u8>> {
    let (name, parameters) = command.split_first().unwrap_or((&"", &[]));
    let number = |text: &&str| match text.parse::<i64>() {
        Ok(number) => Value::from(number),
        Err(_) => Value::from(*text),
    };
    let parameters: Vec<Value> = parameters.iter().map(number).collect();
    encode_request(name, &parameters, 7).map_err(|_| io::Error::other("too long a command"))
}

/// A long answer being read.
struct Reading {
    start: Instant,
    limit: Duration,
    first: Option<Duration>,
    bytes: u64,
    calls: u64,
    /// Its first bytes.
    head: Vec<u8>,
    chunk: Vec<u8>,
    /// Bytes at the head of the chunk that end the one before.
    carried: usize,
}

/// Each call in a list has one.
const MARK: &[u8] = b"h_entry";
/// Longer than the header of any packet.
const HEAD_BYTES: usize = 16;

impl Reading {
    fn start(limit: Duration) -> Self {
        Self {
            start: Instant::now(),
            limit,
            first: None,
            bytes: 0,
            calls: 0,
            head: Vec::new(),
            chunk: vec![0; 1 << 20],
            carried: 0,
        }
    }

    /// Reads on; how many bytes, 0 at the end.
    fn next(&mut self, from: &mut (impl Read + AsFd)) -> io::Result<usize> {
        let left = self.limit.saturating_sub(self.start.elapsed());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        poll(&mut [PollFd::new(from.as_fd(), PollFlags::POLLIN)], timeout)?;
        let carried = self.carried;
        let count = match from.read(&mut self.chunk[carried..]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return self.next(from),
            Err(error) => return Err(error),
        };
        if count > 0 {
            self.first.get_or_insert_with(|| self.start.elapsed());
        }
        self.bytes += count as u64;
        let end = carried + count;
        let missing = HEAD_BYTES.saturating_sub(self.head.len()).min(count);
        self.head
            .extend_from_slice(&self.chunk[carried..carried + missing]);
        self.calls += memchr::memmem::find_iter(&self.chunk[..end], MARK).count() as u64;
        let keep = end.min(MARK.len() - 1);
        // A mark that is whole was counted; its end alone is none.
        self.chunk.copy_within(end - keep..end, 0);
        self.carried = keep;
        Ok(count)
    }

    fn listed(self) -> io::Result<Listed> {
        Ok(Listed {
            first: self.first.unwrap_or_default(),
            total: self.start.elapsed(),
            bytes: self.bytes,
            calls: self.calls,
        })
    }
}
