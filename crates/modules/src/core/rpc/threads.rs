//! What runs: Kamailio lists processes, Tandem its one process's threads.

use std::sync::Arc;

use engine::Engine;
use rpc::{Call, Fault, Struct};

use crate::command::{CommandRow, list_command};

pub(super) static COMMANDS: &[CommandRow] = &[
    list_command(
        "core.ps",
        &[],
        ps,
        "The threads: id and description, one after the other.",
    ),
    list_command("core.psx", &[], psx, "The threads, as structures."),
    list_command(
        "core.psa",
        &[],
        psa,
        "The threads with all that is known about them.",
    ),
];

/// One thread of the process.
pub(crate) struct Thread {
    /// The kernel's number of it; that of the first one is the process's.
    pub(crate) id: u32,
    /// 0 for the first thread, positive for workers, -2 for others, as Kamailio ranks its processes.
    pub(crate) rank: i64,
    /// What it does.
    pub(crate) description: String,
}

/// The threads of the process, the first one first.
pub(crate) fn threads() -> Vec<Thread> {
    let own = std::process::id();
    let mut ids: Vec<u32> = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    ids.sort_unstable();
    if !ids.contains(&own) {
        ids.insert(0, own);
    }
    let mut threads: Vec<_> = ids.into_iter().map(|id| describe(id, own)).collect();
    threads.sort_by_key(|thread| thread.id != own);
    threads
}

fn describe(id: u32, own: u32) -> Thread {
    if id == own {
        let description = "main process - attendant".to_owned();
        return Thread {
            id,
            rank: 0,
            description,
        };
    }
    let name = std::fs::read_to_string(format!("/proc/self/task/{id}/comm"));
    let name = name.unwrap_or_default().trim_end().to_owned();
    match name
        .strip_prefix("worker ")
        .and_then(|n| n.parse::<i64>().ok())
    {
        Some(number) => Thread {
            id,
            rank: number + 1,
            description: format!("sip worker {number}"),
        },
        None => Thread {
            id,
            rank: -2,
            description: name,
        },
    }
}

fn ps(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for thread in threads() {
        call.add(thread.id);
        call.add(thread.description);
    }
    Ok(())
}

fn psx(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for (at, thread) in threads().into_iter().enumerate() {
        call.add(
            Struct::new()
                .with("IDX", at)
                .with("PID", thread.id)
                .with("DSC", thread.description),
        );
    }
    Ok(())
}

fn psa(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for (at, thread) in threads().into_iter().enumerate() {
        call.add(
            Struct::new()
                .with("index", at)
                .with("pid", thread.id)
                .with("status", 1)
                .with("rank", thread.rank)
                .with("description", thread.description),
        );
    }
    Ok(())
}
