//! Calls that match something: listed, or ended.

use std::sync::Arc;
use std::task::Poll;

use dialog::{DialogId, DialogView};
use engine::{EngineHandle, Input};
use rpc::{Call, Command, Fault, Kind, Reply, Struct, Value};
use script::Ere;
use script::ere::Flags;

use super::command;
use super::pages::Walk;
use crate::dialog::bulk::EndMany;
use crate::dialog::listing;
use crate::dialog::state::State;

/// Pages looked through before the command lets others have their turn.
const PAGES_AT_ONCE: usize = 64;

/// What is looked for.
struct Wanted {
    key: Key,
    test: Test,
}

#[derive(Clone, Copy)]
enum Key {
    Ruri,
    Furi,
    Turi,
    CallId,
    StartTs,
}

enum Test {
    Equals(Vec<u8>),
    StartsWith(Vec<u8>),
    Matches(Ere),
    After(i64),
    Before(i64),
    /// A number was to be compared, and none was given.
    Never,
}

impl Wanted {
    /// Reads key, operator and value.
    fn scan(call: &mut Call<'_>) -> Result<Self, Fault> {
        let invalid = || Fault::new(500, "Invalid parameters");
        let mut text = || match call.value() {
            Ok(Value::Str(text)) => Ok(text),
            _ => Err(invalid()),
        };
        let (key, operator, value) = (text()?, text()?, text()?);
        let key = match key.as_slice() {
            b"ruri" => Key::Ruri,
            b"furi" => Key::Furi,
            b"turi" => Key::Turi,
            b"callid" => Key::CallId,
            b"start_ts" => Key::StartTs,
            _ => return Err(Fault::new(500, "Invalid matching key parameter")),
        };
        let test = Self::test(&operator, value)?;
        let is_number = matches!(test, Test::After(_) | Test::Before(_) | Test::Never);
        match (key, is_number) {
            (Key::StartTs, false) => Err(Fault::new(
                500,
                "Matching operator not supported with start_ts key",
            )),
            (Key::StartTs, true) | (_, false) => Ok(Self { key, test }),
            (_, true) => Err(Fault::new(500, "Matching operator not supported")),
        }
    }

    fn test(operator: &[u8], value: Vec<u8>) -> Result<Test, Fault> {
        let number = || std::str::from_utf8(&value).ok()?.trim().parse().ok();
        Ok(match operator {
            b"eq" => Test::Equals(value),
            b"sw" => Test::StartsWith(value),
            b"re" => {
                let ere = Ere::new(&value, Flags::ARGUMENT);
                let invalid = |_| Fault::new(500, "Invalid matching value parameter");
                Test::Matches(ere.map_err(invalid)?)
            }
            b"gt" => number().map_or(Test::Never, Test::After),
            b"lt" => number().map_or(Test::Never, Test::Before),
            _ => return Err(Fault::new(500, "Invalid matching operator parameter")),
        })
    }

    fn fits(&self, call: &DialogView) -> bool {
        let text = match self.key {
            Key::Ruri => call.req_uri(),
            Key::Furi => call.from_uri(),
            Key::Turi => call.to_uri(),
            Key::CallId => call.call_id(),
            Key::StartTs => b"",
        };
        let start = i64::from(call.start_ts());
        match &self.test {
            Test::Equals(value) => text == value,
            Test::StartsWith(value) => text.starts_with(value),
            Test::Matches(ere) => ere.is_match(text),
            Test::After(value) => start > *value,
            Test::Before(value) => start < *value,
            Test::Never => false,
        }
    }
}

/// A walk through the calls that fit.
struct Search {
    walk: Walk,
    wanted: Wanted,
    /// How many more are wanted.
    left: usize,
}

impl Search {
    fn scan(call: &mut Call<'_>, state: &Arc<State>) -> Result<Self, Fault> {
        let wanted = Wanted::scan(call)?;
        // No limit, 0, and what makes no sense mean all.
        let limit = call.opt_int().ok().flatten();
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        Ok(Self {
            walk: Walk::new(state),
            wanted,
            left: limit.filter(|&limit| limit > 0).unwrap_or(usize::MAX),
        })
    }

    /// Those of the next page that fit; `None` at the end.
    fn page(&mut self) -> Option<Vec<DialogView>> {
        if self.left == 0 {
            return None;
        }
        let page = self.walk.page();
        if page.is_empty() {
            return None;
        }
        let fit = page.iter().filter(|call| self.wanted.fits(call));
        let found: Vec<_> = fit.take(self.left).cloned().collect();
        self.left -= found.len();
        Some(found)
    }

