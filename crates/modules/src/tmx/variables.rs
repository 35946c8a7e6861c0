//! `$T_…`: what is known about the transaction at hand.

use std::sync::Arc;

use engine::{Interner, KeyRule, Run, TxBranch, VariableRow, Working};
use script::{Index, Key, KeySpec, Routes, Value};

use super::inner;
use crate::tm::status;

const fn row(
    name: &'static str,
    key: KeyRule,
    get: fn(&mut Run, &Key, Index) -> Value,
    doc: &'static str,
) -> VariableRow {
    VariableRow {
        name,
        key,
        get,
        set: None,
        doc,
    }
}

const INNER: KeyRule = KeyRule::Resolve(inner::resolve);

pub(super) static VARIABLES: &[VariableRow] = &[
    row(
        "T_branch_idx",
        KeyRule::None,
        branch_index,
        "The number of the branch at hand.",
    ),
    row(
        "T_reply_code",
        KeyRule::None,
        reply_code,
        "The status at hand, or the one sent last.",
    ),
    row(
        "T_reply_reason",
        KeyRule::None,
        reply_reason,
        "The reason phrase of the reply at hand.",
    ),
    row(
        "T_reply_last",
        KeyRule::None,
        reply_last,
        "The status that the branch at hand received last.",
    ),
    row(
        "T_reply_ruid",
        KeyRule::None,
        reply_ruid,
        "The registration that the branch at hand went to.",
    ),
    row(
        "T",
        KeyRule::Resolve(attribute),
        about,
        "One fact about the transaction.",
    ),
    row(
        "T_branch",
        KeyRule::Resolve(branch_attribute),
        about_branch,
        "flags or uri of the branch at hand.",
    ),
    row(
        "T_req",
        INNER,
        from_request,
        "A variable read from the request.",
    ),
    row(
        "T_rpl",
        INNER,
        from_reply,
        "A variable read from the reply that won.",
    ),
    row(
        "T_inv",
        INNER,
        from_invite,
        "A variable read from the INVITE that a CANCEL or an ACK means.",
    ),
];

/// The branch that the run is about.
fn branch(run: &Run) -> Option<&TxBranch> {
    let at = run.failure_winner.or(run.branch)?;
    run.tx.as_deref()?.branch(at)
}

fn branch_index(run: &mut Run, _: &Key, _: Index) -> Value {
    let index = match run.tx.as_deref() {
        Some(tx) if run.routes.intersects(Routes::FAILURE) => tx.branches().len(),
        _ => run.branch.unwrap_or(0),
    };
    Value::Int(index as i64)
}

fn reply_code(run: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(status(run).into())
}

/// Empty without a reply, as is the status received last.
fn reply_reason(run: &mut Run, _: &Key, _: Index) -> Value {
    if run.routes.intersects(Routes::REPLY) {
        return run.msg.message.reason().into();
    }
    match (&run.reply, branch(run)) {
        (Some(reply), _) => reply.reason().into(),
        (None, Some(branch)) if branch.is_faked() => {
            run.engine.settings.relaying.reply_408_reason[..].into()
        }
        _ => "".into(),
    }
}

fn reply_last(run: &mut Run, _: &Key, _: Index) -> Value {
    match branch(run) {
        Some(branch) => Value::Int(branch.verdict().unwrap_or(branch.last_status()).into()),
        None => "".into(),
    }
}

fn reply_ruid(run: &mut Run, _: &Key, _: Index) -> Value {
    let ruid = branch(run).map(|branch| &branch.data.target.ruid[..]);
    ruid.filter(|ruid| !ruid.is_empty()).into()
}

const ID_INDEX: u32 = 0;
const ID_LABEL: u32 = 1;
const REPLY_CODE: u32 = 2;
const REPLY_TYPE: u32 = 3;
const BRANCH_INDEX: u32 = 4;
const REPLY_REASON: u32 = 5;
const REPLY_LAST: u32 = 6;
const ID_INDEX_NEW: u32 = 7;
const ID_LABEL_NEW: u32 = 8;

