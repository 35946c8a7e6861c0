//! The reference of the dialog module, `docs/dialog.md`, against the names that Kamailio's documents have
//! (`tables/dialog_names.txt`): each has a row, and each row names tests that are there and run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::lab::test_file;

/// Kinds of names that may still have no proof, and how many of each: a number may only become smaller.
const NOT_YET: [(&str, usize); 0] = [];

/// The heading of the reference under which a kind of names stands.
const HEADINGS: [(&str, &str); 10] = [
    ("parameter", "## Parameters"),
    ("old-parameter", "### Names of the manual of 3.2"),
    ("function", "## Functions"),
    ("statistic", "## Statistics"),
    ("command", "## Commands"),
    ("variable", "## Variables"),
    ("event", "## Event routes"),
    ("developer", "## The developer's functions and callbacks"),
    ("callback", "## The developer's functions and callbacks"),
    ("mi", "## MI commands of 3.2"),
];

fn root() -> PathBuf {
    test_file("..")
}

/// The rows of the reference by heading: the first cell, and the last.
fn rows(reference: &str) -> BTreeMap<&str, Vec<(&str, &str)>> {
    let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut heading = "";
    for line in reference.lines() {
        if line.starts_with('#') {
            heading = line;
        }
        let cells: Vec<_> = line.split(" | ").collect();
        if let [first, .., last] = cells[..]
            && line.starts_with("| ")
        {
            let (first, last) = (first.trim_start_matches("| "), last.trim_end_matches(" |"));
            rows.entry(heading).or_default().push((first, last));
        }
    }
    rows
}

/// All sources, by the name of their file without its ending.
fn sources(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let stem = path.file_stem().unwrap_or_default();
            let text = fs::read_to_string(&path).expect("a source is text");
            found.push((stem.to_string_lossy().into_owned(), text));
        }
    }
}

fn tests() -> Vec<(String, String)> {
    let mut tests = Vec::new();
    for directory in ["crates", "tests"] {
        sources(&root().join(directory), &mut tests);
    }
    tests
}

/// Whether a function is a test that runs, by itself or as a flow.
fn is_test(sources: &[(String, String)], flows: &str, proof: &str) -> bool {
    let Some((file, function)) = proof.split_once("::") else {
        return false;
    };
    let declaration = format!("fn {function}(");
    let mut files = sources.iter().filter(|(stem, _)| stem == file);
    files.any(|(_, text)| {
        text.match_indices(&declaration).any(|(at, _)| {
            let before: Vec<_> = text[..at].lines().rev().take(4).collect();
            let is_marked = before.iter().any(|line| line.trim() == "#[test]");
            let is_ignored = before.iter().any(|line| line.contains("#[ignore"));
            let is_flow = flows.lines().any(|line| {
                let rest = line.trim().strip_prefix(proof);
                rest.is_some_and(|rest| rest.starts_with([';', ' ']))
            });
            (is_marked && !is_ignored) || is_flow
        })
    })
}

#[test]
fn every_name_of_the_documents_has_a_row_and_a_proof() {
    let reference = fs::read_to_string(root().join("docs/dialog.md")).expect("the reference");
    let names = fs::read_to_string(test_file("tables").join("dialog_names.txt")).expect("names");
    let rows = rows(&reference);
    let tests = tests();
    let flows = fs::read_to_string(test_file("it/flows/mod.rs")).expect("the flows");
    let (mut faults, mut missing) = (Vec::new(), BTreeMap::<&str, usize>::new());
    for (kind, name) in names.lines().filter_map(|line| line.split_once(' ')) {
        let heading = HEADINGS.iter().find(|(known, _)| *known == kind);
        let section = heading.and_then(|(_, heading)| rows.get(heading));
        let quoted = format!("`{name}`");
        let row = section
            .into_iter()
            .flatten()
            .find(|(first, _)| first.contains(&quoted));
        match row {
            None => faults.push(format!("{kind} {name}: no row")),
            Some((_, "not yet")) => *missing.entry(kind).or_default() += 1,
            Some((_, proofs)) => {
                for proof in proofs.split(", ").map(|proof| proof.trim_matches('`')) {
                    if !is_test(&tests, &flows, proof) {
                        faults.push(format!("{kind} {name}: no test {proof}"));
                    }
                }
            }
        }
    }
    for (kind, count) in missing {
        let allowed = NOT_YET.iter().find(|(known, _)| *known == kind);
        if allowed.is_none_or(|(_, allowed)| count > *allowed) {
            faults.push(format!("{count} names of the kind {kind} have no proof"));
        }
    }
    assert!(faults.is_empty(), "docs/dialog.md:\n{}", faults.join("\n"));
}

/// What stands under "Only in Tandem" is proven in the same way.
#[test]
fn every_addition_of_tandem_has_a_proof() {
    let reference = fs::read_to_string(root().join("docs/dialog.md")).expect("the reference");
    let rows = rows(&reference);
    let tests = tests();
    let additions = rows.get("## Only in Tandem").expect("the section");
    for (name, proofs) in additions.iter().filter(|(name, _)| *name != "name") {
        for proof in proofs.split(", ").map(|proof| proof.trim_matches('`')) {
            assert!(is_test(&tests, "", proof), "{name}: no test {proof}");
        }
    }
}
