use std::cell::RefCell;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;

use sip::{ConnectionId, SocketId, StreamUse};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;

use super::*;
use crate::counters::StreamCounters;
use crate::listen::{ExpandOptions, LocalSystem, OpenOptions, Sockets, expand, open};

mod limits;

/// An event, kept.
#[derive(Debug)]
enum Seen {
    Message(Vec<u8>, Hop),
    Connected(Hop),
    Unsent(Arc<[u8]>, SendError),
    Closed(CloseReason),
}

/// A worker with one listening socket, and what it was told.
struct Bench {
    streams: Streams,
    address: SocketAddr,
    seen: Rc<RefCell<Vec<Seen>>>,
    changed: Rc<Notify>,
}

/// Two workers in one thread would see the same as two in two, so the tests have one `LocalSet`.
fn benches(host: &str, workers: usize, settings: StreamSettings) -> Vec<Bench> {
    let spec = format!("tcp:{host}:0").parse().unwrap();
    let specs = expand(&[spec], &ExpandOptions::default(), &LocalSystem).unwrap();
    let mut sockets = Sockets::new(&specs);
    let opened = open(&mut sockets, &OpenOptions::default()).unwrap();
    let address = sockets.get(SocketId(0)).unwrap().address;
    let counters = Arc::new(StreamCounters::default());
    let (_, seats) = pool(workers, Arc::new(sockets), settings, counters);
    let mut listeners = opened.into_iter();
    let bench = |seat: StreamSeat| {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let changed = Rc::new(Notify::new());
        let streams = seat.start(owner(seen.clone(), changed.clone()));
        for (id, transport, listener) in listeners.next().into_iter().flat_map(|w| w.streams) {
            streams.listen(id, transport, listener).unwrap();
        }
        Bench {
            streams,
            address,
            seen,
            changed,
        }
    };
    seats.into_iter().map(bench).collect()
}

fn bench(host: &str, settings: StreamSettings) -> Bench {
    benches(host, 1, settings).remove(0)
}

fn owner(seen: Rc<RefCell<Vec<Seen>>>, changed: Rc<Notify>) -> Owner {
    Rc::new(move |event| {
        seen.borrow_mut().push(match event {
            Event::Message(m) => Seen::Message(m.bytes.to_vec(), m.hop),
            Event::Connected { hop, .. } => Seen::Connected(hop),
            Event::Unsent { bytes, error, .. } => Seen::Unsent(bytes, error),
            Event::Closed { reason, .. } => Seen::Closed(reason),
        });
        changed.notify_one();
    })
}

impl Bench {
    /// Waits until an event is there of which `pick` makes something, and takes it.
    async fn wait<T>(&self, mut pick: impl FnMut(&Seen) -> Option<T>) -> T {
        loop {
            let found = {
                let mut seen = self.seen.borrow_mut();
                let found = seen
                    .iter()
                    .enumerate()
                    .find_map(|(i, s)| Some((i, pick(s)?)));
                found.map(|(i, value)| {
                    seen.remove(i);
                    value
                })
            };
            match found {
                Some(value) => return value,
                None => self.changed.notified().await,
            }
        }
    }

    async fn message(&self) -> (Vec<u8>, Hop) {
        let pick = |s: &Seen| match s {
            Seen::Message(bytes, hop) => Some((bytes.clone(), *hop)),
            _ => None,
        };
        self.wait(pick).await
    }

    async fn connected(&self) -> Hop {
        let pick = |s: &Seen| match s {
            Seen::Connected(hop) => Some(*hop),
            _ => None,
        };
        self.wait(pick).await
    }

    async fn closed(&self) -> CloseReason {
        let pick = |s: &Seen| match s {
            Seen::Closed(reason) => Some(*reason),
            _ => None,
        };
        self.wait(pick).await
    }

    async fn unsent(&self) -> (Arc<[u8]>, SendError) {
        let pick = |s: &Seen| match s {
            Seen::Unsent(bytes, error) => Some((bytes.clone(), *error)),
            _ => None,
        };
        self.wait(pick).await
    }

    fn counters(&self) -> Arc<StreamCounters> {
        self.streams.handle().counters().clone()
    }
}

fn hop_to(remote: SocketAddr) -> Hop {
    Hop {
        transport: Transport::Tcp,
        socket: SocketId(0),
        remote,
        connection: None,
        stream: StreamUse::default(),
    }
}

