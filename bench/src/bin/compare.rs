//! Runs a bare forwarder, Kamailio and Tandem in turn on this machine with the same script and the same load, and
//! prints side by side what the kernel says that a call costs: CPU, memory, and the time that it adds.

use std::process::ExitCode;

use tandem_bench::suite::{self, Options, options::HELP};

fn main() -> ExitCode {
    let options = match Options::from_command_line() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("compare: {error}\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    match suite::run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("compare: not every call went as it should");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}
