//! Calls of native functions from another language: their arguments are values, and what a parameter needs is made
//! of them at each call. Texts that have to be understood are understood once, as long as they are in use.

use std::sync::LazyLock;

use super::Args;
use crate::catalog::{BlockKind, Catalog, FunctionId, Parameter, ParameterKind, Routes, Signature};
use crate::ere::{Ere, Flags};
use crate::format::Format;
use crate::host::{Host, Outcome};
use crate::level::{log_facility, log_level};
use crate::program::{Arg, BlockId, CallSite, Program};
use crate::subst::Subst;
use crate::value::{Str, Value};
use crate::variable::Variable;

/// Understood texts that one function keeps.
const KEPT_MAX: usize = 16;

/// What stands for the program that such a call is not a part of.
static NOWHERE: LazyLock<Program> = LazyLock::new(Program::default);

/// Finds a block by its kind and name.
pub type FindBlock<'a> = &'a mut dyn FnMut(BlockKind, &str) -> Option<BlockId>;

/// A native function, ready to be called with values.
#[derive(Debug)]
pub struct Direct {
    signature: Signature,
    site: CallSite,
    /// What was made of the text of this parameter, the latest first.
    kept: Vec<(usize, Str, Arg)>,
}

impl Direct {
    /// The function of this row.
    pub fn new(function: FunctionId, signature: &Signature) -> Self {
        Self {
            signature: *signature,
            site: CallSite {
                function,
                name: signature.name.to_owned(),
                core: signature.core,
                args: Vec::with_capacity(signature.parameters.len()),
                expressions: 0,
                constant: true,
            },
            kept: Vec::new(),
        }
    }

    /// Its row.
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Whether it can be called with so many arguments.
    pub fn takes(&self, arguments: usize) -> bool {
        (self.signature.required..=self.signature.parameters.len()).contains(&arguments)
    }

    /// Calls it in this kind of run. Text is taken as it is, but for parameters that are formats, variables,
    /// expressions or substitutions.
    ///
    /// # Errors
    /// Which argument is wrong, and why; the function was not called.
    pub fn call<H: Host>(
        &mut self,
        host: &mut H,
        catalog: &dyn Catalog,
        routes: Routes,
        values: &[Value],
        find_block: FindBlock<'_>,
    ) -> Result<Outcome<H::Pending>, String> {
        if !self.takes(values.len()) {
            let (least, most) = (self.signature.required, self.signature.parameters.len());
            let wanted = match least == most {
                true => least.to_string(),
                false => format!("{least} to {most}"),
            };
            return Err(format!("{} arguments instead of {wanted}", values.len()));
        }
        if !self.signature.routes.intersects(routes) {
            return Err("it cannot be used in this kind of route".to_owned());
        }
        self.site.args.clear();
        for (at, (parameter, value)) in self.signature.parameters.iter().zip(values).enumerate() {
            let arg = made(&mut self.kept, catalog, at, parameter, value, find_block)?;
            self.site.args.push(arg);
        }
        let mut args = Args {
            program: &NOWHERE,
            site: &self.site,
            values: &[],
            made: &[],
            rc: 0,
            pc: 0,
            frames: &[],
            routes,
        };
        Ok(host.call(self.site.function, &mut args))
    }
}

/// What a function gets for a value.
fn made(
    kept: &mut Vec<(usize, Str, Arg)>,
    catalog: &dyn Catalog,
    at: usize,
    parameter: &Parameter,
    value: &Value,
    find_block: FindBlock<'_>,
) -> Result<Arg, String> {
    let refuse = |wanted: &str| Err(format!("{} must be {wanted}", parameter.name));
    let text = match (parameter.kind, value) {
        (ParameterKind::Int, value) => {
            return match value.to_int() {
                Some(number) if !value.is_null() => Ok(Arg::Int(number)),
                _ => refuse("a number"),
            };
        }
        (_, value) => value.to_str(),
    };
    match parameter.kind {
        ParameterKind::Int | ParameterKind::Str | ParameterKind::Static => Ok(Arg::Str(text)),
        ParameterKind::Facility => match text.as_str().and_then(log_facility) {
            Some(number) => Ok(Arg::Int(i64::from(number))),
            None => refuse("a facility of the system log, like LOG_LOCAL0"),
        },
        ParameterKind::Level if log_level(&text).is_none() => refuse("a log level, like L_INFO"),
        ParameterKind::Level => Ok(Arg::Lazy(Format::literal(text))),
        ParameterKind::Block(_) if text.is_empty() || text.as_bytes() == b"0" => {
            Ok(Arg::Block(None))
        }
        ParameterKind::Block(kind) => {
            let name = text.as_str().unwrap_or_default();
            let block =
                find_block(kind, name).ok_or_else(|| format!("there is no block {name}"))?;
            Ok(Arg::Block(Some(block)))
        }
        ParameterKind::Lazy
        | ParameterKind::Variable
        | ParameterKind::Target
        | ParameterKind::Regex
        | ParameterKind::Subst => understood(kept, catalog, at, parameter, text),
    }
}

/// A text that has to be understood, from among those that were before.
fn understood(
    kept: &mut Vec<(usize, Str, Arg)>,
    catalog: &dyn Catalog,
    at: usize,
    parameter: &Parameter,
    text: Str,
) -> Result<Arg, String> {
    let known = kept
        .iter()
        .position(|(place, known, _)| *place == at && *known == text);
    if let Some(known) = known {
        let entry = kept.remove(known);
        let arg = entry.2.clone();
        kept.insert(0, entry);
        return Ok(arg);
    }
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", parameter.name);
    let arg = match parameter.kind {
        ParameterKind::Regex => Ere::new(&text, Flags::ARGUMENT)
            .map(Arg::Regex)
            .map_err(|error| wrong(&error))?,
        ParameterKind::Subst => Subst::parse(&text, catalog)
            .map(Arg::Subst)
            .map_err(|error| wrong(&error))?,
        ParameterKind::Variable | ParameterKind::Target => {
            let variable = Variable::parse(&text, catalog).map_err(|error| wrong(&error))?;
            if parameter.kind == ParameterKind::Target && !variable.is_writable() {
                let text = "the variable cannot be assigned";
                return Err(wrong(&text));
            }
            Arg::Variable(variable)
        }
        _ => Format::parse(&text, catalog)
            .map(Arg::Lazy)
            .map_err(|error| wrong(&error))?,
    };
    kept.truncate(KEPT_MAX - 1);
    kept.insert(0, (at, text, arg.clone()));
    Ok(arg)
}
