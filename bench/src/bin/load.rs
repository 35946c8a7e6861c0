//! Makes calls through a proxy and says what came of them.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use lexopt::prelude::*;
use tandem_bench::load::{self, Load};

const HELP: &str = "\
Usage: load --proxy ADDR:PORT --callee ADDR:PORT [OPTIONS]

Makes calls over UDP: a caller that sends to the proxy, a callee that the proxy sends to.
Exits with 0 if every message of every call came, and with 1 if not.

  --proxy ADDR:PORT    the proxy (127.0.0.1:5060)
  --callee ADDR:PORT   where the callee listens (any free port of 127.0.0.1)
  --caller ADDR:PORT   where the caller listens (any free port of 127.0.0.1)
  --rate N             calls begun a second (100)
  --calls N            calls in all (1000)
  --hold MS            from the 200 to the BYE (500)
  --keep               never end a call
";

fn main() -> ExitCode {
    let load = match options() {
        Ok(Some(load)) => load,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("load: {error}\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    match load::run(&load) {
        Ok(report) => {
            print!("{report}");
            let each = report.cpu.micros_each(load.calls).total();
            println!("the load itself: {each:.0} us of CPU a call");
            if report.is_clean() {
                ExitCode::SUCCESS
            } else {
                eprintln!("load: {} calls failed", report.failed());
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `None` when only help was asked for.
fn options() -> Result<Option<Load>, lexopt::Error> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut load = Load {
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
            Long("proxy") => load.proxy = parser.value()?.parse()?,
            Long("callee") => load.callee = parser.value()?.parse()?,
            Long("caller") => load.caller = parser.value()?.parse()?,
            Long("rate") => load.rate = parser.value()?.parse()?,
            Long("calls") => load.calls = parser.value()?.parse()?,
            Long("hold") => load.hold = Some(Duration::from_millis(parser.value()?.parse()?)),
            Long("keep") => load.hold = None,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(load))
}
