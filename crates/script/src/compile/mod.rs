//! From the syntax tree to a program. Everything that a configuration names is resolved here, and everything that
//! can be known to be wrong is an error here; all errors of a configuration are found in one go.

use std::collections::HashMap;

use crate::ast::{Block, Config, Expr, ExprKind};
use crate::catalog::{BlockKind, Catalog, Routes};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::format::{Scope, TextError};
use crate::host::Place;
use crate::program::{BlockId, BlockInfo, Op, OpPlace, Program};
use crate::source::{SourceMap, Span};
use crate::suggest::nearest;
use crate::value::Value;
use crate::variable::Variable;

mod argument;
mod check;
mod expression;
mod fold;
mod operand;
mod quick;
mod reach;
mod statement;
mod switch;

use reach::Reach;

/// Compiles a configuration against what the catalog knows. On errors there is no program.
pub fn compile(
    config: &Config,
    catalog: &dyn Catalog,
    map: &SourceMap,
) -> Result<Program, Diagnostics> {
    compile_generation(config, catalog, map, 0)
}

/// Compiles a configuration that takes the place of an earlier one.
///
/// # Errors
/// Everything that is wrong with it.
pub fn compile_generation(
    config: &Config,
    catalog: &dyn Catalog,
    map: &SourceMap,
    generation: u32,
) -> Result<Program, Diagnostics> {
    let mut compiler = Compiler::new(catalog, map);
    compiler.program.generation = generation;
    compiler.declare(&config.blocks);
    for (number, block) in config.blocks.iter().enumerate() {
        compiler.block(number, block);
    }
    compiler.foreign();
    compiler.check_routes();
    if compiler.diagnostics.has_errors() {
        Err(compiler.diagnostics)
    } else {
        Ok(compiler.program)
    }
}

struct Compiler<'a> {
    catalog: &'a dyn Catalog,
    map: &'a SourceMap,
    program: Program,
    diagnostics: Diagnostics,
    constants: HashMap<Value, u32>,
    variables: HashMap<String, u32>,
    reach: Reach,
    /// The block that is being compiled.
    block: BlockId,
    /// What is being compiled, for the places of operations.
    span: Span,
    /// Jumps out of each loop and switch around, innermost last.
    breaks: Vec<Vec<usize>>,
    /// Divisions of the statement that is being compiled.
    fails: Vec<usize>,
    last_place: Option<(Span, OpPlace)>,
}

impl<'a> Compiler<'a> {
    fn new(catalog: &'a dyn Catalog, map: &'a SourceMap) -> Self {
        Self {
            catalog,
            map,
            program: Program::default(),
            diagnostics: Diagnostics::new(),
            constants: HashMap::new(),
            variables: HashMap::new(),
            reach: Reach::default(),
            block: BlockId(0),
            span: Span::NONE,
            breaks: Vec::new(),
            fails: Vec::new(),
            last_place: None,
        }
    }

    /// Gives every block its number, so that routes may call those behind them.
    fn declare(&mut self, blocks: &[Block]) {
        for block in blocks {
            let label = label(block.kind, &block.name);
            let known = self.program.block(block.kind, &block.name);
            if known.is_some() {
                self.error(block.span, format!("`{label}` is defined twice"));
            }
            let (kind, name) = (block.kind, block.name.clone());
            self.program.blocks.push(BlockInfo {
                kind,
                name,
                label,
                entry: 0,
            });
        }
    }

    fn block(&mut self, number: usize, block: &Block) {
        self.block = self.program.id(number);
        let entry = self.here();
        if let Some(info) = self.program.blocks.get_mut(number) {
            info.entry = entry;
        }
        self.span = block.span;
        self.statements(&block.body);
        self.emit(Op::End);
    }

    /// The code of blocks that the host runs.
    fn foreign(&mut self) {
        self.program.foreign.entry = self.here();
        self.span = Span::NONE;
        self.emit(Op::Foreign);
        self.emit(Op::End);
    }

    fn here(&self) -> u32 {
        self.program.code.len() as u32
    }

    fn emit(&mut self, op: Op) -> usize {
        let place = self.place_of(self.span);
        self.program.places.push(place);
        self.program.code.push(op);
        self.program.code.len() - 1
    }

    /// Points the jump at `at` to the next operation.
    fn patch(&mut self, at: usize) {
        let here = self.here();
        // A quick form goes where the operation behind it goes.
        let before = at.checked_sub(1);
        if let Some(Op::UnlessSlot { to, .. }) = before.and_then(|at| self.program.code.get_mut(at))
        {
            *to = here;
        }
        match self.program.code.get_mut(at) {
            Some(
                Op::Jump(to)
                | Op::Unless(to)
                | Op::UnlessTest { to, .. }
                | Op::UnlessText { to, .. }
                | Op::IfZero(to)
                | Op::IfNonZero(to)
                | Op::IfFalse(to)
                | Op::LoopRound(to)
                | Op::Divide { fail: to, .. },
            ) => *to = here,
            _ => debug_assert!(false, "only jumps are patched"),
        }
    }

    fn patch_all(&mut self, jumps: Vec<usize>) {
        for jump in jumps {
            self.patch(jump);
        }
    }

    /// Points the divisions of this statement to the next operation.
    fn patch_fails(&mut self) {
        let fails = std::mem::take(&mut self.fails);
        self.patch_all(fails);
    }

    fn constant(&mut self, value: Value) -> u32 {
        let next = self.program.constants.len() as u32;
        let constants = &mut self.program.constants;
        *self.constants.entry(value).or_insert_with_key(|value| {
            constants.push(value.clone());
            next
        })
    }

