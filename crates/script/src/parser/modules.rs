//! `loadmodule`, `modparam` and their kin.

use super::{Parsed, Parser, keywords};
use crate::ast::{LoadModule, ModuleParam, ModuleStatement, ParamValue, Text};
use crate::diagnostic::Diagnostic;
use crate::ere::{Ere, Flags};
use crate::lexer::TokenKind;
use crate::preprocess::{evaluate_variables, module_name};
use crate::source::Span;
use crate::suggest::nearest;

impl Parser<'_> {
    /// `loadmodule "x.so"`, `loadmodule("x", "g")`, `loadmodulex "…"`.
    pub(super) fn load_module(&mut self, evaluated: bool) -> Parsed<()> {
        let start = self.span();
        self.advance();
        let parenthesis = self.accept_sign("(");
        let written = self.string("a module's name in quotes")?;
        if parenthesis {
            if self.accept_sign(",") {
                self.string("the options in quotes")?;
            }
            self.expect_sign(")", "after the module's name")?;
        }
        let span = self.since(start);
        let name = match evaluated {
            true => evaluate_variables(&written.bytes, self.defines, self.loader),
            false => written.bytes.to_vec(),
        };
        let module = module_name(&String::from_utf8_lossy(&name)).to_owned();
        if module.is_empty() {
            self.report(Diagnostic::error(
                written.span,
                "a module's name is expected",
            ));
        }
        let first = self
            .loaded()
            .find(|load| load.module == module)
            .map(|load| load.span);
        if let Some(first) = first {
            let error = Diagnostic::error(span, format!("`{module}` is loaded twice"));
            let error = error.note(first, "it is loaded here first");
            self.report(error);
            return Ok(());
        }
        let load = LoadModule {
            module,
            written,
            evaluated,
            span,
        };
        self.config.modules.push(ModuleStatement::Load(load));
        Ok(())
    }

    fn loaded(&self) -> impl Iterator<Item = &LoadModule> {
        self.config
            .modules
            .iter()
            .filter_map(|statement| match statement {
                ModuleStatement::Load(load) => Some(load),
                _ => None,
            })
    }

    /// `loadpath "…"`, `mpath = "…"`.
    pub(super) fn load_path(&mut self) -> Parsed<()> {
        self.advance();
        self.accept_sign("=");
        let path = self.string("directories in quotes")?;
        self.config.modules.push(ModuleStatement::Path(path));
        Ok(())
    }

    /// `cfgengine "native"`.
    pub(super) fn engine(&mut self) -> Parsed<()> {
        self.advance();
        self.accept_sign("=");
        self.config.engine = Some(self.string("the engine's name in quotes")?);
        Ok(())
    }

    /// `modparam("modules", "parameter", value)`.
    pub(super) fn module_parameter(&mut self, evaluated: bool) -> Parsed<()> {
        let start = self.span();
        self.advance();
        self.expect_sign("(", "after `modparam`")?;
        let pattern = self.string("a module's name in quotes")?;
        self.expect_sign(",", "after the module's name")?;
        let name = self.string("a parameter's name in quotes")?;
        self.expect_sign(",", "after the parameter's name")?;
        let value = self.parameter_value(evaluated)?;
        self.expect_sign(")", "after the value")?;
        let span = self.since(start);
        if let Some(modules) = self.covered(&pattern) {
            let param = ModuleParam {
                pattern,
                modules,
                name,
                value,
                evaluated,
                span,
            };
            self.config.modules.push(ModuleStatement::Param(param));
        }
        Ok(())
    }

    fn parameter_value(&mut self, evaluated: bool) -> Parsed<ParamValue> {
        if let Some(value) = self.accept_int(true) {
            return Ok(ParamValue::Int(value));
        }
        if let Some(text) = self.accept_string() {
            return Ok(ParamValue::Str(text));
        }
        if let TokenKind::Variable(text) = self.kind().clone() {
            let span = self.span();
            if !evaluated {
                let error = Diagnostic::error(span, "`modparam` takes no variables");
                return self.fail(error.help("`modparamx` does; or put the variable in quotes"));
            }
            self.advance();
            return Ok(ParamValue::Variable(Text {
                bytes: text.as_bytes().into(),
                span,
            }));
        }
        if let Some(word) = self.word().filter(|word| !keywords::is_reserved(word)) {
            let message = format!("`{word}` is neither a number nor in quotes");
            let error = Diagnostic::error(self.span(), message);
            return self.fail(error.label("no such define, either"));
        }
        self.expected("a number or a string")
    }

    /// The loaded modules that a pattern covers; none with an error if there are none.
    fn covered(&mut self, pattern: &Text) -> Option<Vec<String>> {
        let anchored = [b"^(", &pattern.bytes[..], b")$"].concat();
        let flags = Flags {
            ignore_case: true,
            lines: false,
        };
        let expression = match Ere::new(&anchored, flags) {
            Ok(expression) => expression,
            Err(fault) => {
                let fault = format!("in this expression over module names: {fault}");
                self.report(Diagnostic::error(pattern.span, fault));
                return None;
            }
        };
        let names = self.loaded().map(|load| load.module.clone());
        let modules: Vec<_> = names
            .filter(|m| expression.is_match(m.as_bytes()))
            .collect();
        if modules.is_empty() {
            self.not_loaded(&pattern.to_lossy(), pattern.span);
            return None;
        }
        Some(modules)
    }

    fn not_loaded(&mut self, name: &str, span: Span) {
        let close = nearest(name, self.loaded().map(|load| load.module.as_str()));
        let error = Diagnostic::error(span, format!("no module `{name}` is loaded before this"));
        let error = match close {
            Some(_) => error.suggest(close),
            None => error.help(format!("`loadmodule \"{name}.so\"` must come first")),
        };
        self.report(error);
    }
}
