//! Saves what changed: one thread for each database, many changes in one commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::change::{Change, Key, Layout};
use crate::connection::{Connect, Connection, Databases, Options};
use crate::error::{Error, Fault};
use crate::queue::Queue;
use crate::url::Url;

/// Groups in one commit at most.
const GROUPS_MAX: usize = 512;
/// How often a commit is tried again because somebody else was faster.
const BUSY_TRIES: u32 = 5;
const BUSY_PAUSE: Duration = Duration::from_millis(20);
/// Nor longer than this: then it counts as away, and nobody waits for it.
const BUSY_LIMIT: Duration = Duration::from_secs(1);
/// A connection that turns out to be broken within this time is replaced before anybody hears of it.
const BROKEN_LIMIT: Duration = Duration::from_secs(1);
/// The first pause before a database that is away is tried again, and the longest.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Pause between two commits of one round where nobody waits for them.
const SPREAD: Duration = Duration::from_millis(5);

/// When changes are saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At once, but this long after the commit before it began, so that others may join.
    Now(Duration),
    /// Every so often.
    Every(Duration),
}

/// Where the rows come from, and who is told. Called by the committer's thread.
pub trait Source: Send + Sync + 'static {
    /// Names one thing.
    type Id: Copy + Eq + Send;
    /// Who waits until something is saved.
    type Waiter: Send;

    /// The rows of a thing as they are now; `None` if there is nothing to save. `again`: an attempt to save it
    /// has failed, so that nobody knows which rows are there.
    fn change(&self, id: Self::Id, again: bool) -> Option<Change>;

    /// What these waited for is saved, or is not to be waited for any more.
    fn release(&self, waiters: Vec<Self::Waiter>);

    /// Something happened that people want to know of.
    fn tell(&self, event: Event<'_>);

    /// Changes were lost because there were too many: marks everything, and what is in the database without
    /// being here.
    ///
    /// # Errors
    /// What the database says.
    fn look_again(&self, connection: &mut dyn Connection) -> Result<(), Error>;
}

/// What people want to know of.
#[derive(Debug)]
pub enum Event<'a> {
    /// The database does not save any more.
    Away(&'a Error),
    /// It saves again after this time.
    Back(Duration),
    /// The database does not take the rows of this thing: they are given up.
    Rejected(Key, &'a Error),
}

/// Figures of one committer.
#[derive(Debug, Default)]
pub struct Figures {
    /// Transactions committed.
    pub commits: AtomicU64,
    /// Things saved in them.
    pub saved: AtomicU64,
    /// Commits that failed.
    pub failed: AtomicU64,
    /// Things whose rows were rejected.
    pub rejected: AtomicU64,
}

/// The thread that saves.
pub struct Committer<S: Source> {
    queue: Arc<Queue<S::Id, S::Waiter>>,
    figures: Arc<Figures>,
    ended: Mutex<Receiver<()>>,
    /// What there is instead of a thread, in a simulation.
    by_hand: Mutex<Option<Work<S>>>,
}

impl<S: Source> Committer<S> {
    /// Starts the thread on a connection that exists; it makes others when that one breaks.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(
        source: Arc<S>,
        queue: Arc<Queue<S::Id, S::Waiter>>,
        connection: Box<dyn Connection>,
        (databases, url, options): (&Databases, Url, Options),
        layouts: Vec<Layout>,
        pace: Pace,
    ) -> std::io::Result<Self> {
        let figures = Arc::<Figures>::default();
        let (end, ended) = channel();
        let mut work = Work {
            source,
            queue: Arc::clone(&queue),
            connection: Some(connection),
            connect: Arc::clone(&databases.connect),
            url,
            options,
            layouts,
            figures: Arc::clone(&figures),
            away_since: None,
            is_by_hand: databases.by_hand,
        };
        let mut by_hand = None;
        if databases.by_hand {
            by_hand = Some(work);
        } else {
            let thread = Builder::new().name("committer".to_owned());
            thread.spawn(move || {
                work.run(pace);
                drop(end);
            })?;
        }
        Ok(Self {
            queue,
            figures,
            ended: Mutex::new(ended),
            by_hand: Mutex::new(by_hand),
        })
    }

    /// Saves one group of changes now, where there is no thread that does.
    pub fn step(&self) {
        if let Some(work) = &mut *self.by_hand.lock() {
            work.round();
        }
    }

    /// The figures.
    pub fn figures(&self) -> &Arc<Figures> {
        &self.figures
    }

    /// Saves what is left and ends. Gives how many groups are not saved when the time is over.
    pub fn finish(&self, limit: Duration) -> usize {
        self.queue.close();
        // Whether it ended or the time is over is seen by what is left.
        let _ = self.ended.lock().recv_timeout(limit);
        self.queue.waits().groups
    }
}

impl<S: Source> Drop for Committer<S> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

struct Work<S: Source> {
    source: Arc<S>,
    queue: Arc<Queue<S::Id, S::Waiter>>,
    connection: Option<Box<dyn Connection>>,
    connect: Connect,
    url: Url,
    options: Options,
    layouts: Vec<Layout>,
    figures: Arc<Figures>,
    away_since: Option<Instant>,
    is_by_hand: bool,
}

