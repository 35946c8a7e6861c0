//! A name server with four records and two kinds of failure, in one UDP socket on loopback.

use std::net::SocketAddr;

use tokio::net::UdpSocket;

/// Starts it on a free port; it lives as long as the test's runtime.
pub(super) async fn start() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            if let Some(reply) = answer(&buffer[..length]) {
                let _ = socket.send_to(&reply, from).await;
            }
        }
    });
    address
}

/// Builds the reply to a query with one question (RFC 1035 §4).
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes(query.get(at..at + 2)?.try_into().ok()?);
    let question = &query[12..at + 4];
    let name = labels.join(".");
    let data = record(&name, kind);
    let code = match (&data, name.as_str()) {
        (Some(_), _) => 0,
        (None, name) if name.ends_with("broken.test") => 2,
        (None, name) if name.ends_with("missing.test") => 3,
        _ => 0,
    };
    let mut reply = query[..2].to_vec();
    reply.extend([
        0x85,
        0x80 | code,
        0,
        1,
        0,
        u8::from(data.is_some()),
        0,
        0,
        0,
        0,
    ]);
    reply.extend(question);
    if let Some(data) = data {
        reply.extend([0xc0, 12]);
        reply.extend(kind.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 60]);
        reply.extend((data.len() as u16).to_be_bytes());
        reply.extend(data);
    }
    Some(reply)
}

fn record(name: &str, kind: u16) -> Option<Vec<u8>> {
    const A: u16 = 1;
    const AAAA: u16 = 28;
    const SRV: u16 = 33;
    const NAPTR: u16 = 35;
    match (name, kind) {
        ("example.test", NAPTR) => {
            let mut data = vec![0, 10, 0, 10, 1, b's', 7];
            data.extend(b"SIP+D2U\0");
            data.extend(encode("_sip._udp.example.test"));
            Some(data)
        }
        ("_sip._udp.example.test", SRV) => {
            let mut data = vec![0, 1, 0, 1];
            data.extend(5070_u16.to_be_bytes());
            data.extend(encode("a.example.test"));
            Some(data)
        }
        ("a.example.test", A) => Some(vec![10, 0, 0, 1]),
        ("a.example.test", AAAA) => {
            let address: std::net::Ipv6Addr = "2001:db8::1".parse().ok()?;
            Some(address.octets().to_vec())
        }
        _ => None,
    }
}

fn encode(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.') {
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    out.push(0);
    out
}
