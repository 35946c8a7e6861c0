//! A compiled configuration: flat code and the tables it refers to. It never changes, and every worker reads the
//! same one.

use crate::ast::{BinaryOp, UnaryOp};
use crate::catalog::{BlockKind, FunctionId, VariableId};
use crate::ere::Ere;
use crate::format::Format;
use crate::host::Place;
use crate::subst::Subst;
use crate::value::{Str, Value};
use crate::variable::Variable;

/// A route block of a program. Blocks of different generations of one configuration have different ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub(crate) u32);

impl BlockId {
    /// The block that the host runs itself (`Host::foreign`) and knows by this number: a function of another
    /// language. None for a number above `FOREIGN_MAX`. Such a block belongs to every program.
    pub const fn foreign(number: u32) -> Option<Self> {
        if number > Self::FOREIGN_MAX {
            return None;
        }
        Some(Self(FOREIGN | number))
    }

    /// The highest number that a foreign block may have.
    pub const FOREIGN_MAX: u32 = (1 << PLACE_BITS) - 1;

    /// The number that the host knows it by, if it is a foreign one.
    #[inline]
    pub const fn foreign_number(self) -> Option<u32> {
        if self.0 & FOREIGN == 0 {
            return None;
        }
        Some(self.0 & !FOREIGN)
    }

    /// Where it is in its program.
    pub(crate) const fn place(self) -> usize {
        (self.0 & ((1 << PLACE_BITS) - 1)) as usize
    }
}

/// Says that a block is run by the host.
const FOREIGN: u32 = 1 << 31;

/// The evaluated text in a variable's parentheses, as `Host::get` and `Host::set` see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// There is none.
    None,
    /// What the catalog made of it at load.
    Attr(u32),
    /// The printed text.
    Name(Str),
}

/// How many bits of a block's id say where it is in its program; those above, but for the highest, are the generation.
const PLACE_BITS: u32 = 20;

/// The bits of a generation that its blocks' ids have room for.
const GENERATION_MASK: u32 = (FOREIGN - 1) >> PLACE_BITS;

/// A compiled configuration.
#[derive(Debug, Default)]
pub struct Program {
    /// Which of several programs that run one after another this is.
    pub(crate) generation: u32,
    pub(crate) code: Vec<Op>,
    /// Where each operation was written.
    pub(crate) places: Vec<OpPlace>,
    pub(crate) files: Vec<String>,
    pub(crate) blocks: Vec<BlockInfo>,
    pub(crate) constants: Vec<Value>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) calls: Vec<CallSite>,
    pub(crate) regexes: Vec<Ere>,
    pub(crate) networks: Vec<crate::ast::Network>,
    pub(crate) switches: Vec<Switch>,
    /// The code of all foreign blocks.
    pub(crate) foreign: BlockInfo,
}

impl Program {
    /// The block of this kind and name; the name is empty for `request_route` and its like.
    pub fn block(&self, kind: BlockKind, name: &str) -> Option<BlockId> {
        let at = self
            .blocks
            .iter()
            .position(|block| block.kind == kind && block.name == name)?;
        Some(self.id(at))
    }

    /// Which of several programs that run one after another this is.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether a block is one of this program's.
    #[inline]
    pub const fn owns(&self, block: BlockId) -> bool {
        block.0 & FOREIGN != 0 || block.0 >> PLACE_BITS == self.generation & GENERATION_MASK
    }

    /// The id of the block at this place.
    pub(crate) const fn id(&self, at: usize) -> BlockId {
        BlockId((self.generation & GENERATION_MASK) << PLACE_BITS | at as u32)
    }

    /// All blocks in file order.
    pub fn blocks(&self) -> impl Iterator<Item = (BlockId, BlockKind, &str)> {
        let blocks = self.blocks.iter().enumerate();
        blocks.map(|(at, block)| (self.id(at), block.kind, block.name.as_str()))
    }

    /// The block's name without its kind: `RELAY` for `route[RELAY]`.
    pub fn block_name(&self, block: BlockId) -> &str {
        self.info(block).map_or("", |info| &info.name)
    }

    /// The block as written: `route[RELAY]`.
    pub fn block_label(&self, block: BlockId) -> &str {
        self.info(block).map_or("", |info| &info.label)
    }

    /// Whether a function is called anywhere.
    pub fn calls(&self, function: &str) -> bool {
        self.calls.iter().any(|site| site.name == function)
    }

