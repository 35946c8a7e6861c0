//! The `regex` crate's spelling of an expression. A back-reference becomes "anything": what the crate finds then is
//! at least what the expression can match.

use std::fmt::Write;

use super::tree::{ByteSet, Look, Node, NodeId, Tree};

pub(super) fn translate(tree: &Tree) -> String {
    let mut out = String::new();
    push(tree, tree.root, &mut out);
    out
}

fn push(tree: &Tree, id: NodeId, out: &mut String) {
    match tree.node(id) {
        Node::Set(set) => push_set(set, out),
        Node::Look(look) => out.push_str(spelling(*look)),
        Node::Group(_, inner) => {
            out.push('(');
            push(tree, *inner, out);
            out.push(')');
        }
        Node::Sequence(parts) => parts.iter().for_each(|part| push(tree, *part, out)),
        Node::Choice(parts) => {
            out.push_str("(?:");
            for (number, part) in parts.iter().enumerate() {
                if number > 0 {
                    out.push('|');
                }
                push(tree, *part, out);
            }
            out.push(')');
        }
        Node::Repeat(body, min, max) => {
            out.push_str("(?:");
            push(tree, *body, out);
            out.push(')');
            // Writing to a text can't fail.
            let _ = match (min, max) {
                (0, None) => write!(out, "*"),
                (1, None) => write!(out, "+"),
                (0, Some(1)) => write!(out, "?"),
                (min, None) => write!(out, "{{{min},}}"),
                (min, Some(max)) => write!(out, "{{{min},{max}}}"),
            };
        }
        Node::Reference(_) => out.push_str(r"[\x00-\xFF]*"),
    }
}

const fn spelling(look: Look) -> &'static str {
    match look {
        Look::Start => "^",
        Look::End => "$",
        Look::TextStart => r"\A",
        Look::TextEnd => r"\z",
        Look::WordStart => r"\b{start}",
        Look::WordEnd => r"\b{end}",
        Look::Boundary => r"\b",
        Look::NoBoundary => r"\B",
    }
}

fn push_set(set: &ByteSet, out: &mut String) {
    match set.ranges()[..] {
        // Nothing at all matches an empty set.
        [] => out.push_str(r"[^\x00-\xFF]"),
        [(one, last)] if one == last => push_byte(one, out),
        ref ranges => {
            out.push('[');
            for (start, end) in ranges {
                let _ = if start == end {
                    write!(out, r"\x{start:02X}")
                } else {
                    write!(out, r"\x{start:02X}-\x{end:02X}")
                };
            }
            out.push(']');
        }
    }
}

fn push_byte(byte: u8, out: &mut String) {
    if byte.is_ascii_alphanumeric() || byte == b' ' {
        out.push(char::from(byte));
    } else {
        let _ = write!(out, r"\x{byte:02X}");
    }
}
