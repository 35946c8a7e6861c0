//! The MI FIFO, and those who misuse it.

use std::io::{Read, Write};
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use nix::sys::stat::Mode;

use crate::house::House;

fn reply_fifo(house: &House, name: &str) -> JoinHandle<String> {
    let path = house.path(name);
    nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
    std::thread::spawn(move || std::fs::read_to_string(path).unwrap())
}

fn write(house: &House, request: &[u8]) {
    write_to(house, "mi", request);
}

fn write_to(house: &House, name: &str, request: &[u8]) {
    let mut fifo = std::fs::OpenOptions::new()
        .write(true)
        .open(house.path(name))
        .unwrap();
    fifo.write_all(request).unwrap();
}

/// What a request that ends in the reply FIFO's name and an empty line is answered.
fn ask(house: &House, name: &str, command: &str, arguments: &str) -> String {
    let reply = reply_fifo(house, name);
    write(
        house,
        format!(":{command}:{name}\n{arguments}\n").as_bytes(),
    );
    reply.join().unwrap()
}

#[test]
fn the_mi_fifo_answers_as_old_kamctl_expects() {
    let house = House::open();
    assert_eq!(
        ask(&house, "ser_receiver_1", "echo", "a\nname::b\n"),
        "200 OK\na\nname:: b\n\n"
    );
    assert_eq!(
        ask(&house, "ser_receiver_2", "core.echo", "7\n"),
        "200 OK\n7\n\n"
    );
    assert_eq!(
        ask(&house, "ser_receiver_3", "no_such", ""),
        "500 command 'no_such' not available\n\n"
    );
}

#[test]
fn nonsense_costs_only_itself() {
    let house = House::open();
    let mut nonsense = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n:\n\n::\n\n:echo\n\n".to_vec();
    nonsense.extend([0xff; 100_000]);
    nonsense.extend(b"\n\n:echo:x/../../etc\na\n\n:echo:..\n\n:echo:\n\n:echo:missing\n\n");
    write(&house, &nonsense);
    std::fs::write(house.path("file"), "precious").unwrap();
    write(&house, b":echo:file\nworthless\n\n");
    assert_eq!(
        ask(&house, "r", "echo", "\"two\nlines\"\n"),
        "200 OK\ntwo lines\n\n"
    );
    assert_eq!(std::fs::read(house.path("file")).unwrap(), b"precious");
    assert!(!house.path("missing").exists());
    assert!(house.table.counters.malformed.load(Ordering::Relaxed) >= 5);
}

#[test]
fn a_reader_that_stops_holds_up_nobody() {
    let house = House::open();
    let path = house.path("slow");
    nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
    let opened = std::thread::spawn(move || {
        let mut slow = std::fs::File::open(path).unwrap();
        let mut first = [0; 7];
        slow.read_exact(&mut first).unwrap();
        slow
    });
    write(&house, b":many:slow\n\n");
    // It has begun to read, and reads no further.
    let mut slow = opened.join().unwrap();
    for number in 0..3 {
        let name = format!("quick{number}");
        assert_eq!(ask(&house, &name, "echo", "a\n"), "200 OK\na\n\n");
    }
    let mut rest = String::new();
    slow.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.lines().count(), 100_001);
    assert!(rest.ends_with("left:: 0\n\n"));
}

#[test]
fn a_reader_that_never_comes_or_leaves_is_given_up() {
    let mut house = House::open();
    let path = house.path("never");
    nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
    write(&house, b":many:never\n\n");
    let path = house.path("leaves");
    nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
    let leaves = std::thread::spawn(move || drop(std::fs::File::open(path).unwrap()));
    write(&house, b":many:leaves\n\n");
    leaves.join().unwrap();
    assert_eq!(ask(&house, "r", "echo", ""), "200 OK\n\n");
    house.close();
    assert!(!house.path("mi").exists());
}

#[test]
fn what_is_never_ended_is_forgotten() {
    let house = House::open();
    let mut open = std::fs::OpenOptions::new()
        .write(true)
        .open(house.path("mi"))
        .unwrap();
    // An open quote swallows what follows, up to the longest request there may be.
    open.write_all(b":echo:x\n\"").unwrap();
    open.write_all(&vec![b'\n'; 70_000]).unwrap();
    assert_eq!(ask(&house, "r", "echo", "b\n"), "200 OK\nb\n\n");
}

#[test]
fn the_ctl_fifo_answers_a_value_a_line() {
    let house = House::open();
    let ask = |name: &str, command: &str, arguments: &str| {
        let reply = reply_fifo(&house, name);
        let request = format!(":{command}:{name}\n{arguments}\n");
        write_to(&house, "ctl_fifo", request.as_bytes());
        reply.join().unwrap()
    };
    assert_eq!(
        ask("a", "core.echo", "1\ntwo words\na:b,c\\\n"),
        "200 OK\n1\ntwo words\na\\ob\\cc\\\\\n"
    );
    assert_eq!(ask("b", "no.such", ""), "500 Command 'no.such' not found\n");
    let nested = ask("c", "nested", "");
    assert!(
        nested.lines().count() == 2 && nested.contains(":"),
        "{nested}"
    );
}
