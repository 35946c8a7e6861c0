//! The thread that writes: plain lines or JSON, to standard error or to the system log.

use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use parking_lot::RwLock;

use super::{Context, Item, JsonStyle, Line, Target, level};

/// The colours of the levels, which a configuration may change (`log_colors` of module xlog).
#[derive(Clone, Debug, Default)]
pub struct Colors(Arc<RwLock<Vec<(i32, String)>>>);

impl Colors {
    /// Gives a level a colour: an ANSI sequence.
    pub fn set(&self, level: i32, sequence: String) {
        let mut colors = self.0.write();
        colors.retain(|(known, _)| *known != level);
        colors.push((level, sequence));
    }

    fn of(&self, level: i32) -> String {
        let colors = self.0.read();
        let own = colors.iter().find(|(known, _)| *known == level);
        own.map_or_else(|| ansi(level).to_owned(), |(_, sequence)| sequence.clone())
    }
}

/// A line as a plain log shows it, without process and time.
pub(super) fn plain(line: &Line, context: Option<&Context>) -> String {
    let prefix = context.map_or("", |context| &context.prefix);
    let text = line.text.trim_end();
    format!("{}: {prefix}{}{text}", level::name(line.level), line.mark)
}

pub(super) struct Writer {
    target: Target,
    json: Option<JsonStyle>,
    colors: Colors,
    syslog: Option<UnixDatagram>,
}

impl Writer {
    pub(super) fn new(target: Target, json: Option<JsonStyle>, colors: Colors) -> Self {
        // Before the process leaves for another root.
        let syslog = match target {
            Target::Syslog { .. } => connect_syslog(),
            Target::Stderr { .. } => None,
        };
        Self {
            target,
            json,
            colors,
            syslog,
        }
    }

    /// Writes until nobody is left who could log.
    pub(super) fn run(mut self, lines: &Receiver<Item>, dropped: &AtomicU64) {
        let mut reported = 0;
        while let Ok(item) = lines.recv() {
            match item {
                Item::Line(line, context) => self.write(&line, context.as_deref()),
                Item::Flush(done) => drop(done.send(())),
            }
            let lost = dropped.load(Ordering::Relaxed);
            if lost > reported {
                let text = format!("{} log lines lost: the queue was full", lost - reported);
                self.write(&core_warning(text), None);
                reported = lost;
            }
        }
    }

    fn write(&mut self, line: &Line, context: Option<&Context>) {
        let text = match self.json {
            Some(style) => style.object(line, context),
            None => plain(line, context),
        };
        match &self.target {
            Target::Stderr { color } => self.print(line.level, *color, &text),
            Target::Syslog { ident, facility } => {
                let priority = u16::from(line.facility.unwrap_or(*facility)) * 8
                    + u16::from(severity(line.level));
                let blank = if self.json.is_some() { "" } else { " " };
                let text = format!("<{priority}>{ident}[{}]: {blank}{text}", std::process::id());
                self.send(text.as_bytes());
            }
        }
    }

    fn print(&self, level: i32, color: bool, text: &str) {
        let mut out = std::io::stderr().lock();
        // A full disk or a closed terminal must not stop the program.
        let _ = match self.json {
            Some(style) => write!(out, "{text}{}", style.end()),
            None => {
                let (begin, end) = if color {
                    (self.colors.of(level), "\x1b[0m")
                } else {
                    (String::new(), "")
                };
                writeln!(out, "{begin} 0({}) {text}{end}", std::process::id())
            }
        };
    }

    fn send(&mut self, line: &[u8]) {
        let socket = self.syslog.as_ref();
        if socket.is_some_and(|socket| socket.send(line).is_ok()) {
            return;
        }
        // Its daemon was started again, or was not there.
        self.syslog = connect_syslog();
        if let Some(socket) = &self.syslog {
            let _ = socket.send(line);
        }
    }
}

fn core_warning(text: String) -> Line {
    Line {
        level: level::WARNING,
        facility: None,
        part: "core".into(),
        mark: "<core>: ".into(),
        text,
    }
}

fn connect_syslog() -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_stands_between_level_and_part() {
        let line = core_warning("hot\n".to_owned());
        assert_eq!(plain(&line, None), "WARNING: <core>: hot");
        let context = Context {
            prefix: "{c1 INVITE} ".to_owned(),
            call_id: String::new(),
        };
        assert_eq!(
            plain(&line, Some(&context)),
            "WARNING: {c1 INVITE} <core>: hot"
        );
    }

    #[test]
    fn a_level_may_have_a_colour_of_its_own() {
        let colors = Colors::default();
        colors.set(0, "\x1b[0;31;49m".to_owned());
        assert_eq!(colors.of(0), "\x1b[0;31;49m");
        assert_eq!(colors.of(-1), ansi(-1));
    }
}
