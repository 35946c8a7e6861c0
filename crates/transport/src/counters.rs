//! What the transports count. One relaxed atomic per figure; readers may see figures that are
//! a few messages apart.

use std::sync::atomic::{AtomicU64, Ordering};

/// A figure that only grows, or a gauge that also falls.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// A counter at zero.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Takes one away; for gauges.
    pub fn decrement(&self) {
        self.subtract(1);
    }

    /// Takes `n` away; for gauges.
    pub fn subtract(&self, n: u64) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }

    /// The figure now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Adds one unless the figure has reached `limit`; whether it did.
    pub(crate) fn increment_below(&self, limit: u64) -> bool {
        self.add_within(1, limit)
    }

    /// Adds `n` unless the sum would pass `limit`; whether it did.
    pub(crate) fn add_within(&self, n: u64, limit: u64) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
                now.checked_add(n).filter(|sum| *sum <= limit)
            })
            .is_ok()
    }
}

macro_rules! counters {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Counter,)*
        }

        impl $name {
            /// Every figure with its name, for statistics.
            pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($field), self.$field.get()),)*].into_iter()
            }
        }
    };
}

counters! {
    /// What the UDP sockets of a process saw.
    UdpCounters {
        /// Datagrams read, keep-alives included.
        received,
        /// Bytes of these.
        received_bytes,
        /// Datagrams of nothing but line ends, blanks and zero bytes; not handed on.
        keepalives,
        /// Datagrams that the kernel dropped because the receive buffer was full.
        kernel_drops,
        /// Datagrams cut short because they were longer than the buffer; not handed on.
        truncated,
        /// Datagrams handed to the kernel.
        sent,
        /// Bytes of these.
        sent_bytes,
        /// Datagrams that the kernel refused for good (no route, too long, forbidden).
        send_errors,
        /// Times that the kernel's send buffer was full.
        send_blocked,
        /// Datagrams given up because the send buffer stayed full.
        send_dropped,
        /// ICMP errors about earlier datagrams, reported on a later call.
        icmp_errors,
    }
}

counters! {
    /// What the stream connections of a process saw.
    StreamCounters {
        /// Open connections, and those being opened; a gauge.
        connections,
        /// Connections accepted.
        accepted,
        /// Connections that we opened.
        opened,
        /// Connections that could not be opened.
        connect_failed,
        /// Connections that could not be opened in time; part of `connect_failed`.
        connect_timeout,
        /// Connections refused or not opened because there were too many.
        refused,
        /// Failures of accept itself.
        accept_errors,
        /// Connections closed, for whatever reason.
        closed,
        /// Of these, those that were idle for too long.
        idle_closed,
        /// Of these, those that sent something that is no SIP.
        bad_framing,
        /// Of these, those whose peer did not finish a message, or did not read, in time.
        stalled,
        /// Messages read.
        received,
        /// Bytes read, keep-alives included.
        received_bytes,
        /// Keep-alives read.
        keepalives,
        /// Messages written to the end.
        sent,
        /// Bytes written.
        sent_bytes,
        /// Messages refused because a write queue was full.
        queue_full,
        /// Messages given back because their connection failed or closed before they were written.
        unsent,
        /// Bytes waiting in write queues; a gauge.
        queued_bytes,
        /// Messages not sent because a worker's queue of commands was full.
        commands_full,
        /// Aliases that a connection did not get because it had too many, or was gone.
        aliases_refused,
    }
}

counters! {
    /// What the resolver saw.
    ResolveCounters {
        /// Answers from the cache.
        hits,
        /// Questions that the cache could not answer.
        misses,
        /// Lookups sent to the name servers.
        lookups,
        /// Names that do not exist or have no usable address.
        not_found,
        /// Lookups that failed for the moment (no answer, server failure).
        failures,
        /// Questions refused because too many were under way.
        busy,
        /// Answers put aside to make room.
        evicted,
        /// Questions under way; a gauge.
        pending,
        /// Answers held; a gauge.
        entries,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_counter_stops_at_its_limit() {
        let counter = Counter::new();
        assert!(counter.increment_below(2));
        assert!(counter.increment_below(2));
        assert!(!counter.increment_below(2));
        counter.decrement();
        assert!(!counter.add_within(2, 2));
        assert!(counter.add_within(1, 2));
    }

    #[test]
    fn figures_are_listed_by_name() {
        let counters = ResolveCounters::default();
        counters.misses.increment();
        assert!(counters.each().any(|figure| figure == ("misses", 1)));
    }
}
