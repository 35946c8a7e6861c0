//! Which doors are open, who is connected, and what the doors count.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::Address;
use crate::{Call, Command};

/// What `ctl.who`, `ctl.listen` and `ctl.connections` show; shared by all doors.
#[derive(Debug, Default)]
pub struct DoorTable {
    listeners: Mutex<Vec<Address>>,
    connections: Mutex<BTreeMap<u64, Connection>>,
    next_connection: AtomicU64,
    /// What happened at the doors.
    pub counters: DoorCounters,
}

/// What happened at the doors since the start.
#[derive(Debug, Default)]
pub struct DoorCounters {
    /// Requests that were read.
    pub requests: AtomicU64,
    /// Bytes that were no request, and requests that were too big.
    pub malformed: AtomicU64,
    /// Connections refused because there were too many.
    pub refused: AtomicU64,
    /// Replies that the peer did not take.
    pub unsent: AtomicU64,
}

impl DoorCounters {
    pub(super) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Connection {
    local: Address,
    /// Host and port, or what stands for a peer without a name.
    peer: [String; 2],
}

impl DoorTable {
    /// A table without doors.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The commands of the ctl module that show the table.
    pub fn commands(self: &Arc<Self>) -> [Command; 3] {
        let (who, listen, connections) = (self.clone(), self.clone(), self.clone());
        [
            Command::new("ctl.who", "Who is connected to the doors.", move |call| {
                who.show_connections(call);
                Ok(())
            }),
            Command::new("ctl.listen", "The doors that are open.", move |call| {
                listen.show_listeners(call);
                Ok(())
            }),
            Command::new(
                "ctl.connections",
                "How many connections the doors have.",
                move |call| {
                    call.add(connections.connections.lock().len());
                    Ok(())
                },
            ),
        ]
    }

    pub(super) fn listen(&self, address: &Address) {
        self.listeners.lock().push(address.clone());
    }

    /// Notes a connection, unless there are `max`.
    pub(super) fn connect(
        self: &Arc<Self>,
        local: &Address,
        peer: [String; 2],
        max: usize,
    ) -> Option<ConnectionGuard> {
        let mut connections = self.connections.lock();
        if connections.len() >= max {
            DoorCounters::count(&self.counters.refused);
            return None;
        }
        let number = self.next_connection.fetch_add(1, Ordering::Relaxed);
        let local = local.clone();
        connections.insert(number, Connection { local, peer });
        Some(ConnectionGuard {
            table: self.clone(),
            number,
        })
    }

    fn show_connections(&self, call: &mut Call<'_>) {
        for connection in self.connections.lock().values() {
            call.add("binrpc");
            call.add(connection.local.transport());
            let local = connection.local.columns();
            for column in connection.peer.iter().chain(&local) {
                call.add(column.as_str());
            }
        }
    }

    fn show_listeners(&self, call: &mut Call<'_>) {
        for address in self.listeners.lock().iter() {
            call.add("binrpc");
            call.add(address.transport());
            for column in address.columns() {
                call.add(column);
            }
        }
    }
}

/// Takes the connection out of the table when dropped.
#[derive(Debug)]
pub(super) struct ConnectionGuard {
    table: Arc<DoorTable>,
    number: u64,
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.table.connections.lock().remove(&self.number);
    }
}
