//! Joins messages, transactions, scripts and transports into workers.
