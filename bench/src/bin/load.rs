//! Makes calls through a proxy and says what came of them.

use std::net::SocketAddrV4;
use std::process::ExitCode;
use std::time::Duration;

use lexopt::prelude::*;
use tandem_bench::load::callee::BRANCHES_MAX;
use tandem_bench::load::{self, Hold, Plan, Target, Transport};

const HELP: &str = "\
Usage: load --proxy ADDR:PORT --callee PORT [OPTIONS]

Makes calls: callers that send to the proxy, a callee that the proxy sends to. Begins them at a steady rate, whether
they are answered or not. Exits with 0 if every message of every call came and nothing else did, and with 1 if not.
Calls refused with 503 and Retry-After are counted apart.

  --proxy ADDR:PORT    the proxy (127.0.0.1:5060)
  --callee PORT        the callee's port (5080)
  --sockets N          callers' sockets, and addresses of the callee: 127.0.0.1 and up (1)
  --tcp                over TCP
  --registered         register sip:callee000@PROXY to callee999 first, and call these; else sip:calleeNNN@127.0.0.N
  --branches N         the proxy forks each call to sip:b0@… to sip:bN-1@… (1)
  --rate N             calls begun a second (100)
  --calls N            calls in all (1000)
  --hold MS[-MS]       from the 200 to the BYE; of two, anything between (500)
  --keep               never end a call
  --retransmit         send again what is not answered
  --cpu N              run on this CPU
";

fn main() -> ExitCode {
    let plan = match options() {
        Ok(Some(plan)) => plan,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("load: {error}\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    match load::run(plan) {
        Ok(report) => {
            print!("{report}");
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
fn options() -> Result<Option<Plan>, lexopt::Error> {
    let proxy = SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 5060);
    let mut plan = Plan::new(proxy, 5080, 100, 1_000);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("proxy") => plan.proxy = parser.value()?.parse()?,
            Long("callee") => plan.callee_port = parser.value()?.parse()?,
            Long("sockets") => plan.sockets = parser.value()?.parse::<usize>()?.clamp(1, 64),
            Long("tcp") => plan.transport = Transport::Tcp,
            Long("registered") => plan.target = Target::Registered,
            Long("branches") => {
                plan.branches = parser.value()?.parse::<usize>()?.clamp(1, BRANCHES_MAX);
            }
            Long("rate") => plan.rate = parser.value()?.parse::<u64>()?.max(1),
            Long("calls") => plan.calls = parser.value()?.parse()?,
            Long("hold") => plan.hold = hold(&parser.value()?.string()?)?,
            Long("keep") => plan.hold = Hold::Forever,
            Long("retransmit") => plan.retransmits = true,
            Long("cpu") => plan.cpu = Some(parser.value()?.parse()?),
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(plan))
}

fn hold(text: &str) -> Result<Hold, lexopt::Error> {
    let time = |text: &str| {
        let millis = text.parse().map_err(|_| format!("no time: {text:?}"));
        millis.map(Duration::from_millis)
    };
    Ok(match text.split_once('-') {
        None => Hold::For(time(text)?),
        Some((least, most)) => Hold::Mixed(time(least)?, time(most)?),
    })
}
