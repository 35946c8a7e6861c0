use std::net::UdpSocket as StdSocket;
use std::time::Duration;

use super::*;
use crate::listen::{ExpandOptions, LocalSystem, OpenOptions, Sockets, expand, open};

struct Bench {
    socket: UdpSocket,
    peer: StdSocket,
    counters: Arc<UdpCounters>,
}

fn bench(host: &str) -> Bench {
    let spec = format!("udp:{host}:0").parse().unwrap();
    let specs = expand(&[spec], &ExpandOptions::default(), &LocalSystem).unwrap();
    let mut sockets = Sockets::new(&specs);
    let mut opened = open(&mut sockets, &OpenOptions::default()).unwrap();
    let (id, std_socket) = opened[0].udp.remove(0);
    let counters = Arc::new(UdpCounters::default());
    let peer = StdSocket::bind(format!("{host}:0")).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    Bench {
        socket: UdpSocket::new(id, std_socket, counters.clone()).unwrap(),
        peer,
        counters,
    }
}

async fn collect(bench: &Bench, batch: &mut RecvBatch, count: usize) -> Vec<(Vec<u8>, SocketAddr)> {
    let mut all = Vec::new();
    while all.len() < count {
        let read = bench.socket.recv_batch(batch);
        tokio::time::timeout(Duration::from_secs(5), read)
            .await
            .unwrap()
            .unwrap();
        all.extend(batch.iter().map(|d| (d.bytes.to_vec(), d.from)));
    }
    all
}

#[tokio::test]
async fn batches_go_both_ways_over_both_families() {
    for host in ["127.0.0.1", "[::1]"] {
        let bench = bench(host);
        let ours = bench.socket.local_address().unwrap();
        let theirs = bench.peer.local_addr().unwrap();
        let body = |i: u32| format!("{i:0200}").into_bytes();
        for i in 0..150 {
            bench.peer.send_to(&body(i), ours).unwrap();
        }
        let mut batch = RecvBatch::new();
        let all = collect(&bench, &mut batch, 150).await;
        for (i, (bytes, remote)) in (0..).zip(&all) {
            assert_eq!(*bytes, body(i));
            assert_eq!(*remote, theirs);
        }
        let outcome = bench.socket.sender().send_batch(&all);
        assert_eq!((outcome.done, outcome.failed.len()), (150, 0));
        let mut buffer = [0; 2048];
        for (bytes, _) in &all {
            let (length, from) = bench.peer.recv_from(&mut buffer).unwrap();
            assert_eq!(buffer[..length], bytes[..]);
            assert_eq!(from, ours);
        }
        assert_eq!(bench.counters.received.get(), 150);
        assert_eq!(bench.counters.sent.get(), 150);
        assert_eq!(bench.counters.sent_bytes.get(), 150 * 200);
    }
}

#[tokio::test]
async fn the_longest_datagram_arrives_whole_and_keepalives_do_not() {
    let bench = bench("127.0.0.1");
    let ours = bench.socket.local_address().unwrap();
    let long = vec![b'x'; 65_507];
    for bytes in [&b""[..], b"\r\n\r\n", b"\0\0\0\0", &long] {
        bench.peer.send_to(bytes, ours).unwrap();
    }
    let mut batch = RecvBatch::new();
    let all = collect(&bench, &mut batch, 1).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].0, long);
    assert_eq!(bench.counters.keepalives.get(), 3);
}

#[tokio::test]
async fn what_does_not_fit_is_counted_and_not_handed_on() {
    let bench = bench("127.0.0.1");
    let ours = bench.socket.local_address().unwrap();
    bench.peer.send_to(&[b'x'; 101], ours).unwrap();
    bench.peer.send_to(&[b'y'; 100], ours).unwrap();
    let mut batch = RecvBatch::with_capacity(4, 100);
    let all = collect(&bench, &mut batch, 1).await;
    assert_eq!(all[0].0, [b'y'; 100]);
    assert_eq!(bench.counters.truncated.get(), 1);
}

#[tokio::test]
async fn a_datagram_that_cannot_be_sent_does_not_stop_the_others() {
    let bench = bench("127.0.0.1");
    let good = bench.peer.local_addr().unwrap();
    let wrong_family: SocketAddr = "[::1]:9".parse().unwrap();
    let too_long = vec![0; 70_000];
    let list = [
        (&b"one"[..], good),
        (&b"two"[..], wrong_family),
        (&too_long[..], good),
        (&b"four"[..], good),
    ];
    let outcome = bench.socket.sender().send_batch(&list);
    assert_eq!(outcome.done, 4);
    let failed: Vec<usize> = outcome.failed.iter().map(|f| f.0).collect();
    assert_eq!(failed, [1, 2]);
    let mut buffer = [0; 16];
    assert_eq!(bench.peer.recv(&mut buffer).unwrap(), 3);
    assert_eq!(bench.peer.recv(&mut buffer).unwrap(), 4);
    assert_eq!(bench.counters.send_errors.get(), 2);
}

