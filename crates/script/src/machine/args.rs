//! The arguments of one call of a native function.

use smallvec::SmallVec;

use super::Frame;
use crate::catalog::Routes;
use crate::ere::Ere;
use crate::format::Format;
use crate::host::{Host, Place};
use crate::program::{Arg, BlockId, CallSite, Program};
use crate::subst::Subst;
use crate::value::{Str, Value};
use crate::variable::Variable;

/// The arguments of one call. Positions count from 0; reading one as something that its `ParameterKind` does not
/// make, or one that was not given, yields the empty form of it.
pub struct Args<'a> {
    pub(crate) program: &'a Program,
    pub(crate) site: &'a CallSite,
    /// Values of the arguments that are not known at load, in order of their slots.
    pub(crate) values: &'a [Value],
    pub(crate) made: &'a [Made],
    pub(crate) rc: i64,
    pub(crate) pc: u32,
    /// The blocks under way, of which the last is that of the call.
    pub(super) frames: &'a [Frame],
    pub(crate) routes: Routes,
}

/// What was made of a text at run time.
#[derive(Debug)]
pub(crate) enum Made {
    Regex(Ere),
    Subst(Box<Subst>),
    Block(Option<BlockId>),
}

/// At most this many arguments are made at run time without an allocation.
pub(crate) type MadeList = SmallVec<[Made; 1]>;

/// A format with the return code that `$rc` in it shows.
#[derive(Clone, Copy, Debug)]
pub struct Lazy<'a> {
    format: &'a Format,
    rc: i64,
}

impl<'a> Lazy<'a> {
    /// The variables in it, for functions that take a list of them; text between them is not looked at.
    pub fn variables(&self) -> impl Iterator<Item = &'a Variable> + use<'a> {
        self.format.variables()
    }

    /// Appends the printed text.
    pub fn print<H: Host + ?Sized>(&self, host: &mut H, out: &mut Vec<u8>) {
        self.format.print_in(host, self.rc, out);
    }
}

const EMPTY: &Str = &Str::EMPTY;

impl<'a> Args<'a> {
    /// How many were given.
    pub const fn len(&self) -> usize {
        self.site.args.len()
    }

    /// Whether none was given.
    pub const fn is_empty(&self) -> bool {
        self.site.args.is_empty()
    }

    /// An integer; 0 if it was not given.
    #[inline]
    pub fn int(&self, at: usize) -> i64 {
        self.opt_int(at).unwrap_or(0)
    }

    /// An integer, if it was given.
    #[inline]
    pub fn opt_int(&self, at: usize) -> Option<i64> {
        match self.site.args.get(at)? {
            Arg::Int(number) => Some(*number),
            arg => self.value(arg)?.to_int(),
        }
    }

    /// A printed text; empty if it was not given.
    #[inline]
    pub fn str(&self, at: usize) -> &'a Str {
        self.opt_str(at).unwrap_or(EMPTY)
    }

    /// A printed text, if it was given.
    #[inline]
    pub fn opt_str(&self, at: usize) -> Option<&'a Str> {
        match self.site.args.get(at)? {
            Arg::Str(text) => Some(text),
            arg => match self.value(arg)? {
                Value::Str(text) => Some(text),
                _ => None,
            },
        }
    }

    /// A variable.
    pub fn variable(&self, at: usize) -> Option<&'a Variable> {
        match self.site.args.get(at)? {
            Arg::Variable(variable) => Some(variable),
            _ => None,
        }
    }

    /// A regular expression.
    pub fn regex(&self, at: usize) -> Option<&'a Ere> {
        match self.site.args.get(at)? {
            Arg::Regex(ere) => Some(ere),
            arg => match self.made(arg)? {
                Made::Regex(ere) => Some(ere),
                _ => None,
            },
        }
    }

    /// A substitution.
    pub fn subst(&self, at: usize) -> Option<&'a Subst> {
        match self.site.args.get(at)? {
            Arg::Subst(subst) => Some(subst),
            arg => match self.made(arg)? {
                Made::Subst(subst) => Some(subst),
                _ => None,
            },
        }
    }

    /// A route block; `None` for `"0"`, an empty name or an argument that was not given.
    #[inline]
    pub fn block(&self, at: usize) -> Option<BlockId> {
        match self.site.args.get(at)? {
            Arg::Block(block) => *block,
            arg => match self.made(arg)? {
                Made::Block(block) => *block,
                _ => None,
            },
        }
    }

    /// A format that has not been printed.
    #[inline]
    pub fn lazy(&self, at: usize) -> Option<Lazy<'a>> {
        match self.site.args.get(at)? {
            Arg::Lazy(format) => Some(Lazy {
                format,
                rc: self.rc,
            }),
            _ => None,
        }
    }

    /// `$rc` before this call.
    pub const fn rc(&self) -> i64 {
        self.rc
    }

    /// What kind of run this is.
    pub const fn routes(&self) -> Routes {
        self.routes
    }

    /// The function's name.
    pub fn function(&self) -> &'a str {
        &self.site.name
    }

    /// Where the call stands.
    pub fn place(&self) -> Place<'a> {
        let block = self.frames.last().map_or(BlockId(0), |frame| frame.block);
        self.program.place(self.pc, block)
    }

    #[inline]
    fn value(&self, arg: &Arg) -> Option<&'a Value> {
        match arg {
            Arg::Expression { slot, .. } | Arg::Printed { slot, .. } | Arg::Number { slot, .. } => {
                self.values.get(usize::from(*slot))
            }
            _ => None,
        }
    }

    fn made(&self, arg: &Arg) -> Option<&'a Made> {
        match arg {
            Arg::Made { place, .. } => self.made.get(usize::from(*place)),
            _ => None,
        }
    }
}
