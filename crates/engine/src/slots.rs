//! Room for what modules attach to a message, a transaction or the engine, found by its type.

use std::any::{Any, TypeId};

use smallvec::SmallVec;

/// Values of distinct types; the few that a message has are found by a short walk.
#[derive(Default)]
pub struct Slots {
    values: SmallVec<[(TypeId, Box<dyn Any + Send>); 1]>,
}

impl std::fmt::Debug for Slots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slots({})", self.values.len())
    }
}

impl Slots {
    /// The value of this type.
    pub fn get<T: Any + Send>(&self) -> Option<&T> {
        self.values
            .iter()
            .find(|(id, _)| *id == TypeId::of::<T>())?
            .1
            .downcast_ref()
    }

    /// The value of this type, to change.
    pub fn get_mut<T: Any + Send>(&mut self) -> Option<&mut T> {
        self.values
            .iter_mut()
            .find(|(id, _)| *id == TypeId::of::<T>())?
            .1
            .downcast_mut()
    }

    /// The value of this type, made if it is not there.
    pub fn entry<T: Any + Send + Default>(&mut self) -> &mut T {
        let id = TypeId::of::<T>();
        let at = self
            .values
            .iter()
            .position(|(known, _)| *known == id)
            .unwrap_or_else(|| {
                self.values.push((id, Box::<T>::default()));
                self.values.len() - 1
            });
        self.values[at]
            .1
            .downcast_mut()
            .expect("the slot was found by its type")
    }

    /// Puts a value, replacing one of the same type.
    pub fn put<T: Any + Send>(&mut self, value: T) {
        self.take::<T>();
        self.values.push((TypeId::of::<T>(), Box::new(value)));
    }

    /// Drops all values.
    pub fn clear(&mut self) {
        self.values.clear();
    }

    /// Takes the value out.
    pub fn take<T: Any + Send>(&mut self) -> Option<T> {
        let at = self
            .values
            .iter()
            .position(|(id, _)| *id == TypeId::of::<T>())?;
        self.values
            .swap_remove(at)
            .1
            .downcast()
            .ok()
            .map(|value| *value)
    }
}

/// What modules keep for the whole engine: shared, made once, read without a lock.
#[derive(Default)]
pub struct States {
    values: Vec<(TypeId, Box<dyn Any + Send + Sync>)>,
}

impl States {
    /// The state of this type.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.values
            .iter()
            .find(|(id, _)| *id == TypeId::of::<T>())?
            .1
            .downcast_ref()
    }

    /// Puts a state; the first of a type stays.
    pub fn put<T: Any + Send + Sync>(&mut self, value: T) {
        if self.get::<T>().is_none() {
            self.values.push((TypeId::of::<T>(), Box::new(value)));
        }
    }
}