#[tokio::test]
async fn what_goes_through_the_kernel_as_one_arrives_as_it_was_given() {
    for host in ["127.0.0.1", "[::1]"] {
        let bench = bench(host);
        let other = StdSocket::bind(format!("{host}:0")).unwrap();
        other
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let lengths = [5, 5, 5, 7, 5, 5, 0, 0, 1_200, 1_200, 1_201, 1_201, 9, 3];
        let list: Vec<(Vec<u8>, SocketAddr)> = (0_u8..64)
            .map(|i| {
                let to = if i % 16 < 14 { &bench.peer } else { &other };
                let length = lengths[usize::from(i) % lengths.len()];
                (vec![i; length], to.local_addr().unwrap())
            })
            .collect();
        let outcome = bench.socket.sender().send_or_drop(&list, true);
        assert_eq!((outcome.done, outcome.failed.len()), (64, 0));
        let mut buffer = [0; 2048];
        for (bytes, to) in &list {
            let theirs = bench.peer.local_addr().unwrap() == *to;
            let peer = if theirs { &bench.peer } else { &other };
            let length = peer.recv(&mut buffer).unwrap();
            assert_eq!(buffer[..length], bytes[..]);
        }
        assert_eq!(bench.counters.sent.get(), 64);
        assert!(bench.socket.sender().joins());
    }
}

#[tokio::test]
async fn what_the_kernel_does_not_join_is_sent_one_by_one() {
    let bench = bench("127.0.0.1");
    mmsg::forbid_joining(bench.socket.socket.get_ref()).unwrap();
    let to = bench.peer.local_addr().unwrap();
    let sender = bench.socket.sender();
    for _ in 0..2 {
        let outcome = sender.send_or_drop(&[(b"a", to), (b"b", to), (b"c", to)], true);
        assert_eq!((outcome.done, outcome.failed.len()), (3, 0));
        assert!(!sender.joins());
        let mut buffer = [0; 16];
        for byte in b"abc" {
            assert_eq!(bench.peer.recv(&mut buffer).unwrap(), 1);
            assert_eq!(buffer[0], *byte);
        }
    }
    assert_eq!(bench.counters.send_errors.get(), 0);
}

#[tokio::test]
async fn a_dead_peer_does_not_disturb_the_others() {
    let bench = bench("127.0.0.1");
    let good = bench.peer.local_addr().unwrap();
    let dead = StdSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for _ in 0..10 {
        let list = [(&b"x"[..], dead), (&b"y"[..], good)];
        let outcome = bench.socket.sender().send_batch(&list);
        assert_eq!((outcome.done, outcome.failed.len()), (2, 0));
    }
    let mut buffer = [0; 16];
    for _ in 0..10 {
        assert_eq!(bench.peer.recv(&mut buffer).unwrap(), 1);
    }
}

#[tokio::test]
async fn the_kernels_drops_are_counted() {
    let bench = bench("127.0.0.1");
    let ours = bench.socket.local_address().unwrap();
    nix::sys::socket::setsockopt(
        bench.socket.socket.get_ref(),
        nix::sys::socket::sockopt::RcvBuf,
        &4096,
    )
    .unwrap();
    for _ in 0..100 {
        bench.peer.send_to(&[b'x'; 1000], ours).unwrap();
    }
    let mut batch = RecvBatch::new();
    let first = collect(&bench, &mut batch, 1).await.len();
    assert!(first < 100);
    bench.peer.send_to(&[b'x'; 1000], ours).unwrap();
    collect(&bench, &mut batch, 1).await;
    assert_eq!(bench.counters.kernel_drops.get(), 100 - first as u64);
}

#[tokio::test]
async fn random_steering_spreads_one_flow() {
    let spec = "udp:127.0.0.1:0".parse().unwrap();
    let specs = expand(&[spec], &ExpandOptions::default(), &LocalSystem).unwrap();
    let mut sockets = Sockets::new(&specs);
    let options = OpenOptions {
        workers: 2,
        steering: Steering::Random,
        ..OpenOptions::default()
    };
    let opened = open(&mut sockets, &options).unwrap();
    let peer = StdSocket::bind("127.0.0.1:0").unwrap();
    let ours = sockets.iter().next().unwrap().address;
    for _ in 0..64 {
        peer.send_to(b"x", ours).unwrap();
    }
    for worker in &opened {
        let mut buffer = [0; 4];
        assert!(worker.udp[0].1.recv(&mut buffer).is_ok());
    }
}
