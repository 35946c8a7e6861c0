//! One Lua machine with the scripts loaded into it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use engine::Local;
use mlua::{Function, Lua, Thread, Value};

use crate::current::Current;
use crate::guard::Guard;
use crate::scripts::Set;
use crate::{ksr, prelude};

/// Coroutines that are kept for the next routes.
const IDLE_MAX: usize = 64;

/// A Lua machine.
pub(crate) struct Vm {
    lua: Lua,
    /// The version of each script that was run in it.
    loaded: RefCell<Vec<u32>>,
    generation: Cell<u32>,
    idle: RefCell<Vec<Thread>>,
}

impl Vm {
    /// Makes one and runs the scripts in it.
    ///
    /// # Errors
    /// What is wrong with a script.
    pub(crate) fn new(
        engine: &Local,
        current: &Rc<Current>,
        guard: &Rc<Guard>,
        scripts: &Set,
    ) -> mlua::Result<Self> {
        let (lua, waiting) = prelude::machine()?;
        ksr::add(&lua, engine, current, &waiting)?;
        guard.watch(&lua)?;
        let vm = Self {
            lua,
            loaded: RefCell::default(),
            generation: Cell::new(0),
            idle: RefCell::default(),
        };
        vm.load(guard, scripts)?;
        Ok(vm)
    }

    /// Runs those scripts that have changed. What they left in the machine before stays, as in Kamailio.
    ///
    /// # Errors
    /// What is wrong with a script.
    pub(crate) fn load(&self, guard: &Guard, scripts: &Set) -> mlua::Result<()> {
        guard.begin();
        let mut loaded = self.loaded.borrow_mut();
        for (at, script) in scripts.scripts().iter().enumerate() {
            if loaded.get(at) == Some(&script.version) {
                continue;
            }
            loaded.truncate(at);
            loaded.push(script.version);
            let chunk = self.lua.load(&script.text);
            chunk.set_name(format!("@{}", script.path)).exec()?;
        }
        self.generation.set(scripts.generation());
        Ok(())
    }

    /// Which scripts it has.
    pub(crate) const fn generation(&self) -> u32 {
        self.generation.get()
    }

    /// The machine itself.
    pub(crate) const fn lua(&self) -> &Lua {
        &self.lua
    }

    /// The global function of this name.
    pub(crate) fn function(&self, name: &str) -> Option<Function> {
        self.lua.globals().get(name).ok()
    }

    /// The names of all global functions.
    pub(crate) fn functions(&self) -> Vec<String> {
        let globals = self.lua.globals();
        let pairs = globals.pairs::<Value, Value>().flatten();
        let names = pairs.filter_map(|(name, value)| match (name, value) {
            (Value::String(name), Value::Function(_)) => Some(name.to_string_lossy()),
            _ => None,
        });
        names.collect()
    }

    /// A coroutine that will run this function.
    pub(crate) fn thread(&self, function: Function) -> mlua::Result<Thread> {
        let Some(thread) = self.idle.borrow_mut().pop() else {
            return self.lua.create_thread(function);
        };
        thread.reset(function)?;
        Ok(thread)
    }

    /// Keeps a coroutine that has finished for the next route.
    pub(crate) fn give_back(&self, thread: Thread) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() < IDLE_MAX && thread.is_finished() {
            idle.push(thread);
        }
    }
}
