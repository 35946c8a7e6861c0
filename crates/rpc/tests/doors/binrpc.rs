//! Stream doors against clients that do not behave as kamcmd does.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;

use tandem_rpc::binrpc::{Header, decode_values, encode_request};
use tandem_rpc::{Address, BinrpcConfig, DoorsConfig, Value};

use crate::house::{Directory, House, PATIENCE};

fn connect(house: &House) -> UnixStream {
    let stream = UnixStream::connect(house.path("ctl")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn read_reply(stream: &mut UnixStream) -> (u32, Vec<Value>) {
    let mut packet = Vec::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        packet.push(byte[0]);
        if let Some(header) = Header::parse(&packet).unwrap() {
            let mut body = vec![0; header.body_len];
            stream.read_exact(&mut body).unwrap();
            return (header.cookie, decode_values(&body).unwrap());
        }
    }
}

#[test]
fn a_connection_carries_several_requests_in_any_pieces() {
    let house = House::open();
    let mut stream = connect(&house);
    let mut requests = Vec::new();
    for cookie in 1..=3 {
        let parameters = [Value::from(cookie)];
        requests.extend(encode_request("core.echo", &parameters, cookie).unwrap());
    }
    for piece in requests.chunks(5) {
        stream.write_all(piece).unwrap();
    }
    for cookie in 1..=3 {
        assert_eq!(read_reply(&mut stream), (cookie, vec![Value::from(cookie)]));
    }
}

#[test]
fn others_are_answered_while_a_long_reply_is_made() {
    let house = House::open();
    let (mut patient, mut other) = (connect(&house), connect(&house));
    let ask = |stream: &mut UnixStream, command| {
        let request = encode_request(command, &[], 1).unwrap();
        stream.write_all(&request).unwrap();
    };
    ask(&mut patient, "until_enough");
    ask(&mut other, "enough");
    assert_eq!(read_reply(&mut other), (1, vec![]));
    assert_eq!(read_reply(&mut patient), (1, vec![Value::from(1)]));
}

#[test]
fn garbage_gets_a_fault_and_the_connection_ends() {
    let house = House::open();
    let mut stream = connect(&house);
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let expected = vec![
        Value::from(400),
        Value::from("bad request: corrupted packet"),
    ];
    assert_eq!(read_reply(&mut stream), (0, expected));
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    assert_eq!(house.table.counters.malformed.load(Ordering::Relaxed), 1);
}

#[test]
fn a_packet_that_claims_gigabytes_ends_the_connection() {
    let house = House::open();
    let mut stream = connect(&house);
    let claim = [0xA1, 0x0F, 0x7F, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4];
    stream.write_all(&claim).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
}

#[test]
fn connections_are_limited() {
    let directory = Directory::new();
    let mut binrpc = BinrpcConfig::new(vec![Address::Stream(directory.path("ctl"))]);
    binrpc.connections_max = 1;
    let config = DoorsConfig {
        binrpc: Some(binrpc),
        ..DoorsConfig::default()
    };
    let house = House::with(directory, &config).unwrap();
    let mut first = connect(&house);
    let request = encode_request("core.echo", &[], 1).unwrap();
    first.write_all(&request).unwrap();
    read_reply(&mut first);
    let mut second = connect(&house);
    assert_eq!(second.read(&mut [0]).unwrap_or(0), 0);
    assert_eq!(house.table.counters.refused.load(Ordering::Relaxed), 1);
    first.write_all(&request).unwrap();
    read_reply(&mut first);
}
