//! The checked syntax tree of a configuration: what the parser hands to the compiler and to the program that
//! starts from it. Names of functions, variables and blocks stay as text; nothing here is resolved or run.

mod expression;

use crate::catalog::BlockKind;
use crate::source::Span;
pub use expression::{BinaryOp, Expr, ExprKind, Network, Operand, UnaryOp};

/// A whole configuration, in file order within each list.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Core settings (`children=8`), known and of the right type.
    pub settings: Vec<Setting>,
    /// `loadmodule`, `loadpath`, `modparam` and their kin, in file order.
    pub modules: Vec<ModuleStatement>,
    /// `listen=` and `socket={…}`.
    pub listens: Vec<Listen>,
    /// `alias=` and `domain=`.
    pub aliases: Vec<Alias>,
    /// Names given to message flags by `flags`.
    pub flags: Vec<Flag>,
    /// Names given to AVP flags by `avpflags`.
    pub avp_flags: Vec<Flag>,
    /// `group.name = value`.
    pub variables: Vec<ConfigVariable>,
    /// `cfgengine`; none means the native language.
    pub engine: Option<Text>,
    /// Route blocks; the bodies of one kind and name are joined.
    pub blocks: Vec<Block>,
    /// What the preprocessor ended with, for `$def(ID)`: name and value.
    pub defines: Vec<(String, Option<Box<[u8]>>)>,
}

/// Bytes of a string literal, escapes resolved, or of a bare word; not always UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The value.
    pub bytes: Box<[u8]>,
    /// Where it was written, with its quotes.
    pub span: Span,
}

impl Text {
    /// The text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// The text, with what is not UTF-8 replaced.
    pub fn to_lossy(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// An identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// As written, or the first spelling of several aliases.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// One core setting.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The name in the table of settings, whatever alias was written.
    pub name: &'static str,
    /// The value, of the type that the table demands.
    pub value: SettingValue,
    /// The whole statement.
    pub span: Span,
}

/// The value of a core setting or of a configuration variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// A number, or `yes` and `no` as 1 and 0.
    Int(i64),
    /// A string or a bare word.
    Str(Text),
}

/// `group.name = value desc "…"`.
#[derive(Clone, Debug)]
pub struct ConfigVariable {
    /// Before the dot.
    pub group: String,
    /// `group[3].name`.
    pub instance: Option<i64>,
    /// After the dot.
    pub name: String,
    /// The initial value.
    pub value: SettingValue,
    /// After `desc`.
    pub description: Option<Text>,
    /// The whole statement.
    pub span: Span,
}

/// A statement about modules. Their order matters: a parameter needs its module before it.
#[derive(Clone, Debug)]
pub enum ModuleStatement {
    /// `loadmodule`, `loadmodulex`.
    Load(LoadModule),
    /// `loadpath`, `mpath`; accepted, nothing is looked up in it.
    Path(Text),
    /// `modparam`, `modparamx`.
    Param(ModuleParam),
}

/// `loadmodule "x.so"`.
#[derive(Clone, Debug)]
pub struct LoadModule {
    /// The bare name: `tm` for `/usr/lib/kamailio/modules/tm.so`.
    pub module: String,
    /// What was written.
    pub written: Text,
    /// `loadmodulex`: what was written is a format to be printed at load.
    pub evaluated: bool,
    /// The whole statement.
    pub span: Span,
}

/// `modparam("modules", "parameter", value)`.
#[derive(Clone, Debug)]
pub struct ModuleParam {
    /// The expression over module names, as written.
    pub pattern: Text,
    /// The loaded modules that it covers, in load order; never empty.
    pub modules: Vec<String>,
    /// The parameter.
    pub name: Text,
    /// Its value.
    pub value: ParamValue,
    /// `modparamx`: a string value is a format to be printed at load.
    pub evaluated: bool,
    /// The whole statement.
    pub span: Span,
}

/// The value in a `modparam`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamValue {
    /// A number, or `yes` and `no` as 1 and 0.
    Int(i64),
    /// A string.
    Str(Text),
    /// A bare variable, in `modparamx` only; raw text.
    Variable(Text),
}

