//! Sends datagrams, many with one system call.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::batch::is_about_an_earlier_datagram;
use super::mmsg;
use crate::counters::UdpCounters;

/// What became of a list of datagrams.
#[derive(Debug, Default)]
pub struct SendOutcome {
    /// How many, from the start of the list, are done with: sent or failed for good. The rest
    /// found the send buffer full and may be tried again.
    pub done: usize,
    /// Positions of those that the kernel refused for good, each with its error. No allocation
    /// while it is empty.
    pub failed: Vec<(usize, io::Error)>,
}

/// Sends from one address. Cheap to clone; needs no runtime, so any thread may use it.
#[derive(Clone, Debug)]
pub struct UdpSender {
    socket: Arc<UdpSocket>,
    counters: Arc<UdpCounters>,
    /// Datagrams may be joined; no more once the kernel has refused them so, and taken them one by one.
    joins: Arc<AtomicBool>,
}

impl UdpSender {
    pub(super) fn new(socket: UdpSocket, counters: Arc<UdpCounters>) -> Self {
        Self {
            socket: Arc::new(socket),
            counters,
            joins: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Sends one datagram. `WouldBlock` means that the send buffer is full.
    pub fn try_send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        // The second try is for an error that an earlier datagram left behind.
        let mut result = self.socket.send_to(bytes, to);
        if let Err(error) = &result
            && is_about_an_earlier_datagram(error)
        {
            self.counters.icmp_errors.increment();
            result = self.socket.send_to(bytes, to);
        }
        match result {
            Ok(_) => self.count_sent(1, bytes.len()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.counters.send_blocked.increment();
                return Err(error);
            }
            Err(error) => {
                self.counters.send_errors.increment();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Sends a list of datagrams in its order. One that cannot be sent does not stop the others.
    pub fn send_batch<B: AsRef<[u8]>>(&self, datagrams: &[(B, SocketAddr)]) -> SendOutcome {
        self.send_list(datagrams, false)
    }

    fn send_list<B: AsRef<[u8]>>(&self, datagrams: &[(B, SocketAddr)], join: bool) -> SendOutcome {
        let mut outcome = SendOutcome::default();
        while let Some(rest) = datagrams.get(outcome.done..)
            && let Some((bytes, to)) = rest.first()
        {
            let sent = match rest {
                [_] => self.try_send(bytes.as_ref(), *to).map(|()| 1),
                _ => self.send_some(rest, join),
            };
            match sent {
                Ok(count) => outcome.done += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    outcome.failed.push((outcome.done, error));
                    outcome.done += 1;
                }
            }
        }
        outcome
    }

    /// As `send_batch`, for those who cannot wait: what finds the send buffer full is dropped and
    /// counted, as the network might have dropped it. With `join`, neighbours of one length to one peer go through the
    /// kernel as one, where it can do that. It is cheaper, but who watches this machine's own network device may see them
    /// as one, too.
    pub fn send_or_drop<B: AsRef<[u8]>>(
        &self,
        datagrams: &[(B, SocketAddr)],
        join: bool,
    ) -> SendOutcome {
        let mut outcome = self.send_list(datagrams, join);
        let left = datagrams.len().saturating_sub(outcome.done);
        self.counters.send_dropped.add(left as u64);
        outcome.done = datagrams.len();
        outcome
    }

    #[cfg(test)]
    pub(super) fn joins(&self) -> bool {
        self.joins.load(Ordering::Relaxed)
    }

    /// One system call for the start of a list; how many it took. The error, if it took none, is
    /// about the first.
    fn send_some<B: AsRef<[u8]>>(
        &self,
        datagrams: &[(B, SocketAddr)],
        join: bool,
    ) -> io::Result<usize> {
        let joins = join && self.joins.load(Ordering::Relaxed);
        let sent = match mmsg::send(&self.socket, datagrams, joins) {
            Err(error) if is_about_an_earlier_datagram(&error) => {
                self.counters.icmp_errors.increment();
                mmsg::send(&self.socket, datagrams, joins)
            }
            Err(error) if joins && error.kind() != io::ErrorKind::WouldBlock => {
                let apart = mmsg::send(&self.socket, datagrams, false);
                self.joins.store(apart.is_err(), Ordering::Relaxed);
                apart
            }
            other => other,
        };
        match &sent {
            Ok(count) => {
                let bytes = datagrams.iter().take(*count).map(|d| d.0.as_ref().len());
                self.count_sent(*count, bytes.sum());
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => self.counters.send_blocked.increment(),
                io::ErrorKind::Interrupted => {}
                _ => self.counters.send_errors.increment(),
            },
        }
        sent
    }

    fn count_sent(&self, datagrams: usize, bytes: usize) {
        self.counters.sent.add(datagrams as u64);
        self.counters.sent_bytes.add(bytes as u64);
    }
}
