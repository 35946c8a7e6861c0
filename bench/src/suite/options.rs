//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;
use store::Driver;

use super::place;
use crate::database;

/// What `--help` prints.
pub const HELP: &str = "\
Usage: compare [OPTIONS]

Runs the forwarder, Kamailio and Tandem in turn with the same configuration and the same calls, and prints as Markdown
what each of them costs. Builds what it runs: Tandem with the profile `dist`, which is what is shipped.

What
  --everything         all items and all profiles
  --items NAME,...     cost, held, restart, latency, overload, scaling, core (cost)
  --profile NAME,...   base, edits, registrar, tcp, fork, database (base)
  --only NAME,...      forwarder, kamailio, tandem: just these
  --kamailio PATH      a Kamailio to run (kamailio); may be given several times
  --tandem PATH        a Tandem to run, instead of building it
  --build PROFILE      the profile that Tandem is built with (dist)
  --no-build           run what is built already

How
  --rates N,N...       calls begun a second, one run each (1000,3000,4000)
  --no-saturated       do not look for the highest rates
  --saturated N,...    look for the highest rates on one CPU, on two, or on both (1,2)
  --cores 1|2          at the rates: one CPU and one worker, or two (two; one where the load would have to share them)
  --seconds N          length of each run (10)
  --hold MS            from the 200 to the BYE (500)
  --children N         Kamailio's processes for each listening socket (2; its own default is 8)
  --levels N,N...      calls held for memory and flatness, and read at a restart (1000,100000,1000000)
  --database NAME,...  sqlite, mysql, postgres: where calls are read from at a restart (all three), and where the profile
                       `database` keeps them (the first of these); servers are started for it
  --keep-rate N        calls begun a second to get there, at most (4000)
  --no-listing         do not list the held calls
";

/// A part of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// CPU of a call, at each rate and saturated, for each profile.
    Cost,
    /// Memory of a confirmed call, cost of a call beside many, and listing many.
    Held,
    /// Starting with many calls in a database.
    Restart,
    /// Latency at a half and at nine tenths of what is carried.
    Latency,
    /// Twice what can be carried.
    Overload,
    /// One worker and two.
    Scaling,
    /// The core alone: instructions, allocations, parsing, scripts.
    Core,
}

impl Item {
    /// All, in the order in which they build on each other.
    pub const ALL: [Self; 7] = [
        Self::Cost,
        Self::Scaling,
        Self::Latency,
        Self::Overload,
        Self::Held,
        Self::Restart,
        Self::Core,
    ];

    /// As `--items` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Held => "held",
            Self::Restart => "restart",
            Self::Latency => "latency",
            Self::Overload => "overload",
            Self::Scaling => "scaling",
            Self::Core => "core",
        }
    }
}

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The parts.
    pub items: Vec<Item>,
    /// Names of profiles.
    pub profiles: Vec<String>,
    /// Names of those that run; all if empty.
    pub only: Vec<String>,
    /// Kamailio's binaries.
    pub kamailios: Vec<PathBuf>,
    /// Tandem's binary; built if not given.
    pub tandem: Option<PathBuf>,
    /// The profile that Tandem is built with.
    pub build: String,
    /// Whether our own programs are built first.
    pub builds: bool,
    /// Calls begun a second, one run each.
    pub rates: Vec<u64>,
    /// On how many CPUs, one after the other, the highest rates are looked for.
    pub saturated: Vec<usize>,
    /// CPUs at the rates.
    pub cores: usize,
    /// Length of each run.
    pub seconds: u64,
    /// From the 200 to the BYE.
    pub hold: Duration,
    /// Kamailio's processes for each socket.
    pub children: usize,
    /// Calls held.
    pub levels: Vec<u64>,
    /// Calls begun a second to get there.
    pub keep_rate: u64,
    /// Whether held calls are listed.
    pub lists: bool,
    /// Kinds of databases.
    pub databases: Vec<Driver>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            items: vec![Item::Cost],
            profiles: vec!["base".to_owned()],
            only: Vec::new(),
            kamailios: Vec::new(),
            tandem: None,
            build: "dist".to_owned(),
            builds: true,
            rates: vec![1_000, 3_000, 4_000],
            saturated: vec![1, 2],
            cores: place::default_cores(),
            seconds: 10,
            hold: Duration::from_millis(500),
            children: 2,
            levels: vec![1_000, 100_000, 1_000_000],
            keep_rate: 4_000,
            lists: true,
            databases: database::drivers(),
        }
    }
}

impl Options {
    /// From the command line; `None` when only help was asked for.
    ///
    /// # Errors
    /// The command line is wrong.
    pub fn from_command_line() -> Result<Option<Self>, lexopt::Error> {
        let mut options = Self::default();
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("everything") => options.everything(),
                Long("items") => options.items = items(&parser.value()?.string()?)?,
                Long("profile") => options.profiles = list(&parser.value()?.string()?)?,
                Long("only") => options.only = list(&parser.value()?.string()?)?,
                Long("kamailio") => options.kamailios.push(parser.value()?.into()),
                Long("tandem") => options.tandem = Some(parser.value()?.into()),
                Long("build") => options.build = parser.value()?.string()?,
                Long("no-build") => options.builds = false,
                Long("rates") => options.rates = list(&parser.value()?.string()?)?,
                Long("no-saturated") => options.saturated.clear(),
                Long("saturated") => options.saturated = list(&parser.value()?.string()?)?,
                Long("cores") => options.cores = parser.value()?.parse::<usize>()?.clamp(1, 2),
                Long("seconds") => options.seconds = parser.value()?.parse::<u64>()?.max(1),
                Long("hold") => options.hold = Duration::from_millis(parser.value()?.parse()?),
                Long("children") => options.children = parser.value()?.parse::<usize>()?.max(1),
                Long("levels") => options.levels = list(&parser.value()?.string()?)?,
                Long("keep-rate") => options.keep_rate = parser.value()?.parse::<u64>()?.max(1),
                Long("database") => options.databases = databases(&parser.value()?.string()?)?,
                Long("no-listing") => options.lists = false,
                Long("help") | Short('h') => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        if options.kamailios.is_empty() {
            options.kamailios.push("kamailio".into());
        }
        Ok(Some(options))
    }

    /// Whatever there is.
    pub fn everything(&mut self) {
        self.items = Item::ALL.to_vec();
        self.profiles = super::run::PROFILES
            .iter()
            .map(|p| p.name.to_owned())
            .collect();
    }

    /// Whether the contender with this name runs.
    pub fn runs(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

fn list<T: std::str::FromStr>(text: &str) -> Result<Vec<T>, lexopt::Error> {
    let values: Result<_, _> = text.split(',').map(str::parse).collect();
    values.map_err(|_| format!("not such a list: {text}").into())
}

fn items(text: &str) -> Result<Vec<Item>, lexopt::Error> {
    let named = |name: &str| {
        let found = Item::ALL.into_iter().find(|item| item.name() == name);
        found.ok_or_else(|| format!("no item {name:?}"))
    };
    Ok(text.split(',').map(named).collect::<Result<_, _>>()?)
}

fn databases(text: &str) -> Result<Vec<Driver>, lexopt::Error> {
    let named = |name| database::driver(name).ok_or_else(|| format!("no database {name:?}"));
    Ok(text.split(',').map(named).collect::<Result<_, _>>()?)
}
