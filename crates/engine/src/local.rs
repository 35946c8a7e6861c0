//! The engine as one worker holds it. Its copies are counted without atomic operations, and so are those of the
//! modules' states: workers share no cache line that every message would write to.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use sip::Edits;

use crate::engine::Engine;

/// One worker's view of the engine.
#[derive(Clone)]
pub struct Local(Rc<Inner>);

struct Inner {
    engine: Arc<Engine>,
    states: RefCell<Vec<(TypeId, Rc<dyn Any>)>>,
    /// What a module keeps for each worker.
    own: RefCell<Vec<(TypeId, Rc<dyn Any>)>>,
    /// Room for the message that is being written.
    scratch: Cell<Vec<u8>>,
    /// Room for the changes to it.
    edits: Cell<Edits>,
}

impl Local {
    /// A view for the calling thread.
    pub fn new(engine: &Arc<Engine>) -> Self {
        Self(Rc::new(Inner {
            engine: Arc::clone(engine),
            states: RefCell::default(),
            own: RefCell::default(),
            scratch: Cell::default(),
            edits: Cell::default(),
        }))
    }

    /// The engine, to be shared with other threads.
    pub fn shared(&self) -> &Arc<Engine> {
        &self.0.engine
    }

    /// What `write` appends, in one allocation of just its length.
    pub fn bytes(&self, write: impl FnOnce(&mut Vec<u8>)) -> Arc<[u8]> {
        let mut scratch = self.0.scratch.take();
        scratch.clear();
        write(&mut scratch);
        let bytes = Arc::from(scratch.as_slice());
        self.0.scratch.set(scratch);
        bytes
    }

    /// An empty list of changes, to be given back with `keep_edits`.
    pub(crate) fn take_edits(&self) -> Edits {
        self.0.edits.take()
    }

    /// Keeps the room of a list of changes for the next one.
    pub(crate) fn keep_edits(&self, mut edits: Edits) {
        edits.clear();
        self.0.edits.set(edits);
    }

    /// What a module keeps for this worker alone, made when it is first asked for. It need not be fit to cross threads,
    /// and may hold a view like this one.
    pub fn own<T: Any>(&self, make: impl FnOnce() -> T) -> Rc<T> {
        let id = TypeId::of::<T>();
        let own = self.0.own.borrow();
        let known = own.iter().find(|(known, _)| *known == id);
        let known = known.and_then(|(_, value)| Rc::clone(value).downcast().ok());
        drop(own);
        known.unwrap_or_else(|| {
            let made = Rc::new(make());
            let kept: Rc<dyn Any> = Rc::clone(&made) as Rc<dyn Any>;
            self.0.own.borrow_mut().push((id, kept));
            made
        })
    }

    /// Drops what modules keep for this worker: it has ended.
    pub(crate) fn end(&self) {
        let own = std::mem::take(&mut *self.0.own.borrow_mut());
        drop(own);
    }

    /// The state that a module put at its initialisation.
    pub fn state<T: Any + Send + Sync>(&self) -> Option<LocalState<T>> {
        let id = TypeId::of::<T>();
        let mut states = self.0.states.borrow_mut();
        let known = states.iter().find(|(known, _)| *known == id);
        let found: Rc<dyn Any> = match known {
            Some((_, state)) => Rc::clone(state),
            None => {
                let state: Rc<dyn Any> = Rc::new(self.0.engine.state::<T>()?);
                states.push((id, Rc::clone(&state)));
                state
            }
        };
        found.downcast().ok().map(LocalState)
    }
}

impl Deref for Local {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.0.engine
    }
}

/// A module's state as one worker holds it.
#[allow(
    clippy::redundant_allocation,
    reason = "the count inside is shared by all workers, and this one is not"
)]
pub struct LocalState<T>(Rc<Arc<T>>);

impl<T> Clone for LocalState<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Deref for LocalState<T> {
    type Target = Arc<T>;

    fn deref(&self) -> &Arc<T> {
        &self.0
    }
}
