//! The four state tables, written down: `tests/snapshots` shows each as text.

use std::fmt::{Debug, Write};
use std::path::Path;

use crate::machine::{ClientEvent, ServerEvent};
use crate::{client_invite, client_non_invite, server_invite, server_non_invite};

fn check<S: Copy + Debug + PartialEq, E: Copy + Debug, A: Debug>(
    name: &str,
    states: &[S],
    events: &[E],
    step: impl Fn(S, E) -> (S, A),
) {
    let mut text = String::new();
    for &state in states {
        writeln!(text, "{state:?}").expect("a string takes all");
        for &event in events {
            let (next, action) = step(state, event);
            let next = if next == state {
                String::new()
            } else {
                format!(" -> {next:?}")
            };
            writeln!(text, "    {:<16}{action:?}{next}", format!("{event:?}"))
                .expect("a string takes all");
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &text).expect("the snapshot can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        text,
        kept,
        "{} differs; set UPDATE_SNAPSHOTS to accept it",
        path.display()
    );
}

#[test]
fn client_invite_table() {
    let states = &client_invite::State::ALL;
    check(
        "client_invite.txt",
        states,
        &ClientEvent::ALL,
        client_invite::step,
    );
}

#[test]
fn client_non_invite_table() {
    let states = &client_non_invite::State::ALL;
    check(
        "client_non_invite.txt",
        states,
        &ClientEvent::ALL,
        client_non_invite::step,
    );
}

#[test]
fn server_invite_table() {
    let states = &server_invite::State::ALL;
    check(
        "server_invite.txt",
        states,
        &ServerEvent::ALL,
        server_invite::step,
    );
}

#[test]
fn server_non_invite_table() {
    let states = &server_non_invite::State::ALL;
    check(
        "server_non_invite.txt",
        states,
        &ServerEvent::ALL,
        server_non_invite::step,
    );
}

#[test]
fn tables_are_indexed_by_their_enums() {
    for (row, state) in client_invite::State::ALL.into_iter().enumerate() {
        assert_eq!(state as usize, row);
    }
    for (row, state) in client_non_invite::State::ALL.into_iter().enumerate() {
        assert_eq!(state as usize, row);
    }
    for (row, state) in server_invite::State::ALL.into_iter().enumerate() {
        assert_eq!(state as usize, row);
    }
    for (row, state) in server_non_invite::State::ALL.into_iter().enumerate() {
        assert_eq!(state as usize, row);
    }
    for (column, event) in ClientEvent::ALL.into_iter().enumerate() {
        assert_eq!(event as usize, column);
    }
    for (column, event) in ServerEvent::ALL.into_iter().enumerate() {
        assert_eq!(event as usize, column);
    }
}
