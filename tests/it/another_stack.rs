//! `examples/rsipstack`: the calls of a program on another SIP stack, tracked by `crates/dialog`, with SIPp as their
//! caller. Building that stack takes a minute, so that is done where it is asked for: by `CI` or `TANDEM_EXAMPLES`.

use std::env;
use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::agent::Transport;
use crate::support::lab::{Lab, test_file};
use crate::support::{peers, process};

const BUILD_LIMIT: Duration = Duration::from_secs(600);
const LIMIT: Duration = Duration::from_secs(60);
const CALLS: usize = 10;

/// What the observer says of one call, in order.
const HEARD: &str = "\
{\"CREATED\"} INVITE
{\"RESPONSE_FWDED\"} 180
{\"EARLY\"} 180
{\"RESPONSE_FWDED\"} 200
{\"CONFIRMED_NA\"} 200
{\"CONFIRMED\"} ACK
{\"TERMINATED\"} BYE
{\"RESPONSE_WITHIN\"} 200
{\"TERMINATED_CONFIRMED\"} 200
{\"DESTROY\"} -
";

#[test]
fn calls_of_another_stack_are_tracked() {
    if env::var_os("CI").is_none() && env::var_os("TANDEM_EXAMPLES").is_none() {
        return peers::skip(
            "TANDEM_EXAMPLES",
            "examples are built with TANDEM_EXAMPLES=1",
        );
    }
    let Some(sipp) = peers::require("sipp") else {
        return;
    };
    let target = env!("CARGO_TARGET_TMPDIR").to_owned() + "/examples";
    let manifest = test_file("../examples/rsipstack/Cargo.toml");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--locked", "--quiet", "--target-dir", &target]);
    build.arg("--manifest-path").arg(manifest);
    let (is_built, said) = process::run(&mut build, BUILD_LIMIT);
    assert!(is_built, "the example is not built:\n{said}");

    let lab = Lab::new(5060);
    let output = lab.directory().join("output");
    let mut program = Command::new(target + "/debug/rsipstack-calls");
    program.arg(lab.server().to_string());
    program.stdout(File::create(&output).expect("the temporary directory can be written"));
    program.stderr(Stdio::inherit());
    let running = process::Process::start("rsipstack-calls", &mut program);
    process::await_bound(lab.server(), Transport::Udp);

    let caller = lab.host(10).to_string();
    let mut calls = Command::new(sipp);
    calls.args([
        "-sn",
        "uac",
        &lab.server().to_string(),
        "-i",
        &caller,
        "-p",
        "5060",
    ]);
    calls.args([
        "-m",
        &CALLS.to_string(),
        "-d",
        "200",
        "-nostdin",
        "-cp",
        "0",
    ]);
    calls.env("TERM", "dumb").current_dir(lab.directory());
    let (is_done, said) = process::run(&mut calls, LIMIT);
    assert!(is_done, "SIPp:\n{said}");
    // Records go a second after their calls.
    let all = HEARD.lines().count() * CALLS;
    let mut heard = String::new();
    for _ in 0..200 {
        heard = fs::read_to_string(&output).expect("the output is text");
        if heard.lines().count() >= all {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(running);
    // SIP's own words are left out, so that calls at once may be mixed.
    let mut words: Vec<_> = heard.lines().map(short).collect();
    words.sort_unstable();
    let mut expected: Vec<_> = (0..CALLS)
        .flat_map(|_| HEARD.lines().map(str::to_owned))
        .collect();
    expected.sort_unstable();
    assert_eq!(words, expected);
}

/// The callback's type, and the method or the status.
fn short(line: &str) -> String {
    let words: Vec<_> = line.split(' ').collect();
    let message = if words[1] == "SIP/2.0" {
        words[2]
    } else {
        words[1]
    };
    format!("{} {message}", words[0])
}
