//! The notation byte by byte against exchanges with Kamailio 5.6.3, and against hostile packets.

use proptest::prelude::*;

use super::*;
use crate::{Command, Name, Registry, Struct, Value};

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    let commands = [
        Command::new("core.uptime", "", |call| {
            call.add(
                Struct::new()
                    .with("now", "Sun Nov 22 04:01:12 2026")
                    .with("up_since", "Sun Nov 22 04:01:10 2026")
                    .with("uptime", 2),
            );
            Ok(())
        }),
        Command::new("cfg.get", "", |call| {
            assert_eq!((call.str()?, call.str()?), ("pstn".into(), "num".into()));
            call.add(5);
            Ok(())
        }),
        Command::new("core.prints", "", |call| {
            while let Some(text) = call.opt_str()? {
                call.add(text);
            }
            Ok(())
        }),
        Command::new("core.printi", "", |call| {
            while let Some(number) = call.opt_int()? {
                call.add(number);
            }
            Ok(())
        }),
        Command::new("text", "", |call| {
            let text = call.text()?;
            call.add(text);
            Ok(())
        }),
        Command::new("big", "", |call| {
            call.stream(|page| {
                page.push("x".repeat(100));
                true
            });
            Ok(())
        }),
        Command::new("panic", "", |_| panic!("a bug in a handler")),
        Command::new("later", "", |call| {
            call.defer(async { Ok(crate::Reply::new()) });
            Ok(())
        }),
        Command::new("sockets", "", |call| {
            let socket = Value::from(Struct::new().with("proto", "udp"));
            call.add(Value::Named(vec![
                ("socket".into(), socket.clone()),
                ("socket".into(), socket),
            ]));
            Ok(())
        }),
    ];
    for command in commands {
        registry.add(command).unwrap();
    }
    registry
}

fn ask(request: &[u8]) -> Vec<u8> {
    respond(&registry(), request, &Limits::default())
}

fn fault(method: &str, parameters: &[Value]) -> String {
    let reply = ask(&encode_request(method, parameters, 1).unwrap());
    let header = Header::parse(&reply).unwrap().unwrap();
    let values = decode_values(&reply[header.header_len..]).unwrap();
    assert_eq!(header.kind, PacketKind::Fault, "{values:?}");
    let [code, text] = values.as_slice() else {
        panic!("{values:?}");
    };
    format!("{} {}", code.as_int().unwrap(), text.as_str().unwrap())
}

#[test]
fn uptime_is_byte_exact() {
    let request = bytes("a1 03 0e 64 47 70 c9 91 0c 63 6f 72 65 2e 75 70 74 69 6d 65 00");
    assert_eq!(
        request,
        encode_request("core.uptime", &[], 0x6447_70c9).unwrap()
    );
    let reply = bytes(
        "a1 13 52 64 47 70 c9 03 45 6e 6f 77 00 91 19 53 75 6e 20 4e 6f 76 20 32 32 20 30 34 3a \
         30 31 3a 31 32 20 32 30 32 36 00 95 09 75 70 5f 73 69 6e 63 65 00 91 19 53 75 6e 20 4e \
         6f 76 20 32 32 20 30 34 3a 30 31 3a 31 30 20 32 30 32 36 00 75 75 70 74 69 6d 65 00 10 \
         02 83",
    );
    assert_eq!(ask(&request), reply);
}

#[test]
fn scalars_and_unknown_commands_are_byte_exact() {
    for (request, reply) in [
        (
            "a1 03 15 5b 47 4e 8f 91 08 63 66 67 2e 67 65 74 00 51 70 73 74 6e 00 41 6e 75 6d 00",
            "a1 13 02 5b 47 4e 8f 10 05",
        ),
        (
            "a1 03 0a 7f 9b a5 ee 91 08 6e 6f 2e 73 75 63 68 00",
            "a1 33 1f 7f 9b a5 ee 20 01 f4 91 1a 63 6f 6d 6d 61 6e 64 20 6e 6f 2e 73 75 63 68 20 \
             6e 6f 74 20 66 6f 75 6e 64 00",
        ),
    ] {
        assert_eq!(ask(&bytes(request)), bytes(reply));
    }
}

#[test]
fn an_array_of_named_structs_repeats_the_name() {
    let reply = ask(&encode_request("sockets", &[], 1).unwrap());
    let expected = "03 75 73 6f 63 6b 65 74 00 03 65 70 72 6f 74 6f 00 41 75 64 70 00 83 \
                    75 73 6f 63 6b 65 74 00 03 65 70 72 6f 74 6f 00 41 75 64 70 00 83 83";
    assert_eq!(&reply[4..], bytes(expected));
}

#[test]
fn records_of_every_type() {
    for (value, expected) in [
        (Value::from(0), "00"),
        (Value::from(255), "10 ff"),
        (Value::from(45060), "20 b0 04"),
        (Value::from(-1), "40 ff ff ff ff"),
        (Value::from(i32::MAX), "40 7f ff ff ff"),
        (
            Value::from(3_000_000_000_u32),
            "91 0b 33 30 30 30 30 30 30 30 30 30 00",
        ),
        (Value::from(""), "11 00"),
        (Value::from("abcdef"), "71 61 62 63 64 65 66 00"),
        (Value::from("abcdefg"), "91 08 61 62 63 64 65 66 67 00"),
        (Value::from(1.5), "22 05 dc"),
        (Value::Bytes(vec![1, 2]), "26 01 02"),
        (Value::Array(vec![Value::from(1)]), "03 10 01 83"),
        (
            Value::Null,
            "91 0e 3c 6e 75 6c 6c 20 73 74 72 69 6e 67 3e 00",
        ),
    ] {
        let mut encoder = Encoder::new(1000);
        encoder.value(&value).unwrap();
        assert_eq!(encoder.finish(), bytes(expected), "{value:?}");
    }
}

