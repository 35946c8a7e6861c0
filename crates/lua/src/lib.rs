//! KEMI in Lua: what `loadmodule "app_lua.so"` and `cfgengine "lua"` bring. Each worker has a Lua machine of its own;
//! a route is a function that runs in a coroutine, so that it can wait without holding its worker up.

mod current;
mod errors;
mod functions;
mod guard;
mod ksr;
mod module;
mod prelude;
mod route;
mod rpc_commands;
mod scripts;
mod seat;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod values;
mod vm;

pub use module::{KEMIX, MODULE};
