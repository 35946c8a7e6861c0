//! The arguments of a call, each checked and made ready as its parameter demands.

use super::Compiler;
use super::fold::constant;
use crate::ast::{Call, Expr, ExprKind};
use crate::catalog::{BlockKind, FunctionId, Parameter, ParameterKind, Signature};
use crate::diagnostic::Diagnostic;
use crate::ere::Flags;
use crate::format::Format;
use crate::level::{log_facility, log_level};
use crate::program::{Arg, CallSite, Making};
use crate::subst::Subst;
use crate::value::{Str, parse_int};

/// An argument before it is made.
enum Given {
    /// Text known at load, in which variables may be named.
    Text(Str),
    /// A bare variable.
    Variable(String),
    /// Computed at each call.
    Computed,
}

/// The row whose parameters the arguments fit best; none if no row takes so many.
pub(super) fn choose<'r>(
    rows: &[(FunctionId, &'r Signature)],
    call: &Call,
) -> Option<(FunctionId, &'r Signature)> {
    let count = call.args.len();
    let takes = |row: &Signature| (row.required..=row.parameters.len()).contains(&count);
    let fits = |row: &Signature| {
        row.parameters
            .iter()
            .zip(&call.args)
            .all(|(parameter, arg)| may_be(parameter, arg))
    };
    let candidates = || rows.iter().copied().filter(|(_, row)| takes(row));
    candidates()
        .find(|(_, row)| fits(row))
        .or_else(|| candidates().next())
}

fn may_be(parameter: &Parameter, arg: &Expr) -> bool {
    match (parameter.kind, given(arg)) {
        (ParameterKind::Int, Given::Text(text)) => {
            parse_int(&text).is_some() || names_variable(&text)
        }
        (ParameterKind::Variable | ParameterKind::Target, Given::Text(text)) => {
            text.starts_with(b"$")
        }
        (ParameterKind::Variable | ParameterKind::Target, Given::Computed) => false,
        _ => true,
    }
}

/// The function with its parameters, for people.
pub(super) fn describe(row: &Signature) -> String {
    let mut text = format!("`{}(", row.name);
    for (number, parameter) in row.parameters.iter().enumerate() {
        let optional = number >= row.required;
        if number > 0 {
            text.push_str(if optional { " [, " } else { ", " });
        } else if optional {
            text.push('[');
        }
        text.push_str(parameter.name);
        if optional {
            text.push(']');
        }
    }
    text + ")`"
}

fn given(arg: &Expr) -> Given {
    match (&arg.kind, constant(arg)) {
        (ExprKind::Variable(text), _) => Given::Variable(text.clone()),
        (_, Some(value)) => Given::Text(value.to_str()),
        (ExprKind::Network(network), None) => {
            Given::Text(network.address.to_string().as_str().into())
        }
        (ExprKind::Protocol(protocol), None) => Given::Text(protocol.name().into()),
        _ => Given::Computed,
    }
}

/// Whether a `$` in the text begins a variable rather than ending a line.
fn names_variable(text: &[u8]) -> bool {
    text.windows(2)
        .any(|pair| pair[0] == b'$' && (pair[1].is_ascii_alphabetic() || pair[1] == b'('))
}

impl Compiler<'_> {
    pub(super) fn call_site(
        &mut self,
        function: FunctionId,
        signature: &Signature,
        call: &Call,
    ) -> CallSite {
        let computed = call
            .args
            .iter()
            .filter(|arg| matches!(given(arg), Given::Computed))
            .count();
        let mut slots = Slots {
            computed: 0,
            printed: computed as u16,
            made: 0,
        };
        let mut args = Vec::with_capacity(call.args.len());
        for (parameter, arg) in signature.parameters.iter().zip(&call.args) {
            let made = self.argument(parameter, arg, &mut slots, &call.name.text);
            args.push(made.unwrap_or(Arg::Int(0)));
        }
        let constant = !args.iter().any(|arg| {
            matches!(
                arg,
                Arg::Expression { .. }
                    | Arg::Printed { .. }
                    | Arg::Number { .. }
                    | Arg::Made { .. }
            )
        });
        let name = call.name.text.clone();
        let expressions = slots.computed;
        CallSite {
            function,
            name,
            core: signature.core,
            args,
            expressions,
            constant,
        }
    }

    /// `None` after an error.
    fn argument(
        &mut self,
        parameter: &Parameter,
        arg: &Expr,
        slots: &mut Slots,
        function: &str,
    ) -> Option<Arg> {
        match given(arg) {
            Given::Text(text) => self.text(parameter, &text, arg, slots, function),
            Given::Variable(text) => self.bare(parameter, &text, arg, slots, function),
            Given::Computed => self.computed(parameter, arg, slots, function),
        }
    }

    fn text(
        &mut self,
        parameter: &Parameter,
        text: &Str,
        arg: &Expr,
        slots: &mut Slots,
        function: &str,
    ) -> Option<Arg> {
        match parameter.kind {
            ParameterKind::Int => match parse_int(text) {
                Some(number) => Some(Arg::Int(number)),
                None if names_variable(text) => {
                    let format = self.format(text, arg)?;
                    Some(Arg::Number {
                        slot: slots.print(),
                        format,
                    })
                }
                None => self.refuse(parameter, arg, function, "a number"),
            },
            ParameterKind::Str => {
                let format = self.format(text, arg)?;
                Some(match format.constant() {
                    Some(text) => Arg::Str(text),
                    None => Arg::Printed {
                        slot: slots.print(),
                        format,
                    },
                })
            }
            ParameterKind::Static if names_variable(text) => {
                self.refuse(parameter, arg, function, "text without variables")
            }
            ParameterKind::Static => Some(Arg::Str(text.clone())),
            ParameterKind::Lazy => self.format(text, arg).map(Arg::Lazy),
            ParameterKind::Level => {
                let format = self.format(text, arg)?;
                match format.constant() {
                    Some(text) if log_level(&text).is_none() => {
                        self.refuse(parameter, arg, function, "a log level, like `L_INFO`")
                    }
                    _ => Some(Arg::Lazy(format)),
                }
            }
            ParameterKind::Facility => match text.as_str().and_then(log_facility) {
                Some(number) => Some(Arg::Int(i64::from(number))),
                None => {
                    let wanted = "a facility of the system log, like `LOG_LOCAL0`";
                    self.refuse(parameter, arg, function, wanted)
                }
            },
            ParameterKind::Variable | ParameterKind::Target => {
                self.variable_argument(parameter, text, arg, function)
            }
            ParameterKind::Regex if names_variable(text) => {
                self.made(text, arg, slots, Making::Regex)
            }
            ParameterKind::Regex => self.regex(text, Flags::ARGUMENT, arg.span).map(Arg::Regex),
            ParameterKind::Subst => {
                let parsed = self.in_scope(arg.span, |scope| Subst::parse_in(text, scope));
                self.checked(parsed, text, arg.span).map(Arg::Subst)
            }
            ParameterKind::Block(kind) => self.block_argument(kind, text, arg, slots),
        }
    }

    fn bare(
        &mut self,
        parameter: &Parameter,
        text: &str,
        arg: &Expr,
        slots: &mut Slots,
        function: &str,
    ) -> Option<Arg> {
        let text = &Str::from(text);
        match parameter.kind {
            ParameterKind::Regex => self.made(text, arg, slots, Making::Regex),
            ParameterKind::Subst => self.made(text, arg, slots, Making::Subst),
            ParameterKind::Static => {
                self.refuse(parameter, arg, function, "text without variables")
            }
            _ => self.text(parameter, text, arg, slots, function),
        }
    }

    fn computed(
        &mut self,
        parameter: &Parameter,
        arg: &Expr,
        slots: &mut Slots,
        function: &str,
    ) -> Option<Arg> {
        if contains_call(arg) {
            let message = format!("a function cannot be a parameter of `{function}`");
            let help = "assign its result to a variable first";
            self.diagnostics
                .push(Diagnostic::error(arg.span, message).help(help));
            return None;
        }
        let int = match parameter.kind {
            ParameterKind::Int => true,
            ParameterKind::Str => false,
            _ => return self.refuse(parameter, arg, function, "a constant"),
        };
        self.check(arg);
        self.expression(arg);
        Some(Arg::Expression {
            slot: slots.compute(),
            int,
        })
    }

    fn variable_argument(
        &mut self,
        parameter: &Parameter,
        text: &Str,
        arg: &Expr,
        function: &str,
    ) -> Option<Arg> {
        if !text.starts_with(b"$") {
            return self.refuse(parameter, arg, function, "a variable, like `$var(x)`");
        }
        let variable = self.parse_variable(text, arg.span)?;
        if parameter.kind == ParameterKind::Target && !variable.is_writable() {
            return self.refuse(parameter, arg, function, "a variable that can be assigned");
        }
        Some(Arg::Variable(variable))
    }

    fn block_argument(
        &mut self,
        kind: BlockKind,
        text: &Str,
        arg: &Expr,
        slots: &mut Slots,
    ) -> Option<Arg> {
        if text.is_empty() || text.as_bytes() == b"0" {
            return Some(Arg::Block(None));
        }
        if names_variable(text) {
            return self.made(text, arg, slots, Making::Block(kind));
        }
        let name = String::from_utf8_lossy(text).into_owned();
        let block = self.find_block(kind, &name, arg.span)?;
        Some(Arg::Block(Some(block)))
    }

    fn made(&mut self, text: &Str, arg: &Expr, slots: &mut Slots, kind: Making) -> Option<Arg> {
        let format = self.format(text, arg)?;
        Some(Arg::Made {
            place: slots.make(),
            format,
            kind,
        })
    }

    fn format(&mut self, text: &Str, arg: &Expr) -> Option<Format> {
        let parsed = self.in_scope(arg.span, |scope| Format::parse_in(text, scope));
        self.checked(parsed, text, arg.span)
    }

    fn refuse(
        &mut self,
        parameter: &Parameter,
        arg: &Expr,
        function: &str,
        wanted: &str,
    ) -> Option<Arg> {
        let message = format!(
            "parameter `{}` of `{function}` must be {wanted}",
            parameter.name
        );
        self.error(arg.span, message);
        None
    }
}

/// The next free places of a call's values.
struct Slots {
    computed: u16,
    printed: u16,
    made: u8,
}

impl Slots {
    const fn compute(&mut self) -> u16 {
        self.computed += 1;
        self.computed - 1
    }

    const fn print(&mut self) -> u16 {
        self.printed += 1;
        self.printed - 1
    }

    const fn make(&mut self) -> u8 {
        self.made += 1;
        self.made - 1
    }
}

fn contains_call(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call(_) | ExprKind::Route(_) | ExprKind::Assign(..) => true,
        ExprKind::Unary(_, inner) => contains_call(inner),
        ExprKind::Binary(_, left, right) => contains_call(left) || contains_call(right),
        ExprKind::Selval(parts) => parts.iter().any(contains_call),
        _ => false,
    }
}
