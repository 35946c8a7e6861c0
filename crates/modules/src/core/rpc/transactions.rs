//! Commands that show, cancel and answer transactions.

use std::sync::Arc;

use engine::{Engine, Input, Pending, Resume, Run};
use rpc::{Call, Fault, Kind, Struct};
use script::{Completion, Outcome};
use sip::{HeaderId, Method};
use transaction::{Listed, TransactionId};

use crate::command::{CommandRow, busy, command, list_command, needs, takes};

/// How many transactions a listing shows.
const LISTED_MAX: usize = 10_000;

pub(super) static TM_COMMANDS: &[CommandRow] = &[
    command("tm.stats", &[], stats, "What the transactions did."),
    list_command(
        "tm.list",
        &[],
        list,
        "The transactions, 10000 at most; lifetime is not kept and is 0.",
    ),
    command(
        "tm.cancel",
        &[needs("callid", Kind::Str), needs("cseq", Kind::Any)],
        cancel,
        "Cancels the branches of an INVITE.",
    ),
    command(
        "tm.reply",
        &[
            needs("code", Kind::Int),
            needs("reason", Kind::Str),
            needs("trans_id", Kind::Str),
            needs("to_tag", Kind::Str),
            takes("headers", Kind::Str),
            takes("body", Kind::Str),
        ],
        reply,
        "Answers a transaction, given as index:label; a lone dot leaves the to_tag to us.",
    ),
    command(
        "tm.reply_callid",
        &[
            needs("code", Kind::Int),
            needs("reason", Kind::Str),
            needs("callid", Kind::Str),
            needs("cseq", Kind::Any),
            needs("to_tag", Kind::Str),
            takes("headers", Kind::Str),
            takes("body", Kind::Str),
        ],
        reply_callid,
        "Answers a transaction, given by Call-ID and CSeq.",
    ),
    command(
        "tm.clean",
        &[],
        clean,
        "Drops stale transactions; here each has a deadline and none gets stale.",
    ),
    command(
        "tm.hash_stats",
        &[],
        hash_stats,
        "How full the hash table is; refused, as it is in Kamailio.",
    ),
];

pub(super) static SL_COMMANDS: &[CommandRow] = &[command(
    "sl.stats",
    &[],
    sl_stats,
    "How many stateless replies were sent, by status.",
)];

fn stats(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let all = engine.transactions.statistics();
    let [two, three, four, five, six] = all.traffic.finals;
    call.add(
        Struct::new()
            .with("current", all.current)
            .with("waiting", all.waiting)
            .with("total", all.created)
            .with("total_local", all.created_local)
            .with("rpl_received", all.traffic.received)
            .with("rpl_generated", all.traffic.generated)
            .with("rpl_sent", all.traffic.sent)
            .with("6xx", six)
            .with("5xx", five)
            .with("4xx", four)
            .with("3xx", three)
            .with("2xx", two)
            .with("created", all.created)
            .with("freed", all.freed)
            .with("delayed_free", 0),
    );
    Ok(())
}

fn sl_stats(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    const NAMES: [&str; 19] = [
        "200", "202", "2xx", "300", "301", "302", "3xx", "400", "401", "403", "404", "407", "408",
        "483", "4xx", "500", "5xx", "6xx", "xxx",
    ];
    let mut row = Struct::with_capacity(NAMES.len());
    for name in NAMES {
        let value = engine.statistics.get("sl", &format!("{name}_replies"));
        row.add(name, value.unwrap_or(0));
    }
    call.add(row);
    Ok(())
}

fn list(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for listed in engine.transactions.list(LISTED_MAX) {
        call.add(row(&listed));
    }
    Ok(())
}

fn row(listed: &Listed) -> Struct {
    let line = |id: HeaderId| {
        let header = listed.request.header(id);
        header.map(|header| header.span.of(listed.request.bytes()))
    };
    let cseq = listed.request.cseq();
    let cseq = cseq.map(|cseq| format!("CSeq: {}", cseq.number));
    let TransactionId { index, label } = listed.id;
    Struct::new()
        .with("cell", format!("0x{index:x}{label:08x}"))
        .with("tindex", index)
        .with("tlabel", label)
        .with("method", listed.request.method_bytes())
        .with("from", line(HeaderId::From))
        .with("to", line(HeaderId::To))
        .with("callid", line(HeaderId::CallId))
        .with("cseq", cseq)
        .with("uas_request", if listed.is_local { "no" } else { "yes" })
        .with("tflags", 0)
        .with("outgoings", listed.branches)
        .with("ref_count", 1)
        .with("lifetime", 0)
}

fn clean(_: &Arc<Engine>, _: &mut Call<'_>) -> Result<(), Fault> {
    Ok(())
}

fn hash_stats(_: &Arc<Engine>, _: &mut Call<'_>) -> Result<(), Fault> {
    Err(Fault::new(500, "Hash statistics not supported"))
}

/// The next parameter, whose absence or type is told of in Kamailio's words.
fn text(call: &mut Call<'_>, missing: &'static str) -> Result<String, Fault> {
    call.text().map_err(|_| Fault::new(400, missing))
}

/// The number in a CSeq like `1` or `1 INVITE`.
fn cseq_number(text: &str) -> Option<u32> {
    text.split_whitespace().next()?.parse().ok()
}

fn not_found() -> Fault {
    Fault::new(400, "Transaction not found")
}

