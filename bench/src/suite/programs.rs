//! The figures of single parts, which other programs of this package and of the script machine print.

use std::io;
use std::path::Path;
use std::process::Command;

use super::Suite;
use super::contender;
use super::section::Section;

pub(super) fn measure(suite: &Suite<'_>) -> Section {
    let mut section = Section::new("The core alone", "Exact but for the nanoseconds.", &[]);
    for program in ["instructions", "allocations", "parse"] {
        section.attempt(program, |section| {
            let profile = contender::own_profile()?;
            let builds = suite.options.builds;
            let binary = contender::build("tandem-bench", program, &profile, builds)?;
            section.text(format!("`{program}`:\n\n{}", output(&binary)?));
            Ok(())
        });
    }
    section.attempt("statements", |section| {
        let binary = contender::build_example("tandem-script", "statements", suite.options.builds)?;
        section.note(format!(
            "`statements`, a script of 80:\n\n{}",
            output(&binary)?
        ));
        Ok(())
    });
    section
}

fn output(binary: &Path) -> io::Result<String> {
    let output = Command::new(binary).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(said));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
