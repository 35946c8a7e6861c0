//! The configuration language and the small functions, case by case: tables of fragments that run in both programs.

mod case;
mod play;
mod reject;

use std::fs;

use crate::support::lab::test_file;
use crate::support::{Program, golden};

fn table(name: &str) -> String {
    let path = test_file("tables").join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn check(program: Program, name: &str, cases: &[case::Case]) {
    if let Some(recording) = play::all(program, cases) {
        golden::check(program, name, &recording);
    }
}

macro_rules! tables {
    ($($name:ident: $read:path;)*) => {
        $(mod $name {
            use super::*;

            fn run(program: Program) {
                let name = stringify!($name);
                check(program, name, &$read(&table(&format!("{name}.txt"))));
            }

            #[test]
            fn kamailio() {
                run(Program::Kamailio);
            }

            #[test]
            fn tandem() {
                run(Program::Tandem);
            }
        })*
    };
}

tables! {
    expressions: case::read_lines;
    fragments: case::read_sections;
    messages: case::read_sections;
}
