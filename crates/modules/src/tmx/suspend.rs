//! Setting a request aside, and going on with it when something else has happened.

use engine::{FunctionRow, Input, Pending, Resume, Run, errors, level};
use script::{Args, BlockId, BlockKind, Completion, Outcome, Parameter, ParameterKind, Routes};
use transaction::TransactionId;

use crate::row::{function, param};

const WHICH: &[Parameter] = &[
    param("index", ParameterKind::Int),
    param("label", ParameterKind::Int),
    param("route", ParameterKind::Block(BlockKind::Request)),
];

pub(super) const T_SUSPEND: FunctionRow = function(
    "t_suspend",
    &[],
    Routes::ANY,
    t_suspend,
    "Sets the request aside: nothing is sent until t_continue() or the transaction's lifetime ends.",
);
pub(super) const T_CONTINUE: FunctionRow = function(
    "t_continue",
    WHICH,
    Routes::ANY,
    t_continue,
    "Goes on with the request that $T(id_index) and $T(id_label) named, in route[NAME].",
);

fn t_suspend(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    if !run.msg.message.is_request() || run.routes.intersects(Routes::BRANCH) {
        run.log(
            level::ERROR,
            "tmx",
            "t_suspend: only requests can be set aside",
        );
        return Outcome::Code(-1);
    }
    let working = run.msg.clone();
    match run.ensure_transaction() {
        Ok(tx) => {
            tx.data.suspended = true;
            *tx.data.working = working;
            let is_open = tx.is_invite() && tx.last_status() == 0;
            let wish = tx.data.shared.wishes.auto_100;
            if is_open && wish.unwrap_or(run.engine.settings.relaying.auto_inv_100) {
                run.answer_trying();
            }
            Outcome::Code(1)
        }
        Err(error) => {
            run.error = error;
            Outcome::Code(-1)
        }
    }
}

fn t_continue(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (Ok(index), Ok(label)) = (u32::try_from(args.int(0)), u32::try_from(args.int(1))) else {
        return Outcome::Code(-1);
    };
    let Some(block) = args.block(2) else {
        return Outcome::Code(-1);
    };
    let id = TransactionId { index, label };
    let Some(key) = run.engine.transactions.call_of(id) else {
        run.log(
            level::WARNING,
            "tmx",
            "t_continue: there is no such transaction",
        );
        return Outcome::Code(-1);
    };
    run.follow_ups.push((
        key,
        Input::Job(Box::new(Continue {
            id,
            at: At::Start(block),
        })),
    ));
    Outcome::Code(1)
}

/// A request that is taken up again.
#[derive(Debug)]
struct Continue {
    id: TransactionId,
    at: At,
}

#[derive(Debug)]
enum At {
    Start(BlockId),
    Ended,
}

impl Resume for Continue {
    fn resume(mut self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        match self.at {
            At::Start(block) => {
                if !run.switch_transaction(self.id) {
                    return Outcome::Code(-1);
                }
                let Some(tx) = run.tx.as_deref_mut().filter(|tx| tx.data.suspended) else {
                    run.log(
                        level::WARNING,
                        "tmx",
                        "t_continue: the transaction is not suspended",
                    );
                    return Outcome::Code(-1);
                };
                tx.data.suspended = false;
                run.msg = engine::Working::clone(&tx.data.working);
                run.routes = Routes::REQUEST;
                self.at = At::Ended;
                Outcome::Route {
                    block,
                    routes: Routes::REQUEST,
                    then: Pending::Native(self),
                }
            }
            At::Ended => {
                settle(run);
                Outcome::Code(1)
            }
        }
    }
}

/// A request that was taken up and left without an answer or a branch gets an error reply.
fn settle(run: &mut Run) {
    let owed = run.owed_error.take();
    let Some(tx) = run.tx.as_deref() else { return };
    let is_open = !tx.is_answered() && !tx.data.suspended && !tx.data.released;
    if is_open && tx.branches().is_empty() {
        run.answer_error(owed.unwrap_or(errors::SERVER), "TM");
    }
}
