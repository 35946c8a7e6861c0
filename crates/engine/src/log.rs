//! Log lines in Kamailio's form, written by one thread from a bounded queue: a full disk or a slow
//! terminal costs lines, which are counted, and never a worker's time.

mod context;
mod json;
mod writer;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

pub use context::Context;
pub(crate) use context::{enter, leave};
pub use json::JsonStyle;
pub use writer::Colors;

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
    colors: Colors,
    to_terminal: bool,
    needs_call_ids: bool,
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
    Line(Line, Option<Arc<Context>>),
    Flush(SyncSender<()>),
}

/// One log line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its level.
    pub level: i32,
    /// A facility of the system log other than the program's.
    pub facility: Option<u8>,
    /// The part of the program that writes it: `core`, a module's name.
    pub part: Cow<'static, str>,
    /// What stands before the text in a plain log: `<core>: `.
    pub mark: Cow<'static, str>,
    /// What it says.
    pub text: String,
}

/// What writes the lines in the end.
pub enum Target {
    /// Standard error.
    Stderr {
        /// ANSI colours by level.
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
    /// Starts the writing thread; with a style, lines are JSON objects.
    pub fn start(threshold: i32, target: Target, json: Option<JsonStyle>) -> Self {
        let (queue, lines) = sync_channel(QUEUE_LINES_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        let colors = Colors::default();
        let to_terminal = matches!(target, Target::Stderr { .. });
        let writer = writer::Writer::new(target, json, colors.clone());
        let counted = Arc::clone(&dropped);
        let spawned = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.run(&lines, &counted));
        if let Err(error) = spawned {
            eprintln!("cannot start the log thread: {error}");
        }
        Self {
            threshold: Arc::new(AtomicI32::new(threshold)),
            colors,
            to_terminal,
            needs_call_ids: json.is_some_and(JsonStyle::shows_call_id),
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
                colors: Colors::default(),
                to_terminal: false,
                needs_call_ids: false,
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

    /// Whether lines go to standard error.
    pub fn is_to_terminal(&self) -> bool {
        self.to_terminal
    }

    /// Whether lines show the Call-ID of the message at hand.
    pub(crate) fn needs_call_ids(&self) -> bool {
        self.needs_call_ids
    }

    /// The colours of the levels.
    pub fn colors(&self) -> &Colors {
        &self.colors
    }

    /// Writes one line of a part of the program (`core`, a module's name).
    pub fn line(&self, level: i32, part: &str, text: &str) {
        if self.enabled(level) {
            self.write(Line {
                level,
                facility: None,
                part: Cow::Owned(part.to_owned()),
                mark: Cow::Owned(format!("<{part}>: ")),
                text: text.to_owned(),
            });
        }
    }

    /// Writes a line whatever its level. The prefix of the message at hand comes before it.
    pub fn write(&self, line: Line) {
        let context = context::current();
        match &self.sink {
            Sink::Thread { queue, dropped } => {
                if let Err(TrySendError::Full(_)) = queue.try_send(Item::Line(line, context)) {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
            Sink::Memory(lines) => lines.lock().push(writer::plain(&line, context.as_deref())),
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
