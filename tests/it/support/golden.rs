//! Recordings of what Kamailio 5.6.3 does, kept in `tests/golden/`: Kamailio must still do it, Tandem must do it too.
//!
//! `BLESS=1 cargo test -p tandem-tests kamailio` writes them anew from the installed Kamailio.

use std::{env, fs};

use super::accepted;
use super::lab::test_file;
use super::process::Program;

/// Compares a recording with the one that is kept.
pub fn check(program: Program, name: &str, recording: &str) {
    let path = test_file("golden").join(format!("{name}.txt"));
    if program == Program::Kamailio && env::var_os("BLESS").is_some() {
        fs::write(&path, recording).expect("tests/golden can be written");
        return;
    }
    let kept = fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; run with BLESS=1", path.display()));
    let wanted = match program {
        Program::Kamailio => kept,
        Program::Tandem => accepted::apply(name, &kept),
    };
    if recording != wanted {
        if env::var_os("TANDEM_TESTS_KEEP").is_some() {
            let seen = env::temp_dir().join(format!("tandem-it-{name}.txt"));
            fs::write(&seen, recording).expect("the temporary directory can be written");
            eprintln!("the whole recording: {}", seen.display());
        }
        panic!(
            "{program:?} differs from golden/{name}.txt (- wanted, + seen):\n{}",
            difference(&wanted, recording)
        );
    }
}

/// Whether a recording of Kamailio is the one that is kept.
pub fn is_kept(name: &str, recording: &str) -> bool {
    let path = test_file("golden").join(format!("{name}.txt"));
    fs::read_to_string(path).is_ok_and(|kept| kept == recording)
}

/// A line diff with the heading that each difference stands under.
pub fn difference(wanted: &str, seen: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (wanted.lines().collect(), seen.lines().collect());
    let common = longest_common(&a, &b);
    let (mut i, mut j, mut out, mut heading) = (0, 0, String::new(), "");
    while i < a.len() || j < b.len() {
        let line = if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j) = (i + 1, j + 1);
            if a[i - 1].starts_with("--- ") {
                heading = a[i - 1];
            }
            continue;
        } else if j >= b.len() || (i < a.len() && common[i + 1][j] >= common[i][j + 1]) {
            i += 1;
            format!("- {}\n", a[i - 1])
        } else {
            j += 1;
            format!("+ {}\n", b[j - 1])
        };
        if !heading.is_empty() {
            out.push_str(heading);
            out.push('\n');
            heading = "";
        }
        out.push_str(&line);
    }
    out
}

/// `table[i][j]` is the length of the longest common subsequence of `a[i..]` and `b[j..]`.
fn longest_common(a: &[&str], b: &[&str]) -> Vec<Vec<u32>> {
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            table[i][j] = match a[i] == b[j] {
                true => table[i + 1][j + 1] + 1,
                false => table[i + 1][j].max(table[i][j + 1]),
            };
        }
    }
    table
}
