//! `dlg_db_load_callid()` and `dlg_db_load_extra()`: calls that another node has written are read while we run. The
//! script waits, the worker does not.

use std::sync::Arc;
use std::time::Duration;

use engine::{Gate, Operation, Pending, Resume, Run, level};
use parking_lot::Mutex;
use script::{Args, Completion, Outcome};
use store::Error;

use super::Database;
use super::read::{Count, Reader};
use crate::dialog::State;

/// How long a script waits for the database.
const LIMIT: Duration = Duration::from_secs(30);

pub(in crate::dialog) fn dlg_db_load_callid(
    run: &mut Run,
    args: &mut Args<'_>,
) -> Outcome<Pending> {
    let call_id = args.str(0).to_vec();
    // As in Kamailio, no Call-ID stands for all.
    let call_id = (!call_id.is_empty()).then_some(call_id);
    load(run, "dlg_db_load_callid", call_id)
}

pub(in crate::dialog) fn dlg_db_load_extra(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    load(run, "dlg_db_load_extra", None)
}

type Answer = Arc<Mutex<Option<Result<Count, Error>>>>;

fn load(run: &mut Run, function: &'static str, call_id: Option<Vec<u8>>) -> Outcome<Pending> {
    let Some(database) = super::of(run) else {
        let text = format!("{function}: calls are not in a database (db_mode is 0)");
        run.log(level::ERROR, "dialog", &text);
        return Outcome::Code(-1);
    };
    let Some(queries) = &database.queries else {
        return Outcome::Code(-1);
    };
    let (gate, answer) = (Gate::default(), Answer::default());
    let (opens, gives) = (gate.clone(), Arc::clone(&answer));
    let now = super::moment(run.now);
    let engine = Arc::clone(run.engine.shared());
    let reads = Arc::clone(&database);
    let asked = queries.with(move |connection| {
        let result = connection.and_then(|connection| {
            let state = engine.state::<State>();
            let Some(state) = state else {
                return Ok(Count::default());
            };
            let reader = Reader {
                tracker: &state.tracker,
                layouts: &reads.layouts,
                fetch: reads.fetch,
                log: &engine.log,
                now,
                is_ours: &|text| engine.sockets.find_text(text).is_some(),
            };
            reader.read(connection, call_id.as_deref())
        });
        let told = result.clone().map(drop);
        *gives.lock() = Some(result);
        opens.open();
        told
    });
    if asked.is_err() {
        let text = format!("{function}: too much waits for the database");
        run.log(level::ERROR, "dialog", &text);
        return Outcome::Code(-1);
    }
    run.operation = Some(Operation::Gate(gate, LIMIT));
    Outcome::Wait(Pending::native(Loading {
        function,
        answer,
        database,
    }))
}

/// A script that waits for calls to be read.
struct Loading {
    function: &'static str,
    answer: Answer,
    database: Arc<Database>,
}

impl Resume for Loading {
    fn resume(self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        let why = match self.answer.lock().take() {
            Some(Ok(_)) => return Outcome::Code(1),
            Some(Err(error)) => error.to_string(),
            None => "it took too long".to_owned(),
        };
        let text = format!("{}: {}: {why}", self.function, self.database.url);
        run.log(level::ERROR, "dialog", &text);
        Outcome::Code(-1)
    }
}
