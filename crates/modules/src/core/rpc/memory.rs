//! Memory in the shapes that dashboards know. There is no pool of a fixed size here: what is used is the
//! process's own, what is free is what the machine has left, and their sum is the total.

use std::sync::Arc;

use engine::{Engine, Setup};
use rpc::{Call, Fault, Kind, Struct};

use crate::command::{CommandRow, command, takes};

pub(super) static COMMANDS: &[CommandRow] = &[
    command(
        "core.shmmem",
        &[takes("unit", Kind::Str)],
        shmmem,
        "Memory, in the unit b, k, m or g.",
    ),
    command(
        "shm.stats",
        &[],
        shm_stats,
        "Memory in bytes: the process's own, and what the machine has left.",
    ),
    command(
        "shm.info",
        &[],
        shm_info,
        "The allocator, and how much memory it could get (bytes).",
    ),
    command(
        "pkg.info",
        &[],
        shm_info,
        "The allocator, and how much memory it could get (bytes).",
    ),
];

/// Memory of the process and the machine, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// What the process has resident.
    pub(crate) resident: u64,
    /// The most that it had.
    pub(crate) peak: u64,
    /// What the machine could still give.
    pub(crate) free: u64,
}

impl Memory {
    /// As it is now; zeros where the system doesn't tell.
    pub(crate) fn now() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        Self::from_texts(&read("/proc/self/status"), &read("/proc/meminfo"))
    }

    fn from_texts(status: &str, machine: &str) -> Self {
        Self {
            resident: figure(status, "VmRSS:"),
            peak: figure(status, "VmHWM:"),
            free: figure(machine, "MemAvailable:"),
        }
    }

    /// What the process has and could have.
    pub(crate) const fn total(&self) -> u64 {
        self.resident.saturating_add(self.free)
    }

    fn to_struct(self, divisor: u64) -> Struct {
        Struct::new()
            .with("total", self.total() / divisor)
            .with("free", self.free / divisor)
            .with("used", self.resident / divisor)
            .with("real_used", self.resident / divisor)
            .with("max_used", self.peak / divisor)
            .with("fragments", 0)
    }
}

/// The bytes of a line like `VmRSS:   1234 kB`.
fn figure(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    number.unwrap_or(0).saturating_mul(1024)
}

fn shmmem(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let divisor = match call.opt_str()?.as_deref() {
        None | Some("b" | "B") => 1,
        Some("k" | "K") => 1 << 10,
        Some("m" | "M") => 1 << 20,
        Some("g" | "G") => 1 << 30,
        Some(_) => return Err(Fault::new(500, "bad param, (use b|k|m|g)")),
    };
    call.add(Memory::now().to_struct(divisor));
    Ok(())
}

fn shm_stats(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    call.add(Memory::now().to_struct(1));
    Ok(())
}

fn shm_info(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let size = Memory::now().total();
    call.add(Struct::new().with("name", "system").with("size", size));
    Ok(())
}

/// The group `shmem`, which Kamailio has with the module kex.
pub(super) fn add_statistics(setup: &mut Setup<'_>) {
    if !setup.is_loaded("kex") {
        return;
    }
    type Read = fn(&Memory) -> u64;
    let rows: [(&str, Read, &str); 6] = [
        (
            "fragments",
            |_| 0,
            "Free fragments; the allocator doesn't count them.",
        ),
        (
            "free_size",
            |memory| memory.free,
            "What the machine could still give (bytes).",
        ),
        (
            "max_used_size",
            |memory| memory.peak,
            "The most that the process had (bytes).",
        ),
        (
            "real_used_size",
            |memory| memory.resident,
            "What the process has (bytes).",
        ),
        (
            "total_size",
            Memory::total,
            "What it has and could get (bytes).",
        ),
        (
            "used_size",
            |memory| memory.resident,
            "What the process has (bytes).",
        ),
    ];
    for (name, read, doc) in rows {
        let compute = move || i64::try_from(read(&Memory::now())).unwrap_or(i64::MAX);
        setup.statistics.computed("shmem", name, doc, compute);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_from_the_kernels_texts() {
        let status = "Name:\ttandem\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        let memory = Memory::from_texts(status, "MemTotal: 9 kB\nMemAvailable:    4 kB\n");
        assert_eq!(memory.resident, 1 << 20);
        assert_eq!(memory.peak, 2 << 20);
        assert_eq!(memory.total(), (1 << 20) + 4096);
        assert_eq!(Memory::from_texts("", "VmRSS: x kB"), Memory::default());
    }
}
