//! Route blocks: their headers, names and joining.

use super::{Parsed, Parser};
use crate::ast::{Block, Statement};
use crate::catalog::BlockKind;
use crate::diagnostic::Diagnostic;
use crate::lexer::TokenKind;
use crate::source::Span;

/// The keyword of a block's kind.
fn kind_of(word: &str) -> Option<BlockKind> {
    Some(match word {
        "request_route" | "route" => BlockKind::Request,
        "reply_route" => BlockKind::CoreReply,
        "onreply_route" => BlockKind::OnReply,
        "failure_route" => BlockKind::Failure,
        "branch_route" => BlockKind::Branch,
        "onsend_route" => BlockKind::OnSend,
        "event_route" => BlockKind::Event,
        _ => return None,
    })
}

impl Parser<'_> {
    /// Whether a block begins here: its keyword, then `[` or `{`.
    pub(super) fn at_block_header(&self) -> bool {
        let keyword = self.word().is_some_and(|word| kind_of(word).is_some());
        keyword && (self.sign_ahead(1, "[") || self.sign_ahead(1, "{"))
    }

    /// A block, at its keyword.
    pub(super) fn block(&mut self, word: &str) -> Parsed<()> {
        let Some(kind) = kind_of(word) else {
            return self.expected("a route block");
        };
        let start = self.span();
        self.advance();
        let name = if self.accept_sign("[") {
            Some(self.block_name(kind)?)
        } else {
            None
        };
        let span = self.since(start);
        let (kind, name) = self.identity(kind, name, word, span)?;
        if !self.at_sign("{") {
            return self.expected(&format!("`{{` after `{word}`"));
        }
        let body = self.braces()?;
        self.add_block(kind, name, body, span);
        Ok(())
    }

    /// The name in brackets. `X:y-z` is one name for events only.
    fn block_name(&mut self, kind: BlockKind) -> Parsed<String> {
        let start = self.span();
        let name = if let Some(text) = self.accept_string() {
            text.to_lossy()
        } else if kind == BlockKind::Event {
            let mut bytes = Vec::new();
            while matches!(
                self.kind(),
                TokenKind::Word(_) | TokenKind::Int(_) | TokenKind::Sign(":" | "-" | ".")
            ) {
                self.push_text(&mut bytes);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        } else if matches!(self.kind(), TokenKind::Word(_) | TokenKind::Int(_)) {
            let mut bytes = Vec::new();
            self.push_text(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            return self.expected("the name of the route");
        };
        if kind == BlockKind::Event && !name.trim_matches(':').contains(':') {
            let error = Diagnostic::error(self.since(start), format!("`{name}` is no event"));
            return self.fail(error.help("an event is named `module:event`"));
        }
        if self.at_sign("-") || self.at_sign(".") {
            let error = Diagnostic::error(self.span(), "the name of a route is one word");
            return self.fail(error.help("put a name with other characters into quotes"));
        }
        self.expect_sign("]", "after the name of the route")?;
        Ok(name)
    }

    /// Which block is meant: without a name, or with the name 0, it is the main one of its kind.
    fn identity(
        &mut self,
        kind: BlockKind,
        name: Option<String>,
        word: &str,
        span: Span,
    ) -> Parsed<(BlockKind, String)> {
        let nameless = matches!(word, "request_route" | "reply_route" | "onsend_route");
        match (kind, name) {
            (_, Some(_)) if nameless => {
                let error = Diagnostic::error(span, format!("`{word}` has no name"));
                let error = match word {
                    "request_route" => error.help("a named one is written `route[NAME]`"),
                    "reply_route" => error.help("a named one is written `onreply_route[NAME]`"),
                    _ => error,
                };
                self.fail(error)
            }
            (BlockKind::OnReply, None) => Ok((BlockKind::CoreReply, String::new())),
            (BlockKind::OnReply, Some(name)) if name == "0" => {
                Ok((BlockKind::CoreReply, String::new()))
            }
            (BlockKind::Request, Some(name)) if name == "0" => Ok((kind, String::new())),
            (BlockKind::Event, None) => {
                let error = Diagnostic::error(span, "this event route names no event");
                self.fail(error.help("write `event_route[module:event]`"))
            }
            (BlockKind::Failure | BlockKind::Branch, None) => Ok((kind, "0".to_owned())),
            (_, name) => Ok((kind, name.unwrap_or_default())),
        }
    }

    /// Main blocks of one kind are joined; another block of the same name is an error.
    fn add_block(&mut self, kind: BlockKind, name: String, body: Vec<Statement>, span: Span) {
        let blocks = &mut self.config.blocks;
        let Some(first) = blocks.iter_mut().find(|b| b.kind == kind && b.name == name) else {
            return blocks.push(Block {
                kind,
                name,
                body,
                span,
            });
        };
        if name.is_empty() {
            return first.body.extend(body);
        }
        let error = Diagnostic::error(
            span,
            format!("there is another route `{name}` of this kind"),
        )
        .note(first.span, "the first is here");
        self.report(error);
    }
}
