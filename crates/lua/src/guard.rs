//! The watch over scripts that run for too long or keep too much: every so many instructions Lua looks at the clock and
//! at its memory.

use std::cell::Cell;
use std::rc::Rc;

use mlua::{HookTriggers, Lua, VmState};

use crate::errors::Fatal;

/// How many instructions run between two looks at the clock: some tens of microseconds.
const INSTRUCTIONS: u32 = 10_000;

/// When the code that runs must have ended.
pub(crate) struct Guard {
    clock: fn() -> u64,
    /// The longest time, µs; 0 for none.
    limit_us: u64,
    /// The most memory that one machine may use, bytes; 0 for any.
    memory_max: usize,
    started: Cell<u64>,
}

impl Guard {
    /// With a clock in microseconds.
    pub(crate) fn new(clock: fn() -> u64, limit_us: u64, memory_max: usize) -> Rc<Self> {
        Rc::new(Self {
            clock,
            limit_us,
            memory_max,
            started: Cell::new(0),
        })
    }

    /// Lua is about to be entered.
    pub(crate) fn begin(&self) {
        if self.limit_us > 0 {
            self.started.set((self.clock)());
        }
    }

    /// Makes a Lua machine look at both.
    pub(crate) fn watch(self: &Rc<Self>, lua: &Lua) -> mlua::Result<()> {
        if self.limit_us == 0 && self.memory_max == 0 {
            return Ok(());
        }
        let guard = Rc::clone(self);
        let every = HookTriggers::new().every_nth_instruction(INSTRUCTIONS);
        lua.set_global_hook(every, move |lua, _| {
            if guard.is_over() {
                return Err(Fatal::TooLong(guard.limit_us / 1000).into());
            }
            if guard.is_full(lua)? {
                return Err(Fatal::TooMuch(guard.memory_max >> 20).into());
            }
            Ok(VmState::Continue)
        })
    }

    fn is_over(&self) -> bool {
        self.limit_us > 0 && (self.clock)().saturating_sub(self.started.get()) > self.limit_us
    }

    /// Whether too much is in use, even without what nobody needs any more.
    fn is_full(&self, lua: &Lua) -> mlua::Result<bool> {
        if self.memory_max == 0 || lua.used_memory() <= self.memory_max {
            return Ok(false);
        }
        lua.gc_collect()?;
        Ok(lua.used_memory() > self.memory_max)
    }
}
