//! A raw SIP endpoint: exactly the bytes that a test wants, over UDP or TCP, and everything that comes back.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::message::Message;

/// How long a message may take before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(6);
const POLL: Duration = Duration::from_millis(100);

/// The transport that an agent speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
}

impl Transport {
    /// As it stands in a Via header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }

    /// The URI parameter that asks for it, or "".
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Udp => "",
            Self::Tcp => ";transport=tcp",
        }
    }
}

/// An endpoint at one address; its messages go to the server and are kept in order of arrival.
pub struct Agent {
    pub name: String,
    pub address: SocketAddr,
    pub transport: Transport,
    server: SocketAddr,
    wire: Wire,
    inbox: Receiver<Message>,
    seen: Vec<Message>,
    branches: u32,
    closed: Arc<AtomicBool>,
}

enum Wire {
    Udp(UdpSocket),
    Tcp {
        streams: Arc<Mutex<Vec<TcpStream>>>,
        inbox: Sender<Message>,
    },
}

impl Agent {
    /// Binds the address and starts to listen.
    pub fn new(name: &str, address: SocketAddr, transport: Transport, server: SocketAddr) -> Self {
        let (sender, inbox) = channel();
        let closed = Arc::new(AtomicBool::new(false));
        let wire = match transport {
            Transport::Udp => listen_udp(address, sender, Arc::clone(&closed)),
            Transport::Tcp => listen_tcp(address, sender, Arc::clone(&closed)),
        };
        Self {
            name: name.to_owned(),
            address,
            transport,
            server,
            wire,
            inbox,
            seen: Vec::new(),
            branches: 0,
            closed,
        }
    }

    /// The URI at which this agent is reached.
    pub fn uri(&self) -> String {
        format!(
            "sip:{}@{}{}",
            self.name,
            self.address,
            self.transport.parameter()
        )
    }

    /// A Via value with a new branch.
    pub fn via(&mut self) -> String {
        self.branches += 1;
        let Self {
            transport,
            address,
            name,
            branches,
            ..
        } = self;
        format!(
            "SIP/2.0/{} {address};branch=z9hG4bK-{name}-{branches}",
            transport.name()
        )
    }

    /// Sends a message to the server.
    pub fn send(&mut self, message: &Message) {
        self.send_text(&message.to_string());
    }

    /// Sends text to the server as it is.
    pub fn send_text(&mut self, text: &str) {
        self.send_bytes(text.as_bytes());
    }

    /// Sends bytes to the server as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        match &self.wire {
            Wire::Udp(socket) => {
                socket
                    .send_to(bytes, self.server)
                    .expect("loopback takes a datagram");
            }
            Wire::Tcp { streams, inbox } => {
                let mut streams = streams.lock().expect("no reader panics");
                if streams.is_empty() {
                    let stream = connect(self.server);
                    streams.push(stream.try_clone().expect("a stream can be cloned"));
                    read_stream(stream, inbox.clone());
                }
                let stream = streams.last_mut().expect("there is a connection");
                stream
                    .write_all(bytes)
                    .expect("the server keeps the connection");
            }
        }
    }

    /// The next message that is no copy of an earlier one, within `limit`.
    pub fn receive(&mut self, limit: Duration) -> Option<Message> {
        let end = Instant::now() + limit;
        loop {
            let message = self.receive_any(end.saturating_duration_since(Instant::now()))?;
            if !self.seen.contains(&message) {
                self.seen.push(message.clone());
                return Some(message);
            }
        }
    }

    /// The next message, retransmitted or not, within `limit`.
    pub fn receive_any(&mut self, limit: Duration) -> Option<Message> {
        self.inbox.recv_timeout(limit).ok()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

fn listen_udp(address: SocketAddr, inbox: Sender<Message>, closed: Arc<AtomicBool>) -> Wire {
    let socket = UdpSocket::bind(address).expect("the lab's addresses are free");
    let reader = socket.try_clone().expect("a socket can be cloned");
    reader
        .set_read_timeout(Some(POLL))
        .expect("a positive timeout");
    thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while !closed.load(Ordering::Relaxed) {
            let Ok(n) = reader.recv(&mut buffer) else {
                continue;
            };
            if let Some(message) = Message::parse(&String::from_utf8_lossy(&buffer[..n])) {
                let _ = inbox.send(message);
            }
        }
    });
    Wire::Udp(socket)
}

/// Connects once the server listens.
fn connect(server: SocketAddr) -> TcpStream {
    let end = Instant::now() + PATIENCE;
    loop {
        match TcpStream::connect(server) {
            Ok(stream) => return stream,
            Err(e) => assert!(Instant::now() < end, "{server} takes no connection: {e}"),
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn listen_tcp(address: SocketAddr, inbox: Sender<Message>, closed: Arc<AtomicBool>) -> Wire {
    let listener = TcpListener::bind(address).expect("the lab's addresses are free");
    listener
        .set_nonblocking(true)
        .expect("a listener can be made non-blocking");
    let streams = Arc::new(Mutex::new(Vec::new()));
    let accepted = (Arc::clone(&streams), inbox.clone());
    thread::spawn(move || {
        while !closed.load(Ordering::Relaxed) {
            let Ok((stream, _)) = listener.accept() else {
                thread::sleep(Duration::from_millis(5));
                continue;
            };
            stream
                .set_nonblocking(false)
                .expect("a stream can be made blocking");
            let (streams, inbox) = &accepted;
            streams
                .lock()
                .expect("no reader panics")
                .push(stream.try_clone().expect("a stream can be cloned"));
            read_stream(stream, inbox.clone());
        }
        for stream in accepted.0.lock().expect("no reader panics").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
    Wire::Tcp { streams, inbox }
}

/// Cuts a stream into messages by Content-Length until the other side closes it.
fn read_stream(mut stream: TcpStream, inbox: Sender<Message>) {
    thread::spawn(move || {
        let mut buffer = String::new();
        let mut chunk = vec![0; 65_536];
        while let Ok(n @ 1..) = stream.read(&mut chunk) {
            buffer.push_str(&String::from_utf8_lossy(&chunk[..n]));
            while let Some(length) = message_length(&buffer) {
                let rest = buffer.split_off(length);
                if let Some(message) = Message::parse(&buffer) {
                    let _ = inbox.send(message);
                }
                buffer = rest;
            }
        }
    });
}

/// The length of the first message of a buffer, once all of it is there.
fn message_length(buffer: &str) -> Option<usize> {
    let head = buffer.find("\r\n\r\n")? + 4;
    let body: usize = Message::parse(&buffer[..head])?
        .header("Content-Length")
        .parse()
        .unwrap_or_default();
    (buffer.len() >= head + body).then_some(head + body)
}