/// The same way, but only on a stream that is open already.
fn open_only(hop: Hop) -> Hop {
    let stream = StreamUse {
        no_connect: true,
        ..StreamUse::default()
    };
    Hop { stream, ..hop }
}

fn message(text: &str) -> Vec<u8> {
    let length = text.len();
    format!("OPTIONS sip:a SIP/2.0\r\nContent-Length: {length}\r\n\r\n{text}").into_bytes()
}

async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

#[tokio::test]
async fn messages_in_torn_pieces_and_keepalives() {
    local(async {
        for host in ["127.0.0.1", "[::1]"] {
            let bench = bench(host, StreamSettings::default());
            let mut peer = TcpStream::connect(bench.address).await.unwrap();
            peer.set_nodelay(true).unwrap();
            let (one, two) = (message("one"), message("two"));
            let stream = [b"\r\n\r\n\0\0\r\n", &one[..], b"\r\n\r\n", &two[..]].concat();
            for byte in stream.chunks(7) {
                peer.write_all(byte).await.unwrap();
                tokio::task::yield_now().await;
            }
            let (bytes, hop) = bench.message().await;
            assert_eq!((bytes, hop.remote), (one, peer.local_addr().unwrap()));
            assert_eq!(bench.message().await.0, two);
            // Two double CRLFs were sent, so two CRLFs come back, and then our reply.
            let reply: Arc<[u8]> = message("reply").into();
            bench.streams.send(open_only(hop), reply.clone()).unwrap();
            let mut answer = vec![0; 4 + reply.len()];
            peer.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer, [b"\r\n\r\n", &reply[..]].concat());
            drop(peer);
            assert_eq!(bench.closed().await, CloseReason::Peer);
            let counters = bench.counters();
            assert_eq!(counters.received.get(), 2);
            assert_eq!(counters.sent.get(), 1);
            assert_eq!(
                (counters.connections.get(), counters.queued_bytes.get()),
                (0, 0)
            );
        }
    })
    .await;
}

