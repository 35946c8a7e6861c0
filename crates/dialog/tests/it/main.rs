//! The tracker as its users see it, with simulated time.

mod ending;
mod forks;
mod keep_alive;
mod listing;
mod matching;
mod observers;
mod profiles;
mod replies;
mod requests;
mod states;
mod stored;
mod support;
mod timeouts;