    fn push(&mut self, value: Value) {
        match value {
            Value::Int(number) => self.emit(Op::Int(number)),
            other => {
                let constant = self.constant(other);
                self.emit(Op::Constant(constant))
            }
        };
    }

    /// The variable in a program's table; a variable that is unknown is an error and gets a number all the same.
    fn variable(&mut self, text: &str, span: Span) -> u32 {
        if let Some(known) = self.variables.get(text) {
            return *known;
        }
        let Some(variable) = self.parse_variable(text.as_bytes(), span) else {
            return u32::MAX;
        };
        let number = self.add_variable(variable);
        // `$cfg(line)` is another variable on each line.
        if !text.contains("cfg") {
            self.variables.insert(text.to_owned(), number);
        }
        number
    }

    fn add_variable(&mut self, variable: Variable) -> u32 {
        self.program.variables.push(variable);
        self.program.variables.len() as u32 - 1
    }

    fn parse_variable(&mut self, text: &[u8], span: Span) -> Option<Variable> {
        let parsed = self.in_scope(span, |scope| Variable::parse_whole(text, scope));
        self.checked(parsed, text, span)
    }

    /// Calls `parse` with the names that are known at this place.
    fn in_scope<T>(&self, span: Span, parse: impl FnOnce(&Scope<'_>) -> T) -> T {
        let location = self.map.locate(span);
        let place = Place {
            file: location.map_or("", |at| at.file),
            line: location.map_or(0, |at| at.line),
            column: location.map_or(0, |at| at.column),
            block: self.program.block_name(self.block),
        };
        parse(&Scope::at(self.catalog, place))
    }

    /// Turns an error in a text into a message at the very bytes, if the text stands in the file as it is.
    fn checked<T>(&mut self, parsed: Result<T, TextError>, text: &[u8], span: Span) -> Option<T> {
        let error = match parsed {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let written = self.map.text(span);
        let quotes = u32::from(written.first().is_some_and(|byte| b"\"'".contains(byte)));
        let plain = written
            .get(quotes as usize..)
            .is_some_and(|inside| inside.starts_with(text));
        let span = if plain && error.at < text.len() {
            let start = span.start + quotes + error.at as u32;
            Span {
                start,
                end: start + 1,
            }
        } else {
            span
        };
        let mut diagnostic = Diagnostic::error(span, error.message);
        diagnostic.help = error.help;
        self.diagnostics.push(diagnostic);
        None
    }

    /// The route block that is called by this name, or an error.
    fn find_block(&mut self, kind: BlockKind, name: &str, span: Span) -> Option<BlockId> {
        let found = self.program.block(kind, name);
        if found.is_none() {
            let blocks = self
                .program
                .blocks
                .iter()
                .filter(|block| block.kind == kind);
            let near = nearest(name, blocks.map(|block| block.name.as_str()));
            let message = format!("there is no `{}`", label(kind, name));
            let diagnostic = Diagnostic::error(span, message).suggest(near);
            self.diagnostics.push(diagnostic);
        }
        found
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(span, message));
    }

    fn place_of(&mut self, span: Span) -> OpPlace {
        if let Some((known, place)) = self.last_place
            && known == span
        {
            return place;
        }
        let Some(at) = self.map.locate(span) else {
            return OpPlace::default();
        };
        let files = &mut self.program.files;
        let file = files
            .iter()
            .position(|name| name == at.file)
            .unwrap_or_else(|| {
                files.push(at.file.to_owned());
                files.len() - 1
            });
        let place = OpPlace {
            line: at.line,
            column: u16::try_from(at.column).unwrap_or(u16::MAX),
            file: u16::try_from(file).unwrap_or(u16::MAX),
        };
        self.last_place = Some((span, place));
        place
    }

    fn check_routes(&mut self) {
        let kinds: Vec<(BlockKind, bool)> = self
            .program
            .blocks
            .iter()
            .map(|block| (block.kind, block.name.is_empty()))
            .collect();
        for misuse in self.reach.misuses(&kinds) {
            let label = self.program.block_label(misuse.block);
            let message = format!("`{}` cannot be used in `{label}`", misuse.function);
            let diagnostic = Diagnostic::error(misuse.span, message)
                .help(format!("it may be used in {}", describe(misuse.allowed)));
            self.diagnostics.push(diagnostic);
        }
    }
}

/// The block as it is written.
fn label(kind: BlockKind, name: &str) -> String {
    let word = match kind {
        BlockKind::Request if name.is_empty() => "request_route",
        BlockKind::Request => "route",
        BlockKind::CoreReply => "reply_route",
        BlockKind::OnReply => "onreply_route",
        BlockKind::Failure => "failure_route",
        BlockKind::Branch => "branch_route",
        BlockKind::OnSend => "onsend_route",
        BlockKind::Event => "event_route",
    };
    if name.is_empty() {
        word.to_owned()
    } else {
        format!("{word}[{name}]")
    }
}

/// The kinds of route in a set, for people.
fn describe(routes: Routes) -> String {
    let names = [
        (Routes::REQUEST, "request_route"),
        (Routes::FAILURE, "failure_route"),
        (Routes::BRANCH, "branch_route"),
        (Routes::ONREPLY, "onreply_route"),
        (Routes::CORE_REPLY, "reply_route"),
        (Routes::ONSEND, "onsend_route"),
        (Routes::EVENT, "event_route"),
    ];
    let named: Vec<&str> = names
        .iter()
        .filter(|(set, _)| routes.intersects(*set))
        .map(|(_, name)| *name)
        .collect();
    if named.is_empty() {
        "no route".to_owned()
    } else {
        named.join(", ")
    }
}

/// Whether this is `$null` as written.
fn is_null(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Variable(text) if text == "$null" || text == "$(null)")
}