fn cancel(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    const MISSING: &str = "Callid and CSeq expected as parameters";
    let call_id = text(call, MISSING)?;
    let cseq = cseq_number(&text(call, MISSING)?).ok_or(Fault::new(400, MISSING))?;
    let found = engine
        .transactions
        .find(call_id.as_bytes(), cseq, Method::Invite);
    let id = found.ok_or_else(not_found)?;
    let key = engine.call_key(call_id.as_bytes());
    let job = Input::Job(Box::new(Cancel(id)));
    engine.post(key, job).map_err(busy)
}

/// Cancels the branches of a transaction, in its call's turn.
#[derive(Debug)]
struct Cancel(TransactionId);

impl Resume for Cancel {
    fn resume(self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        if run.switch_transaction(self.0) {
            run.cancel_branches(transaction::Which::All, transaction::Reason::None);
        }
        Outcome::Code(1)
    }
}

fn reply(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (status, reason) = status_line(call)?;
    let name = text(call, "Transaction ID expected")?;
    let id = transaction_id(&name).ok_or(Fault::new(400, "ERROR: Invalid trans_id"))?;
    let answer = Answer::scan(call, id, status, reason)?;
    let key = engine.transactions.call_of(id).ok_or_else(not_found)?;
    answer.post(engine, key)
}

fn transaction_id(name: &str) -> Option<TransactionId> {
    let (index, label) = name.split_once(':')?;
    Some(TransactionId {
        index: index.trim().parse().ok()?,
        label: label.trim().parse().ok()?,
    })
}

fn reply_callid(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (status, reason) = status_line(call)?;
    let call_id = text(call, "Call ID expected")?;
    let cseq = cseq_number(&text(call, "CSeq expected")?);
    let cseq = cseq.ok_or(Fault::new(400, "CSeq expected"))?;
    let listed = engine.transactions.list(usize::MAX);
    let found = listed.into_iter().find(|listed| {
        !listed.is_local
            && listed.request.call_id() == Some(call_id.as_bytes())
            && listed.request.cseq().is_some_and(|own| own.number == cseq)
    });
    let found = found.ok_or(Fault::new(404, "Transaction not found"))?;
    let answer = Answer::scan(call, found.id, status, reason)?;
    answer.post(engine, engine.call_key(call_id.as_bytes()))
}

fn status_line(call: &mut Call<'_>) -> Result<(u16, String), Fault> {
    let code = call
        .int()
        .map_err(|_| Fault::new(400, "Reply code expected"))?;
    let status = u16::try_from(code)
        .ok()
        .filter(|code| (100..=699).contains(code));
    let status = status.ok_or(Fault::new(400, "Reply code expected"))?;
    Ok((status, text(call, "Reason phrase expected")?))
}

/// A reply that a command wants sent, in its call's turn.
#[derive(Debug)]
struct Answer {
    id: TransactionId,
    status: u16,
    reason: String,
    to_tag: String,
    headers: Vec<u8>,
    body: Option<(Vec<u8>, Vec<u8>)>,
}

impl Answer {
    fn scan(
        call: &mut Call<'_>,
        id: TransactionId,
        status: u16,
        reason: String,
    ) -> Result<Self, Fault> {
        let to_tag = text(call, "To-tag expected")?;
        let headers = call
            .opt_text()?
            .filter(|text| text != ".")
            .unwrap_or_default();
        let body = call
            .opt_text()?
            .filter(|text| !text.is_empty() && text != ".");
        let fields =
            super::uac::header_lines(&headers).ok_or(Fault::new(400, "Invalid headers"))?;
        let mut lines = Vec::new();
        let mut kind = None;
        for (name, value) in &fields {
            if HeaderId::from_name(name.as_bytes()) == HeaderId::ContentType {
                kind = Some(value.as_bytes().to_vec());
            } else {
                lines.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
        }
        let body = match (body, kind) {
            (None, _) => None,
            (Some(body), Some(kind)) => Some((kind, body.into_bytes())),
            (Some(_), None) => return Err(Fault::new(400, "Content-Type missing")),
        };
        Ok(Self {
            id,
            status,
            reason,
            to_tag,
            headers: lines,
            body,
        })
    }

    fn post(self, engine: &Engine, key: u64) -> Result<(), Fault> {
        engine.post(key, Input::Job(Box::new(self))).map_err(busy)
    }
}

impl Resume for Answer {
    fn resume(self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        if !run.switch_transaction(self.id) {
            return Outcome::Code(-1);
        }
        let Some(tx) = &mut run.tx else {
            return Outcome::Code(-1);
        };
        if !self.to_tag.is_empty() && self.to_tag != "." {
            tx.data.to_tag = Some(self.to_tag.into_bytes());
        }
        run.msg = engine::Working::clone(&tx.data.working);
        run.msg.reply_headers.extend_from_slice(&self.headers);
        if self.body.is_some() {
            run.msg.reply_body = self.body;
        }
        let sent = run.answer_stateful(self.status, self.reason.as_bytes());
        Outcome::Code(if sent { 1 } else { -1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_are_named_by_two_numbers() {
        let id = transaction_id("12:345").unwrap();
        assert_eq!((id.index, id.label), (12, 345));
        assert!(transaction_id("12").is_none());
        assert!(transaction_id("a:b").is_none());
        assert_eq!(cseq_number("7 INVITE"), Some(7));
        assert_eq!(cseq_number("INVITE"), None);
    }
}