    /// One argument of every call of a function, where it is a text known at load, with the call's place
    /// (whose block is not named). For checks that only the function's module can make.
    pub fn constant_arguments<'a>(
        &'a self,
        function: &'a str,
        argument: usize,
    ) -> impl Iterator<Item = (Place<'a>, &'a Str)> + 'a {
        let nowhere = BlockId(u32::MAX);
        self.code.iter().enumerate().filter_map(move |(pc, op)| {
            let Op::Call { site, .. } = op else {
                return None;
            };
            let site = self.calls.get(*site as usize)?;
            match site.args.get(argument)? {
                Arg::Str(text) if site.name == function => {
                    Some((self.place(pc as u32, nowhere), text))
                }
                _ => None,
            }
        })
    }

    /// How many operations the code has.
    pub const fn len(&self) -> usize {
        self.code.len()
    }

    /// Whether there is no code.
    pub const fn is_empty(&self) -> bool {
        self.code.is_empty()
    }

    #[inline]
    pub(crate) fn info(&self, block: BlockId) -> Option<&BlockInfo> {
        if block.foreign_number().is_some() {
            return Some(&self.foreign);
        }
        self.blocks.get(block.place()).filter(|_| self.owns(block))
    }

    /// The place of the operation at `pc`.
    pub(crate) fn place(&self, pc: u32, block: BlockId) -> Place<'_> {
        let at = self.places.get(pc as usize).copied().unwrap_or_default();
        Place {
            file: self
                .files
                .get(usize::from(at.file))
                .map_or("", String::as_str),
            line: at.line,
            column: u32::from(at.column),
            block: self.block_label(block),
        }
    }
}

#[derive(Debug)]
pub(crate) struct BlockInfo {
    pub(crate) kind: BlockKind,
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) entry: u32,
}

impl Default for BlockInfo {
    /// That of foreign blocks.
    fn default() -> Self {
        Self {
            kind: BlockKind::Event,
            name: String::new(),
            label: "a function of another language".to_owned(),
            entry: 0,
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OpPlace {
    pub(crate) line: u32,
    pub(crate) column: u16,
    pub(crate) file: u16,
}

/// What becomes of the return code of a call or of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// A statement: it is the statement's code.
    Statement,
    /// An operand: 1 if it is above 0, else 0.
    Truth,
    /// Assigned directly: as it is.
    Code,
}

/// How a fused comparison with a constant is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
    /// Text, in any case: `method == "invite"`.
    SameText,
    OtherText,
}

impl Test {
    /// The orderings of two numbers for which it holds: less 1, equal 2, greater 4. None for texts.
    pub(crate) const fn orderings(self) -> Option<u8> {
        match self {
            Self::Equal => Some(2),
            Self::NotEqual => Some(1 | 4),
            Self::Less => Some(1),
            Self::Greater => Some(4),
            Self::LessEqual => Some(1 | 2),
            Self::GreaterEqual => Some(2 | 4),
            Self::SameText | Self::OtherText => None,
        }
    }
}

/// One operation. Numbers are positions in the program's tables; `u32` behind an arrow is a place in the code.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    /// → value
    Int(i64),
    /// → value
    Constant(u32),
    /// → value of a variable
    Read(u32),
    /// value → value
    Unary(UnaryOp),
    /// value → 1 if it is not 0, else 0
    Truth,
    /// value → 1 if it is null
    Undefined,
    /// left, right → value
    Binary(BinaryOp),
    /// left, right → value; by 0 it gives the statement up and goes to this place
    Divide { modulo: bool, fail: u32 },
    /// text → matched
    Match(u32),
    /// text, expression → matched
    MatchDynamic,
    /// → whether the operand is one of ours
    Myself { operand: VariableId, negate: bool },
    /// address → whether it lies in the net
    InNetwork { network: u32, negate: bool },
    /// address, net or address as text → whether it lies there
    InNetworkDynamic { negate: bool },
    /// left, right → same text in any case
    SameText { negate: bool },
    /// → 0, and says that `proto` is not compared with strings
    ProtoString,
    /// value →
    Pop,
    /// Go there.
    Jump(u32),
    /// value → ; go there if it is not above 0; the code becomes 1
    Unless(u32),
    /// The same for a comparison of a variable with a constant.
    UnlessTest {
        test: Test,
        variable: u32,
        constant: u32,
        to: u32,
    },
    /// The same for a variable that the host knows without more ado and a text, in any case: `method == "invite"`.
    UnlessText {
        equal: bool,
        variable: u32,
        constant: u32,
        to: u32,
    },
    /// value → ; go there if it is 0
    IfZero(u32),
    /// value → ; go there if it is not 0
    IfNonZero(u32),
    /// value → ; go there if it is not above 0; the code stays
    IfFalse(u32),
    /// value → ; the arm that it selects
    Switch(u32),
    /// Begin to count a loop's rounds.
    LoopStart,
    /// One round more; leave when there were too many.
    LoopRound(u32),
    /// Stop counting.
    LoopEnd,
    /// value → ; assign it
    Set(u32),
    /// Assign a constant.
    SetConstant { target: u32, constant: u32 },
    /// Assign a variable to a variable.
    SetRead { target: u32, source: u32 },
    /// Assign what an operator makes of a variable and a constant.
    SetBinary {
        op: BinaryOp,
        target: u32,
        source: u32,
        constant: u32,
    },
    // The quick forms. Each stands before the general operation; if the variables lie in `Host::slots` and hold what
    // is needed, it does the work and goes past that operation, else it does nothing.
    /// Before `UnlessTest`, of a number; `orderings` as by `Test::orderings`.
    UnlessSlot {
        orderings: u8,
        slot: u32,
        number: i32,
        to: u32,
    },
    /// Before `SetConstant`, of a number.
    SetSlotInt { slot: u32, number: i64 },
    /// Before `SetConstant`, of a text.
    SetSlot { slot: u32, constant: u32 },
    /// Before `SetRead`.
    CopySlot { target: u32, source: u32 },
    /// Before `SetBinary`, of numbers.
    AddSlot {
        target: u32,
        source: u32,
        number: i32,
    },
    /// value → 1 if the assignment worked, else 0
    SetTruth(u32),
    /// Call a native function; the values of its expression arguments are on the stack.
    Call { site: u32, how: Use },
    /// Have the host run the foreign block that this is the code of.
    Foreign,
    /// Run a block.
    Route { block: BlockId, how: Use },
    /// name → ; run that block
    RouteNamed(Use),
    /// value → ; leave the block
    Return,
    /// Leave the block with this code.
    ReturnCode(i64),
    /// value → ; end the script
    Stop { drop: bool },
    /// `break` outside of loops: leave the block with 0.
    BreakBlock,
    /// The statement's code.
    Code(i64),
    /// The end of the block.
    End,
}

