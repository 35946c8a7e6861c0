//! tandem-bench
