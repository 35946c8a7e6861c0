//! What stream and datagram doors need of a socket, whatever its family.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use tokio::time::{sleep, timeout};

use super::table::{DoorCounters, DoorTable};
use super::tasks::{SideTasks, Stop};
use super::{DATAGRAM_BYTES_MAX, ERROR_PAUSE, SIDE_TASKS_MAX};

/// Accepts streams.
pub(super) trait Listener: Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection and its peer's host and port.
    fn next(&self) -> impl Future<Output = io::Result<(Self::Stream, [String; 2])>> + Send;
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn next(&self) -> io::Result<(UnixStream, [String; 2])> {
        let (stream, peer) = self.accept().await?;
        let name = match peer.as_pathname() {
            Some(path) => path.display().to_string(),
            None => "<anonymous unix socket>".to_owned(),
        };
        Ok((stream, [name, String::new()]))
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn next(&self) -> io::Result<(TcpStream, [String; 2])> {
        let (stream, peer) = self.accept().await?;
        Ok((stream, [peer.ip().to_string(), peer.port().to_string()]))
    }
}

/// Receives and sends datagrams.
pub(super) trait Datagrams: Send + Sync + 'static {
    type Peer: Send + Sync + 'static;

    /// The next datagram's length, and its sender if it can be answered.
    fn receive(
        &self,
        buffer: &mut [u8],
    ) -> impl Future<Output = io::Result<(usize, Option<Self::Peer>)>> + Send;

    fn send(
        &self,
        reply: &[u8],
        peer: &Self::Peer,
    ) -> impl Future<Output = io::Result<usize>> + Send;
}

impl Datagrams for UnixDatagram {
    type Peer = PathBuf;

    async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<PathBuf>)> {
        let (len, peer) = self.recv_from(buffer).await?;
        Ok((len, peer.as_pathname().map(PathBuf::from)))
    }

    async fn send(&self, reply: &[u8], peer: &PathBuf) -> io::Result<usize> {
        self.send_to(reply, peer).await
    }
}

impl Datagrams for UdpSocket {
    type Peer = std::net::SocketAddr;

    async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<Self::Peer>)> {
        let (len, peer) = self.recv_from(buffer).await?;
        Ok((len, Some(peer)))
    }

    async fn send(&self, reply: &[u8], peer: &Self::Peer) -> io::Result<usize> {
        self.send_to(reply, peer).await
    }
}

/// Turns a request into its reply.
pub(super) trait Answer: Send + Sync + 'static {
    /// The reply, or nothing if the request deserves none.
    fn answer(&self, request: &[u8]) -> impl Future<Output = Option<Vec<u8>>> + Send;

    /// What is sent when the reply is too big for a datagram.
    fn too_big(&self, request: &[u8]) -> Vec<u8>;
}

/// A socket that answers datagrams.
pub(super) struct DatagramDoor<D, A> {
    pub(super) socket: D,
    pub(super) answer: A,
    pub(super) table: Arc<DoorTable>,
    /// How long a peer may take to make room for its answer.
    pub(super) patience: Duration,
}

impl<D: Datagrams, A: Answer> DatagramDoor<D, A> {
    /// Answers datagrams until the doors close.
    pub(super) async fn serve(self, mut stop: Stop) {
        let door = Arc::new(self);
        let mut tasks = SideTasks::new(SIDE_TASKS_MAX);
        let mut datagram = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            let received = tokio::select! {
                () = stop.requested() => break,
                received = door.socket.receive(&mut datagram) => received,
            };
            let Ok((len, peer)) = received else {
                sleep(ERROR_PAUSE).await;
                continue;
            };
            let request = datagram.get(..len).unwrap_or_default().to_vec();
            let door = door.clone();
            tasks
                .run(async move {
                    DoorCounters::count(&door.table.counters.requests);
                    if !door.serve_one(request, peer).await {
                        DoorCounters::count(&door.table.counters.unsent);
                    }
                })
                .await;
        }
        tasks.finish().await;
    }

    /// Answers whether everything that had to be sent was sent.
    async fn serve_one(&self, request: Vec<u8>, peer: Option<D::Peer>) -> bool {
        let Some(reply) = self.answer.answer(&request).await else {
            return true;
        };
        let Some(peer) = peer else { return false };
        match timeout(self.patience, self.socket.send(&reply, &peer)).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) if is_too_big(&error) => {
                let short = self.answer.too_big(&request);
                let sent = timeout(self.patience, self.socket.send(&short, &peer)).await;
                matches!(sent, Ok(Ok(_)))
            }
            _ => false,
        }
    }
}

fn is_too_big(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    code == Some(nix::errno::Errno::EMSGSIZE as i32)
        || code == Some(nix::errno::Errno::ENOBUFS as i32)
}
