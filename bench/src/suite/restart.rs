//! A start with many calls in a database: how long until they are all there, and what memory it takes.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use store::Driver;

use super::contender::Contender;
use super::fill;
use super::place::Place;
use super::run::SHARED_MB;
use super::section::{Section, whole};
use super::{Options, Suite};
use crate::database::{self, Database};
use crate::server::{Kind, Server, Setup, free_ports};

/// A start is given up after this.
const LIMIT: Duration = Duration::from_secs(300);
/// From the first answer on, for the count to become right.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(2);
/// More calls than this are not given to Kamailio, which takes minutes for them.
const MOST_FOR_KAMAILIO: u64 = 100_000;

pub(super) fn measure(suite: &Suite<'_>) -> Section {
    let mut section = Section::new(
        "Start with calls in a database",
        "The tables hold confirmed calls with two profiles and one variable each, as Tandem writes them. From the start of \
         the program until it answers a command and counts all calls in a profile. Peak is the most that one process of it \
         had resident until then; resident is what all of it has afterwards, shared pages counted once.",
        &[
            "database",
            "server",
            "calls",
            "s",
            "µs a call",
            "peak MB",
            "resident MB",
            "peak bytes a call",
        ],
    );
    for driver in suite.options.databases.iter().copied() {
        let title = database::title(driver);
        eprintln!("{title}:");
        section.attempt(title, |section| with_database(suite, driver, section));
    }
    section
}

/// From level to level in one database.
fn with_database(suite: &Suite<'_>, driver: Driver, section: &mut Section) -> io::Result<()> {
    let database = Database::start(driver)?;
    let (url, ports) = (database.url(), free_ports()?);
    fill::make_tables(&url)?;
    let mut there = 0;
    for calls in suite.options.levels.iter().copied() {
        let begun = Instant::now();
        fill::fill(&url, there..calls, ports)?;
        there = there.max(calls);
        eprintln!(
            "  {there} calls written after {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        for contender in suite.proxies() {
            if contender.kind == Kind::Kamailio && there > MOST_FOR_KAMAILIO {
                continue;
            }
            let name = format!(
                "{}, {}, {there} calls",
                contender.name,
                database::title(driver)
            );
            let setup = setup(suite.options, &url, ports);
            let started = section.attempt(&name, |_| Started::measure(contender, &setup, there));
            if let Some(started) = started {
                eprintln!("  {name}: {:.2} s", started.after.as_secs_f64());
                section.row(started.cells(contender, driver, there));
            }
        }
    }
    Ok(())
}

fn setup(options: &Options, url: &str, ports: [u16; 2]) -> Setup {
    let place = Place::TwoCores;
    Setup {
        config: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("database.cfg"),
        cpus: place.server_cpus(),
        workers: place.workers(),
        children: options.children,
        shared_mb: SHARED_MB,
        database: Some(url.to_owned()),
        ports: Some(ports),
    }
}

/// A server that has all its calls.
struct Started {
    after: Duration,
    peak: u64,
    resident: u64,
}

impl Started {
    fn measure(contender: &Contender, setup: &Setup, calls: u64) -> io::Result<Self> {
        let begun = Instant::now();
        let mut server = Server::spawn(contender.kind, &contender.binary, setup)?;
        let mut answered: Option<Instant> = None;
        loop {
            let counted = server.calls();
            if counted == Some(calls) {
                break;
            }
            if counted.is_some() {
                answered.get_or_insert_with(Instant::now);
            }
            let is_late = answered.is_some_and(|first| first.elapsed() > PATIENCE);
            if !server.is_alive() || is_late || begun.elapsed() > LIMIT {
                let counted = counted.map_or_else(|| "no answer".to_owned(), |n| n.to_string());
                let words = server.last_words();
                return Err(io::Error::other(format!("counts {counted}:\n{words}")));
            }
            std::thread::sleep(POLL);
        }
        let after = begun.elapsed();
        Ok(Self {
            after,
            peak: server.peak_memory(),
            resident: server.memory(),
        })
    }

    fn cells(&self, contender: &Contender, driver: Driver, calls: u64) -> Vec<String> {
        let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
        let each = |all: f64| whole(all / calls.max(1) as f64);
        vec![
            database::title(driver).to_owned(),
            contender.name.clone(),
            calls.to_string(),
            format!("{:.2}", self.after.as_secs_f64()),
            each(self.after.as_secs_f64() * 1e6),
            megabytes(self.peak),
            megabytes(self.resident),
            each(self.peak as f64),
        ]
    }
}
