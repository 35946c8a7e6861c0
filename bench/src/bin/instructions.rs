//! Counts what a call costs the core alone: no sockets, no clock, so the same number each time. Runs itself under
//! callgrind and reads what that counted.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use lexopt::prelude::*;
use mimalloc::MiMalloc;
use tandem_bench::callgrind::Profile;
use tandem_bench::core::Core;
use tandem_bench::steps::{Calls, Step, WARM_UP_CALLS, deliver};

/// The program's own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const HELP: &str = "\
Usage: instructions [OPTIONS]

Prints the instructions of a whole call (INVITE, 100, 180, 200, ACK, BYE, 200) in the core, by kind
of message, at 1,000 calls a second of simulated time. Needs valgrind; without it, it says so and succeeds.

  --calls N       calls that are counted (1000)
  --config PATH   the configuration (bench.cfg of this package)
  --brief         one line
  --top N         also the N functions that cost most themselves
  --keep FILE     keep callgrind's output: callgrind_annotate FILE
  --time          no valgrind: nanoseconds of a call, best of 20 measurements
  --work          no valgrind: just make the calls, for perf record
";

struct Options {
    calls: u64,
    config: PathBuf,
    brief: bool,
    top: usize,
    keep: Option<PathBuf>,
    mode: Mode,
}

enum Mode {
    Count,
    Time,
    Work,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("instructions: {error}\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    let done = match options.mode {
        Mode::Count => count(&options),
        Mode::Time => time(&options),
        Mode::Work => work(&options).map(drop),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `None` when only help was asked for.
fn options() -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        calls: 1_000,
        config: concat!(env!("CARGO_MANIFEST_DIR"), "/bench.cfg").into(),
        brief: false,
        top: 0,
        keep: None,
        mode: Mode::Count,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("calls") => options.calls = parser.value()?.parse()?,
            Long("config") => options.config = parser.value()?.into(),
            Long("brief") => options.brief = true,
            Long("top") => options.top = parser.value()?.parse()?,
            Long("keep") => options.keep = Some(parser.value()?.into()),
            Long("time") => options.mode = Mode::Time,
            Long("work") => options.mode = Mode::Work,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

fn work(options: &Options) -> io::Result<Calls> {
    let mut calls = Calls::new(Core::start(&options.config)?)?;
    calls.make(WARM_UP_CALLS, |_| deliver)?;
    calls.make(options.calls, Step::named)?;
    Ok(calls)
}

fn time(options: &Options) -> io::Result<()> {
    let mut calls = work(options)?;
    let mut best = f64::MAX;
    for _ in 0..20 {
        let start = Instant::now();
        calls.make(options.calls, Step::named)?;
        best = best.min(start.elapsed().as_nanos() as f64 / options.calls.max(1) as f64);
    }
    println!(
        "{best:.0} ns a call, of both peers too; best of 20 times {} calls",
        options.calls
    );
    Ok(())
}

fn count(options: &Options) -> io::Result<()> {
    let own = std::env::temp_dir().join(format!("tandem-callgrind-{}", std::process::id()));
    let file = options.keep.as_deref().unwrap_or(&own);
    let profile = run_under_callgrind(options, file);
    if options.keep.is_none() {
        // It is there unless valgrind is not.
        let _ = std::fs::remove_file(file);
    }
    match profile? {
        Some(profile) if options.brief => print_line(&profile, options),
        Some(profile) => print_table(&profile, options),
        None => println!("core: valgrind is not installed, so no instructions were counted"),
    }
    Ok(())
}

/// `None` when there is no valgrind.
fn run_under_callgrind(options: &Options, file: &Path) -> io::Result<Option<Profile>> {
    let out = format!("--callgrind-out-file={}", file.display());
    let started = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--quiet",
            "--toggle-collect=*steps::count_*",
            &out,
        ])
        .arg(std::env::current_exe()?)
        .args(["--work", "--calls", &options.calls.to_string(), "--config"])
        .arg(&options.config)
        .stdin(Stdio::null())
        .output();
    let output = match started {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(said));
    }
    Ok(Some(Profile::read(&std::fs::read_to_string(file)?)))
}

/// Instructions of the counted functions for one call, whatever the step.
fn instructions(profile: &Profile, options: &Options, step: Step) -> u64 {
    let function = format!("steps::{}", step.function());
    profile.inclusive(|name| name.ends_with(&function)) / options.calls.max(1)
}

fn total(profile: &Profile, options: &Options) -> u64 {
    let steps = Step::ALL.iter();
    steps
        .map(|step| instructions(profile, options, *step))
        .sum()
}

fn print_line(profile: &Profile, options: &Options) {
    println!("core: {} instructions a call", total(profile, options));
}

fn print_table(profile: &Profile, options: &Options) {
    println!("| of one call | instructions |\n|---|---:|");
    for step in Step::ALL {
        println!(
            "| {} | {} |",
            step.name(),
            instructions(profile, options, *step)
        );
    }
    println!("| **all** | **{}** |", total(profile, options));
    if options.top > 0 {
        println!("\n| function | instructions a call |\n|---|---:|");
        for (name, cost) in profile.costliest(options.top) {
            println!("| `{name}` | {} |", cost / options.calls.max(1));
        }
    }
}
