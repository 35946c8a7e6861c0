//! Everything that can be measured here, one after the other, as Markdown: `compare --everything`.

use std::process::ExitCode;

use tandem_bench::suite::{self, Options, options::HELP};

fn main() -> ExitCode {
    let options = Options::from_command_line().map(|options| {
        options.map(|mut options| {
            options.everything();
            options
        })
    });
    match options {
        Ok(Some(options)) => match suite::run(&options) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("all: {error}");
                ExitCode::FAILURE
            }
        },
        Ok(None) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("all: {error}\n{HELP}");
            ExitCode::FAILURE
        }
    }
}
