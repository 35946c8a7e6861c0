//! Times, numbers and sizes that end a connection or keep one from being opened.

use tokio::net::TcpSocket;

use super::*;

/// An address that never answers a SYN: a listener that accepts nothing, with its queue full.
/// The rest keeps it so.
fn unanswering() -> (SocketAddr, (TcpListener, Vec<std::net::TcpStream>)) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let fill = (0..2).map(|_| std::net::TcpStream::connect(address).unwrap());
    (address, (full, fill.collect()))
}

#[tokio::test]
async fn what_is_being_opened_can_be_closed() {
    local(async {
        let bench = bench("127.0.0.1", StreamSettings::default());
        let (address, _held) = unanswering();
        let bytes: Arc<[u8]> = message("x").into();
        let hop = hop_to(address);
        bench.streams.send(hop, bytes.clone()).unwrap();
        tokio::task::yield_now().await;
        let id = bench.streams.handle().find(hop.transport, address).unwrap();
        bench.streams.close(id).unwrap();
        let error = SendError::Closed(CloseReason::Requested);
        assert_eq!(bench.unsent().await, (bytes, error));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn opening_has_a_time_limit() {
    local(async {
        let bench = bench("127.0.0.1", StreamSettings::default());
        let (address, _held) = unanswering();
        let bytes: Arc<[u8]> = message("x").into();
        bench.streams.send(hop_to(address), bytes.clone()).unwrap();
        let error = SendError::Closed(CloseReason::ConnectTimeout);
        assert_eq!(bench.unsent().await, (bytes, error));
        assert_eq!(bench.counters().connect_timeout.get(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_bounded_and_closed() {
    local(async {
        let settings = StreamSettings {
            lifetime: Duration::from_secs(3600),
            ..StreamSettings::default()
        };
        let bench = bench("127.0.0.1", settings);
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        let hop = hop_to(listener.local_addr().unwrap());
        let big: Arc<[u8]> = message(&"x".repeat(16_000)).into();
        let send = || bench.streams.send(hop, big.clone());
        send().unwrap();
        bench.connected().await;
        // What the kernel takes is gone; then our own queue fills.
        let error = loop {
            if let Err(error) = send() {
                break error;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(error, SendError::QueueFull);
        let waiting = bench.counters().queued_bytes.get();
        assert!(waiting <= 32 * 1024 + 16_384, "{waiting}");
        let stalled = CloseReason::WriteStalled;
        assert_eq!(bench.unsent().await.1, SendError::Closed(stalled));
        assert_eq!(bench.closed().await, stalled);
        assert_eq!(bench.counters().queued_bytes.get(), 0);
        assert_eq!(bench.counters().stalled.get(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_burst_to_a_peer_that_reads_is_no_congestion() {
    local(async {
        let bench = bench("127.0.0.1", StreamSettings::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hop = hop_to(listener.local_addr().unwrap());
        let one: Arc<[u8]> = message(&"x".repeat(1_000)).into();
        let send = || bench.streams.send(hop, one.clone());
        send().unwrap();
        bench.connected().await;
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut received = vec![0; one.len()];
        peer.read_exact(&mut received).await.unwrap();
        for _ in 0..100 {
            send().unwrap();
        }
        received.resize(100 * one.len(), 0);
        peer.read_exact(&mut received).await.unwrap();
        assert!(received.ends_with(&one));
        assert_eq!(bench.counters().queue_full.get(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn idle_and_slow_peers_are_closed() {
    local(async {
        let bench = bench("127.0.0.1", StreamSettings::default());
        let start = tokio::time::Instant::now();
        let _idle = std::net::TcpStream::connect(bench.address).unwrap();
        assert_eq!(bench.closed().await, CloseReason::Idle);
        assert!(start.elapsed() >= Duration::from_secs(120));
        let mut slow = std::net::TcpStream::connect(bench.address).unwrap();
        io::Write::write_all(&mut slow, b"OPTIONS sip:a").unwrap();
        let start = tokio::time::Instant::now();
        assert_eq!(bench.closed().await, CloseReason::ReadStalled);
        assert!(start.elapsed() < Duration::from_secs(30));
    })
    .await;
}

#[tokio::test]
async fn what_is_no_sip_closes_the_connection() {
    local(async {
        let bench = bench("127.0.0.1", StreamSettings::default());
        let mut peer = TcpStream::connect(bench.address).await.unwrap();
        let first = message("good");
        let bad = b"INVITE sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n";
        peer.write_all(&[&first[..], bad].concat()).await.unwrap();
        assert_eq!(bench.message().await.0, first);
        assert!(matches!(bench.closed().await, CloseReason::Framing(_)));
        assert_eq!(bench.counters().bad_framing.get(), 1);
        assert_eq!(peer.read(&mut [0; 8]).await.unwrap_or(0), 0);
    })
    .await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused() {
    local(async {
        let settings = StreamSettings {
            max_connections: 1,
            ..StreamSettings::default()
        };
        let bench = bench("127.0.0.1", settings);
        let _first = TcpStream::connect(bench.address).await.unwrap();
        bench.connected().await;
        let mut second = TcpStream::connect(bench.address).await.unwrap();
        assert_eq!(second.read(&mut [0; 8]).await.unwrap_or(0), 0);
        let bytes: Arc<[u8]> = message("x").into();
        let error = bench.streams.send(hop_to(bench.address), bytes);
        assert_eq!(error, Err(SendError::TooManyConnections));
        assert_eq!(bench.counters().refused.get(), 2);
    })
    .await;
}

/// The limit counts what an address has open, not what it had: a closed connection makes room.
#[tokio::test]
async fn an_address_may_open_only_so_many_connections() {
    local(async {
        let settings = StreamSettings {
            max_per_address: 1,
            ..StreamSettings::default()
        };
        let bench = bench("127.0.0.1", settings);
        let first = TcpStream::connect(bench.address).await.unwrap();
        bench.connected().await;
        let mut second = TcpStream::connect(bench.address).await.unwrap();
        assert_eq!(second.read(&mut [0; 8]).await.unwrap_or(0), 0);
        assert_eq!(bench.counters().refused.get(), 1);
        let other = TcpSocket::new_v4().unwrap();
        other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let _other = other.connect(bench.address).await.unwrap();
        bench.connected().await;
        drop(first);
        bench.closed().await;
        let _third = TcpStream::connect(bench.address).await.unwrap();
        bench.connected().await;
    })
    .await;
}

#[tokio::test]
async fn connections_are_opened_from_the_address_that_is_set() {
    local(async {
        let settings = StreamSettings {
            source_ipv4: Some("127.0.0.9".parse().unwrap()),
            ..StreamSettings::default()
        };
        let bench = bench("127.0.0.1", settings);
        let peer = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bytes: Arc<[u8]> = message("x").into();
        let hop = hop_to(peer.local_addr().unwrap());
        bench.streams.send(hop, bytes).unwrap();
        let (_, from) = peer.accept().await.unwrap();
        assert_eq!(from.ip().to_string(), "127.0.0.9");
    })
    .await;
}
