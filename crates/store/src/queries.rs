//! Statements of scripts: a thread with its own connection runs them one after another, so that no worker waits.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::Builder;

use crate::connection::{Connection, Options, Outcome, connect};
use crate::error::{Error, Fault};
use crate::url::Url;

/// How many statements may wait.
const WAITING_MAX: usize = 10_000;

type Done = Box<dyn FnOnce(Result<Outcome, Error>) + Send>;
type Work = Box<dyn FnOnce(Result<&mut dyn Connection, Error>) -> Result<(), Error> + Send>;

/// One connection for statements.
#[derive(Debug)]
pub struct Queries(SyncSender<Work>);

/// Too many statements wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueriesFull;

impl Queries {
    /// Starts the thread; it connects when the first statement comes, and again after the connection broke.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(url: Url, options: Options) -> std::io::Result<Self> {
        let (sender, work) = sync_channel(WAITING_MAX);
        Builder::new()
            .name("queries".to_owned())
            .spawn(move || run(&work, &url, &options))?;
        Ok(Self(sender))
    }

    /// Runs a statement; `done` is called on the thread of the connection.
    ///
    /// # Errors
    /// Too many wait already.
    pub fn execute(
        &self,
        sql: String,
        done: impl FnOnce(Result<Outcome, Error>) + Send + 'static,
    ) -> Result<(), QueriesFull> {
        let done: Done = Box::new(done);
        self.with(move |connection| {
            let result = connection.and_then(|connection| connection.execute(&sql));
            let broken = match &result {
                Err(error) if error.fault == Fault::Away => Err(error.clone()),
                _ => Ok(()),
            };
            done(result);
            broken
        })
    }

    /// Lets something work with the connection, or hear why there is none. An error [`Fault::Away`] as its result
    /// closes the connection.
    ///
    /// # Errors
    /// Too many wait already.
    pub fn with(
        &self,
        work: impl FnOnce(Result<&mut dyn Connection, Error>) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), QueriesFull> {
        match self.0.try_send(Box::new(work)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(QueriesFull),
        }
    }
}

fn run(work: &Receiver<Work>, url: &Url, options: &Options) {
    let mut connection: Option<Box<dyn Connection>> = None;
    while let Ok(work) = work.recv() {
        if connection.is_none() {
            match connect(url, options) {
                Ok(made) => connection = Some(made),
                Err(error) => {
                    // The next one tries again.
                    let _ = work(Err(error));
                    continue;
                }
            }
        }
        let result = match &mut connection {
            Some(connection) => work(Ok(&mut **connection)),
            None => Ok(()),
        };
        if result.is_err_and(|error| error.fault == Fault::Away) {
            connection = None;
        }
    }
}
