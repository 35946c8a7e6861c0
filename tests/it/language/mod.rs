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

type Play = fn(Program, &[case::Case]) -> Option<String>;

fn check(program: Program, name: &str, cases: &[case::Case], play: Play) {
    if let Some(recording) = play(program, cases) {
        golden::check(program, name, &recording);
    }
}

macro_rules! tables {
    ($($name:ident: $read:path, $play:path;)*) => {
        $(mod $name {
            use super::*;

            fn run(program: Program) {
                let name = stringify!($name);
                check(program, name, &$read(&table(&format!("{name}.txt"))), $play);
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
    expressions: case::read_lines, play::all;
    fragments: case::read_sections, play::all;
    messages: case::read_sections, play::all;
    blocks: case::read_sections, play::apart;
}
