//! Opening and closing the doors.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener, UdpSocket as StdUdpSocket};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use tokio::net::{TcpListener, UdpSocket, UnixDatagram, UnixListener};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::ctl::{self, Ctl};
use super::file::{Access, FileGuard, bind_datagram, bind_stream, make_fifo};
use super::json::{self, Json};
use super::mi::{self, Mi, Notation};
use super::socket::{Answer, DatagramDoor, Datagrams};
use super::tasks::Stop;
use super::{Address, BinrpcConfig, DoorTable, DoorsConfig, FifoConfig, MiConfig, OpenError, fifo};
use crate::mi::Commands;
use crate::{MiCommand, Registry};

/// The open doors. Dropping it closes them at once; [`Doors::stop`] lets commands end first.
#[derive(Debug)]
pub struct Doors {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    files: Vec<FileGuard>,
}

impl Doors {
    /// Opens all doors of `config`, or none. The commands run on `runtime`, which needs its I/O and
    /// time drivers. `table` is where the doors are listed and counted.
    pub fn start(
        config: &DoorsConfig,
        registry: Arc<Registry>,
        table: Arc<DoorTable>,
        runtime: &Handle,
    ) -> Result<Self, OpenError> {
        let _guard = runtime.enter();
        let doors = Self {
            stop: watch::Sender::new(false),
            tasks: JoinSet::new(),
            files: Vec::new(),
        };
        let mut opening = Opening {
            doors,
            registry,
            table,
            json_pretty: config.json_pretty,
            datagram_timeout: config.datagram_timeout,
        };
        opening.open_all(config)?;
        Ok(opening.doors)
    }

    /// Closes the doors: nothing new is accepted, running commands get a moment to end, the files are
    /// removed.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        // What has not ended by now is aborted when the set is dropped.
        let _ = timeout(STOP_TIMEOUT, all).await;
    }
}

const STOP_TIMEOUT: Duration = Duration::from_secs(2);

struct Opening {
    doors: Doors,
    registry: Arc<Registry>,
    table: Arc<DoorTable>,
    json_pretty: bool,
    datagram_timeout: Duration,
}

impl Opening {
    fn open_all(&mut self, config: &DoorsConfig) -> Result<(), OpenError> {
        if let Some(binrpc) = &config.binrpc {
            for address in &binrpc.listen {
                self.open_binrpc(binrpc, address)
                    .map_err(failed(address.to_string()))?;
                self.table.listen(address);
            }
        }
        if let Some(config) = &config.fifo {
            self.open_fifo(config)
                .map_err(failed(format!("fifo:{}", config.path.display())))?;
        }
        if let Some(config) = &config.datagram {
            self.open_datagram(&config.address, &config.access, self.json())
                .map_err(failed(config.address.to_string()))?;
        }
        if let Some(config) = &config.stream {
            self.open_json_stream(&config.address, &config.access)
                .map_err(failed(config.address.to_string()))?;
        }
        for fifo in &config.ctl_fifos {
            self.open_text_fifo(fifo, Notation::Lines(self.registry.clone()))
                .map_err(failed(format!("fifo:{}", fifo.path.display())))?;
        }
        if let Some(mi) = &config.mi {
            self.open_mi(mi, &config.mi_commands)
                .map_err(failed(format!("fifo:{}", mi.fifo.path.display())))?;
        }
        Ok(())
    }

    fn open_binrpc(&mut self, config: &BinrpcConfig, address: &Address) -> io::Result<()> {
        let ctl = Ctl {
            registry: self.registry.clone(),
            table: self.table.clone(),
            limits: config.limits,
            connections_max: config.connections_max,
        };
        let stop = self.stop();
        match address {
            Address::Stream(path) => {
                let (listener, file) = bind_stream(path, &config.access)?;
                self.doors.files.push(file);
                let listener = UnixListener::from_std(listener)?;
                self.spawn(ctl::listen(ctl, listener, address.clone(), stop));
            }
            Address::Tcp(local) => {
                let listener = bind_tcp(*local)?;
                self.spawn(ctl::listen(ctl, listener, address.clone(), stop));
            }
            Address::Datagram(_) | Address::Udp(_) => {
                self.open_datagram(address, &config.access, ctl)?;
            }
        }
        Ok(())
    }

