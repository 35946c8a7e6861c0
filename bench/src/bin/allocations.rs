//! Counts the heap allocations of a whole call in the core, by kind of message. A program of its own, because counting
//! costs instructions that `instructions` must not count.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use lexopt::prelude::*;
use tandem_bench::core::{Core, Sent};
use tandem_bench::steps::{Calls, Deliver, Step, WARM_UP_CALLS, deliver};

const HELP: &str = "\
Usage: allocations [OPTIONS]

Prints the heap allocations of a whole call (INVITE, 100, 180, 200, ACK, BYE, 200) in the core, by kind of message.

  --calls N       calls that are counted (1000)
  --config PATH   the configuration (bench.cfg of this package)
  --brief         one line
";

thread_local! {
    /// Allocations and their bytes, by step.
    static COUNTED: RefCell<[[u64; 2]; Step::ALL.len()]> = const { RefCell::new([[0; 2]; Step::ALL.len()]) };
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("allocations: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let (mut count, mut config, mut brief) = (
        1_000_u64,
        concat!(env!("CARGO_MANIFEST_DIR"), "/bench.cfg").into(),
        false,
    );
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("calls") => count = parser.value()?.parse()?,
            Long("config") => config = parser.value()?,
            Long("brief") => brief = true,
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let counted = make(config.as_ref(), count)?;
    print(&counted, count.max(1) as f64, brief);
    Ok(())
}

fn make(config: &std::path::Path, count: u64) -> io::Result<[[u64; 2]; Step::ALL.len()]> {
    let mut calls = Calls::new(Core::start(config)?)?;
    calls.make(WARM_UP_CALLS, |_| deliver)?;
    calls.make(count, counting)?;
    Ok(COUNTED.with_borrow(|counted| *counted))
}

/// The way to do a step that counts it.
fn counting(step: Step) -> Deliver {
    match step {
        Step::Invite => |c, f, b, a, s| measure(Step::Invite, c, f, b, a, s),
        Step::Ringing => |c, f, b, a, s| measure(Step::Ringing, c, f, b, a, s),
        Step::Ok => |c, f, b, a, s| measure(Step::Ok, c, f, b, a, s),
        Step::Ack => |c, f, b, a, s| measure(Step::Ack, c, f, b, a, s),
        Step::Bye => |c, f, b, a, s| measure(Step::Bye, c, f, b, a, s),
        Step::ByeOk => |c, f, b, a, s| measure(Step::ByeOk, c, f, b, a, s),
        Step::Tick => |c, f, b, a, s| measure(Step::Tick, c, f, b, a, s),
    }
}

fn measure(step: Step, core: &mut Core, from: SocketAddr, bytes: &[u8], at: u64, sent: &mut Sent) {
    let info = allocation_counter::measure(|| deliver(core, from, bytes, at, sent));
    COUNTED.with_borrow_mut(|counted| {
        let [count, size] = &mut counted[step as usize];
        *count += info.count_total;
        *size += info.bytes_total;
    });
}

fn print(counted: &[[u64; 2]; Step::ALL.len()], calls: f64, brief: bool) {
    let [all, bytes] = [0, 1].map(|at| counted.iter().map(|of| of[at]).sum::<u64>() as f64 / calls);
    if brief {
        println!("core: {all:.1} allocations a call, of {bytes:.0} bytes");
        return;
    }
    println!("| of one call | allocations | bytes |\n|---|---:|---:|");
    for (step, [count, size]) in Step::ALL.iter().zip(counted) {
        let (count, size) = (*count as f64 / calls, *size as f64 / calls);
        println!("| {} | {count:.2} | {size:.0} |", step.name());
    }
    println!("| **all** | **{all:.2}** | **{bytes:.0}** |");
}
