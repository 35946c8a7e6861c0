//! The table KSR. What Kamailio's has is in `kemi.txt`, with types; most of it is made from the rows of the loaded
//! modules, the rest is said in tables here. Rows that Kamailio does not show to scripts are there as well.

mod api;
mod core;
mod function;
mod headers;
mod meaning;
mod message;
mod names;
mod others;
mod trees;
mod x;

use std::rc::Rc;

use engine::{Engine, Local, Module};
use mlua::{Function, Lua, Table};

pub(crate) use api::{API, Entry};
use function::Form;
use meaning::Meaning;
use names::Names;

use crate::current::Current;

/// What functions are made with.
pub(crate) struct Maker<'a> {
    lua: &'a Lua,
    engine: &'a Local,
    current: &'a Rc<Current>,
    /// Makes a function that may wait of one that says nil when it has to.
    waiting: &'a Function,
    names: Rc<Names>,
    /// The table KSR.
    ksr: Table,
}

/// Puts KSR into a machine.
pub(crate) fn add(
    lua: &Lua,
    engine: &Local,
    current: &Rc<Current>,
    waiting: &Function,
) -> mlua::Result<()> {
    let maker = Maker {
        lua,
        engine,
        current,
        waiting,
        names: Rc::default(),
        ksr: lua.create_table()?,
    };
    for module in engine.catalog.loaded() {
        maker.add_rows(module)?;
    }
    for entry in API.iter() {
        maker.add_entry(entry)?;
    }
    x::add(&maker)?;
    lua.globals().set("KSR", &maker.ksr)
}

/// The module that brings a table of KSR.
pub(crate) fn module_of(table: &str) -> &str {
    match table {
        "" | "hdr" => "core",
        "pvx" => "pv",
        "kx" => "kemix",
        table => table,
    }
}

/// Whether a function of Kamailio's list means anything here.
pub(crate) fn is_there(engine: &Engine, entry: &Entry) -> bool {
    meaning::of(&engine.catalog, entry).is_some()
}

impl Maker<'_> {
    /// The table of a module, made if it is not there; that of the core is KSR itself.
    fn table(&self, module: &str) -> mlua::Result<Table> {
        if module.is_empty() || module == "core" {
            return Ok(self.ksr.clone());
        }
        if let Some(known) = self.ksr.get(module)? {
            return Ok(known);
        }
        let table = self.lua.create_table()?;
        self.ksr.set(module, &table)?;
        Ok(table)
    }

    /// Functions of a module that Kamailio does not show, under their own names.
    fn add_rows(&self, module: &'static Module) -> mlua::Result<()> {
        // A script that starts scripts would have to wait for itself.
        if module.functions.is_empty() || module.name == "app_lua" {
            return Ok(());
        }
        let table = self.table(module.name)?;
        for row in module.functions {
            let name = row.signature.name;
            if !table.contains_key(name)? {
                let meaning = Meaning::Row(module.name, name);
                let form = Form::of_row(self.engine, module.name, name, meaning);
                table.set(name, self.function(form)?)?;
            }
        }
        Ok(())
    }

    fn add_entry(&self, entry: &'static Entry) -> mlua::Result<()> {
        let module = module_of(entry.module);
        let is_loaded = self
            .engine
            .catalog
            .loaded()
            .iter()
            .any(|m| m.name == module);
        // Variables are the core's in Kamailio, and those of module pv here.
        if !is_loaded && entry.module != "pv" {
            return Ok(());
        }
        if let Some(meaning) = meaning::of(&self.engine.catalog, entry) {
            let form = Form::of_entry(self.engine, entry, meaning);
            self.table(entry.module)?
                .set(entry.name, self.function(form)?)?;
        }
        Ok(())
    }
}