/// Transport protocols as a configuration names them. The order is that of Kamailio's `$prid` numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `udp`
    Udp,
    /// `tcp`
    Tcp,
    /// `tls`
    Tls,
    /// `sctp`
    Sctp,
    /// `ws`
    Ws,
    /// `wss`
    Wss,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Udp,
        Self::Tcp,
        Self::Tls,
        Self::Sctp,
        Self::Ws,
        Self::Wss,
    ];

    /// The lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Sctp => "sctp",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// Reads `udp` or `UDP`, not a mixture, as the language does.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|p| p.name() == word || p.name().to_ascii_uppercase() == word)
    }
}

/// One `listen` entry or `socket` block.
#[derive(Clone, Debug)]
pub struct Listen {
    /// None means UDP and TCP (and TLS where it is enabled).
    pub protocol: Option<Protocol>,
    /// Address, host name or interface name; several for one multi-homed socket; never empty. IPv6 addresses
    /// have no brackets.
    pub hosts: Vec<Text>,
    /// None means the `port` setting.
    pub port: Option<u16>,
    /// What Via and Record-Route show instead.
    pub advertise: Option<Endpoint>,
    /// The socket's name (`$Rn`).
    pub name: Option<Text>,
    /// The address may be absent from the machine.
    pub virtual_address: bool,
    /// Workers asked for; accepted, not used.
    pub workers: Option<i64>,
    /// The async group of a `socket` block; accepted, not used.
    pub group: Option<Text>,
    /// The routing domain of a `socket` block.
    pub vrf: Option<Text>,
    /// The whole entry.
    pub span: Span,
}

/// `[proto:]host[:port]`.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// None means any, or that of the socket.
    pub protocol: Option<Protocol>,
    /// Without brackets.
    pub host: Text,
    /// None means any, or that of the socket.
    pub port: Option<u16>,
}

/// One name that is ours.
#[derive(Clone, Debug)]
pub struct Alias {
    /// The name, with protocol and port if they matter.
    pub endpoint: Endpoint,
    /// The entry.
    pub span: Span,
}

/// A named flag.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Its name.
    pub name: Name,
    /// 0 to 31.
    pub number: u8,
}

/// A route block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Which kind.
    pub kind: BlockKind,
    /// Empty for `request_route`, `reply_route`, `onsend_route`.
    pub name: String,
    /// What it does.
    pub body: Vec<Statement>,
    /// The header: `route[RELAY]`.
    pub span: Span,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Which.
    pub kind: StatementKind,
    /// From its first to its last token.
    pub span: Span,
}

/// What a statement does.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// A lone `;`.
    Empty,
    /// `f(…);` a module function or a core action.
    Call(Call),
    /// `route(X);`
    Route(Expr),
    /// `target = value;`
    Assign(Expr, Expr),
    /// `if (…) … else …`
    If {
        /// The condition.
        condition: Expr,
        /// Taken when it is above 0.
        then: Vec<Statement>,
        /// Empty if there is no `else`.
        otherwise: Vec<Statement>,
    },
    /// `while (…) …`
    While {
        /// The condition.
        condition: Expr,
        /// Repeated while it is above 0.
        body: Vec<Statement>,
    },
    /// `switch (…) { case …: … }`
    Switch {
        /// What is compared.
        value: Expr,
        /// In file order; each falls through into the next.
        arms: Vec<Arm>,
    },
    /// `return;` is 1, `return e;`
    Return(Option<Expr>),
    /// `exit;`
    Exit(Option<Expr>),
    /// `drop;`
    Drop(Option<Expr>),
    /// `break;`
    Break,
}

/// One arm of a switch.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Its labels' one value; labels without statements between them are arms with empty bodies.
    pub label: Label,
    /// The statements up to the next label.
    pub body: Vec<Statement>,
    /// The label: `case 1:`.
    pub span: Span,
}

/// What an arm is taken for.
#[derive(Clone, Debug)]
pub enum Label {
    /// `default:`
    Default,
    /// `case e:`; the compiler checks that it is constant.
    Value(Expr),
    /// `case /"expression":`
    Regex(Text),
}

/// A call of a module function or of a core action.
#[derive(Clone, Debug)]
pub struct Call {
    /// The function; of a core action's spellings the first one (`rewritehost` is `sethost`).
    pub name: Name,
    /// Arguments in order. Bare words of core actions are strings here, flag names are numbers.
    pub args: Vec<Expr>,
}
