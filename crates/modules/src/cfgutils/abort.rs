//! `abort()`: the end of the server by SIGABRT, for those who look for mistakes in it.

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome};

use crate::row::{WITH_MESSAGES, function};

pub(super) const FUNCTIONS: &[FunctionRow] = &[function(
    "abort",
    &[],
    WITH_MESSAGES,
    abort,
    "Ends the server at once by SIGABRT, which may leave a core dump.",
)];

fn abort(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    run.log(
        level::CRITICAL,
        "cfgutils",
        "abort: the script ends the server",
    );
    run.engine.log.flush();
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{Command, Stdio};

    use nix::sys::signal::Signal;

    use crate::testing::Bench;

    /// Set in the process that is to end.
    const MARK: &str = "TANDEM_TEST_ABORT";

    #[test]
    fn the_process_ends_by_sigabrt() {
        if std::env::var_os(MARK).is_some() {
            let config = "loadmodule \"cfgutils.so\"\nrequest_route { abort(); }\n";
            let mut bench = Bench::new(config);
            bench.receive(
                "10.0.0.9:5060",
                "OPTIONS sip:b@10.0.0.8 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKa\n\
                 From: <sip:a@x>;tag=1\nTo: <sip:b@x>\nCall-ID: c\nCSeq: 1 OPTIONS\n\
                 Content-Length: 0\n\n",
            );
            return;
        }
        let name = concat!(module_path!(), "::the_process_ends_by_sigabrt");
        let (_, name) = name.split_once("::").expect("a path in this crate");
        let program = std::env::current_exe().expect("this program");
        let status = Command::new(program)
            .args(["--exact", name])
            .env(MARK, "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("the same program again");
        assert_eq!(status.signal(), Some(Signal::SIGABRT as i32));
    }
}
