//! The kamailio.cfg language: preprocessor, parser, checker, compiler and a machine that can be suspended.

pub mod ast;
pub mod catalog;
pub mod compile;
pub mod diagnostic;
pub mod ere;
pub mod format;
pub mod host;
mod level;
mod lexer;
pub mod machine;
pub mod parser;
mod preprocess;
pub mod program;
pub mod settings;
pub mod source;
pub mod subst;
pub mod suggest;
mod transform;
pub mod value;
pub mod variable;

pub use catalog::{
    BlockKind, Catalog, FunctionId, KeySpec, NameError, Parameter, ParameterKind, Resolved, Routes,
    Signature, VariableId,
};
pub use compile::{compile, compile_generation};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use ere::Ere;
pub use format::{Format, TextError};
pub use host::{Completion, Host, Index, Outcome, Place, RouteEnd, SetError};
pub use level::{log_facility, log_level};
pub use machine::{Args, Direct, FindBlock, Lazy, Limits, Machine, Progress};
pub use parser::{Options, parse};
pub use program::{BlockId, Key, Program};
pub use settings::Settings;
pub use source::{FileLoader, Loader, MemoryLoader, SourceMap, Span};
pub use subst::Subst;
pub use value::{Str, Value, parse_int};
pub use variable::Variable;