fn attribute(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    let attribute = match inner {
        "id_index" => ID_INDEX,
        "id_label" => ID_LABEL,
        "id_index_n" => ID_INDEX_NEW,
        "id_label_n" => ID_LABEL_NEW,
        "reply_code" => REPLY_CODE,
        "reply_type" => REPLY_TYPE,
        "branch_index" => BRANCH_INDEX,
        "reply_reason" => REPLY_REASON,
        "reply_last" => REPLY_LAST,
        _ => return Err(format!("$T({inner}): there is no such attribute")),
    };
    Ok(KeySpec::Attr(attribute))
}

fn about(run: &mut Run, key: &Key, index: Index) -> Value {
    match key {
        Key::Attr(ID_INDEX) => id(run, false, |id| id.index),
        Key::Attr(ID_LABEL) => id(run, false, |id| id.label),
        Key::Attr(ID_INDEX_NEW) => id(run, true, |id| id.index),
        Key::Attr(ID_LABEL_NEW) => id(run, true, |id| id.label),
        Key::Attr(REPLY_CODE) => reply_code(run, key, index),
        Key::Attr(REPLY_TYPE) if run.routes.intersects(Routes::REPLY) => Value::Int(0),
        Key::Attr(REPLY_TYPE) => branch(run).map(TxBranch::is_faked).map(i64::from).into(),
        Key::Attr(BRANCH_INDEX) => branch_index(run, key, index),
        Key::Attr(REPLY_REASON) => reply_reason(run, key, index),
        Key::Attr(REPLY_LAST) => reply_last(run, key, index),
        _ => Value::Null,
    }
}

/// The transaction's name; made now if the attribute asks for that and there is none.
fn id(run: &mut Run, make: bool, part: fn(transaction::TransactionId) -> u32) -> Value {
    if make && run.tx.is_none() && run.ensure_transaction().is_err() {
        return Value::Null;
    }
    run.tx.as_deref().map(|tx| i64::from(part(tx.id()))).into()
}

const FLAGS: u32 = 0;
const URI: u32 = 1;

fn branch_attribute(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    match inner {
        "flags" => Ok(KeySpec::Attr(FLAGS)),
        "uri" => Ok(KeySpec::Attr(URI)),
        _ => Err(format!("$T_branch({inner}): expected flags or uri")),
    }
}

fn about_branch(run: &mut Run, key: &Key, _: Index) -> Value {
    let Some(branch) = branch(run) else {
        return Value::Null;
    };
    let target = &branch.data.target;
    match key {
        Key::Attr(FLAGS) => Value::Int(target.flags.into()),
        Key::Attr(URI) => match (&target.uri, run.tx.as_deref()) {
            (Some(uri), _) => uri[..].into(),
            (None, Some(tx)) => tx.request().request_uri().into(),
            (None, None) => Value::Null,
        },
        _ => Value::Null,
    }
}

fn from_request(run: &mut Run, key: &Key, index: Index) -> Value {
    match run.tx.as_deref().map(|tx| tx.data.working.clone()) {
        Some(working) => inner::read(run, key, index, *working),
        None => Value::Null,
    }
}

fn from_reply(run: &mut Run, key: &Key, index: Index) -> Value {
    let Some(branch) = branch(run) else {
        return Value::Null;
    };
    let kept = branch.data.reply.as_deref().cloned();
    let bare = || Some(Working::new(Arc::clone(branch.reply()?), *branch.hop()));
    match kept.or_else(bare) {
        Some(working) => inner::read(run, key, index, working),
        None => Value::Null,
    }
}

fn from_invite(run: &mut Run, key: &Key, index: Index) -> Value {
    let own = run
        .tx
        .as_deref()
        .filter(|tx| tx.is_invite())
        .map(|tx| tx.data.working.clone());
    let working = own.or_else(|| {
        let table = &run.engine.transactions;
        let tx = table.checkout(run.invite?)?;
        let working = tx.data.working.clone();
        // Nothing was done to it, so that it stays in the table.
        drop(table.check_in(tx));
        Some(working)
    });
    match working {
        Some(working) => inner::read(run, key, index, *working),
        None => Value::Null,
    }
}
