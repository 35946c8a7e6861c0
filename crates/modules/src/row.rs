//! Short forms for the rows of function tables.

use engine::{FunctionRow, Handler};
use script::{Parameter, ParameterKind, Routes, Signature};

/// A parameter.
pub(crate) const fn param(name: &'static str, kind: ParameterKind) -> Parameter {
    Parameter { name, kind }
}

/// A module function all of whose parameters must be given.
pub(crate) const fn function(
    name: &'static str,
    parameters: &'static [Parameter],
    routes: Routes,
    handler: Handler,
    doc: &'static str,
) -> FunctionRow {
    let required = parameters.len();
    FunctionRow {
        signature: Signature {
            name,
            parameters,
            required,
            routes,
            core: false,
            doc,
        },
        handler,
    }
}

/// A module function whose last parameters may be left out.
pub(crate) const fn function_optional(
    name: &'static str,
    parameters: &'static [Parameter],
    required: usize,
    routes: Routes,
    handler: Handler,
    doc: &'static str,
) -> FunctionRow {
    FunctionRow {
        signature: Signature {
            name,
            parameters,
            required,
            routes,
            core: false,
            doc,
        },
        handler,
    }
}

/// A core action.
pub(crate) const fn action(
    name: &'static str,
    parameters: &'static [Parameter],
    required: usize,
    handler: Handler,
    doc: &'static str,
) -> FunctionRow {
    let routes = Routes::ANY;
    FunctionRow {
        signature: Signature {
            name,
            parameters,
            required,
            routes,
            core: true,
            doc,
        },
        handler,
    }
}
