//! Expressions against the C library's, by way of GNU sed: one run replaces a match in each line by an expression of
//! the line's own.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tandem_script::Ere;
use tandem_script::ere::Flags;

/// sed is given up after this: its own search may take for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// Random numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// An expression whose parentheses lie at most `depth` deep; `groups` counts them as they close.
    fn expression(&mut self, depth: usize, groups: &mut Groups) -> String {
        let mut text = String::new();
        let before = groups.closed.clone();
        for choice in 0..1 + self.below(2) {
            if choice > 0 {
                text.push('|');
                groups.closed.clone_from(&before);
            }
            for _ in 0..1 + self.below(3) {
                text += &self.part(depth, groups);
            }
        }
        text
    }

    fn part(&mut self, depth: usize, groups: &mut Groups) -> String {
        let part = match self.below(8) {
            0..3 if depth > 0 => {
                groups.opened += 1;
                let number = groups.opened;
                let inner = self.expression(depth - 1, groups);
                groups.closed.push(number);
                // The C library takes for ever over counts of groups inside each other.
                return format!("({inner}){}", self.pick(&["", "", "*", "+", "?"]));
            }
            3 if groups.references && !groups.closed.is_empty() => {
                let at = self.below(groups.closed.len());
                format!("\\{}", groups.closed[at])
            }
            4 => return self.pick(&["^", "$", "\\b", "\\<", "\\>"]).to_owned(),
            _ => self.pick(&["a", "b", "c", ".", "[ab]", "[^a]"]).to_owned(),
        };
        part + self.pick(&["", "", "", "*", "+", "?", "{2}", "{1,2}"])
    }
}

#[derive(Default)]
struct Groups {
    references: bool,
    opened: usize,
    closed: Vec<usize>,
}

struct Case {
    pattern: String,
    text: String,
}

/// References are searched for by trying everything, by both sides: shallow expressions, and fewer of them.
fn cases(seed: u64, references: bool) -> Vec<Case> {
    let (count, depth) = if references { (300, 1) } else { (1_000, 2) };
    let mut random = Random(seed);
    let mut cases = Vec::new();
    while cases.len() < count {
        let mut groups = Groups {
            references,
            ..Groups::default()
        };
        let pattern = random.expression(depth, &mut groups);
        let text = (0..random.below(9))
            .map(|_| random.pick(&["a", "b", "c", " "]))
            .collect();
        // sed numbers no more.
        if groups.opened <= 9 && Ere::new(pattern.as_bytes(), Flags::CASE).is_ok() {
            cases.push(Case { pattern, text });
        }
    }
    cases
}

/// What sed makes of each case: the line with its first match in angle brackets. None without GNU sed, or when it
/// takes too long.
fn by_sed(seed: u64, cases: &[Case]) -> Option<Vec<String>> {
    let script: String = cases
        .iter()
        .enumerate()
        .map(|(number, case)| format!("{}s/{}/<&>/\n", number + 1, case.pattern))
        .collect();
    let directory = std::env::temp_dir().join(format!("tandem-ere-{}-{seed}", std::process::id()));
    std::fs::create_dir_all(&directory).ok()?;
    let file = directory.join("script.sed");
    std::fs::write(&file, script).ok()?;
    let mut sed = Command::new("sed")
        .env("LC_ALL", "C")
        .arg("-E")
        .arg("-f")
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let lines: String = cases
        .iter()
        .map(|case| format!("{}\n", case.text))
        .collect();
    let mut input = sed.stdin.take()?;
    let writing = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let mut output = sed.stdout.take()?;
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| text)
    });
    let end = Instant::now() + PATIENCE;
    while sed.try_wait().ok()?.is_none() {
        if Instant::now() > end {
            sed.kill().ok()?;
            sed.wait().ok()?;
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    // It fails when sed did not read to the end, and then there are too few lines.
    let _ = writing.join();
    let text = reading.join().ok()?.ok()?;
    let _ = std::fs::remove_dir_all(directory);
    Some(text.lines().map(str::to_owned).collect())
}

fn by_us(case: &Case) -> String {
    let ere = Ere::new(case.pattern.as_bytes(), Flags::CASE).expect("it was compiled before");
    match ere.captures(case.text.as_bytes()) {
        None => case.text.clone(),
        Some(found) => {
            let at = found.whole();
            let (before, rest) = case.text.split_at(at.start);
            let (inside, after) = rest.split_at(at.len());
            format!("{before}<{inside}>{after}")
        }
    }
}

fn refers(pattern: &str) -> bool {
    let mut pairs = pattern.as_bytes().windows(2);
    pairs.any(|pair| pair[0] == b'\\' && pair[1].is_ascii_digit())
}

fn compare(seed: u64, references: bool) {
    let cases = cases(seed, references);
    let Some(lines) = by_sed(seed, &cases) else {
        eprintln!("skipped: there is no GNU sed, or it takes too long");
        return;
    };
    assert_eq!(
        lines.len(),
        cases.len(),
        "sed refused {:?}",
        cases.get(lines.len()).map(|case| &case.pattern)
    );
    // Some versions of the C library miss matches of nested repetitions, which the `regex` crate finds.
    let missed = |case: &Case, line: &str| {
        let ere = Ere::new(case.pattern.as_bytes(), Flags::CASE).expect("it was compiled before");
        line == case.text && !refers(&case.pattern) && ere.is_match(case.text.as_bytes())
    };
    let count = cases
        .iter()
        .zip(&lines)
        .filter(|(case, line)| missed(case, line))
        .count();
    assert!(count <= cases.len() / 100, "{count} matches were missed");
    let wrong: Vec<String> = cases
        .iter()
        .zip(&lines)
        .filter(|(case, line)| by_us(case) != **line && !missed(case, line))
        .map(|(case, line)| {
            format!(
                "{} in {:?}: {line:?}, not {:?}",
                case.pattern,
                case.text,
                by_us(case)
            )
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn matches_are_as_long_as_the_c_library_has_them() {
    compare(1, false);
}

#[test]
fn references_match_as_the_c_library_has_them() {
    compare(2, true);
}
