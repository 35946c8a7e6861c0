//! `lock()`: a queue for each key. A run that has to wait lets its worker go on; a key is given from hand to
//! hand in the order of asking, and given back when the run that has it ends.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use engine::{FunctionRow, Gate, Operation, Pending, Resume, Run, level};
use foldhash::HashMap;
use parking_lot::Mutex;
use script::{Args, Completion, Outcome, Parameter, ParameterKind, Routes, Str};

use super::State;
use crate::row::{function, param};

/// How long `lock()` waits, so that runs that wait for each other do not wait for ever.
const WAIT_MAX: Duration = Duration::from_secs(30);

const KEY: &[Parameter] = &[param("key", ParameterKind::Str)];

pub(super) const FUNCTIONS: &[FunctionRow] = &[
    function(
        "lock",
        KEY,
        Routes::ANY,
        lock,
        "Waits for a key, 30 seconds at most; the run has it until unlock() or its end.",
    ),
    function(
        "trylock",
        KEY,
        Routes::ANY,
        try_lock,
        "Takes a key if nobody has it.",
    ),
    function("unlock", KEY, Routes::ANY, unlock, "Gives a key back."),
];

/// The keys that are taken, each with those who wait for it.
#[derive(Debug, Default)]
pub(super) struct Locks(Mutex<HashMap<Str, VecDeque<Gate>>>);

impl Locks {
    /// Takes the key, or joins its queue.
    fn take(&self, key: &Str) -> Result<(), Gate> {
        let mut taken = self.0.lock();
        let Some(queue) = taken.get_mut(key) else {
            taken.insert(key.clone(), VecDeque::new());
            return Ok(());
        };
        let gate = Gate::default();
        queue.push_back(gate.clone());
        Err(gate)
    }

    fn try_take(&self, key: &Str) -> bool {
        let mut taken = self.0.lock();
        let free = !taken.contains_key(key);
        if free {
            taken.insert(key.clone(), VecDeque::new());
        }
        free
    }

    /// Gives the key to the next one who waits, or back.
    fn release(&self, key: &Str) {
        let mut taken = self.0.lock();
        let next = match taken.get_mut(key) {
            Some(queue) => queue.pop_front(),
            None => return,
        };
        match next {
            Some(gate) => gate.open(),
            None => drop(taken.remove(key)),
        }
    }

    /// Leaves the queue; gives the key back if it was handed over meanwhile.
    fn leave(&self, key: &Str, gate: &Gate) {
        let mut taken = self.0.lock();
        let queue = taken.get_mut(key);
        let place = queue.and_then(|queue| {
            let at = queue.iter().position(|waiting| waiting == gate)?;
            queue.remove(at)
        });
        drop(taken);
        if place.is_none() {
            self.release(key);
        }
    }
}

/// The keys that a run has, and how often it took each.
#[derive(Default)]
struct Held {
    locks: Option<Arc<Locks>>,
    keys: Vec<(Str, u32)>,
}

impl Held {
    fn find(&mut self, key: &Str) -> Option<usize> {
        self.keys.iter().position(|(own, _)| own == key)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(locks) = &self.locks else { return };
        for (key, _) in &self.keys {
            locks.release(key);
        }
    }
}

/// A run in a key's queue.
struct Waiting {
    locks: Arc<Locks>,
    key: Str,
    gate: Gate,
    done: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.done {
            self.locks.leave(&self.key, &self.gate);
        }
    }
}

impl Resume for Waiting {
    fn resume(mut self: Box<Self>, run: &mut Run, with: Completion) -> Outcome<Pending> {
        if matches!(with, Completion::Failed(_)) {
            let text = format!("lock: nobody gave {} back for too long", self.key);
            run.log(level::ERROR, "cfgutils", &text);
            return Outcome::Code(-1);
        }
        self.done = true;
        hold(run, &self.locks, self.key.clone());
        Outcome::Code(1)
    }
}

fn hold(run: &mut Run, locks: &Arc<Locks>, key: Str) {
    let held = run.slots.entry::<Held>();
    held.locks = Some(Arc::clone(locks));
    held.keys.push((key, 1));
}

/// The locks of the server; tells of a configuration that has none.
fn locks(run: &Run, function: &str) -> Option<Arc<Locks>> {
    let locks = run.state::<State>().locks.clone();
    if locks.is_none() {
        let text = format!("{function}: parameter lock_set_size is 0");
        run.log(level::ERROR, "cfgutils", &text);
    }
    locks
}

fn lock(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(locks) = locks(run, args.function()) else {
        return Outcome::Code(-1);
    };
    let key = args.str(0).clone();
    let held = run.slots.entry::<Held>();
    if let Some(at) = held.find(&key) {
        held.keys[at].1 += 1;
        return Outcome::Code(1);
    }
    match locks.take(&key) {
        Ok(()) => {
            hold(run, &locks, key);
            Outcome::Code(1)
        }
        Err(gate) => {
            run.operation = Some(Operation::Gate(gate.clone(), WAIT_MAX));
            Outcome::Wait(Pending::native(Waiting {
                locks,
                key,
                gate,
                done: false,
            }))
        }
    }
}

fn try_lock(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(locks) = locks(run, args.function()) else {
        return Outcome::Code(-1);
    };
    let key = args.str(0).clone();
    if !locks.try_take(&key) {
        return Outcome::Code(-1);
    }
    hold(run, &locks, key);
    Outcome::Code(1)
}

fn unlock(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(locks) = locks(run, args.function()) else {
        return Outcome::Code(-1);
    };
    let held = run.slots.entry::<Held>();
    if let Some(at) = held.find(args.str(0)) {
        held.keys[at].1 -= 1;
        if held.keys[at].1 == 0 {
            let (key, _) = held.keys.swap_remove(at);
            locks.release(&key);
        }
    }
    Outcome::Code(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_from_hand_to_hand_and_is_forgotten() {
        let locks = Locks::default();
        let key = Str::from("a");
        assert!(locks.take(&key).is_ok());
        let second = locks.take(&key).unwrap_err();
        let third = locks.take(&key).unwrap_err();
        assert!(!locks.try_take(&key));
        locks.leave(&key, &third);
        locks.release(&key);
        // The second has it now, and gives up without having gone on.
        assert!(!locks.try_take(&key));
        locks.leave(&key, &second);
        assert!(locks.0.lock().is_empty());
        assert!(locks.try_take(&key));
    }
}
