//! Expressions: what a condition, a value or an argument is made of.

use super::{Call, Protocol};
use crate::source::Span;

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Which.
    pub kind: ExprKind,
    /// From its first to its last token.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A number, `yes` or `no`.
    Int(i64),
    /// A string literal, never interpolated by the language itself.
    Str(Box<[u8]>),
    /// A variable as written: `$ru`, `$var(x)`, `$(hdr(X)[0]{s.len})`.
    Variable(String),
    /// A select without its `@`: `ruri.user`.
    Select(String),
    /// A core operand: `method`, `src_ip`. Only the left side of a comparison, except for the numbers.
    Operand(Operand),
    /// `myself`; beside an operand under `==` or `!=`.
    Myself,
    /// An address or a net; the right side of an address operand.
    Network(Network),
    /// `UDP`; the right side of `proto`.
    Protocol(Protocol),
    /// `INET` is 4 and `INET6` is 6; the right side of `af`.
    Family(u8),
    /// `!e`, `-e` …
    Unary(UnaryOp, Box<Expr>),
    /// `a + b` …
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `(target = value)` as an expression.
    Assign(Box<Expr>, Box<Expr>),
    /// A function or a core action as an operand.
    Call(Call),
    /// `route(X)` as an operand.
    Route(Box<Expr>),
    /// `selval(condition, a, b)`.
    Selval(Box<[Expr; 3]>),
}

/// An address with a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The address as written.
    pub address: std::net::IpAddr,
    /// How many leading bits count: 32 or 128 for one address.
    pub prefix: u8,
}

/// Values of the message that have a keyword of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// `method`
    Method,
    /// `uri`: the Request-URI.
    Uri,
    /// `from_uri`
    FromUri,
    /// `to_uri`
    ToUri,
    /// `status`
    Status,
    /// `src_ip`
    SrcIp,
    /// `dst_ip`
    DstIp,
    /// `src_port`
    SrcPort,
    /// `dst_port`
    DstPort,
    /// `proto`
    Proto,
    /// `af`
    Af,
    /// `msg:len`
    MsgLen,
    /// `snd_ip`
    SndIp,
    /// `snd_port`
    SndPort,
    /// `snd_proto`, `to_proto`
    SndProto,
    /// `snd_af`
    SndAf,
    /// `to_ip`
    ToIp,
    /// `to_port`
    ToPort,
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`, `not`
    Not,
    /// `-`
    Negate,
    /// `~`
    Complement,
    /// `defined`
    Defined,
    /// `(int)`
    ToInt,
    /// `(str)`
    ToStr,
    /// `strlen`
    Strlen,
    /// `strempty`
    Strempty,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `||`, `or`
    Or,
    /// `&&`, `and`
    And,
    /// `|`
    BitOr,
    /// `&`
    BitAnd,
    /// `^`
    BitXor,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Match,
    /// `eq`: as strings.
    StrEqual,
    /// `ne`: as strings.
    StrNotEqual,
    /// `ieq`: as numbers.
    IntEqual,
    /// `ine`: as numbers.
    IntNotEqual,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `<=`
    LessEqual,
    /// `>=`
    GreaterEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `mod`
    Modulo,
}
