use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::*;
use crate::testing::{layouts, thing};
use crate::{Driver, Layout, Outcome, Row, Select, Waits};

/// A database that a test can take away. It keeps the text of each thing.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<FakeState>>);

#[derive(Default)]
struct FakeState {
    kept: BTreeMap<u32, String>,
    commits: usize,
    /// What the next commits say, the first one first.
    faults: Vec<Fault>,
    /// The connection breaks after what was committed.
    breaks_after: bool,
    /// Connections that were made, or tried.
    connections: usize,
    /// There are no further connections.
    is_gone: bool,
}

impl Fake {
    fn connect(&self) -> Connect {
        let fake = self.clone();
        Arc::new(move |_, _| {
            let mut state = fake.0.lock();
            state.connections += 1;
            match state.is_gone {
                true => Err(Error::new(Fault::Away, "nobody is there")),
                false => Ok(Box::new(fake.clone()) as _),
            }
        })
    }
}

impl Connection for Fake {
    fn execute(&mut self, _: &str) -> Result<Outcome, Error> {
        Ok(Outcome::default())
    }

    fn select(
        &mut self,
        _: &Select<'_>,
        _: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        Ok(())
    }

    fn save(&mut self, _: &[Layout], changes: &[Change]) -> Result<(), Error> {
        let mut state = self.0.lock();
        if !state.faults.is_empty() {
            return Err(Error::new(state.faults.remove(0), "as the test wants it"));
        }
        let text = |change: &Change| {
            change.rows[0].as_ref()?.first()?[2]
                .as_text()
                .map(<[u8]>::to_vec)
        };
        if changes
            .iter()
            .any(|change| text(change).is_some_and(|text| text == b"bad"))
        {
            return Err(Error::new(Fault::Rows, "bad"));
        }
        for change in changes {
            match text(change) {
                Some(text) => {
                    let text = String::from_utf8_lossy(&text).into_owned();
                    let before = state.kept.insert(change.key.0, text);
                    assert!(
                        before.is_none() || change.replaces,
                        "a second row of {:?}",
                        change.key
                    );
                }
                None => drop(state.kept.remove(&change.key.0)),
            }
        }
        state.commits += 1;
        match std::mem::take(&mut state.breaks_after) {
            true => Err(Error::new(Fault::Away, "the answer was lost")),
            false => Ok(()),
        }
    }

    fn columns(&mut self, _: &str) -> Result<Vec<(String, String)>, Error> {
        Ok(Vec::new())
    }

    fn driver(&self) -> Driver {
        Driver::Sqlite
    }
}

/// The things as they are now.
#[derive(Default)]
struct Things {
    now: Mutex<BTreeMap<u32, (String, bool)>>,
    released: Mutex<Vec<char>>,
    told: Mutex<Vec<String>>,
}

impl Source for Things {
    type Id = u32;
    type Waiter = char;

    fn change(&self, id: u32, again: bool) -> Option<Change> {
        let mut now = self.now.lock();
        let Some((text, known)) = now.get_mut(&id) else {
            return Some(Change::gone(Key(id, id), 2));
        };
        let replaces = std::mem::replace(known, true) || again;
        Some(Change {
            replaces,
            ..thing(id, text, &[])
        })
    }

    fn release(&self, waiters: Vec<char>) {
        self.released.lock().extend(waiters);
    }

    fn tell(&self, event: Event<'_>) {
        self.told.lock().push(match event {
            Event::Away(error) => format!("away: {error}"),
            Event::Back(_) => "back".to_owned(),
            Event::Rejected(key, _) => format!("rejected {}", key.0),
        });
    }

    fn look_again(&self, _: &mut dyn Connection) -> Result<(), Error> {
        self.told.lock().push("looked again".to_owned());
        Ok(())
    }
}

struct Bench {
    fake: Fake,
    things: Arc<Things>,
    queue: Arc<Queue<u32, char>>,
    work: Work<Things>,
}