    fn open_fifo(&mut self, config: &FifoConfig) -> io::Result<()> {
        let (file, guard) = make_fifo(&config.path, &config.access)?;
        self.doors.files.push(guard);
        let receiver = fifo::receiver(file)?;
        let (json, stop) = (self.json(), self.stop());
        self.spawn(fifo::serve(json, receiver, config.reply_dir.clone(), stop));
        Ok(())
    }

    fn open_mi(&mut self, config: &MiConfig, commands: &[MiCommand]) -> io::Result<()> {
        let commands = Commands::new(commands, self.registry.clone());
        let notation = Notation::Nodes(commands, config.indent.as_str().into());
        self.open_text_fifo(&config.fifo, notation)
    }

    fn open_text_fifo(&mut self, config: &FifoConfig, notation: Notation) -> io::Result<()> {
        let (file, guard) = make_fifo(&config.path, &config.access)?;
        self.doors.files.push(guard);
        let receiver = fifo::receiver(file)?;
        let mi = Mi {
            notation,
            table: self.table.clone(),
            reply_dir: config.reply_dir.clone(),
        };
        let stop = self.stop();
        self.spawn(mi::serve(mi, receiver, stop));
        Ok(())
    }

    fn open_datagram<A: Answer>(
        &mut self,
        address: &Address,
        access: &Access,
        answer: A,
    ) -> io::Result<()> {
        match address {
            Address::Datagram(path) => {
                let (socket, file) = bind_datagram(path, access)?;
                self.doors.files.push(file);
                // As much as the system allows: a reply has to fit into one datagram.
                setsockopt(&socket, sockopt::SndBuf, &SEND_BUFFER_BYTES)?;
                let socket = UnixDatagram::from_std(socket)?;
                self.serve_datagrams(socket, answer);
            }
            Address::Udp(local) => {
                let socket = StdUdpSocket::bind(local)?;
                socket.set_nonblocking(true)?;
                let socket = UdpSocket::from_std(socket)?;
                self.serve_datagrams(socket, answer);
            }
            Address::Stream(_) | Address::Tcp(_) => return Err(wrong_kind("datagram")),
        }
        Ok(())
    }

    fn open_json_stream(&mut self, address: &Address, access: &Access) -> io::Result<()> {
        let (json, stop) = (self.json(), self.stop());
        match address {
            Address::Stream(path) => {
                let (listener, file) = bind_stream(path, access)?;
                self.doors.files.push(file);
                let listener = UnixListener::from_std(listener)?;
                self.spawn(json::listen(json, listener, stop));
            }
            Address::Tcp(local) => {
                let listener = bind_tcp(*local)?;
                self.spawn(json::listen(json, listener, stop));
            }
            Address::Datagram(_) | Address::Udp(_) => return Err(wrong_kind("stream")),
        }
        Ok(())
    }

    fn serve_datagrams<D: Datagrams, A: Answer>(&mut self, socket: D, answer: A) {
        let door = DatagramDoor {
            socket,
            answer,
            table: self.table.clone(),
            patience: self.datagram_timeout,
        };
        let stop = self.stop();
        self.spawn(door.serve(stop));
    }

    fn spawn(&mut self, door: impl Future<Output = ()> + Send + 'static) {
        self.doors.tasks.spawn(door);
    }

    fn json(&self) -> Json {
        Json {
            registry: self.registry.clone(),
            table: self.table.clone(),
            pretty: self.json_pretty,
        }
    }

    fn stop(&self) -> Stop {
        Stop::new(self.doors.stop.subscribe())
    }
}

fn bind_tcp(local: SocketAddr) -> io::Result<TcpListener> {
    let listener = StdTcpListener::bind(local)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn failed(door: String) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError { door, source }
}

fn wrong_kind(wanted: &str) -> io::Error {
    let text = format!("this door needs a {wanted} socket");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

const SEND_BUFFER_BYTES: usize = 1024 * 1024;