#[tokio::test]
async fn one_connection_serves_all_messages_to_a_peer() {
    local(async {
        let bench = bench("127.0.0.1", StreamSettings::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hop = hop_to(listener.local_addr().unwrap());
        let [one, two]: [Arc<[u8]>; 2] = [message("one").into(), message("two").into()];
        bench.streams.send(hop, one.clone()).unwrap();
        bench.streams.send(hop, two.clone()).unwrap();
        let (mut peer, from) = listener.accept().await.unwrap();
        assert_eq!(from.ip(), bench.address.ip());
        let mut buffer = vec![0; one.len() + two.len()];
        peer.read_exact(&mut buffer).await.unwrap();
        assert_eq!(buffer, [&one[..], &two[..]].concat());
        assert_eq!(bench.streams.len(), 1);
        assert_eq!(bench.connected().await.remote, hop.remote);
        // What the peer says over it reaches us with the same connection.
        peer.write_all(&one).await.unwrap();
        let (_, back) = bench.message().await;
        assert_eq!(
            bench.streams.handle().find(hop.transport, hop.remote),
            back.connection
        );
        bench.streams.close(back.connection.unwrap()).unwrap();
        assert_eq!(bench.closed().await, CloseReason::Requested);
        assert!(bench.streams.is_empty());
        assert_eq!(bench.counters().opened.get(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_lost_connection_is_replaced_when_that_is_allowed() {
    local(async {
        let bench = bench("127.0.0.1", StreamSettings::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gone = Hop {
            connection: Some(ConnectionId(99 << 8)),
            ..hop_to(listener.local_addr().unwrap())
        };
        let bytes: Arc<[u8]> = message("x").into();
        let refused = bench.streams.send(open_only(gone), bytes.clone());
        assert_eq!(refused, Err(SendError::NoConnection));
        bench.streams.send(gone, bytes).unwrap();
        listener.accept().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_connection_ends_with_the_message_that_ends_it() {
    local(async {
        let bench = bench("127.0.0.1", StreamSettings::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hop = hop_to(listener.local_addr().unwrap());
        let last = Hop {
            stream: StreamUse {
                close: true,
                ..StreamUse::default()
            },
            ..hop
        };
        let [one, two]: [Arc<[u8]>; 2] = [message("one").into(), message("two").into()];
        bench.streams.send(hop, one.clone()).unwrap();
        bench.streams.send(last, two.clone()).unwrap();
        let (mut first, _) = listener.accept().await.unwrap();
        let mut all = Vec::new();
        first.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, [&one[..], &two[..]].concat());
        assert_eq!(bench.closed().await, CloseReason::Requested);
        assert_eq!(bench.counters().unsent.get(), 0);
        // A message behind the last one goes over a connection of its own, even before the first is closed.
        bench.streams.send(last, one.clone()).unwrap();
        bench.streams.send(hop, two.clone()).unwrap();
        let (mut third, _) = listener.accept().await.unwrap();
        let (mut fourth, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; one.len()];
        third.read_exact(&mut buffer).await.unwrap();
        fourth.read_exact(&mut buffer).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_alias_leads_to_the_connection_that_claimed_it() {
    local(async {
        let bench = bench("127.0.0.1", StreamSettings::default());
        let mut peer = TcpStream::connect(bench.address).await.unwrap();
        peer.write_all(&message("hello")).await.unwrap();
        let (_, hop) = bench.message().await;
        let alias = hop_to(SocketAddr::new(hop.remote.ip(), 9));
        let bytes: Arc<[u8]> = message("x").into();
        assert_eq!(
            bench.streams.send(open_only(alias), bytes.clone()),
            Err(SendError::NoConnection)
        );
        let id = hop.connection.unwrap();
        bench.streams.handle().add_alias(id, 9).unwrap();
        bench.streams.send(open_only(alias), bytes.clone()).unwrap();
        let mut buffer = vec![0; bytes.len()];
        peer.read_exact(&mut buffer).await.unwrap();
        assert_eq!(buffer, &bytes[..]);
    })
    .await;
}

#[tokio::test]
async fn a_refused_connection_gives_its_messages_back() {
    local(async {
        let bench = bench("127.0.0.1", StreamSettings::default());
        let dead = StdListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let bytes: Arc<[u8]> = message("x").into();
        bench.streams.send(hop_to(dead), bytes.clone()).unwrap();
        let reason = CloseReason::Connect(io::ErrorKind::ConnectionRefused);
        assert_eq!(bench.unsent().await, (bytes, SendError::Closed(reason)));
        assert_eq!(bench.closed().await, reason);
        assert!(bench.streams.is_empty());
        assert_eq!(bench.streams.handle().connections(10).len(), 0);
        assert_eq!(bench.counters().queued_bytes.get(), 0);
    })
    .await;
}

#[tokio::test]
async fn every_worker_and_thread_reaches_every_connection() {
    local(async {
        let benches = benches("127.0.0.1", 2, StreamSettings::default());
        let [first, second] = &benches[..] else {
            panic!()
        };
        let mut peer = TcpStream::connect(first.address).await.unwrap();
        peer.write_all(&message("hello")).await.unwrap();
        let (_, hop) = first.message().await;
        let by_address = Hop {
            connection: None,
            ..hop
        };
        let reply: Arc<[u8]> = message("reply").into();
        second.streams.send(open_only(hop), reply.clone()).unwrap();
        second
            .streams
            .send(open_only(by_address), reply.clone())
            .unwrap();
        let (handle, bytes) = (first.streams.handle(), reply.clone());
        std::thread::spawn(move || handle.send(open_only(by_address), bytes))
            .join()
            .unwrap()
            .unwrap();
        let mut buffer = vec![0; reply.len() * 3];
        peer.read_exact(&mut buffer).await.unwrap();
        assert_eq!(buffer, reply.repeat(3));
        second.streams.close(hop.connection.unwrap()).unwrap();
        assert_eq!(first.closed().await, CloseReason::Requested);
        // Now nobody has a connection: a thread's message comes back as an event.
        second
            .streams
            .handle()
            .send(open_only(hop), reply.clone())
            .unwrap();
        assert_eq!(first.unsent().await, (reply, SendError::NoConnection));
    })
    .await;
}

#[tokio::test]
async fn shutting_down_closes_everything() {
    local(async {
        let bench = bench("127.0.0.1", StreamSettings::default());
        let mut peer = TcpStream::connect(bench.address).await.unwrap();
        bench.connected().await;
        bench.streams.shut_down();
        assert_eq!(bench.closed().await, CloseReason::Requested);
        assert_eq!(peer.read(&mut [0; 8]).await.unwrap_or(0), 0);
        tokio::task::yield_now().await;
        assert!(TcpStream::connect(bench.address).await.is_err());
    })
    .await;
}
