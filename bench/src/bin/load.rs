//! Makes calls through a proxy and says what came of them.

use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lexopt::prelude::*;
use tandem_bench::callee;
use tandem_bench::caller::{self, Plan};

const HELP: &str = "\
Usage: load --proxy ADDR:PORT --callee ADDR:PORT [--rate N] [--calls N] [--hold MS | --keep] [--caller ADDR:PORT]
";

struct Options {
    proxy: SocketAddr,
    callee: SocketAddr,
    caller: SocketAddr,
    rate: u64,
    calls: u64,
    hold: Option<Duration>,
}

fn main() -> ExitCode {
    let result = options()
        .map_err(|error| error.to_string())
        .and_then(|options| run(&options));
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error}\n{HELP}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options, lexopt::Error> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut options = Options {
        proxy: SocketAddr::from(([127, 0, 0, 1], 5060)),
        callee: any,
        caller: any,
        rate: 100,
        calls: 1_000,
        hold: Some(Duration::from_millis(500)),
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("proxy") => options.proxy = parser.value()?.parse()?,
            Long("callee") => options.callee = parser.value()?.parse()?,
            Long("caller") => options.caller = parser.value()?.parse()?,
            Long("rate") => options.rate = parser.value()?.parse()?,
            Long("calls") => options.calls = parser.value()?.parse()?,
            Long("hold") => options.hold = Some(Duration::from_millis(parser.value()?.parse()?)),
            Long("keep") => options.hold = None,
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<bool, String> {
    let failed = |error: std::io::Error| error.to_string();
    let start = Instant::now();
    let callee_socket = UdpSocket::bind(options.callee).map_err(failed)?;
    let caller_socket = UdpSocket::bind(options.caller).map_err(failed)?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let answering = std::thread::spawn(move || callee::run(&callee_socket, start, &stopped));
    let plan = Plan {
        proxy: options.proxy,
        rate: options.rate,
        calls: options.calls,
        hold: options.hold,
        run: u64::from(std::process::id()),
    };
    let outcome = caller::run(&caller_socket, plan, start).map_err(failed)?;
    std::thread::sleep(Duration::from_millis(100));
    stop.store(true, Ordering::Relaxed);
    let seen = answering
        .join()
        .map_err(|_| "the callee panicked")?
        .map_err(failed)?;
    let mut both = seen.forth.clone();
    both.merge(&outcome.back);
    println!(
        "begun {} answered {} ended {} refused {} unexpected {} acks {}",
        outcome.begun,
        outcome.answered,
        outcome.ended,
        outcome.refused,
        outcome.unexpected + seen.unexpected,
        seen.acks
    );
    println!(
        "latency_us p50 {} p99 {} p99.9 {}",
        both.quantile(0.5),
        both.quantile(0.99),
        both.quantile(0.999)
    );
    if let Some(line) = &outcome.first_refusal {
        println!("first refusal: {line}");
    }
    let ended = options.hold.is_none() || outcome.ended == outcome.begun;
    Ok(outcome.answered == outcome.begun
        && ended
        && seen.acks == outcome.answered
        && outcome.unexpected + seen.unexpected == 0)
}
