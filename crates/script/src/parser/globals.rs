//! Statements outside of blocks: settings, configuration variables, flags; and which of them begins where.

use super::{Parsed, Parser, keywords};
use crate::ast::{ConfigVariable, Flag, Name, Setting, SettingValue, Text};
use crate::diagnostic::Diagnostic;
use crate::lexer::TokenKind;
use crate::parser::action::LAST_FLAG;
use crate::settings::{self, SettingKind, SettingRow};
use crate::source::Span;
use crate::suggest::nearest;

impl Parser<'_> {
    /// One statement outside of blocks, with the `;` that may follow it.
    pub(super) fn top_level(&mut self) -> Parsed<()> {
        if self.accept_sign(";") {
            return Ok(());
        }
        let Some(word) = self.word().map(str::to_owned) else {
            return self.expected("a setting, a module or a route block");
        };
        match word.as_str() {
            "loadmodule" | "loadmodulex" => self.load_module(word == "loadmodulex")?,
            "modparam" | "modparamx" => self.module_parameter(word == "modparamx")?,
            "loadpath" | "mpath" => self.load_path()?,
            "cfgengine" => self.engine()?,
            "listen" => self.listen()?,
            "socket" => self.socket()?,
            "alias" | "domain" => self.alias_list()?,
            "flags" | "bool" => self.flags(false)?,
            "avpflags" => self.flags(true)?,
            "route" | "request_route" | "reply_route" | "onreply_route" | "failure_route"
            | "branch_route" | "onsend_route" | "event_route" => self.block(&word)?,
            _ => self.setting_or_variable(&word)?,
        }
        self.accept_sign(";");
        Ok(())
    }

    fn setting_or_variable(&mut self, word: &str) -> Parsed<()> {
        if self.sign_ahead(1, "=") {
            return match settings::find(word) {
                Some(row) => self.setting(row, 1),
                None => self.unknown_setting(word),
            };
        }
        if self.sign_ahead(1, ".") || self.sign_ahead(1, "[") {
            let second = super::word_of(self.ahead(2)).unwrap_or_default();
            return match settings::find(&format!("{word}.{second}")) {
                Some(row) => self.setting(row, 3),
                None => self.config_variable(),
            };
        }
        if settings::find(word).is_some() {
            self.advance();
            return self.expected("`=` after the setting's name");
        }
        let span = self.span();
        let error = if self.sign_ahead(1, "(") {
            Diagnostic::error(span, format!("`{word}` is called outside of a route block"))
        } else {
            Diagnostic::error(span, format!("`{word}` begins no statement"))
        };
        self.fail(error.suggest(nearest(word, keywords::globals())))
    }

    fn unknown_setting(&mut self, word: &str) -> Parsed<()> {
        let error = Diagnostic::error(self.span(), format!("there is no core setting `{word}`"));
        let error = match settings::suggest(word) {
            Some(name) => error.suggest(Some(name)),
            None => error.help("a variable of your own is written `group.name = value`"),
        };
        self.fail(error)
    }

    /// `name = value`, where the name takes some tokens.
    fn setting(&mut self, row: &'static SettingRow, tokens: usize) -> Parsed<()> {
        let start = self.span();
        for _ in 0..tokens {
            self.advance();
        }
        self.expect_sign("=", "after the setting's name")?;
        let at = self.span();
        let Some(value) = self.setting_value(row.kind) else {
            let expected = row.kind.expected();
            if self.begins_line(self.at) {
                return self.expected(expected);
            }
            let error = Diagnostic::error(at, format!("`{}` must be {expected}", row.name));
            return self.fail(error.label(format!("expected {expected}")).help(row.doc));
        };
        if let SettingValue::Str(text) = &value
            && text.as_str().is_none()
        {
            return self.fail(Diagnostic::error(at, "a setting must be written in UTF-8"));
        }
        let span = self.since(start);
        self.config.settings.push(Setting {
            name: row.name,
            value,
            span,
        });
        Ok(())
    }

    fn setting_value(&mut self, kind: SettingKind) -> Option<SettingValue> {
        if self.begins_line(self.at) && self.sign_ahead(1, "=") {
            return None;
        }
        match kind {
            SettingKind::Bool | SettingKind::Count => self.accept_int(false).map(SettingValue::Int),
            SettingKind::Int => self.accept_int(true).map(SettingValue::Int),
            SettingKind::Str => self.accept_string().map(SettingValue::Str),
            SettingKind::Word => self.accept_name().map(SettingValue::Str),
            SettingKind::Name => self
                .accept_string()
                .or_else(|| self.accept_name())
                .map(SettingValue::Str),
            SettingKind::IntOrWord => self
                .accept_int(true)
                .map(SettingValue::Int)
                .or_else(|| self.accept_name().map(SettingValue::Str)),
            SettingKind::Host => self.host().map(SettingValue::Str),
        }
    }

    /// A bare word.
    fn accept_name(&mut self) -> Option<Text> {
        let text = Text {
            bytes: self.word()?.as_bytes().into(),
            span: self.span(),
        };
        self.advance();
        Some(text)
    }

    /// `group.name = value desc "…"`, `group[1].name = value`.
    fn config_variable(&mut self) -> Parsed<()> {
        let start = self.span();
        let group = self.identifier("the group's name")?;
        let instance = if self.accept_sign("[") {
            let Some(instance) = self.accept_int(false) else {
                return self.expected("the number of the instance");
            };
            self.expect_sign("]", "after the instance")?;
            Some(instance)
        } else {
            None
        };
        self.expect_sign(".", "between group and name")?;
        let name = self.identifier("the variable's name")?;
        self.expect_sign("=", "after the variable's name")?;
        let value = match self.accept_int(true) {
            Some(value) => SettingValue::Int(value),
            None => SettingValue::Str(self.string("a number or a string")?),
        };
        let described = ["desc", "descr", "description"]
            .iter()
            .any(|word| self.at_word(word));
        let description = if described {
            self.advance();
            Some(self.string("the description in quotes")?)
        } else {
            None
        };
        let span = self.since(start);
        let variable = ConfigVariable {
            group,
            instance,
            name,
            value,
            description,
            span,
        };
        self.config.variables.push(variable);
        Ok(())
    }

    fn identifier(&mut self, what: &str) -> Parsed<String> {
        match self.word().map(str::to_owned) {
            Some(word) => {
                self.advance();
                Ok(word)
            }
            None => self.expected(what),
        }
    }

    /// `flags a, b:5`. A flag without a number gets the lowest free one.
    fn flags(&mut self, avp: bool) -> Parsed<()> {
        self.advance();
        loop {
            let span = self.span();
            let text = match self.accept_string() {
                Some(text) => text.to_lossy(),
                None => self.identifier("a flag's name")?,
            };
            let name = Name { text, span };
            let number = if self.accept_sign(":") {
                Some(self.flag_number()?)
            } else {
                None
            };
            self.add_flag(name, number, avp)?;
            if !self.accept_sign(",") {
                return Ok(());
            }
        }
    }

    fn flag_number(&mut self) -> Parsed<u8> {
        let span = self.span();
        let number = self.accept_int(false).and_then(|n| u8::try_from(n).ok());
        match number.filter(|number| *number <= LAST_FLAG) {
            Some(number) => Ok(number),
            None => {
                let fault = format!("flags are numbered from 0 to {LAST_FLAG}");
                self.fail(Diagnostic::error(span, fault))
            }
        }
    }

    fn add_flag(&mut self, name: Name, number: Option<u8>, avp: bool) -> Parsed<()> {
        let list = if avp {
            &self.config.avp_flags
        } else {
            &self.config.flags
        };
        if let Some(first) = list.iter().find(|flag| flag.name.text == name.text) {
            let error = Diagnostic::error(name.span, format!("`{}` is a flag already", name.text))
                .note(first.name.span, "the first is here");
            self.report(error);
            return Ok(());
        }
        let free = (0..=LAST_FLAG).find(|n| !list.iter().any(|flag| flag.number == *n));
        let Some(number) = number.or(free) else {
            return self.fail(Diagnostic::error(name.span, "all flags have names already"));
        };
        let list = if avp {
            &mut self.config.avp_flags
        } else {
            &mut self.config.flags
        };
        list.push(Flag { name, number });
        Ok(())
    }

    /// A port's number.
    pub(super) fn port(&mut self) -> Parsed<u16> {
        let span: Span = self.span();
        match self.accept_int(false).map(u16::try_from) {
            Some(Ok(port)) => Ok(port),
            Some(Err(_)) => self.fail(Diagnostic::error(
                span,
                "ports are numbered from 0 to 65535",
            )),
            None => match self.kind() {
                TokenKind::Sign(_) | TokenKind::End => self.expected("a port"),
                _ => self.fail(Diagnostic::error(span, "a port is a number")),
            },
        }
    }
}
