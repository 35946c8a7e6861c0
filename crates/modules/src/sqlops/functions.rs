//! The functions: each hands its statement to the connection's thread, and goes on when the answer is there.

use std::sync::Arc;
use std::time::Duration;

use engine::{Gate, Operation, Pending, Resume, Run, level};
use parking_lot::Mutex;
use script::{Args, Completion, Outcome, Str, Value, Variable};
use store::Error;

use super::results::{self, Results};
use crate::pv::{Kind, Level, Node, Trees};

/// How long a script waits for an answer.
const LIMIT: Duration = Duration::from_secs(60);

const FAILED: Outcome<Pending> = Outcome::Code(-1);

type Answer = Arc<Mutex<Option<Result<store::Outcome, Error>>>>;

/// What is done with the rows.
enum Into {
    /// Nothing.
    Nobody,
    /// They are kept under this name.
    Result(Vec<u8>),
    /// They become XAVPs of this name.
    Tree(Vec<u8>),
    /// The first one goes into these variables.
    Variables(Vec<Variable>),
}

pub(super) fn query(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let into = match args.opt_str(2).filter(|name| !name.is_empty()) {
        Some(name) => Into::Result(name.to_vec()),
        None => Into::Nobody,
    };
    ask(run, args, into)
}

pub(super) fn into_tree(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let name = args.str(2).to_vec();
    ask(run, args, Into::Tree(name))
}

pub(super) fn into_variables(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let variables = args.lazy(2).map(|list| list.variables().cloned().collect());
    ask(run, args, Into::Variables(variables.unwrap_or_default()))
}

/// Hands a statement over and lets the script wait.
fn ask(run: &mut Run, args: &Args<'_>, into: Into) -> Outcome<Pending> {
    let Some((connection, sql)) = statement(run, args) else {
        return FAILED;
    };
    let (gate, answer) = (Gate::default(), Answer::default());
    let (opens, gives) = (gate.clone(), Arc::clone(&answer));
    let done = move |result| {
        *gives.lock() = Some(result);
        opens.open();
    };
    if !hand_over(run, &connection, sql, done) {
        return FAILED;
    }
    run.operation = Some(Operation::Gate(gate, LIMIT));
    Outcome::Wait(Pending::native(Asked {
        connection,
        answer,
        into,
    }))
}

pub(super) fn send(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some((connection, sql)) = statement(run, args) else {
        return FAILED;
    };
    let (log, name) = (run.engine.log.clone(), connection.clone());
    let done = move |result: Result<store::Outcome, Error>| {
        if let Err(error) = result {
            log.line(level::ERROR, "sqlops", &format!("{name}: {error}"));
        }
    };
    Outcome::Code(if hand_over(run, &connection, sql, done) {
        1
    } else {
        -1
    })
}

pub(super) fn free(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let was_there = run.slots.entry::<Results>().forget(args.str(0));
    Outcome::Code(if was_there { 1 } else { -1 })
}

/// The connection's name and the statement.
fn statement(run: &Run, args: &Args<'_>) -> Option<(String, String)> {
    let connection = String::from_utf8_lossy(args.str(0)).into_owned();
    match String::from_utf8(args.str(1).to_vec()) {
        Ok(sql) => Some((connection, sql)),
        Err(_) => {
            run.log(level::ERROR, "sqlops", "a statement is not valid UTF-8");
            None
        }
    }
}

fn hand_over(
    run: &Run,
    connection: &str,
    sql: String,
    done: impl FnOnce(Result<store::Outcome, Error>) + Send + 'static,
) -> bool {
    let state = super::state(run);
    let known = state
        .as_ref()
        .and_then(|state| state.connections.get(connection));
    let why = match known {
        None => "there is no such connection",
        Some(known) => match known.queries.execute(sql, done) {
            Ok(()) => return true,
            Err(store::QueriesFull) => "too many statements wait",
        },
    };
    run.log(level::ERROR, "sqlops", &format!("{connection}: {why}"));
    false
}

/// A script that waits for an answer.
struct Asked {
    connection: String,
    answer: Answer,
    into: Into,
}

impl Resume for Asked {
    fn resume(self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        let answer = self.answer.lock().take();
        match answer {
            Some(Ok(outcome)) => Outcome::Code(self.take(run, outcome)),
            Some(Err(error)) => self.fail(run, &error.to_string()),
            None => self.fail(run, "it took too long"),
        }
    }
}

impl Asked {
    fn fail(&self, run: &Run, why: &str) -> Outcome<Pending> {
        let state = super::state(run);
        let connection = state
            .as_ref()
            .and_then(|s| s.connections.get(&self.connection));
        let place = connection.map_or_else(String::new, |c| format!(" ({})", c.url));
        let text = format!("{}{place}: {why}", self.connection);
        run.log(level::ERROR, "sqlops", &text);
        FAILED
    }

    fn take(self, run: &mut Run, outcome: store::Outcome) -> i64 {
        let kept = run.slots.entry::<Results>();
        kept.note_affected(&self.connection, outcome.affected);
        let has_rows = !outcome.rows.is_empty();
        let found = if has_rows { 1 } else { 2 };
        match self.into {
            Into::Nobody if has_rows => 3,
            Into::Nobody => 2,
            Into::Result(name) => {
                kept.keep(name, outcome);
                found
            }
            Into::Tree(name) => match grow(run, &name, &outcome) {
                true => found,
                false => -1,
            },
            Into::Variables(variables) => {
                let Some(row) = outcome.rows.into_iter().next() else {
                    return 2;
                };
                for (variable, value) in variables.iter().zip(row) {
                    if let Err(error) = variable.set(run, results::value(&value)) {
                        run.log(level::ERROR, "sqlops", &error.0);
                        return -1;
                    }
                }
                1
            }
        }
    }
}

/// Makes an XAVP of each row; the first row is the newest, so that it has index 0.
fn grow(run: &mut Run, name: &[u8], outcome: &store::Outcome) -> bool {
    let trees = run.shared().slots.entry::<Trees>().level_mut(Kind::Plain);
    for row in outcome.rows.iter().rev() {
        let mut level = Level::default();
        for (column, value) in outcome.columns.iter().zip(row).rev() {
            let value = match results::value(value) {
                // An XAVP cannot hold nothing.
                Value::Null => Value::Str(Str::new(b"<null>")),
                value => value,
            };
            if level.push(column.as_bytes(), Node::Value(value)).is_err() {
                return false;
            }
        }
        if trees.push(name, Node::Level(level)).is_err() {
            return false;
        }
    }
    true
}
