//! Calls: the record, the state table, matching, profiles and timeouts, without I/O.
