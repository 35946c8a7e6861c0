//! Runs Tandem's core under a simulated network and clock, over many seeds.
//!
//! After each run no transaction and no call may be left, every profile must have been the set that the calls
//! show, and every caller must have got one final reply. The same seed gives the same run, byte for byte.

mod agent;
mod check;
mod crash;
mod disk;
mod proxy;
mod queue;
mod random;
mod temper;
mod watch;
mod world;

use std::process::ExitCode;

use lexopt::prelude::*;

const HELP: &str = "\
Usage: tandem-sim [--seeds N] [--first N]     run many seeds (default 1000 from 1)
       tandem-sim --seed N [--verbose]        run one, telling every datagram
       --crash                                calls are in a database, and the proxy crashes
";

struct Options {
    first: u64,
    seeds: u64,
    verbose: bool,
    crash: bool,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("tandem-sim: {error}\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    let (mut calls, mut messages, mut failed) = (0, 0, 0);
    for seed in options.first..options.first + options.seeds {
        let result = match options.crash {
            true => world::run_until_crash(seed, options.verbose),
            false => world::run(seed, options.verbose),
        };
        match result {
            Ok(summary) => {
                calls += summary.calls;
                messages += summary.messages;
            }
            Err(text) => {
                failed += 1;
                println!("seed {seed}: {text}");
            }
        }
    }
    println!(
        "{} seeds, {calls} calls, {messages} datagrams, {failed} failed",
        options.seeds
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        first: 1,
        seeds: 1_000,
        verbose: false,
        crash: false,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("seeds") => options.seeds = parser.value()?.parse()?,
            Long("first") => options.first = parser.value()?.parse()?,
            Long("seed") => {
                options.first = parser.value()?.parse()?;
                options.seeds = 1;
            }
            Long("crash") => options.crash = true,
            Long("verbose") => options.verbose = true,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

#[cfg(test)]
mod tests {
    use super::world;

    #[test]
    fn a_thousand_seeds_leave_nothing_behind() {
        let failures: Vec<String> = (1..=1_000)
            .filter_map(|seed| {
                world::run(seed, false)
                    .err()
                    .map(|text| format!("{seed}: {text}"))
            })
            .collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    #[test]
    fn no_call_that_was_told_of_is_lost_in_a_crash() {
        let mut calls = 0;
        let failures: Vec<String> = (1..=200)
            .filter_map(|seed| match world::run_until_crash(seed, false) {
                Ok(summary) => {
                    calls += summary.calls;
                    None
                }
                Err(text) => Some(format!("{seed}: {text}")),
            })
            .collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        assert!(calls > 100, "only {calls} calls were up");
    }

    #[test]
    fn a_seed_replays_exactly() {
        for seed in [3, 17, 40] {
            assert_eq!(world::run(seed, false), world::run(seed, false));
            let crash = |seed| world::run_until_crash(seed, false);
            assert_eq!(crash(seed), crash(seed));
        }
    }
}