    /// Goes on to the first page with something that fits, for so long; `None` when time is up.
    fn first(&mut self) -> Option<Option<Vec<DialogView>>> {
        for _ in 0..PAGES_AT_ONCE {
            match self.page() {
                Some(found) if found.is_empty() => {}
                found => return Some(found),
            }
        }
        None
    }

    /// Shows what was found and what follows; fault 404 if there is nothing.
    fn reply(mut self, found: Option<Vec<DialogView>>, with_context: bool) -> Result<Reply, Fault> {
        let found = found.ok_or_else(|| Fault::new(404, "Not found"))?;
        let mut reply = Reply::list();
        let tracker = with_context.then(|| self.walk.tracker());
        for call in &found {
            reply.add(listing::shown(call, tracker.as_deref()));
        }
        reply.stream(move |page| {
            let found = self.page();
            for call in found.iter().flatten() {
                page.record(|fields| listing::show(call, fields, tracker.as_deref()));
            }
            found.is_some()
        });
        Ok(reply)
    }
}

pub(super) fn list_match(name: &'static str, state: &Arc<State>, with_context: bool) -> Command {
    let doc =
        "Lists the calls whose ruri, furi, turi, callid (eq, re, sw) or start_ts (gt, lt) fits.";
    command(name, doc, state, move |call, state| {
        let mut search = Search::scan(call, state)?;
        match search.first() {
            Some(found) => call.reply_with(search.reply(found, with_context)?),
            None => call.defer(async move {
                let found = loop {
                    match search.first() {
                        Some(found) => break found,
                        None => give_way().await,
                    }
                };
                search.reply(found, with_context)
            }),
        }
        Ok(())
    })
    .parameter("mkey", Kind::Str)
    .parameter("mop", Kind::Str)
    .parameter("mval", Kind::Str)
    .optional("limit", Kind::Int)
    .list()
}

/// Lets the other tasks of this thread run.
async fn give_way() {
    let mut has_waited = false;
    std::future::poll_fn(|context| {
        if has_waited {
            return Poll::Ready(());
        }
        has_waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(super) fn end_match(state: &Arc<State>, handle: &EngineHandle) -> Command {
    let doc = "Ends the calls that fit, as dlg.list_match finds them; with dry_run 1 it only counts them.";
    let handle = handle.clone();
    command("dlg.end_match", doc, state, move |call, state| {
        let mut search = Search::scan(call, state)?;
        let dry_run = call.opt_int()?.unwrap_or(0) != 0;
        let handle = handle.clone();
        let mut calls = Vec::new();
        let mut pages = 0;
        while let Some(found) = search.page() {
            calls.extend(live(&found));
            pages += 1;
            if pages == PAGES_AT_ONCE {
                call.defer(async move {
                    while let Some(found) = search.page() {
                        calls.extend(live(&found));
                        give_way().await;
                    }
                    let mut reply = Reply::new();
                    reply.add(end_all(&handle, calls, dry_run)?);
                    Ok(reply)
                });
                return Ok(());
            }
        }
        call.add(end_all(&handle, calls, dry_run)?);
        Ok(())
    })
    .parameter("mkey", Kind::Str)
    .parameter("mop", Kind::Str)
    .parameter("mval", Kind::Str)
    .optional("limit", Kind::Int)
    .optional("dry_run", Kind::Int)
}

fn live(found: &[DialogView]) -> impl Iterator<Item = DialogId> + '_ {
    let live = found
        .iter()
        .filter(|call| call.state() != dialog::State::Deleted);
    live.map(DialogView::id)
}

fn end_all(handle: &EngineHandle, calls: Vec<DialogId>, dry_run: bool) -> Result<Struct, Fault> {
    let matched = calls.len();
    if !dry_run && matched > 0 {
        let engine = handle
            .get()
            .ok_or_else(|| Fault::new(500, "Server is stopping"))?;
        engine
            .post(fastrand::u64(..), Input::Job(Box::new(EndMany { calls })))
            .map_err(|_| Fault::new(500, "too much work is waiting"))?;
    }
    Ok(Struct::new()
        .with("matched", matched)
        .with("ended", if dry_run { 0 } else { matched }))
}
