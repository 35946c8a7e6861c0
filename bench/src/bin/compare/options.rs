//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

/// What `--help` prints.
pub const HELP: &str = "\
Usage: compare [OPTIONS]

Runs the forwarder, Kamailio and Tandem in turn with the same calls, and prints what each of them costs.
Build it as what you want to measure: it builds Tandem with its own profile.

  --rates N,N...     calls begun a second, one run each (500,1000)
  --seconds N        length of each run (10)
  --hold MS          from the 200 to the BYE (500)
  --keep N           calls held, and as many again, to see what memory one takes; 0 for none (20000)
  --keep-rate N      calls begun a second while doing so (1000)
  --only NAME,...    forwarder, kamailio, tandem: just these
  --kamailio PATH    the Kamailio to run (kamailio)
  --tandem PATH      the Tandem to run, instead of building it
  --no-build         run what is built already
  --config PATH      what both run (bench.cfg of this package)
";

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Calls begun a second, one run each.
    pub rates: Vec<u64>,
    /// Length of each run.
    pub seconds: u64,
    /// From the 200 to the BYE.
    pub hold: Duration,
    /// Calls held for the memory of one.
    pub keep: u64,
    /// Calls begun a second meanwhile.
    pub keep_rate: u64,
    /// Names of those that run; all if empty.
    pub only: Vec<String>,
    /// Kamailio's binary.
    pub kamailio: PathBuf,
    /// Tandem's binary; built if not given.
    pub tandem: Option<PathBuf>,
    /// Whether our own programs are built first.
    pub builds: bool,
    /// What both run.
    pub config: PathBuf,
}

impl Options {
    /// From the command line; `None` when only help was asked for.
    ///
    /// # Errors
    /// The command line is wrong.
    pub fn from_command_line() -> Result<Option<Self>, lexopt::Error> {
        let mut options = Self {
            rates: vec![500, 1_000],
            seconds: 10,
            hold: Duration::from_millis(500),
            keep: 20_000,
            keep_rate: 1_000,
            only: Vec::new(),
            kamailio: "kamailio".into(),
            tandem: None,
            builds: true,
            config: concat!(env!("CARGO_MANIFEST_DIR"), "/bench.cfg").into(),
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("rates") => {
                    let list = parser.value()?.string()?;
                    let rates: Result<_, _> = list.split(',').map(str::parse).collect();
                    options.rates = rates.map_err(|_| format!("not a list of rates: {list}"))?;
                }
                Long("seconds") => options.seconds = parser.value()?.parse()?,
                Long("hold") => {
                    options.hold = Duration::from_millis(parser.value()?.parse()?);
                }
                Long("keep") => options.keep = parser.value()?.parse()?,
                Long("keep-rate") => options.keep_rate = parser.value()?.parse()?,
                Long("only") => {
                    let list = parser.value()?.string()?;
                    options.only = list.split(',').map(str::to_owned).collect();
                }
                Long("kamailio") => options.kamailio = parser.value()?.into(),
                Long("tandem") => options.tandem = Some(parser.value()?.into()),
                Long("no-build") => options.builds = false,
                Long("config") => options.config = parser.value()?.into(),
                Long("help") | Short('h') => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Some(options))
    }

    /// Whether the contender with this name runs.
    pub fn runs(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}
