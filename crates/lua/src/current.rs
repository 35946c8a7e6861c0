//! The run in hand. Lua's functions live as long as their machine and cannot borrow anything; so the run that they
//! work on is put into a place that they share, for as long as Lua runs.

use std::any::Any;
use std::cell::{Cell, RefCell, RefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use engine::{Local, Pending, Run};
use script::Outcome;

/// Shared by the functions of one Lua machine.
pub(crate) struct Current {
    run: RefCell<Run>,
    is_there: Cell<bool>,
    /// What a function asked for that cannot be done inside of Lua: it yields, and this is done outside.
    wanted: Cell<Option<Outcome<Pending>>>,
    /// A panic in a function, on its way through Lua.
    panic: Cell<Option<Box<dyn Any + Send>>>,
}

impl Current {
    /// With no run.
    pub(crate) fn new(engine: &Local) -> Self {
        Self {
            run: RefCell::new(Run::new(engine.clone())),
            is_there: Cell::new(false),
            wanted: Cell::default(),
            panic: Cell::default(),
        }
    }

    /// Lets Lua work on a run. None when it works on one already.
    pub(crate) fn with<R>(&self, run: &mut Run, work: impl FnOnce() -> R) -> Option<R> {
        if self.is_there.get() {
            return None;
        }
        let guard = Guard::new(self, run);
        let result = work();
        drop(guard);
        if let Some(panic) = self.panic.take() {
            resume_unwind(panic);
        }
        Some(result)
    }

    /// The log, which is there without a run, too.
    pub(crate) fn log(&self) -> engine::Log {
        self.run.borrow().engine.log.clone()
    }

    /// The run, for a function that is called by Lua. None while the script is being loaded.
    pub(crate) fn run(&self) -> Option<RefMut<'_, Run>> {
        if !self.is_there.get() {
            return None;
        }
        self.run.try_borrow_mut().ok()
    }

    /// Does something that must not panic through Lua: a panic goes on when Lua has been left.
    pub(crate) fn caught<R>(&self, work: impl FnOnce() -> R) -> Option<R> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(result) => Some(result),
            Err(panic) => {
                self.panic.set(Some(panic));
                None
            }
        }
    }

    /// Says what is to be done while the route is suspended.
    pub(crate) fn want(&self, outcome: Outcome<Pending>) {
        self.wanted.set(Some(outcome));
    }

    /// What a function asked for.
    pub(crate) fn take_wanted(&self) -> Option<Outcome<Pending>> {
        self.wanted.take()
    }
}

/// Puts the run back when Lua is left, however that happens.
struct Guard<'a> {
    current: &'a Current,
    run: &'a mut Run,
}

impl<'a> Guard<'a> {
    fn new(current: &'a Current, run: &'a mut Run) -> Self {
        std::mem::swap(&mut *current.run.borrow_mut(), run);
        current.is_there.set(true);
        Self { current, run }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.current.is_there.set(false);
        std::mem::swap(&mut *self.current.run.borrow_mut(), self.run);
    }
}
