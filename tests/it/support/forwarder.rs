//! A TCP address behind which servers change, and a network that stands still.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// Carries connections to a server.
pub struct Forwarder {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    ended: AtomicBool,
}

struct State {
    target: SocketAddr,
    connections: usize,
    /// What clients send on connections with smaller numbers stands still.
    frozen: usize,
}

impl Forwarder {
    /// At a free port of loopback.
    pub fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                target,
                connections: 0,
                frozen: 0,
            }),
            changed: Condvar::new(),
            ended: AtomicBool::new(false),
        });
        let carries = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if carries.ended.load(Ordering::Relaxed) {
                    return;
                }
                carry(client, &carries);
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections go there.
    pub fn turn_to(&self, target: SocketAddr) {
        self.shared.state.lock().unwrap().target = target;
    }

    /// What clients send on the connections that there are does not arrive until it thaws.
    pub fn freeze(&self) {
        let mut state = self.shared.state.lock().unwrap();
        state.frozen = state.connections;
    }

    /// The same for those to come.
    pub fn freeze_all(&self) {
        self.shared.state.lock().unwrap().frozen = usize::MAX;
    }

    /// Everything arrives again, and what was held back first.
    pub fn thaw(&self) {
        self.shared.state.lock().unwrap().frozen = 0;
        self.shared.changed.notify_all();
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        self.thaw();
        // Wakes whoever waits for connections.
        let _ = TcpStream::connect(self.address);
    }
}

fn carry(client: TcpStream, shared: &Arc<Shared>) {
    let (target, number) = {
        let mut state = shared.state.lock().unwrap();
        state.connections += 1;
        (state.target, state.connections - 1)
    };
    // A server that is not there closes the connection.
    let Ok(server) = TcpStream::connect(target) else {
        return;
    };
    let pairs = [(&client, &server, true), (&server, &client, false)];
    for (from, to, may_freeze) in pairs {
        let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else {
            return;
        };
        let shared = Arc::clone(shared);
        thread::spawn(move || pump(from, to, &shared, may_freeze.then_some(number)));
    }
}

/// Carries one direction until its end, and the end as well.
fn pump(mut from: TcpStream, mut to: TcpStream, shared: &Shared, number: Option<usize>) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).unwrap_or(0);
        if let Some(number) = number {
            let state = shared.state.lock().unwrap();
            drop(
                shared
                    .changed
                    .wait_while(state, |state| number < state.frozen),
            );
        }
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            let _ = to.shutdown(Shutdown::Write);
            return;
        }
    }
}
