//! Deadlines without a clock: a moment is a plain number, and a timer wheel is told what time it is.
//!
//! Nothing here reads a clock, sleeps or makes a thread. The same wheel runs under the real clock and
//! under a simulated one.

mod time;
mod wheel;

pub use time::Time;
pub use wheel::{TimerId, Wheel};
