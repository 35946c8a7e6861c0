//! A house with sample commands and open doors, in a directory of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tandem_rpc::{
    Address, BinrpcConfig, Command, DoorTable, Doors, DoorsConfig, Fault, FifoConfig,
    JsonSocketConfig, MiCommand, MiConfig, MiReply, OpenError, Page, Registry, Reply, Struct,
    Value,
};
use tokio::sync::oneshot;

/// How long a client waits before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A directory that goes away.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tandem-rpc-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct House {
    pub directory: Directory,
    pub table: Arc<DoorTable>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl House {
    /// Every door is open.
    pub fn open() -> Self {
        let directory = Directory::new();
        let config = all_doors(&directory);
        Self::with(directory, &config).unwrap()
    }

    pub fn with(directory: Directory, config: &DoorsConfig) -> Result<Self, OpenError> {
        let table = DoorTable::new();
        let registry = Arc::new(sample_registry(&table));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let doors = Doors::start(config, registry, table.clone(), runtime.handle())?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let _ = stopped.await;
                doors.stop().await;
            });
        });
        Ok(Self {
            directory,
            table,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path(name)
    }

    /// Closes the doors gracefully; the directory stays.
    pub fn close(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.close();
    }
}

pub fn all_doors(directory: &Directory) -> DoorsConfig {
    DoorsConfig {
        binrpc: Some(BinrpcConfig::new(vec![
            Address::Stream(directory.path("ctl")),
            Address::Datagram(directory.path("ctl_datagram")),
        ])),
        ctl_fifos: vec![FifoConfig {
            reply_dir: directory.path(""),
            ..FifoConfig::new(directory.path("ctl_fifo"))
        }],
        fifo: Some(FifoConfig {
            reply_dir: directory.path(""),
            ..FifoConfig::new(directory.path("fifo"))
        }),
        datagram: Some(JsonSocketConfig::new(Address::Datagram(
            directory.path("json"),
        ))),
        stream: Some(JsonSocketConfig::new(Address::Stream(
            directory.path("json_stream"),
        ))),
        mi: Some(MiConfig {
            fifo: FifoConfig {
                reply_dir: directory.path(""),
                ..FifoConfig::new(directory.path("mi"))
            },
            indent: "\t".to_owned(),
        }),
        mi_commands: mi_commands(),
        ..DoorsConfig::default()
    }
}

fn mi_commands() -> Vec<MiCommand> {
    let echo = MiCommand::new("echo", "Its arguments.", |call| {
        let arguments = call.arguments.to_vec();
        Ok(MiReply::nodes(move |nodes| {
            for argument in &arguments {
                nodes.leaf(
                    argument.name.as_deref().unwrap_or_default(),
                    &argument.value,
                );
            }
        }))
    });
    let many = MiCommand::new("many", "Many nodes, page by page.", |_| {
        let mut left = 100_000_u32;
        Ok(MiReply::pages(move |nodes| {
            for _ in 0..32 {
                left -= 1;
                nodes.leaf("left", left.to_string());
            }
            left > 0
        }))
    });
    vec![echo, many]
}

/// A loopback address that only its caller has: no connection of another test can take its port meanwhile.
pub fn free_address() -> SocketAddr {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let [.., high, low] = std::process::id().to_be_bytes();
    (
        Ipv4Addr::new(127, 32 + number as u8, high, low.max(1)),
        2046,
    )
        .into()
}

pub fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

fn sample_registry(table: &Arc<DoorTable>) -> Registry {
    let mut registry = Registry::new();
    let enough = Arc::new(AtomicBool::new(false));
    let commands = [
        Command::new("core.echo", "Repeats its parameters.", |call| {
            while let Some(value) = call.opt_value() {
                call.add(value);
            }
            Ok(())
        })
        .list(),
        Command::new("core.psx", "Processes.", |call| {
            for index in 0..2 {
                call.add(Struct::new().with("IDX", index).with("DSC", "timer"));
            }
            Ok(())
        })
        .list(),
        Command::new("core.sockets_list", "Sockets.", |call| {
            let socket = || Value::from(Struct::new().with("proto", "udp").with("port", "5060"));
            call.add(Value::Named(vec![
                ("socket".into(), socket()),
                ("socket".into(), socket()),
            ]));
            Ok(())
        }),
        Command::new("nested", "A call.", |call| {
            call.add(nested());
            Ok(())
        }),
        Command::new("number", "A large number.", |call| {
            call.add(5_000_000_000_i64);
            call.add(-3);
            call.add(1.5);
            Ok(())
        }),
        Command::new("nothing", "Does nothing.", |_| Ok(())),
        Command::new("fault", "Fails.", |_| {
            Err(Fault::new(404, "Dialog not found"))
        }),
        Command::new("listing", "Many values.", |call| {
            let (mut next, count) = (0, call.int()?);
            call.stream(move |page| fill(page, &mut next, count));
            Ok(())
        }),
        Command::new("until_enough", "Lists nothing until it was enough.", {
            let enough = Arc::clone(&enough);
            move |call| {
                let (enough, begin) = (Arc::clone(&enough), Instant::now());
                call.stream(move |page| {
                    let is_enough = enough.load(Ordering::Relaxed);
                    let goes_on = !is_enough && begin.elapsed() < PATIENCE;
                    if !goes_on {
                        page.push(i64::from(is_enough));
                    }
                    goes_on
                });
                Ok(())
            }
        }),
        Command::new("enough", "It is enough.", move |_| {
            enough.store(true, Ordering::Relaxed);
            Ok(())
        }),
        Command::new("bug", "Panics while it is listing.", |call| {
            call.stream(|_| panic!("a bug in a producer"));
            Ok(())
        }),
        Command::new("later", "Answers after others had their turn.", |call| {
            call.defer(async {
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                let mut reply = Reply::new();
                reply.add("later");
                Ok(reply)
            });
            Ok(())
        }),
        Command::new("never", "Never answers.", |call| {
            call.defer(std::future::pending());
            Ok(())
        }),
    ];
    for command in commands.into_iter().chain(table.commands()) {
        registry.add(command).unwrap();
    }
    registry
}

fn fill(page: &mut Page<'_>, next: &mut i64, count: i64) -> bool {
    while *next < count && !page.is_full() {
        page.push(Struct::new().with("call-id", format!("{next}@example.org")));
        *next += 1;
    }
    *next < count
}

fn nested() -> Struct {
    let named = |name: &'static str, value: &str| Value::from(Struct::new().with(name, value));
    Struct::new()
        .with("h_entry", 2793)
        .with("callee", Struct::new().with("tag", Value::Null))
        .with(
            "profiles",
            vec![named("caller", "alice"), Value::from("inbound")],
        )
        .with("variables", Vec::<Value>::new())
}
