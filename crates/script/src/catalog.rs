//! What a configuration may name, as the checker sees it: one row a function, one row a variable.
//! The rows are made by the program that embeds the language; nothing here runs anything.

/// The kinds of route block, as a set. A row says with it where a function may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Routes(pub u16);

impl Routes {
    /// `request_route` and `route[NAME]`.
    pub const REQUEST: Self = Self(1);
    /// `failure_route[NAME]`.
    pub const FAILURE: Self = Self(2);
    /// `branch_route[NAME]`.
    pub const BRANCH: Self = Self(4);
    /// `onreply_route[NAME]`: a reply that matched a transaction.
    pub const ONREPLY: Self = Self(8);
    /// `reply_route`: every reply, before its transaction is looked for.
    pub const CORE_REPLY: Self = Self(16);
    /// `onsend_route`.
    pub const ONSEND: Self = Self(32);
    /// `event_route[…]` and whatever else runs with a made-up message.
    pub const EVENT: Self = Self(64);
    /// Both kinds of reply route.
    pub const REPLY: Self = Self(8 | 16);
    /// Everywhere.
    pub const ANY: Self = Self(127);

    /// The union of two sets.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the sets share a kind.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// How an argument is checked at load and handed over at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// An integer: a literal, a string of digits, or a variable read at each call.
    Int,
    /// A format string: literal text with `$variables`, printed at each call (once at load if constant).
    Str,
    /// Text fixed at load; a variable in it is an error.
    Static,
    /// A format string handed over unprinted, for functions that may not need it (log lines).
    Lazy,
    /// A log level, handed over as `Lazy`: a constant one that is none is an error at load.
    Level,
    /// A facility of the system log (`LOG_LOCAL0`), handed over as its number.
    Facility,
    /// The name of one variable, in quotes or bare; handed over as the variable itself.
    Variable,
    /// As `Variable`, and it must be writable.
    Target,
    /// A POSIX extended regular expression, compiled at load when it is constant.
    Regex,
    /// A substitution `/expression/replacement/flags`.
    Subst,
    /// The name of a block of this kind; `"0"`, `0` or an empty name means none. An unknown constant name is
    /// an error at load.
    Block(BlockKind),
}

/// The name spaces of route blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BlockKind {
    /// `request_route` (empty name) and `route[NAME]`.
    Request,
    /// `reply_route` (empty name).
    CoreReply,
    /// `onreply_route[NAME]`.
    OnReply,
    /// `failure_route[NAME]`.
    Failure,
    /// `branch_route[NAME]`.
    Branch,
    /// `onsend_route` (empty name).
    OnSend,
    /// `event_route[NAME]`.
    Event,
}

impl BlockKind {
    /// The kind of run that a block of this kind makes.
    pub const fn routes(self) -> Routes {
        match self {
            Self::Request => Routes::REQUEST,
            Self::CoreReply => Routes::CORE_REPLY,
            Self::OnReply => Routes::ONREPLY,
            Self::Failure => Routes::FAILURE,
            Self::Branch => Routes::BRANCH,
            Self::OnSend => Routes::ONSEND,
            Self::Event => Routes::EVENT,
        }
    }
}

/// One parameter of a function.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// For messages and the reference.
    pub name: &'static str,
    /// How it is checked and handed over.
    pub kind: ParameterKind,
}

/// One script function, as the checker needs it. Several rows may share a name and differ in their parameters.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// Kamailio's name.
    pub name: &'static str,
    /// Parameters in order.
    pub parameters: &'static [Parameter],
    /// How many of them must be given.
    pub required: usize,
    /// Where the function may be used.
    pub routes: Routes,
    /// A core action: it does not set `$rc`, and may be written without parentheses when it takes nothing.
    pub core: bool,
    /// One line for people.
    pub doc: &'static str,
}

/// A function, by its position in the embedding program's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FunctionId(pub u32);

/// A variable class (`$var`, `$hdr`, `$ru` …), by its position in the embedding program's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VariableId(pub u32);

/// What the catalog made of a variable's name and the text in its parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Which class.
    pub id: VariableId,
    /// What becomes of the inner text.
    pub key: KeySpec,
    /// Whether assignments are allowed.
    pub writable: bool,
}

/// What becomes of the text in a variable's parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySpec {
    /// There is none.
    None,
    /// Understood at load: an attribute or a slot, as a number of the class's own.
    Attr(u32),
    /// A format, printed at each access (`$hdr($var(n))`); a constant one is printed at load.
    Format,
}

/// Why a name could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nothing has that name.
    Unknown,
    /// The class exists; its inner text is wrong, for the reason given.
    Inner(String),
}

/// Everything that a configuration may name, given the modules that it has loaded.
pub trait Catalog {
    /// All rows with this name; empty when there is none.
    fn functions(&self, name: &str) -> Vec<(FunctionId, &Signature)>;

    /// Resolves `$name` or `$name(inner)`. Core operands are asked for as `@method`, `@uri`, `@from_uri`,
    /// `@to_uri`, `@status`, `@src_ip`, `@dst_ip`, `@src_port`, `@dst_port`, `@proto`, `@af`, `@msg_len`,
    /// `@snd_ip`, `@snd_port`, `@snd_proto`, `@snd_af`, `@to_ip`, `@to_port`; selects (`@a.b`) as `sel`
    /// with inner text `a.b`.
    fn variable(&self, name: &str, inner: Option<&str>) -> Result<Resolved, NameError>;

    /// The position in `Host::slots` of a variable that lies there; none, as always by default, if it does not.
    fn slot(&self, id: VariableId, key: &KeySpec) -> Option<u32> {
        let _ = (id, key);
        None
    }

    /// Names to suggest from when a function is unknown, each with the module that would bring it.
    fn function_names(&self) -> Vec<(&str, &str)>;

    /// Names to suggest from when a variable is unknown.
    fn variable_names(&self) -> Vec<&str>;
}
