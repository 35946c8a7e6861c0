//! The kamailio.cfg language: preprocessor, parser, checker, compiler and a machine that can be suspended.

pub mod ast;
pub mod catalog;
pub mod diagnostic;
pub mod source;