#[test]
fn scan_faults_read_as_kamailio_writes_them() {
    for (method, parameters, expected) in [
        (
            "core.prints",
            vec![Value::from(7)],
            "400 error at parameter 0: expected string type but record doesn't match type",
        ),
        (
            "core.printi",
            vec![Value::from(7), Value::from("7")],
            "400 error at parameter 1: expected integer type but record doesn't match type",
        ),
        (
            "text",
            vec![],
            "400 error at parameter 0: expected any type but end of packet encountered",
        ),
        ("system.methodHelp", vec![], "400 Method Name Expected"),
        (
            "system.methodHelp",
            vec![Value::from("x")],
            "400 command not found",
        ),
        ("panic", vec![], "500 Internal Server Error"),
        (
            "big",
            vec![],
            "500 reply is bigger than binrpc_max_body_size (32 KB)",
        ),
        (
            "later",
            vec![],
            "600 Reply wait/async mode not supported by this rpc transport",
        ),
    ] {
        assert_eq!(fault(method, &parameters), expected, "{method}");
    }
}

#[test]
fn autoconversion_takes_numbers_for_strings() {
    let request = encode_request("core.prints", &[Value::from(7)], 1).unwrap();
    let limits = Limits {
        autoconversion: true,
        ..Limits::default()
    };
    let reply = respond(&registry(), &request, &limits);
    assert_eq!(reply, bytes("a1 10 03 01 21 37 00"));
    let converting = encode_request("text", &[Value::from(7)], 1).unwrap();
    assert_eq!(ask(&converting), bytes("a1 10 03 01 21 37 00"));
}

#[test]
fn malformed_packets_get_a_fault() {
    let text = |packet: &str| {
        let reply = ask(&bytes(packet));
        String::from_utf8_lossy(&reply).into_owned()
    };
    for (packet, expected) in [
        (
            "a1 00 00 01",
            "bad request method: end of packet encountered",
        ),
        (
            "a1 00 02 01 10 ff",
            "bad request method: record doesn't match type",
        ),
        (
            "a1 00 04 01 91 ff 61 62",
            "bad request method: more data needed",
        ),
        ("b1 00 01 01 00", "bad request: corrupted packet"),
        ("a2 00 01 01 00", "bad request: corrupted packet"),
        ("a1 10 01 01 00", "bad request: corrupted packet"),
        ("a1 00 09 01 00", "bad request: more data needed"),
        (
            "a1 00 04 01 21 61 00 03",
            "error at parameter 0: expected any type but end of packet encountered",
        ),
        ("a1", "bad request: more data needed"),
        ("", "bad request: more data needed"),
    ] {
        assert!(
            text(packet).contains(expected),
            "{packet}: {}",
            text(packet)
        );
    }
}

#[test]
fn nesting_and_lengths_are_bounded() {
    assert_eq!(decode_values(&[0x03; 4096]), Err(DecodeError::TooDeep));
    assert_eq!(
        decode_values(&bytes("c1 ff ff ff ff 61")),
        Err(DecodeError::Truncated)
    );
    assert_eq!(decode_values(&bytes("83")), Err(DecodeError::WrongType));
    assert_eq!(decode_values(&bytes("03 84")), Err(DecodeError::WrongType));
    assert_eq!(
        decode_values(&bytes("03 25 61 00 83")),
        Err(DecodeError::WrongType)
    );
    let nine_bytes = bytes("90 09 00 00 00 00 00 00 00 00 01");
    assert_eq!(decode_values(&nine_bytes), Err(DecodeError::TooBig));
}

/// Values that binrpc can tell apart.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(Value::from),
        any::<i16>().prop_map(|number| Value::from(f64::from(number))),
        proptest::collection::vec(1_u8..=255, 0..40).prop_map(Value::Str),
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let member = ("[a-z]{1,9}", inner.clone());
        let members = member.prop_map(|(name, value)| (Name::from(name), value));
        prop_oneof![
            proptest::collection::vec(members, 0..6)
                .prop_map(|members| Value::from(Struct::from(members))),
            proptest::collection::vec(inner, 1..6).prop_map(Value::from),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_read(values in proptest::collection::vec(value(), 0..5), cookie: u32) {
        let mut encoder = Encoder::new(1 << 20);
        for value in &values {
            encoder.value(value).unwrap();
        }
        let packet = encode_packet(PacketKind::Reply, cookie, encoder.finish());
        let header = Header::parse(&packet).unwrap().unwrap();
        prop_assert_eq!(header.cookie, cookie);
        prop_assert_eq!(header.packet_len(), packet.len());
        prop_assert_eq!(decode_values(&packet[header.header_len..]).unwrap(), values);
    }

    #[test]
    fn nothing_that_comes_hurts(packet in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_values(&packet);
        let _ = ask(&packet);
        let mut request = encode_packet(PacketKind::Request, 1, packet.clone());
        let _ = ask(&request);
        request.truncate(packet.len() / 2);
        let _ = ask(&request);
    }

    #[test]
    fn damaged_requests_are_answered(position in 0_usize..40, byte: u8) {
        let parameters = [Value::from(1), Value::from("text"), Value::from(Struct::new().with("a", 1))];
        let mut request = encode_request("core.prints", &parameters, 7).unwrap();
        if let Some(place) = request.get_mut(position) {
            *place = byte;
        }
        prop_assert!(Header::parse(&ask(&request)).unwrap().is_some());
    }
}
