//! Module `tmx`: more about transactions: suspending, cancelling and answering from elsewhere, `$T_…`, statistics.

mod ask;
mod elsewhere;
mod inner;
mod statistics;
mod suspend;
mod variables;

use engine::{FunctionRow, InitError, Module, Setup};

/// Module `tmx`.
pub static MODULE: Module = Module {
    name: "tmx",
    requires: &["tm"],
    functions: FUNCTIONS,
    variables: variables::VARIABLES,
    parameters: &[],
    statistics: &[],
    init: Some(init),
    doc: "Suspending and steering transactions, and what is known about them.",
};

static FUNCTIONS: &[FunctionRow] = &[
    suspend::T_SUSPEND,
    suspend::T_CONTINUE,
    elsewhere::T_CANCEL_BRANCHES,
    elsewhere::T_CANCEL_CALLID,
    elsewhere::T_REPLY_CALLID,
    ask::T_IS_REQUEST_ROUTE,
    ask::T_IS_FAILURE_ROUTE,
    ask::T_IS_BRANCH_ROUTE,
    ask::T_IS_REPLY_ROUTE,
    ask::T_PRECHECK_TRANS,
    ask::T_FLUSH_FLAGS,
    ask::T_FLUSH_XFLAGS,
    ask::T_DROP,
    ask::T_REUSE_BRANCH,
];

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let inner = inner::State::new(setup)?;
    setup.put_state(inner);
    statistics::add(setup);
    Ok(())
}
