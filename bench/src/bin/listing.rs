//! How long it takes to list very many calls: the first page, and all of them.

use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lexopt::prelude::*;
use rpc::json::{Request, answer};
use tandem_bench::core::Core;
use tandem_bench::steps::{Calls, deliver};

const HELP: &str = "\
Usage: listing [OPTIONS]

Sets up calls in the core and lists them as a JSON-RPC door does, chunk by chunk.

  --calls N       calls that are up (100000)
  --rounds N      times that they are listed; the fastest counts (3)
  --method M      the command (dlg.list)
  --config PATH   the configuration (bench.cfg of this package)
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("listing: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let (mut count, mut rounds) = (100_000_u64, 3_u32);
    let mut method = String::from("dlg.list");
    let mut config = concat!(env!("CARGO_MANIFEST_DIR"), "/bench.cfg").into();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("calls") => count = parser.value()?.parse()?,
            Long("rounds") => rounds = parser.value()?.parse()?,
            Long("method") => method = parser.value()?.string()?,
            Long("config") => config = parser.value()?,
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let mut calls = Calls::new(Core::start(config.as_ref())?)?;
    calls.hold_for_ever();
    calls.make(count, |_| deliver)?;
    let listed = (0..rounds.max(1)).map(|_| list(calls.core(), &method));
    let listed = listed.collect::<io::Result<Vec<_>>>()?;
    let Some(best) = listed.iter().min_by_key(|listed| listed.all) else {
        return Ok(());
    };
    println!(
        "{method} of {count} calls: first chunk {:.3} ms, all {:.3} s, {} MB, {:.0} ns a call",
        best.first.as_secs_f64() * 1e3,
        best.all.as_secs_f64(),
        best.bytes / 1_000_000,
        best.all.as_nanos() as f64 / count.max(1) as f64
    );
    Ok(())
}

struct Listed {
    first: Duration,
    all: Duration,
    bytes: usize,
}

fn list(core: &Core, method: &str) -> io::Result<Listed> {
    let request = format!(r#"{{"jsonrpc":"2.0","method":"{method}","id":1}}"#);
    let request = Request::parse(request.as_bytes()).ok_or(io::ErrorKind::InvalidInput)?;
    let begin = Instant::now();
    let mut response = answer(core.registry(), request, true);
    let mut chunk = Vec::new();
    response.next_into(&mut chunk);
    let first = begin.elapsed();
    let mut bytes = chunk.len();
    while response.next_into(&mut chunk) {
        bytes += chunk.len();
    }
    Ok(Listed {
        first,
        all: begin.elapsed(),
        bytes,
    })
}