impl Bench {
    fn new() -> Self {
        let mut fake = Fake::default();
        let things = Arc::<Things>::default();
        let queue = Arc::new(Queue::new(4));
        let work = Work {
            source: Arc::clone(&things),
            queue: Arc::clone(&queue),
            connection: Some(Box::new(fake.clone())),
            connect: fake.connect(),
            url: Url::parse("sqlite:unused").unwrap(),
            options: Options::default(),
            layouts: layouts(&mut fake).to_vec(),
            figures: Arc::default(),
            away_since: None,
            is_by_hand: false,
        };
        Self {
            fake,
            things,
            queue,
            work,
        }
    }

    fn set(&self, id: u32, text: &str) {
        let mut now = self.things.now.lock();
        let known = now.get(&id).is_some_and(|(_, known)| *known);
        now.insert(id, (text.to_owned(), known));
        self.queue.mark(u64::from(id), id);
    }

    fn remove(&self, id: u32) {
        self.things.now.lock().remove(&id);
        self.queue.mark(u64::from(id), id);
    }

    fn kept(&self) -> Vec<String> {
        let state = self.fake.0.lock();
        state
            .kept
            .iter()
            .map(|(id, text)| format!("{id}={text}"))
            .collect()
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.things.told.lock())
    }
}

#[test]
fn changes_of_many_share_a_commit() {
    let mut bench = Bench::new();
    bench.set(1, "a");
    bench.set(2, "b");
    bench.set(1, "c");
    bench.queue.hold(1, 'x').unwrap();
    bench.work.round();
    assert_eq!(bench.kept(), ["1=c", "2=b"]);
    assert_eq!(bench.fake.0.lock().commits, 1);
    assert_eq!(*bench.things.released.lock(), ['x']);
    bench.remove(1);
    bench.work.round();
    assert_eq!(bench.kept(), ["2=b"]);
}

#[test]
fn a_database_that_is_away_loses_nothing() {
    let mut bench = Bench::new();
    bench.fake.0.lock().faults = vec![Fault::Refused, Fault::Refused];
    bench.set(1, "a");
    bench.queue.hold(1, 'x').unwrap();
    bench.work.round();
    assert_eq!(
        *bench.things.released.lock(),
        ['x'],
        "nobody waits any longer"
    );
    assert_eq!(bench.told(), ["away: as the test wants it"]);
    bench.set(1, "b");
    bench.set(2, "c");
    assert_eq!(bench.queue.hold(2, 'y'), Err('y'));
    bench.work.round();
    bench.work.round();
    assert_eq!(bench.kept(), ["1=b", "2=c"]);
    assert_eq!(bench.told(), ["back"]);
}

/// What a server refuses may be due to the rights that a connection began with.
#[test]
fn what_refuses_is_asked_on_another_connection() {
    let mut bench = Bench::new();
    for (fault, connections) in [(Fault::Refused, 1), (Fault::Busy, 1), (Fault::Away, 2)] {
        let times = if fault == Fault::Busy { 6 } else { 1 };
        bench.fake.0.lock().faults = vec![fault; times];
        bench.set(1, "a");
        bench.work.round();
        bench.work.round();
        assert_eq!(bench.fake.0.lock().connections, connections, "{fault:?}");
    }
}

/// A server that was restarted, or closed a connection that was idle: nobody hears of that.
#[test]
fn a_broken_connection_is_replaced_at_once() {
    let mut bench = Bench::new();
    bench.set(1, "a");
    bench.fake.0.lock().faults = vec![Fault::Away];
    bench.queue.hold(1, 'x').unwrap();
    bench.work.round();
    assert_eq!(bench.kept(), ["1=a"]);
    assert!(bench.told().is_empty());
    bench.fake.0.lock().faults = vec![Fault::Away];
    bench.fake.0.lock().is_gone = true;
    bench.set(1, "b");
    bench.work.round();
    assert_eq!(bench.told(), ["away: nobody is there"]);
}

