//! A section of the output: a table of Markdown, with what has to be said about it.

use std::fmt;

use super::contender::Contender;
use super::options::Options;

/// A section.
#[derive(Clone, Debug, Default)]
pub struct Section {
    title: String,
    intro: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    texts: Vec<String>,
    is_unclean: bool,
}

impl Section {
    /// Without rows yet.
    pub fn new(
        title: impl Into<String>,
        intro: impl Into<String>,
        columns: &[&'static str],
    ) -> Self {
        Self {
            title: title.into(),
            intro: intro.into(),
            columns: columns.to_vec(),
            ..Self::default()
        }
    }

    /// Adds a row; its first two cells are texts, the others numbers.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Adds a line below the table.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        eprintln!("  {text}");
        self.notes.push(text);
    }

    /// Adds a text of its own below the table.
    pub fn text(&mut self, text: impl Into<String>) {
        self.texts.push(text.into());
    }

    /// Something did not go as it should.
    pub fn fault(&mut self, text: impl Into<String>) {
        self.is_unclean = true;
        self.note(text);
    }

    /// Runs a part for one contender: what fails is a note.
    pub fn attempt<T>(
        &mut self,
        name: &str,
        part: impl FnOnce(&mut Self) -> std::io::Result<T>,
    ) -> Option<T> {
        match part(self) {
            Ok(done) => Some(done),
            Err(error) => {
                self.fault(format!("{name}: {error}"));
                None
            }
        }
    }

    /// Whether all went as it should.
    pub const fn is_clean(&self) -> bool {
        !self.is_unclean
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n", self.title)?;
        if !self.intro.is_empty() {
            writeln!(f, "{}\n", self.intro)?;
        }
        if !self.rows.is_empty() {
            writeln!(f, "| {} |", self.columns.join(" | "))?;
            let is_text = |at: usize| {
                self.rows
                    .iter()
                    .any(|row| !row.get(at).is_none_or(|c| is_number(c)))
            };
            let rules = (0..self.columns.len()).map(|at| if is_text(at) { "---" } else { "---:" });
            writeln!(f, "|{}|", rules.collect::<Vec<_>>().join("|"))?;
            for row in &self.rows {
                writeln!(f, "| {} |", row.join(" | "))?;
            }
        }
        for note in &self.notes {
            writeln!(f, "\n* {}", note.trim_end().replace('\n', "\n  "))?;
        }
        for text in &self.texts {
            writeln!(f, "{}\n", text.trim_end())?;
        }
        Ok(())
    }
}

fn is_number(cell: &str) -> bool {
    cell.starts_with(|first: char| first.is_ascii_digit() || "–-+".contains(first))
}

/// A number without digits behind the point.
pub fn whole(number: f64) -> String {
    format!("{number:.0}")
}

/// A number, or a dash.
pub fn or_dash<T: fmt::Display>(number: Option<T>) -> String {
    number.map_or("–".to_owned(), |number| number.to_string())
}

/// How many times the other.
pub fn ratio(own: f64, other: Option<f64>) -> String {
    let other = other.filter(|other| *other > 0.0);
    or_dash(other.map(|other| format!("{:.2}", own / other)))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The machine, and what was run on it.
pub fn machine(options: &Options, contenders: &[Contender]) -> String {
    let cpus = read("/proc/cpuinfo");
    let model = cpus
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(':'))
        .map_or("unknown CPU", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let names: Vec<&str> = contenders
        .iter()
        .map(|contender| contender.name.as_str())
        .collect();
    let machine = format!("{cores} cores of {model}, Linux {}.", kernel.trim());
    if names.is_empty() {
        return machine;
    }
    format!(
        "{machine} {}; Tandem built with the profile {}, Kamailio with {} children.",
        names.join(", "),
        options.build,
        options.children
    )
}

/// How busy others kept the machine: that is what makes figures of two runs differ.
pub fn load_average() -> String {
    let loads = read("/proc/loadavg");
    let loads: Vec<&str> = loads.split(' ').take(3).collect();
    format!("Load average at the end: {}.", loads.join(", "))
}
