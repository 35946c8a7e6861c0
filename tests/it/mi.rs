//! The MI FIFO of the 3.x days, as the kamctl of those days uses it: with mkfifo, cat and printf. Kamailio 5.6.3 has
//! none any more, so only Tandem answers.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::management::managed;
use crate::support::{Program, process};

const LIMIT: Duration = Duration::from_secs(10);

const MI: &str = "loadmodule \"mi_fifo.so\"
modparam(\"mi_fifo\", \"fifo_name\", \"%DIR%/kamailio_fifo\")
modparam(\"mi_fifo\", \"fifo_mode\", 0600)
modparam(\"mi_fifo\", \"reply_dir\", \"%DIR%/\")
modparam(\"mi_fifo\", \"reply_indent\", \"  \")
";

const CTL: &str = "modparam(\"ctl\", \"fifo\", \"fifo:%DIR%/ctl_fifo\")\n";

/// One command in the manner of the old kamctl: the reader waits before the request is written.
const CLIENT: &str = r#"
reply=ser_receiver_$$
mkfifo "$REPLIES/$reply" || exit 1
cat < "$REPLIES/$reply" &
{ printf ':%s:%s\n' "$1" "$reply"; shift; for argument; do printf '%s\n' "$argument"; done; printf '\n'; } > "$FIFO"
wait $!
rm -f "$REPLIES/$reply"
"#;

fn fifo(fifo: &Path, replies: &Path, words: &[&str]) -> String {
    let mut command = Command::new("sh");
    command.args(["-c", CLIENT, "fifo"]).args(words);
    command.env("FIFO", fifo).env("REPLIES", replies);
    process::run(&mut command, LIMIT).1
}

#[test]
fn old_kamctl_lists_and_ends_a_call() {
    let Some(s) = managed(Program::Tandem, MI) else {
        return;
    };
    let directory = s.lab.directory().to_owned();
    let ask = |words: &[&str]| fifo(&directory.join("kamailio_fifo"), &directory, words);
    let listed = ask(&["dlg_list"]);
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines[0], "200 OK", "{listed}");
    assert!(lines[1].starts_with("dialog::  hash="), "{listed}");
    assert!(lines.contains(&"  state:: 4") && lines.contains(&"  callid:: managed@test"));
    assert_eq!(lines.last(), Some(&""), "{listed}");
    assert_eq!(ask(&["dlg_list", "managed@test", "alice-tag"]), listed);
    assert_eq!(
        ask(&["profile_get_size", "inbound"]),
        "200 OK\nprofile::  name=inbound value= count=1\n\n"
    );
    assert_eq!(ask(&["no_such"]), "500 command 'no_such' not available\n\n");
    assert!(ask(&["which"]).contains("\nprofile_list_dlgs\n"));
    assert_eq!(ask(&["dlg_terminate_dlg", "managed@test"]), "200 OK\n\n");
    // The call ends in its own turn, a moment after the answer.
    let gone = (0..100).any(|_| ask(&["dlg_list", "managed@test"]) == "404 Nu such dialog\n\n");
    assert!(gone, "the call goes on");
}

/// The FIFO of the ctl module has the same requests, and answers in /tmp. Kamailio 5.6.3 shows freed memory there, but for
/// what is no value.
fn ctl_fifo(program: Program) {
    let Some(s) = managed(program, CTL) else {
        return;
    };
    let path = s.lab.directory().join("ctl_fifo");
    let ask = |words: &[&str]| fifo(&path, Path::new("/tmp"), words);
    assert_eq!(ask(&["no.such"]), "500 Command 'no.such' not found\n");
    assert!(ask(&["core.version"]).starts_with("200 OK\n"));
    if program == Program::Tandem {
        assert_eq!(ask(&["core.echo", "1", "a:b"]), "200 OK\n1\na\\ob\n");
        assert_eq!(ask(&["dlg.profile_get_size", "inbound"]), "200 OK\n1\n");
    }
}

mod ctl {
    use super::*;

    #[test]
    fn kamailio() {
        ctl_fifo(Program::Kamailio);
    }

    #[test]
    fn tandem() {
        ctl_fifo(Program::Tandem);
    }
}
