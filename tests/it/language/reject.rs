//! Configurations that have to be refused, by `-c` or at the latest when the program starts.

use std::process::Command;
use std::time::Duration;

use crate::support::lab::Lab;
use crate::support::{Program, golden, process};

const LIMIT: Duration = Duration::from_secs(10);

/// Starts the program on each text of `tables/rejects.txt` and records whether it is taken.
fn run(program: Program) {
    let Some(path) = program.path() else { return };
    let mut recording = String::new();
    for section in super::table("rejects.txt").split("=== ").skip(1) {
        let (name, body) = section.split_once('\n').expect("a name on its own line");
        let lab = Lab::new(5060);
        let config = lab.write("server.cfg", &format!("{}{body}", base(body)));
        let mut check = Command::new(&path);
        check
            .arg("-c")
            .arg("-f")
            .arg(&config)
            .current_dir(lab.directory());
        let (passes, output) = process::run(&mut check, LIMIT);
        if program == Program::Tandem && !passes {
            check_message(&output, name);
        }
        let taken = passes && starts(&path, program, &lab, &config);
        let verdict = if taken { "taken" } else { "refused" };
        recording.push_str(&format!("--- {}\n{verdict}\n", name.trim_end()));
    }
    golden::check(program, "rejects", &recording);
}

/// A refusal names the file and the line, so an operator finds the place.
fn check_message(output: &str, name: &str) {
    let named = regex::Regex::new(r"server\.cfg:\d+").expect("a constant pattern");
    assert!(
        named.is_match(output),
        "the refusal of {name:?} names no line:\n{output}"
    );
}

/// Whether the program is still there a moment after its start, or has ended by refusing.
fn starts(path: &std::path::Path, program: Program, lab: &Lab, config: &std::path::Path) -> bool {
    let log = lab.directory().join("server.log");
    let stderr = std::fs::File::create(&log).expect("the temporary directory can be written");
    let mut command = program.command(path, lab);
    command.arg("-f").arg(config);
    let mut server = process::Process::start("server", command.stderr(stderr));
    let end = std::time::Instant::now() + LIMIT;
    loop {
        if server.ended().is_some() {
            return false;
        }
        if process::bound(lab.server(), crate::support::agent::Transport::Udp) {
            std::thread::sleep(Duration::from_millis(30));
            return server.ended().is_none();
        }
        assert!(
            std::time::Instant::now() < end,
            "the server neither starts nor ends"
        );
        std::thread::sleep(Duration::from_millis(3));
    }
}

fn base(body: &str) -> String {
    let mut text = super::table("rejects.cfg");
    if !body.contains("request_route") {
        text.push_str("request_route { exit; }\n");
    }
    text
}

#[test]
fn kamailio() {
    run(Program::Kamailio);
}

#[test]
fn tandem() {
    run(Program::Tandem);
}