/// One call in the text.
#[derive(Debug)]
pub(crate) struct CallSite {
    pub(crate) function: FunctionId,
    pub(crate) name: String,
    /// Does not touch `$rc`.
    pub(crate) core: bool,
    pub(crate) args: Vec<Arg>,
    /// How many values lie on the stack for it.
    pub(crate) expressions: u16,
    /// Whether nothing has to be evaluated.
    pub(crate) constant: bool,
}

/// One argument. A slot is a position among the values evaluated for the call.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    Int(i64),
    Str(Str),
    /// An expression's value, on the stack already; `int` says what it is made into.
    Expression {
        slot: u16,
        int: bool,
    },
    /// A format to be printed.
    Printed {
        slot: u16,
        format: Format,
    },
    /// A format to be printed and read as a number.
    Number {
        slot: u16,
        format: Format,
    },
    Lazy(Format),
    Variable(Variable),
    Regex(Ere),
    Subst(Subst),
    Block(Option<BlockId>),
    /// A text of which something is made at each call.
    Made {
        place: u8,
        format: Format,
        kind: Making,
    },
}

/// What is made of a text at run time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Making {
    Regex,
    Subst,
    Block(BlockKind),
}

#[derive(Debug)]
pub(crate) struct Switch {
    pub(crate) arms: Arms,
    pub(crate) default: u32,
}

#[derive(Debug)]
pub(crate) enum Arms {
    /// Sorted.
    Ints(Vec<(i64, u32)>),
    /// In file order.
    Texts(Vec<(TextArm, u32)>),
}

#[derive(Debug)]
pub(crate) enum TextArm {
    Text(Str),
    Regex(Ere),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_small_and_programs_are_shared() {
        const fn shared<T: Send + Sync>() {}
        shared::<Program>();
        assert!(size_of::<Op>() <= 16, "{}", size_of::<Op>());
    }
}
