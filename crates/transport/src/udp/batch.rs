//! A reusable buffer for a batch of received datagrams.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use super::mmsg::Receiver;
use crate::counters::UdpCounters;

/// One received datagram, lent from its batch.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// What it carried; never only line ends, blanks and zeros.
    pub bytes: &'a [u8],
    /// Who sent it.
    pub from: SocketAddr,
}

/// Room for a batch of datagrams, used again for each batch. Memory is taken from the system
/// only for the pages that datagrams have really filled.
#[derive(Debug)]
pub struct RecvBatch {
    receiver: Receiver,
    filled: usize,
    last_drops: u32,
    has_dropped: bool,
}

impl RecvBatch {
    /// The most datagrams of a batch.
    pub const MAX_DATAGRAMS: usize = 64;
    /// The longest datagram there is.
    pub const MAX_BYTES: usize = 65_536;

    /// Room for as many datagrams as are worth reading at once, each of any length. One batch
    /// serves one socket: it remembers that socket's count of drops.
    pub fn new() -> Self {
        Self::with_capacity(Self::MAX_DATAGRAMS, Self::MAX_BYTES)
    }

    /// Room for `datagrams` (1 to 64) of at most `bytes` (1 to 65 536) each.
    pub fn with_capacity(datagrams: usize, bytes: usize) -> Self {
        Self {
            receiver: Receiver::new(
                datagrams.clamp(1, Self::MAX_DATAGRAMS),
                bytes.clamp(1, Self::MAX_BYTES),
            ),
            filled: 0,
            last_drops: 0,
            has_dropped: false,
        }
    }

    /// How long the first datagram of the last read had waited at this moment, in time since 1970; zero if the
    /// kernel did not say when it came.
    pub fn waited(&self, now: Duration) -> Duration {
        let first = self.receiver.slot(0).filter(|_| self.filled > 0);
        let came = first.and_then(|slot| slot.notes.came);
        came.map_or(Duration::ZERO, |came| now.saturating_sub(came))
    }

    /// Whether the last read has filled the batch, so that there may be more to read.
    pub fn is_full(&self) -> bool {
        self.filled == self.capacity()
    }

    /// Whether the kernel has dropped datagrams for want of room before the last read, and after the one before.
    pub fn has_dropped(&self) -> bool {
        self.has_dropped
    }

    /// How many datagrams fit.
    pub fn capacity(&self) -> usize {
        self.receiver.capacity()
    }

    /// The datagrams of the last read, in the order of their arrival, without the keep-alives and
    /// those that were cut short.
    pub fn iter(&self) -> impl Iterator<Item = Datagram<'_>> {
        (0..self.filled).filter_map(|i| {
            let slot = self.receiver.slot(i)?;
            let usable = !slot.truncated && !is_keepalive(slot.bytes);
            usable.then_some(Datagram {
                bytes: slot.bytes,
                from: slot.remote?,
            })
        })
    }

    /// Reads until the queue is empty or the batch full; how many datagrams.
    pub(super) fn receive(
        &mut self,
        socket: &impl AsFd,
        counters: &UdpCounters,
    ) -> io::Result<usize> {
        self.filled = 0;
        self.filled = loop {
            match self.receiver.receive(socket) {
                Ok(count) => break count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_about_an_earlier_datagram(&error) => {
                    counters.icmp_errors.increment();
                }
                Err(error) => return Err(error),
            }
        };
        self.count(counters);
        Ok(self.filled)
    }

    fn count(&mut self, counters: &UdpCounters) {
        let (mut bytes, mut keepalives, mut truncated) = (0, 0, 0);
        let mut drops = None;
        for slot in (0..self.filled).filter_map(|i| self.receiver.slot(i)) {
            bytes += slot.bytes.len() as u64;
            keepalives += u64::from(is_keepalive(slot.bytes));
            truncated += u64::from(slot.truncated);
            drops = slot.notes.drops.or(drops);
        }
        counters.received.add(self.filled as u64);
        counters.received_bytes.add(bytes);
        if keepalives > 0 {
            counters.keepalives.add(keepalives);
        }
        if truncated > 0 {
            counters.truncated.add(truncated);
        }
        self.has_dropped = false;
        if let Some(drops) = drops {
            let new = drops.wrapping_sub(self.last_drops);
            self.has_dropped = new > 0;
            counters.kernel_drops.add(u64::from(new));
            self.last_drops = drops;
        }
    }
}

impl Default for RecvBatch {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a datagram only keeps a NAT binding open: empty, or line ends, blanks and zeros.
fn is_keepalive(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | b' ' | 0))
}

/// Whether a socket call reports what happened to an earlier datagram, and works when repeated.
pub(super) fn is_about_an_earlier_datagram(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionRefused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keepalives_are_told_from_messages() {
        for bytes in [&b""[..], b"\r\n", b"\r\n\r\n", b"\0\0\0\0", b" "] {
            assert!(is_keepalive(bytes));
        }
        assert!(!is_keepalive(b"\r\n\r\nOPTIONS sip:a SIP/2.0\r\n"));
    }
}
