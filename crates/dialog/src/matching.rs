//! Which call a request belongs to: by its cookie, or by Call-ID and tags.

use crate::id::{Cookie, DialogId};
use crate::input::{Direction, RequestKey, Side};
use crate::record::Record;
use crate::settings::MatchMode;
use crate::shard::{CallId, Shard};
use crate::state::State;
use crate::tracker::Tracker;

/// A call that was found, and which way the request travels in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The call.
    pub id: DialogId,
    /// From the caller or from the callee.
    pub direction: Direction,
}

impl Tracker {
    /// Finds the call of a request that has a To tag, as the match mode says.
    ///
    /// A cookie that is malformed, unknown, or of another call counts as absent. Records of calls
    /// that are over match too: their BYE may be repeated.
    pub fn match_request(&self, request: &RequestKey<'_>) -> Option<Matched> {
        let by_cookie = || self.match_cookie(request);
        let by_elements = || self.find(request.call_id, request.from_tag, request.to_tag, None);
        match self.settings.match_mode {
            MatchMode::DidOnly => by_cookie(),
            MatchMode::DidFallback => by_cookie().or_else(by_elements),
            MatchMode::DidNone => by_elements(),
        }
    }

    fn match_cookie(&self, request: &RequestKey<'_>) -> Option<Matched> {
        let id = Cookie::decode(request.cookie?)?;
        self.read(id, |record| {
            if record.call_id() != request.call_id {
                return None;
            }
            let (direction, _) = record.match_tags(request.from_tag, request.to_tag, None)?;
            Some(Matched { id, direction })
        })?
    }

    /// Finds a call by Call-ID and tags, whatever the match mode.
    ///
    /// While the callee's tag is unknown only the caller's is compared. Of several calls, those whose
    /// callee is known come first, and live ones among them; then the oldest of the known, or the
    /// newest of the others.
    pub fn find(
        &self,
        call_id: &[u8],
        from_tag: &[u8],
        to_tag: &[u8],
        direction: Option<Direction>,
    ) -> Option<Matched> {
        let shard = self.shard(self.h_entry(call_id)).lock();
        search(
            &shard,
            CallId::new(call_id, &self.hasher),
            from_tag,
            to_tag,
            direction,
        )
    }

    /// All calls with a Call-ID, and with this From tag if one is given, in the order in which
    /// they were made.
    pub fn find_all(&self, call_id: &[u8], from_tag: Option<&[u8]>) -> Vec<DialogId> {
        let shard = self.shard(self.h_entry(call_id)).lock();
        let wanted = |record: &&Record| from_tag.is_none_or(|tag| record.tag(Side::Caller) == tag);
        let calls = shard
            .with_call_id(CallId::new(call_id, &self.hasher))
            .filter(wanted);
        let mut ids: Vec<_> = calls.map(|record| record.id).collect();
        ids.sort_unstable();
        ids
    }
}

fn search(
    shard: &Shard,
    call_id: CallId<'_>,
    from_tag: &[u8],
    to_tag: &[u8],
    direction: Option<Direction>,
) -> Option<Matched> {
    let fits = |record: &Record| {
        let (direction, known) = record.match_tags(from_tag, to_tag, direction)?;
        let live = record.state != State::Deleted;
        let age = if known {
            u32::MAX - record.id.h_id
        } else {
            record.id.h_id
        };
        Some((
            (known, live, age),
            Matched {
                id: record.id,
                direction,
            },
        ))
    };
    let found = shard.with_call_id(call_id).filter_map(fits);
    found
        .max_by_key(|(rank, _)| *rank)
        .map(|(_, matched)| matched)
}
