//! Log lines in Kamailio's form, written by one thread from a bounded queue: a full disk or a slow
//! terminal costs lines, which are counted, and never a worker's time.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// Kamailio's log levels; a line is written when its level is at most the threshold.
pub mod level {
    /// An operator must act now.
    pub const ALERT: i32 = -5;
    /// A mistake in the program.
    pub const BUG: i32 = -4;
    /// Critical.
    pub const CRITICAL: i32 = -2;
    /// An error.
    pub const ERROR: i32 = -1;
    /// A warning; the default threshold.
    pub const WARNING: i32 = 0;
    /// Worth a notice.
    pub const NOTICE: i32 = 1;
    /// Information.
    pub const INFO: i32 = 2;
    /// For developers.
    pub const DEBUG: i32 = 3;

    /// The word printed for a level.
    pub const fn name(level: i32) -> &'static str {
        match level {
            ..=-5 => "ALERT",
            -4 => "BUG",
            -3 | -2 => "CRITICAL",
            -1 => "ERROR",
            0 => "WARNING",
            1 => "NOTICE",
            2 => "INFO",
            _ => "DEBUG",
        }
    }
}

const QUEUE_LINES_MAX: usize = 8192;

/// Where log lines go.
#[derive(Clone)]
pub struct Log {
    threshold: Arc<AtomicI32>,
    sink: Sink,
}

#[derive(Clone)]
enum Sink {
    Thread {
        queue: SyncSender<Item>,
        dropped: Arc<AtomicU64>,
    },
    Memory(Arc<parking_lot::Mutex<Vec<String>>>),
}

enum Item {
    Line(i32, String),
    Flush(SyncSender<()>),
}

/// What writes the lines in the end.
pub enum Target {
    /// Standard error, with ANSI colours or without.
    Stderr {
        /// Colour by level.
        color: bool,
    },
    /// The system log, under this name and facility (`LOG_DAEMON` …).
    Syslog {
        /// The program's name in the log.
        ident: String,
        /// The facility's number, as in RFC 5424 (3 = daemon).
        facility: u8,
    },
}

impl Log {
    /// Starts the writing thread.
    pub fn start(threshold: i32, target: Target) -> Self {
        let (queue, lines) = sync_channel(QUEUE_LINES_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&dropped);
        let spawned = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_lines(&lines, &target, &counted));
        if let Err(error) = spawned {
            eprintln!("cannot start the log thread: {error}");
        }
        Self {
            threshold: Arc::new(AtomicI32::new(threshold)),
            sink: Sink::Thread { queue, dropped },
        }
    }

    /// Keeps the lines in memory, for tests and the simulation.
    pub fn memory(threshold: i32) -> (Self, Arc<parking_lot::Mutex<Vec<String>>>) {
        let lines = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let sink = Sink::Memory(Arc::clone(&lines));
        (
            Self {
                threshold: Arc::new(AtomicI32::new(threshold)),
                sink,
            },
            lines,
        )
    }

    /// Whether a line of this level would be written.
    pub fn enabled(&self, level: i32) -> bool {
        level <= self.threshold.load(Ordering::Relaxed)
    }

    /// The threshold.
    pub fn threshold(&self) -> i32 {
        self.threshold.load(Ordering::Relaxed)
    }

    /// Changes the threshold.
    pub fn set_threshold(&self, level: i32) {
        self.threshold.store(level, Ordering::Relaxed);
    }

    /// Writes one line of a part of the program (`core`, a module's name).
    pub fn line(&self, level: i32, part: &str, text: &str) {
        if self.enabled(level) {
            self.write(level, format!("<{part}>: {text}"));
        }
    }

    /// Writes a text that brings its own prefix.
    pub fn write(&self, level: i32, text: String) {
        match &self.sink {
            Sink::Thread { queue, dropped } => {
                if let Err(TrySendError::Full(_)) = queue.try_send(Item::Line(level, text)) {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
            Sink::Memory(lines) => {
                lines
                    .lock()
                    .push(format!("{}: {}", level::name(level), text.trim_end()));
            }
        }
    }

    /// Lines lost because the queue was full.
    pub fn dropped(&self) -> u64 {
        match &self.sink {
            Sink::Thread { dropped, .. } => dropped.load(Ordering::Relaxed),
            Sink::Memory(_) => 0,
        }
    }

    /// Waits until everything queued so far is written, for at most a second.
    pub fn flush(&self) {
        if let Sink::Thread { queue, .. } = &self.sink {
            let (done, wait) = sync_channel(1);
            if queue.try_send(Item::Flush(done)).is_ok() {
                let _ = wait.recv_timeout(std::time::Duration::from_secs(1));
            }
        }
    }
}

fn write_lines(lines: &Receiver<Item>, target: &Target, dropped: &AtomicU64) {
    let mut syslog = match target {
        Target::Syslog { .. } => connect_syslog(),
        Target::Stderr { .. } => None,
    };
    let mut reported = 0;
    while let Ok(item) = lines.recv() {
        match item {
            Item::Line(level, text) => write_one(target, &mut syslog, level, &text),
            Item::Flush(done) => drop(done.send(())),
        }
        let lost = dropped.load(Ordering::Relaxed);
        if lost > reported {
            let text = format!(
                "<core>: {} log lines lost: the queue was full",
                lost - reported
            );
            write_one(target, &mut syslog, level::WARNING, &text);
            reported = lost;
        }
    }
}

fn write_one(
    target: &Target,
    syslog: &mut Option<std::os::unix::net::UnixDatagram>,
    level: i32,
    text: &str,
) {
    let text = text.trim_end_matches('\n');
    match target {
        Target::Stderr { color } => {
            let (begin, end) = if *color {
                (ansi(level), "\x1b[0m")
            } else {
                ("", "")
            };
            let pid = std::process::id();
            // A full disk or a closed terminal must not stop the program.
            let _ = writeln!(
                std::io::stderr().lock(),
                "{begin} 0({pid}) {}: {text}{end}",
                level::name(level)
            );
        }
        Target::Syslog { ident, facility } => {
            let line = format!(
                "<{}>{ident}[{}]:  {}: {text}",
                u16::from(*facility) * 8 + u16::from(severity(level)),
                std::process::id(),
                level::name(level)
            );
            let sent = syslog
                .as_ref()
                .is_some_and(|socket| socket.send(line.as_bytes()).is_ok());
            if !sent {
                *syslog = connect_syslog();
                if let Some(socket) = syslog {
                    let _ = socket.send(line.as_bytes());
                }
            }
        }
    }
}

fn connect_syslog() -> Option<std::os::unix::net::UnixDatagram> {
    let socket = std::os::unix::net::UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    socket.connect("/dev/log").ok()?;
    Some(socket)
}

/// The syslog severity of a Kamailio level (RFC 5424 §6.2.1).
const fn severity(level: i32) -> u8 {
    match level {
        ..=-5 => 1,
        -4..=-2 => 2,
        -1 => 3,
        0 => 4,
        1 => 5,
        2 => 6,
        _ => 7,
    }
}

const fn ansi(level: i32) -> &'static str {
    match level {
        ..=-2 => "\x1b[1;31m",
        -1 => "\x1b[31m",
        0 => "\x1b[33m",
        1 => "\x1b[36m",
        2 => "\x1b[32m",
        _ => "\x1b[37m",
    }
}