impl<S: Source> Work<S> {
    fn run(&mut self, pace: Pace) {
        let mut begun: Option<Instant> = None;
        while self.queue.wait() {
            match pace {
                Pace::Now(window) => {
                    let since = begun.map_or(window, |begun| begun.elapsed());
                    if since < window {
                        self.queue.linger(window - since, GROUPS_MAX);
                    }
                    begun = Some(Instant::now());
                    self.round();
                }
                Pace::Every(period) => {
                    self.queue.linger(period, usize::MAX);
                    self.round();
                    while self.queue.waits().groups > 0 && self.away_since.is_none() {
                        if !self.queue.is_closed() {
                            std::thread::sleep(SPREAD);
                        }
                        self.round();
                    }
                }
            }
        }
    }

    /// Saves one group of changes, and waits a little when that is not possible.
    fn round(&mut self) {
        let mut things = Vec::new();
        self.queue.take(GROUPS_MAX, &mut things);
        let changes = things
            .iter()
            .filter_map(|&(id, again)| self.source.change(id, again));
        let mut changes: Vec<Change> = changes.collect();
        match self.save(&mut changes) {
            Ok(()) => self.saved(changes.len()),
            Err(error) => self.failed(&error),
        }
    }

    fn saved(&mut self, count: usize) {
        let mut waiters = Vec::new();
        self.queue.saved(&mut waiters);
        self.source.release(waiters);
        self.figures
            .saved
            .fetch_add(count as u64, Ordering::Relaxed);
        if let Some(since) = self.away_since.take() {
            self.source.tell(Event::Back(since.elapsed()));
        }
        if self.queue.take_overflow()
            && let Some(connection) = &mut self.connection
            && let Err(error) = self.source.look_again(&mut **connection)
        {
            self.failed(&error);
        }
    }

    fn failed(&mut self, error: &Error) {
        self.figures.failed.fetch_add(1, Ordering::Relaxed);
        let mut waiters = Vec::new();
        self.queue.failed(&mut waiters);
        self.source.release(waiters);
        if self.away_since.is_none() {
            self.away_since = Some(Instant::now());
            self.source.tell(Event::Away(error));
        }
        // What is refused may be due to how this connection began: its rights, its server, its file.
        if matches!(error.fault, Fault::Away | Fault::Refused) {
            self.connection = None;
        }
        self.pause();
    }

    /// Waits before the next attempt: longer the longer it lasts.
    fn pause(&self) {
        if self.is_by_hand {
            return;
        }
        let since = self.away_since.map_or(RETRY.0, |since| since.elapsed());
        let pause = (since / 2).clamp(RETRY.0, RETRY.1);
        std::thread::sleep(pause);
    }

    fn save(&mut self, changes: &mut [Change]) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let (begin, is_old) = (Instant::now(), self.connection.is_some());
        let result = self.save_once(changes);
        match result {
            // It was closed since it was last used, say: another one will do. Nobody knows what that one saved.
            Err(error)
                if error.fault == Fault::Away && is_old && begin.elapsed() < BROKEN_LIMIT =>
            {
                self.connection = None;
                for change in &mut *changes {
                    change.replaces = true;
                }
                self.save_once(changes)
            }
            result => result,
        }
    }

    fn save_once(&mut self, changes: &[Change]) -> Result<(), Error> {
        if self.connection.is_none() {
            self.connection = Some((self.connect)(&self.url, &self.options)?);
            self.queue.repeat();
        }
        match self.commit(changes) {
            Err(error) if error.fault == Fault::Rows => self.save_each(changes, error),
            result => result,
        }
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), Error> {
        let Some(connection) = &mut self.connection else {
            return Err(Error::new(Fault::Away, "there is no connection"));
        };
        let begin = Instant::now();
        let mut tries = 0;
        loop {
            match connection.save(&self.layouts, changes) {
                Err(error)
                    if error.fault == Fault::Busy
                        && tries < BUSY_TRIES
                        && begin.elapsed() < BUSY_LIMIT =>
                {
                    tries += 1;
                    std::thread::sleep(BUSY_PAUSE * tries);
                }
                result => {
                    if result.is_ok() {
                        self.figures.commits.fetch_add(1, Ordering::Relaxed);
                    }
                    return result;
                }
            }
        }
    }

    /// The database does not take some of these rows: finds out which, and gives those up.
    fn save_each(&mut self, changes: &[Change], error: Error) -> Result<(), Error> {
        if let [change] = changes {
            self.figures.rejected.fetch_add(1, Ordering::Relaxed);
            self.source.tell(Event::Rejected(change.key, &error));
            return Ok(());
        }
        let (left, right) = changes.split_at(changes.len() / 2);
        for half in [left, right] {
            match self.commit(half) {
                Err(error) if error.fault == Fault::Rows => self.save_each(half, error)?,
                result => result?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "committer_tests.rs"]
mod tests;
