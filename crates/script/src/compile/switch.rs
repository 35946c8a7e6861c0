//! `switch`: a table of labels, then the arms one after the other, each falling through into the next.

use super::Compiler;
use super::fold::constant;
use crate::ast::{Arm, Expr, Label};
use crate::diagnostic::Diagnostic;
use crate::ere::Flags;
use crate::program::{Arms, Op, Switch, TextArm};
use crate::source::Span;
use crate::value::{Str, Value};

/// What a label is compared as.
enum Case {
    Default,
    Int(i64),
    Text(TextArm),
}

impl Compiler<'_> {
    pub(super) fn switch(&mut self, value: &Expr, arms: &[Arm], span: Span) {
        self.check(value);
        let cases: Vec<Option<Case>> = arms.iter().map(|arm| self.case(arm)).collect();
        self.check_cases(&cases, arms, value.span);
        self.expression(value);
        let table = self.program.switches.len() as u32;
        self.program.switches.push(Switch {
            arms: Arms::Ints(Vec::new()),
            default: 0,
        });
        self.emit(Op::Switch(table));
        let fails = std::mem::take(&mut self.fails);
        self.breaks.push(Vec::new());
        let (mut ints, mut texts, mut default) = (Vec::new(), Vec::new(), None);
        for (arm, case) in arms.iter().zip(cases) {
            let here = self.here();
            match case {
                Some(Case::Int(number)) => ints.push((number, here)),
                Some(Case::Text(text)) => texts.push((text, here)),
                Some(Case::Default) => default = Some(here),
                None => {}
            }
            self.statements(&arm.body);
        }
        self.span = span;
        let breaks = self.breaks.pop().unwrap_or_default();
        self.patch_all(breaks);
        self.patch_all(fails);
        ints.sort_unstable_by_key(|(number, _)| *number);
        let end = self.here();
        let arms = if texts.is_empty() {
            Arms::Ints(ints)
        } else {
            Arms::Texts(texts)
        };
        if let Some(switch) = self.program.switches.get_mut(table as usize) {
            *switch = Switch {
                arms,
                default: default.unwrap_or(end),
            };
        }
    }

    fn case(&mut self, arm: &Arm) -> Option<Case> {
        match &arm.label {
            Label::Default => Some(Case::Default),
            Label::Regex(text) => {
                let ere = self.regex(&text.bytes, Flags::CASE, text.span)?;
                Some(Case::Text(TextArm::Regex(ere)))
            }
            Label::Value(expr) => {
                self.check(expr);
                match constant(expr) {
                    Some(Value::Int(number)) => Some(Case::Int(number)),
                    Some(Value::Str(text)) => Some(Case::Text(TextArm::Text(text))),
                    _ => {
                        self.error(expr.span, "a case must be a constant");
                        None
                    }
                }
            }
        }
    }

    fn check_cases(&mut self, cases: &[Option<Case>], arms: &[Arm], value: Span) {
        let mut ints: Vec<i64> = Vec::new();
        let mut texts: Vec<Str> = Vec::new();
        let mut defaults = 0;
        let (mut numbers, mut strings) = (0, 0);
        for (case, arm) in cases.iter().zip(arms) {
            let twice = match case {
                Some(Case::Int(number)) => {
                    numbers += 1;
                    let twice = ints.contains(number);
                    ints.push(*number);
                    twice
                }
                Some(Case::Text(text)) => {
                    strings += 1;
                    let TextArm::Text(text) = text else {
                        continue;
                    };
                    let twice = texts.contains(text);
                    texts.push(text.clone());
                    twice
                }
                Some(Case::Default) => {
                    defaults += 1;
                    defaults > 1
                }
                None => false,
            };
            if twice {
                self.error(arm.span, "this case is there already");
            }
        }
        if numbers > 0 && strings > 0 {
            let message = "the cases of a switch are all numbers or all strings";
            self.diagnostics.push(Diagnostic::error(value, message));
        }
    }
}
