//! Latencies in buckets of one microsecond up to a millisecond, and of ever wider ones beyond.

/// A histogram of durations.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

const FINE: u64 = 1_000;
const PER_DOUBLING: u64 = 64;
const BUCKETS: usize = (FINE + PER_DOUBLING * 24) as usize;

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
        }
    }
}

impl Histogram {
    /// Adds one duration.
    pub fn add(&mut self, microseconds: u64) {
        self.buckets[bucket(microseconds)] += 1;
        self.count += 1;
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Self) {
        for (own, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *own += more;
        }
        self.count += other.count;
    }

    /// How many durations there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The quantiles that tables show: p50, p99, p99.9.
    pub fn usual(&self) -> [u64; 3] {
        [0.5, 0.99, 0.999].map(|share| self.quantile(share))
    }

    /// The duration, in microseconds, that this share (0 to 1) of all stays at or below.
    pub fn quantile(&self, share: f64) -> u64 {
        let wanted = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (at, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted.max(1) {
                return upper(at as u64);
            }
        }
        0
    }
}

fn bucket(microseconds: u64) -> usize {
    if microseconds < FINE {
        return microseconds as usize;
    }
    let doubling = (microseconds / FINE).ilog2();
    let base = FINE << doubling;
    let within = (microseconds - base) * PER_DOUBLING / base;
    ((FINE + u64::from(doubling) * PER_DOUBLING + within) as usize).min(BUCKETS - 1)
}

fn upper(at: u64) -> u64 {
    if at < FINE {
        return at;
    }
    let doubling = (at - FINE) / PER_DOUBLING;
    let base = FINE << doubling;
    base + base * ((at - FINE) % PER_DOUBLING + 1) / PER_DOUBLING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_two_percent() {
        let mut histogram = Histogram::default();
        for microseconds in 1..=100_000 {
            histogram.add(microseconds);
        }
        for share in [0.5, 0.99, 0.999] {
            let exact = 100_000.0 * share;
            let found = histogram.quantile(share) as f64;
            assert!((found - exact).abs() / exact < 0.02, "{share}: {found}");
        }
    }
}