#[test]
fn what_may_have_been_saved_is_not_doubled() {
    let mut bench = Bench::new();
    // The answer is lost, so it is tried again at once; the same rows must not be inserted twice.
    bench.fake.0.lock().breaks_after = true;
    bench.set(1, "a");
    bench.work.round();
    assert_eq!(bench.kept(), ["1=a"]);
    assert_eq!(bench.fake.0.lock().commits, 2);
    // The same when that takes longer.
    bench.fake.0.lock().breaks_after = true;
    bench.fake.0.lock().is_gone = true;
    bench.set(2, "b");
    bench.work.round();
    bench.fake.0.lock().is_gone = false;
    bench.work.round();
    assert_eq!(bench.kept(), ["1=a", "2=b"]);
}

#[test]
fn rows_that_are_not_taken_do_not_stop_the_others() {
    let mut bench = Bench::new();
    for (id, text) in [(1, "a"), (2, "bad"), (3, "c")] {
        bench.set(id, text);
        bench.queue.hold(u64::from(id), 'x').unwrap();
    }
    bench.work.round();
    assert_eq!(bench.kept(), ["1=a", "3=c"]);
    assert_eq!(bench.told(), ["rejected 2"]);
    assert_eq!(bench.things.released.lock().len(), 3);
    assert_eq!(bench.queue.waits().groups, 0);
}

#[test]
fn a_lock_is_waited_for() {
    let mut bench = Bench::new();
    bench.fake.0.lock().faults = vec![Fault::Busy, Fault::Busy];
    bench.set(1, "a");
    bench.work.round();
    assert_eq!(bench.kept(), ["1=a"]);
    assert!(bench.told().is_empty());
}

#[test]
fn what_found_no_place_is_looked_for() {
    let mut bench = Bench::new();
    for id in 1..=5 {
        bench.set(id, "a");
    }
    bench.work.round();
    assert_eq!(bench.told(), ["looked again"]);
}

/// As a standby is that followed some way behind.
#[test]
fn a_server_that_lacks_the_last_commits_is_told_of_them_again() {
    let mut bench = Bench::new();
    bench.set(1, "a");
    bench.set(2, "b");
    bench.work.round();
    bench.remove(2);
    bench.work.round();
    bench.fake.0.lock().kept = BTreeMap::from([(2, "b".to_owned())]);
    bench.fake.0.lock().faults = vec![Fault::Away];
    bench.set(3, "c");
    bench.work.round();
    bench.work.round();
    assert_eq!(bench.kept(), ["1=a", "3=c"]);
    assert_eq!(bench.queue.waits(), Waits::default());
}

fn start(bench: &Bench, pace: Pace) -> Committer<Things> {
    let committer = Committer::start(
        Arc::clone(&bench.things),
        Arc::clone(&bench.queue),
        Box::new(bench.fake.clone()),
        (
            &Databases::default(),
            Url::parse("sqlite:unused").unwrap(),
            Options::default(),
        ),
        Vec::new(),
        pace,
    );
    committer.unwrap()
}

#[test]
fn the_first_change_is_saved_at_once_and_what_follows_shares_a_commit() {
    let bench = Bench::new();
    let committer = start(&bench, Pace::Now(Duration::from_secs(3600)));
    bench.set(1, "a");
    while bench.kept().is_empty() {
        std::thread::yield_now();
    }
    for number in 2..=5 {
        bench.set(number, "b");
    }
    assert_eq!(bench.kept(), ["1=a"]);
    assert_eq!(committer.finish(Duration::from_secs(10)), 0);
    assert_eq!(bench.kept().len(), 5);
    assert_eq!(committer.figures().commits.load(Ordering::Relaxed), 2);
}

#[test]
fn the_thread_saves_what_is_left_at_its_end() {
    let bench = Bench::new();
    let committer = start(&bench, Pace::Every(Duration::from_secs(3600)));
    bench.set(1, "a");
    assert_eq!(committer.finish(Duration::from_secs(10)), 0);
    assert_eq!(bench.kept(), ["1=a"]);
}
