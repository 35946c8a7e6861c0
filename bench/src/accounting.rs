//! The kernel's own accounting of a server: CPU of all its threads and processes, and its memory.

use std::fs;

/// CPU used so far, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cpu {
    /// In user space.
    pub user: f64,
    /// In the kernel.
    pub system: f64,
}

impl Cpu {
    /// What was used since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user - earlier.user,
            system: self.system - earlier.system,
        }
    }

    /// Both together.
    pub fn total(self) -> f64 {
        self.user + self.system
    }
}

/// A process and everything that it has started.
pub fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let processes: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|process| Some((process, fields(process)?.get(1)?.parse().ok()?)))
        .collect();
    let mut at = 0;
    while at < family.len() {
        let parent = family[at];
        family.extend(
            processes
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(child, _)| *child),
        );
        at += 1;
    }
    family
}

/// The CPU that a process and its descendants have used.
pub fn cpu(pid: u32) -> Cpu {
    let mut sum = Cpu::default();
    for process in family(pid) {
        let Some(fields) = fields(process) else {
            continue;
        };
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
        // Fields 14 and 15 of the whole line; these begin with the third.
        sum.user += ticks(11).unwrap_or(0.0) / TICKS_PER_SECOND;
        sum.system += ticks(12).unwrap_or(0.0) / TICKS_PER_SECOND;
    }
    sum
}

/// Linux reports CPU in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// Memory in bytes: each process's proportional share, so that what is shared counts once.
pub fn memory(pid: u32) -> u64 {
    family(pid).into_iter().filter_map(proportional).sum()
}

fn proportional(pid: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find(|line| line.starts_with("Pss:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The fields of `/proc/PID/stat` from the state on: the name before it may hold anything.
fn fields(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = &stat[stat.rfind(')')? + 1..];
    Some(after_name.split_whitespace().map(str::to_owned).collect())
}
