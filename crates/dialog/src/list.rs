//! Looking at calls: one, or all of them page by page. Only copying happens under a lock.

use crate::callbacks::Callbacks;
use crate::id::DialogId;
use crate::input::{Now, Side};
use crate::record::Record;
use crate::shard::Shard;
use crate::state::State;
use crate::tracker::Tracker;
use crate::view::DialogView;

/// Calls copied at a time when all are looked at.
const PAGE: usize = 256;

impl Tracker {
    /// A copy of one call.
    pub fn snapshot(&self, id: DialogId, now: Now) -> Option<DialogView> {
        let shard = self.shard(id.h_entry).lock();
        Some(self.view(&shard, shard.get(id)?, now))
    }

    fn view(&self, shard: &Shard, record: &Record, now: Now) -> DialogView {
        let callbacks = match self.observers.are_there() {
            true => self.wanted(shard.own.of(record.id)),
            false => Callbacks::NONE,
        };
        DialogView::new(record, callbacks, self, now)
    }

    /// A call's state: what most questions come down to.
    pub fn state(&self, id: DialogId) -> Option<State> {
        self.read(id, |record| record.state)
    }

    /// Where requests for one party go (`dlg_set_ruri`).
    pub fn contact(&self, id: DialogId, side: Side) -> Option<Vec<u8>> {
        self.read(id, |record| {
            let contact = record.contact(side);
            (!contact.is_empty()).then(|| contact.to_vec())
        })?
    }

    /// Up to `limit` calls after `after`, slot by slot, in the order in which they were made. Go on
    /// with the id of the last; a call that came or went meanwhile disturbs nothing.
    pub fn page(&self, after: Option<DialogId>, limit: usize, now: Now) -> Vec<DialogView> {
        let mut page = Vec::with_capacity(limit.min(PAGE));
        self.page_into(after, limit, now, &mut page);
        page
    }

    /// The same in place of what `page` holds, whose memory is used again.
    pub fn page_into(
        &self,
        after: Option<DialogId>,
        limit: usize,
        now: Now,
        page: &mut Vec<DialogView>,
    ) {
        let (first, mut above) = after.map_or((0, 0), |id| (id.h_entry, id.h_id));
        page.clear();
        for slots in self.layout.pieces_from(first) {
            let shard = self.shard(slots.start).lock();
            let calls = shard.in_slots(slots, above).take(limit - page.len());
            // What nobody looked at for long comes from memory side by side, not one after the other: first the records,
            // then the heads of their texts, which a copy counts in, and without the lock the texts.
            let records = calls.clone().fold(0, |sum, record| sum ^ record.touch());
            let heads = calls
                .clone()
                .fold(0, |sum, record| sum ^ record.text.touch());
            std::hint::black_box((records, heads));
            let known = page.len();
            page.extend(calls.map(|record| self.view(&shard, record, now)));
            drop(shard);
            let texts = page[known..].iter().fold(0, |sum, view| sum ^ view.touch());
            std::hint::black_box(texts);
            if page.len() >= limit {
                break;
            }
            above = 0;
        }
    }

    /// All calls, one page at a time.
    pub fn iter(&self, now: Now) -> impl Iterator<Item = DialogView> + '_ {
        let mut after = None;
        let mut page = Vec::new().into_iter();
        std::iter::from_fn(move || {
            if page.len() == 0 {
                page = self.page(after, PAGE, now).into_iter();
            }
            let view: DialogView = page.next()?;
            after = Some(view.id());
            Some(view)
        })
    }
}
