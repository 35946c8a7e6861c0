//! Questions under way. Whoever asks what is being asked already waits for that answer, so that
//! a burst of calls to a new name costs one search.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::order::Answer;
use super::{Query, ResolveError};

/// What a search came to.
pub(super) type Known = Result<Arc<Answer>, ResolveError>;

/// `None` until the search is over.
type Outcome = Option<Known>;

/// The searches under way, by question.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Query, watch::Receiver<Outcome>>>);

/// One's part in a search.
pub(super) enum Part<'a> {
    /// Search, and tell the others.
    Lead(Leader<'a>),
    /// Wait.
    Follow(Follower),
}

/// The one that searches. If it is dropped before it has told, a follower takes its place.
pub(super) struct Leader<'a> {
    flights: &'a Flights,
    query: &'a Query,
    answer: watch::Sender<Outcome>,
}

/// One of those that wait.
pub(super) struct Follower(watch::Receiver<Outcome>);

impl Flights {
    /// Joins the search for `query`, or begins it.
    pub(super) fn join<'a>(&'a self, query: &'a Query) -> Part<'a> {
        let mut flights = self.0.lock();
        if let Some(receiver) = flights.get(query) {
            return Part::Follow(Follower(receiver.clone()));
        }
        let (answer, receiver) = watch::channel(None);
        flights.insert(query.clone(), receiver);
        Part::Lead(Leader {
            flights: self,
            query,
            answer,
        })
    }
}

impl Leader<'_> {
    /// Tells the followers.
    pub(super) fn tell(self, answer: Known) {
        self.answer.send_replace(Some(answer));
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.flights.0.lock().remove(self.query);
    }
}

impl Follower {
    /// The leader's answer; `None` if the leader was dropped without one.
    pub(super) async fn wait(mut self) -> Option<Known> {
        let answer = self.0.wait_for(Option::is_some).await.ok()?;
        answer.clone()
    }
}
