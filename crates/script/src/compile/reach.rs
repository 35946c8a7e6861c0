//! Which kinds of run reach which block, and whether functions are used where they may be.
//!
//! A special block (`failure_route[X]` …) is one kind of run. A `route[X]` is checked as Kamailio does, as part of
//! a request route, and besides for every kind of run that reaches it through `route()`: a function is accepted
//! if one of these may use it, for scripts guard such calls with conditions.

use crate::catalog::{BlockKind, Routes};
use crate::program::BlockId;
use crate::source::Span;

#[derive(Default)]
pub(super) struct Reach {
    edges: Vec<(BlockId, BlockId)>,
    /// Blocks with a `route()` whose name is known only at run time.
    open: Vec<BlockId>,
    uses: Vec<UseOf>,
}

/// A function where it may not be used.
pub(super) struct UseOf {
    pub(super) block: BlockId,
    pub(super) function: String,
    pub(super) allowed: Routes,
    pub(super) span: Span,
}

impl Reach {
    pub(super) fn call(&mut self, from: BlockId, to: BlockId) {
        if !self.edges.contains(&(from, to)) {
            self.edges.push((from, to));
        }
    }

    pub(super) fn call_by_name(&mut self, from: BlockId) {
        if !self.open.contains(&from) {
            self.open.push(from);
        }
    }

    pub(super) fn function(&mut self, block: BlockId, name: &str, allowed: Routes, span: Span) {
        self.uses.push(UseOf {
            block,
            function: name.to_owned(),
            allowed,
            span,
        });
    }

    /// The uses that no kind of run allows. `kinds` tells for each block its kind and whether it has no name.
    pub(super) fn misuses(&mut self, kinds: &[(BlockKind, bool)]) -> Vec<UseOf> {
        let mut reached: Vec<Routes> = kinds.iter().map(|(kind, _)| kind.routes()).collect();
        self.spread(&mut reached, kinds);
        let uses = std::mem::take(&mut self.uses);
        uses.into_iter()
            .filter(|used| {
                let kinds = reached
                    .get(used.block.place())
                    .copied()
                    .unwrap_or(Routes::ANY);
                !used.allowed.intersects(kinds)
            })
            .collect()
    }

    fn spread(&self, reached: &mut [Routes], kinds: &[(BlockKind, bool)]) {
        let named = |at: usize| kinds.get(at) == Some(&(BlockKind::Request, false));
        let by_name = self.open.iter().flat_map(|from| {
            let targets = (0..kinds.len()).filter(move |at| named(*at));
            targets.map(|to| (*from, BlockId(to as u32)))
        });
        let edges: Vec<(BlockId, BlockId)> = self.edges.iter().copied().chain(by_name).collect();
        loop {
            let mut changed = false;
            for (from, to) in &edges {
                let (Some(source), Some(target)) = (
                    reached.get(from.place()).copied(),
                    reached.get_mut(to.place()),
                ) else {
                    continue;
                };
                let union = target.or(source);
                changed |= union != *target;
                *target = union;
            }
            if !changed {
                return;
            }
        }
    }
}
