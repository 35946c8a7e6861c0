//! The boundary between the machine and the program that embeds it: the machine asks, the host answers.

use crate::catalog::{FunctionId, Routes, VariableId};
use crate::machine::Args;
use crate::program::{BlockId, Key};
use crate::value::Value;

/// Which of a variable's values is meant: `$(x[…])`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Index {
    /// No index was written.
    #[default]
    None,
    /// `[n]`; negative counts from the end.
    At(i64),
    /// `[*]`.
    All,
    /// `[+]`.
    Append,
}

/// What a native function did.
#[derive(Debug)]
pub enum Outcome<P> {
    /// Finished with a return code: above 0 true, below 0 false, 0 ends the script.
    Code(i64),
    /// It has to wait; the machine stops with `Progress::Waiting` and keeps `P` for `Host::resume`.
    Wait(P),
    /// Run this block first, as this kind of run, then `Host::resume(P, Completion::Route(..))`.
    Route {
        /// The block.
        block: BlockId,
        /// What kind of run it is.
        routes: Routes,
        /// What to go on with.
        then: P,
    },
    /// Ends the whole script, as `exit` or `drop`.
    Stop {
        /// As by `drop`.
        drop: bool,
    },
}

/// How a block ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RouteEnd {
    /// The last return code.
    pub code: i64,
    /// Ended by `exit`, `drop` or a 0.
    pub exited: bool,
    /// Ended by `drop`.
    pub dropped: bool,
}

/// What a waiting or routing native function gets back.
#[derive(Debug)]
pub enum Completion {
    /// The block that it asked for has ended.
    Route(RouteEnd),
    /// What it waited for is there.
    Value(Value),
    /// What it waited for failed or was given up, for this reason.
    Failed(String),
}

/// An assignment that could not be carried out; logged with the statement's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetError(pub String);

/// The embedding program, for the length of one run.
pub trait Host {
    /// A native function in the middle of its work: plain data.
    type Pending;

    /// Calls a function.
    fn call(&mut self, function: FunctionId, args: &mut Args<'_>) -> Outcome<Self::Pending>;

    /// Goes on with a function that waited or ran a block.
    fn resume(&mut self, pending: Self::Pending, with: Completion) -> Outcome<Self::Pending>;

    /// Runs the foreign block of this number (`BlockId::foreign`). A code is the block's, and 0 ends nothing else.
    fn foreign(&mut self, number: u32) -> Outcome<Self::Pending> {
        let _ = number;
        Outcome::Code(-1)
    }

    /// Reads a variable.
    fn get(&mut self, id: VariableId, key: &Key, index: Index) -> Value;

    /// The variables that are nothing but places, by the number that `Catalog::slot` gave them. The machine reads
    /// them without asking `get` and writes anything but `Value::Null` without asking `set`, which must mean the
    /// same; those beyond the end it does not touch.
    #[inline]
    fn slots(&mut self) -> &mut [Value] {
        &mut []
    }

    /// Writes a variable; `Value::Null` is `$null`.
    fn set(
        &mut self,
        id: VariableId,
        key: &Key,
        index: Index,
        value: Value,
    ) -> Result<(), SetError>;

    /// Whether the address or URI in this core operand (`uri`, `src_ip` …) is one of ours: `uri == myself`.
    fn is_myself(&mut self, operand: VariableId) -> bool;

    /// Tells of a mistake at run time (Kamailio's log levels: -1 error, 0 warning), with its place.
    fn complain(&mut self, level: i32, place: Place<'_>, text: &str);
}

/// A place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The file's name as it was given.
    pub file: &'a str,
    /// From 1.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
    /// The route block, as written: `route[RELAY]`.
    pub block: &'a str,
}
