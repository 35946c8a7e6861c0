//! The watch over scripts that run for too long: every so many instructions Lua looks at the clock.

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
    started: Cell<u64>,
}

impl Guard {
    /// With a clock in microseconds.
    pub(crate) fn new(clock: fn() -> u64, limit_us: u64) -> Rc<Self> {
        Rc::new(Self {
            clock,
            limit_us,
            started: Cell::new(0),
        })
    }

    /// Lua is about to be entered.
    pub(crate) fn begin(&self) {
        if self.limit_us > 0 {
            self.started.set((self.clock)());
        }
    }

    /// Makes a Lua machine look at the clock.
    pub(crate) fn watch(self: &Rc<Self>, lua: &Lua) -> mlua::Result<()> {
        if self.limit_us == 0 {
            return Ok(());
        }
        let guard = Rc::clone(self);
        let every = HookTriggers::new().every_nth_instruction(INSTRUCTIONS);
        lua.set_global_hook(every, move |_, _| match guard.is_over() {
            true => Err(Fatal::TooLong(guard.limit_us / 1000).into()),
            false => Ok(VmState::Continue),
        })
    }

    fn is_over(&self) -> bool {
        (self.clock)().saturating_sub(self.started.get()) > self.limit_us
    }
}
