//! The time that an input is run at: handed in, never read inside.

use timer::Time;

/// One moment, on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic, for deadlines.
    pub time: Time,
    /// Microseconds since 1970, for people and databases.
    pub unix_us: u64,
}

impl Now {
    /// Whole seconds since 1970.
    pub const fn unix(self) -> u64 {
        self.unix_us / 1_000_000
    }

    /// The wall clock at another moment of the monotonic clock, in whole seconds since 1970.
    pub fn unix_at(self, time: Time) -> u64 {
        let ahead = time.as_millis() as i64 - self.time.as_millis() as i64;
        ((self.unix_us / 1000) as i64 + ahead).max(0) as u64 / 1000
    }
}
