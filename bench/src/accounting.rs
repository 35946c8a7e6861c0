//! The kernel's own accounting of a server: CPU of all its threads and processes, and its memory.

use std::fs;
use std::net::SocketAddrV4;

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
    #[must_use]
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

    /// Microseconds of each for one of `count` pieces of work.
    #[must_use]
    pub fn micros_each(self, count: u64) -> Self {
        let share = 1e6 / count.max(1) as f64;
        Self {
            user: self.user * share,
            system: self.system * share,
        }
    }
}

/// A process and everything that it has started.
pub fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let processes: Vec<(u32, u32)> = numbers("/proc")
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
    family(pid)
        .into_iter()
        .fold(Cpu::default(), |sum, process| {
            let more = cpu_of_process(process);
            Cpu {
                user: sum.user + more.user,
                system: sum.system + more.system,
            }
        })
}

/// The CPU that one process has used, all its threads together.
///
/// The scheduler counts the nanoseconds of each thread; the division into user and kernel time is sampled at every
/// tick, so it is taken as a ratio only.
pub fn cpu_of_process(pid: u32) -> Cpu {
    let Some(fields) = fields(pid) else {
        return Cpu::default();
    };
    let threads = format!("/proc/{pid}/task");
    let exact: f64 = numbers(&threads)
        .filter_map(|thread| fs::read_to_string(format!("{threads}/{thread}/schedstat")).ok())
        .filter_map(|line| line.split(' ').next()?.parse::<f64>().ok())
        .sum();
    divide(&fields, exact / 1e9)
}

/// User and kernel time of `exact` seconds by the fields of a `stat` line, from the state on.
fn divide(fields: &[String], exact: f64) -> Cpu {
    // Fields 14 and 15 of the whole line; these begin with the third.
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    let (user, system) = (ticks(11).unwrap_or(0.0), ticks(12).unwrap_or(0.0));
    let in_user = if user + system > 0.0 {
        user / (user + system)
    } else {
        0.5
    };
    let total = if exact > 0.0 {
        exact
    } else {
        (user + system) / TICKS_PER_SECOND
    };
    Cpu {
        user: total * in_user,
        system: total * (1.0 - in_user),
    }
}

/// Linux reports CPU in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// The CPU that the calling thread has used.
pub fn cpu_of_this_thread() -> Cpu {
    // The kernel's name for it; what it says stays right when threads come and go.
    let stat = fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
    let exact = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let exact = exact
        .split(' ')
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    divide(&after_name(&stat), exact.unwrap_or(0.0) / 1e9)
}

/// Memory in bytes: each process's proportional share, so that what is shared counts once.
pub fn memory(pid: u32) -> u64 {
    family(pid).into_iter().filter_map(proportional).sum()
}

/// The most bytes that a process, or one of its descendants, ever had resident; what they share is in each.
pub fn peak_memory(pid: u32) -> u64 {
    let peak = |process| kilobytes(&format!("/proc/{process}/status"), "VmHWM:");
    family(pid).into_iter().filter_map(peak).max().unwrap_or(0)
}

/// Whether some socket of this machine is bound to the UDP port.
pub fn is_udp_port_bound(port: u16) -> bool {
    let wanted = format!(":{port:04X}");
    fs::read_to_string("/proc/net/udp").is_ok_and(|table| {
        table
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().nth(1))
            .any(|local| local.ends_with(&wanted))
    })
}

/// Datagrams that the kernel has dropped at a UDP socket because nobody read them in time.
pub fn udp_drops(address: SocketAddrV4) -> u64 {
    let ip = u32::from_ne_bytes(address.ip().octets());
    let wanted = format!("{ip:08X}:{:04X}", address.port());
    let table = fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let drops = table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace();
        (fields.nth(1)? == wanted).then(|| fields.last()?.parse::<u64>().ok())?
    });
    drops.sum()
}

fn proportional(pid: u32) -> Option<u64> {
    kilobytes(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

/// What a line of a file in `/proc` says in kB, in bytes.
fn kilobytes(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The entries of a directory whose names are numbers.
fn numbers(directory: &str) -> impl Iterator<Item = u32> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The fields of `/proc/PID/stat` from the state on: the name before it may hold anything.
fn fields(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(after_name(&stat))
}

fn after_name(stat: &str) -> Vec<String> {
    let rest = stat.rfind(')').map_or("", |end| &stat[end + 1..]);
    rest.split_whitespace().map(str::to_owned).collect()
}
