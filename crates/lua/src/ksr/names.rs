//! Pseudo-variables by their names: a name is understood once and kept.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use engine::Run;
use script::{Value, Variable};

/// Names that are kept; with more, all are forgotten.
const KEPT_MAX: usize = 2048;

/// Numbers that the engine gives to names for ever; a script that makes names up must not fill the memory.
const NUMBERS_MAX: usize = 65_536;

/// Variables by how they were written.
#[derive(Default)]
pub(super) struct Names(RefCell<HashMap<Box<[u8]>, Rc<Variable>>>);

impl Names {
    /// The variable of this name.
    ///
    /// # Errors
    /// What is wrong with the name.
    fn find(&self, run: &Run, name: &[u8]) -> Result<Rc<Variable>, String> {
        let mut kept = self.0.borrow_mut();
        if let Some(known) = kept.get(name) {
            return Ok(Rc::clone(known));
        }
        let catalog = &run.engine.catalog;
        if catalog.interner().len() >= NUMBERS_MAX {
            return Err("too many different names of variables are in use".to_owned());
        }
        let parsed = Variable::parse(name, catalog);
        let parsed = parsed.map_err(|error| {
            let name = String::from_utf8_lossy(name);
            format!("{name}: {error}")
        })?;
        let variable = Rc::new(parsed);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(name.into(), Rc::clone(&variable));
        Ok(variable)
    }

    /// Its value.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub(super) fn read(&self, run: &mut Run, name: &[u8]) -> Result<Value, String> {
        let variable = self.find(run, name)?;
        Ok(variable.get(run))
    }

    /// Assigns.
    ///
    /// # Errors
    /// What is wrong with the name or the value.
    pub(super) fn write(&self, run: &mut Run, name: &[u8], value: Value) -> Result<(), String> {
        let variable = self.find(run, name)?;
        let written = variable.set(run, value);
        written.map_err(|error| format!("{}: {}", variable.text(), error.0))
    }
}
