//! Reading calls from a database: there is none yet, and scripts are told so.

use engine::{Pending, Run, level};
use script::{Args, Outcome};

pub(super) fn dlg_db_load_callid(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    absent(run, "dlg_db_load_callid")
}

pub(super) fn dlg_db_load_extra(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    absent(run, "dlg_db_load_extra")
}

fn absent(run: &Run, function: &str) -> Outcome<Pending> {
    let text = format!("{function}: calls are not in a database (db_mode is 0)");
    run.log(level::ERROR, "dialog", &text);
    Outcome::Code(-1)
}
