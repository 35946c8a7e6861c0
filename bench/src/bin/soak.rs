//! A long run of calls of mixed length against Tandem: its memory every minute, and at the end that nothing was lost, that
//! nothing is left, and that every count is exact.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use lexopt::prelude::*;
use tandem_bench::load::{self, Hold, Live, Plan, Report};
use tandem_bench::server::{Kind, Server, Setup};
use tandem_bench::suite::build_tandem;

const HELP: &str = "\
Usage: soak [OPTIONS]

Runs Tandem with bench.cfg and makes calls of mixed length for a long time. Prints its memory every minute. Exits with 0
if no call was lost, none is left in the server, and it counted as many as there were.

  --rate N           calls begun a second (1000)
  --minutes N        for how long calls are begun (60)
  --hold MS-MS       between these, as many in each doubling of the time (100-60000)
  --every SECONDS    between two lines (60)
  --workers N        of Tandem (one a core)
  --build PROFILE    the profile that Tandem is built with (dist)
  --tandem PATH      the Tandem to run, instead of building it
";

struct Options {
    rate: u64,
    time: Duration,
    hold: [Duration; 2],
    every: Duration,
    workers: usize,
    build: String,
    tandem: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("soak: {error}\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    match soak(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `None` when only help was asked for.
fn options() -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        rate: 1_000,
        time: Duration::from_secs(3_600),
        hold: [Duration::from_millis(100), Duration::from_secs(60)],
        every: Duration::from_secs(60),
        workers: std::thread::available_parallelism().map_or(1, usize::from),
        build: "dist".to_owned(),
        tandem: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("rate") => options.rate = parser.value()?.parse::<u64>()?.max(1),
            Long("minutes") => {
                let minutes: f64 = parser.value()?.parse()?;
                options.time = Duration::try_from_secs_f64(minutes * 60.0)
                    .map_err(|error| error.to_string())?;
            }
            Long("hold") => options.hold = hold(&parser.value()?.string()?)?,
            Long("every") => options.every = Duration::from_secs(parser.value()?.parse()?),
            Long("workers") => options.workers = parser.value()?.parse::<usize>()?.max(1),
            Long("build") => options.build = parser.value()?.string()?,
            Long("tandem") => options.tandem = Some(parser.value()?.into()),
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

fn hold(text: &str) -> Result<[Duration; 2], lexopt::Error> {
    let millis = |text: &str| text.parse().map(Duration::from_millis).ok();
    let both = text.split_once('-');
    let both = both.and_then(|(least, most)| Some([millis(least)?, millis(most)?]));
    both.ok_or_else(|| format!("not two times: {text}").into())
}

fn soak(options: &Options) -> io::Result<bool> {
    let binary = match &options.tandem {
        Some(binary) => binary.clone(),
        None => build_tandem(&options.build, true)?,
    };
    let setup = Setup {
        config: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("bench.cfg"),
        cpus: Vec::new(),
        workers: options.workers,
        children: 1,
        shared_mb: 0,
        database: None,
        ports: None,
    };
    let mut server = Server::start(Kind::Tandem, &binary, &setup)?;
    let calls = (options.rate as f64 * options.time.as_secs_f64()) as u64;
    let mut plan = Plan::new(server.address, server.callee_port, options.rate, calls);
    let [least, most] = options.hold;
    plan.hold = Hold::Mixed(least, most);
    plan.sockets = 8;
    let live = Arc::new(Live::default());
    plan.live = Arc::clone(&live);
    println!("| after s | begun | up | in the profile | failed | resident MB | CPU µs a call |");
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    let report = std::thread::scope(|scope| {
        let making = scope.spawn(|| load::run(plan));
        let mut next = options.every;
        while !making.is_finished() {
            std::thread::sleep(Duration::from_millis(200));
            if live.started.elapsed() >= next {
                next += options.every;
                print_line(&server, &live);
            }
        }
        making.join()
    });
    let report = report.map_err(|_| io::Error::other("the load panicked"))??;
    print!("\n{report}");
    judge(&mut server, &report)
}

fn print_line(server: &Server, live: &Live) {
    let begun = live.begun.load(Ordering::Relaxed);
    let in_profile = server.calls();
    println!(
        "| {:.0} | {begun} | {} | {} | {} | {:.1} | {:.1} |",
        live.started.elapsed().as_secs_f64(),
        live.up.load(Ordering::Relaxed),
        in_profile.map_or("–".to_owned(), |count| count.to_string()),
        live.failed.load(Ordering::Relaxed),
        server.memory() as f64 / 1e6,
        server.cpu().micros_each(begun).total(),
    );
}

/// Nothing lost, nothing left.
fn judge(server: &mut Server, report: &Report) -> io::Result<bool> {
    let deadline = Instant::now() + Duration::from_secs(40);
    server.wait_for_transactions(Duration::from_secs(40));
    // An ended call is kept for a few seconds.
    let left = |server: &Server| {
        let profile = server.calls();
        let calls = server.control.number(&["dlg.stats_active"], "all");
        let transactions = server.control.number(&["tm.stats"], "current");
        [profile, calls, transactions]
    };
    while left(server) != [Some(0); 3] && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(500));
    }
    let [profile, calls, transactions] = left(server);
    println!(
        "left: {profile:?} in the profile, {calls:?} calls, {transactions:?} transactions; {:.1} MB resident",
        server.memory() as f64 / 1e6
    );
    let is_whole = report.is_clean() && [profile, calls, transactions] == [Some(0); 3];
    println!(
        "{}",
        if is_whole {
            "nothing lost, nothing left"
        } else {
            "NOT as it should be"
        }
    );
    Ok(is_whole)
}
