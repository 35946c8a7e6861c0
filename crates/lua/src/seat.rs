//! What one worker has of Lua: its machine, and the routes that wait.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use engine::{Local, Pending};
use mlua::Thread;
use parking_lot::Mutex;
use slab::Slab;

use crate::current::Current;
use crate::guard::Guard;
use crate::module::State;
use crate::vm::Vm;

/// One worker's part of Lua.
pub(crate) struct Seat {
    pub(crate) current: Rc<Current>,
    pub(crate) guard: Rc<Guard>,
    vm: RefCell<Option<Rc<Vm>>>,
    parked: RefCell<Slab<Parked>>,
    /// Routes that will never go on: their runs were given up.
    abandoned: Arc<Mutex<Vec<usize>>>,
}

/// A route that waits.
pub(crate) struct Parked {
    pub(crate) vm: Rc<Vm>,
    pub(crate) thread: Thread,
    pub(crate) function: Box<str>,
}

impl Seat {
    /// That of this worker.
    pub(crate) fn of(engine: &Local, state: &State) -> Rc<Self> {
        engine.own(|| Self::new(engine, state))
    }

    /// A new one.
    pub(crate) fn new(engine: &Local, state: &State) -> Self {
        Self {
            current: Rc::new(Current::new(engine)),
            guard: Guard::new(engine.stopwatch, state.time_limit_us, state.memory_max),
            vm: RefCell::default(),
            parked: RefCell::default(),
            abandoned: Arc::default(),
        }
    }

    /// The machine with the scripts as they are now.
    ///
    /// # Errors
    /// The scripts cannot be loaded any more.
    pub(crate) fn vm(&self, engine: &Local, state: &State) -> mlua::Result<Rc<Vm>> {
        let generation = state.scripts.generation();
        let known = self.vm.borrow().clone();
        let vm = match known {
            Some(vm) if vm.generation() == generation => return Ok(vm),
            Some(vm) => {
                vm.load(&self.guard, &state.scripts.current())?;
                return Ok(vm);
            }
            None => Vm::new(engine, &self.current, &self.guard, &state.scripts.current()),
        };
        let vm = Rc::new(vm?);
        *self.vm.borrow_mut() = Some(Rc::clone(&vm));
        Ok(vm)
    }

    /// Puts a route aside.
    pub(crate) fn park(&self, parked: Parked) -> Ticket {
        let mut all = self.parked.borrow_mut();
        for gone in self.abandoned.lock().drain(..) {
            // Its coroutine goes with it.
            drop(all.try_remove(gone));
        }
        Ticket {
            at: Some(all.insert(parked)),
            abandoned: Arc::clone(&self.abandoned),
        }
    }

    /// Takes a route up again.
    pub(crate) fn unpark(&self, mut ticket: Ticket) -> Option<Parked> {
        let at = ticket.at.take()?;
        self.parked.borrow_mut().try_remove(at)
    }
}

/// The right to a route that was put aside; a coroutine cannot leave its thread, and this can.
pub(crate) struct Ticket {
    at: Option<usize>,
    abandoned: Arc<Mutex<Vec<usize>>>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(at) = self.at.take() {
            self.abandoned.lock().push(at);
        }
    }
}

/// The rest of a route that waits for something: `inner` knows for what.
pub(crate) struct Suspended {
    pub(crate) ticket: Ticket,
    pub(crate) inner: Pending,
}
