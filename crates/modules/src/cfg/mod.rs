//! Configuration variables, `group.name`: those that the configuration declares itself, which commands may
//! change while the server runs, and the core's and the modules' own, which they may look at.

mod groups;
mod instance;
mod select;
mod store;
mod variable;

use engine::{InitError, Setup};

pub(crate) use instance::{CFG_RESET, CFG_SELECT, selected_value};
pub(crate) use select::SEL;
pub(crate) use store::{Fault, Store};
pub(crate) use variable::{GroupName, shown};

/// Makes the store of variables, and finds out what the configuration's selects mean.
pub(crate) fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let store = Store::new(groups::all(setup), setup.log.clone());
    let selects = select::Selects::new(setup, &store)?;
    setup.put_state(store);
    setup.put_state(selects);
    Ok(())
}
