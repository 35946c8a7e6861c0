//! A timer wheel whose time is an argument.
