//! The kamailio.cfg language: preprocessor, parser, checker, compiler and a machine that can be suspended.

pub mod ast;
pub mod catalog;
pub mod diagnostic;
pub mod source;
pub mod ere;
pub mod format;
pub mod host;
pub mod machine;
pub mod program;
pub mod subst;
mod transform;
pub mod value;
pub mod variable;
mod compile;
pub mod suggest;
