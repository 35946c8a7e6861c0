//! Runs a bare forwarder, Kamailio and Tandem in turn on this machine with the same script and the same load, and
//! prints side by side what the kernel says that a call costs: CPU, memory, and the time that it adds.

#[path = "compare/build.rs"]
mod build;
#[path = "compare/measure.rs"]
mod measure;
#[path = "compare/options.rs"]
mod options;
#[path = "compare/table.rs"]
mod table;

use std::process::ExitCode;

use measure::Measured;
use options::Options;

fn main() -> ExitCode {
    let options = match Options::from_command_line() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("compare: {error}\n{}", options::HELP);
            return ExitCode::FAILURE;
        }
    };
    match run(&options) {
        Ok(measured) => {
            table::print(&options, &measured);
            if measured.iter().all(Measured::is_clean) {
                ExitCode::SUCCESS
            } else {
                eprintln!("compare: not every call went as it should");
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<Vec<Measured>, Box<dyn std::error::Error>> {
    let contenders = build::contenders(options)?;
    let mut measured = Vec::new();
    for contender in &contenders {
        eprintln!("{}:", contender.name);
        measured.push(measure::measure(contender, options)?);
    }
    Ok(measured)
}
