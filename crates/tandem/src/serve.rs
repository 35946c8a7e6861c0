//! From a configuration to a running proxy, and from a signal to its end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engine::{
    Built, Clock, Driver, Engine, JsonStyle, Loaded, Log, LogTarget, WorkerSockets, World, build,
    level,
};
use nix::unistd::{getpgrp, getpid};
use rpc::{DoorTable, Doors, Registry};
use script::log_facility;
use script::settings::{SettingRow, Usage};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::LocalSet;
use transport::listen::WorkerListeners;
use transport::stream::StreamSeat;
use transport::udp::UdpSocket;

use crate::options::Options;
use crate::reload::Reloader;
use crate::{daemon, network, priority, privileges};

/// How long a stopping process goes on answering what is pending.
const STOP_PENDING: Duration = Duration::from_millis(3_500);

/// Runs until a signal ends it.
///
/// # Errors
/// It could not start: the reason.
pub(crate) fn run(options: &Options, loaded: Loaded) -> Result<(), String> {
    daemon::detach();
    let control = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the control runtime: {error}"))?;
    // Before anybody can see that we are here, and send one.
    let signals = Signals::listen(&control)?;
    let settings = loaded.settings.clone();
    let log = start_log(options, &settings);
    explain_settings(&settings, &log);
    set_limits(&settings, &log);
    let reloader = Arc::new(Reloader::new(options, &settings));
    let run_dir = run_dir(options, &settings);
    let workers = worker_count(options);
    let (sockets, listeners) = network::open(options, &loaded.config, &settings, workers)?;
    write_pid_files(options)?;
    make_run_dir(&run_dir);
    let (user, group) = account(options, &settings);
    hand_over(&run_dir, user.as_deref(), group.as_deref());
    let resolver = network::resolver(&settings)?;
    let aliases = network::aliases(options, &settings, &sockets)?;
    if let Some(root) = root(options, &settings) {
        privileges::change_root(&root)?;
    }
    privileges::drop_to(user.as_deref(), group.as_deref())?;
    if let Some(dir) = work_dir(options, &settings) {
        std::env::set_current_dir(&dir)
            .map_err(|error| format!("cannot go to {}: {error}", dir.display()))?;
    }

    let stream_counters = Arc::default();
    let (streams, seats) = transport::stream::pool(
        workers,
        Arc::clone(&sockets),
        network::streams(&settings),
        stream_counters,
    );
    let clock = Clock::start();
    let world = World {
        sockets: Arc::clone(&sockets),
        resolver: Arc::new(resolver),
        streams,
        log: log.clone(),
        now: clock.now(),
        seed: fastrand::u64(..),
        run_dir: run_dir.clone(),
        data_dir: data_dir(options, &run_dir),
        databases: store::Databases::default(),
        aliases,
        stopwatch: microseconds,
    };
    let Built {
        engine,
        commands,
        doors,
    } = build(loaded, world)?;

    let registry = registry(&engine, commands, &reloader)?;
    let table = registry.1;
    let doors = Doors::start(&doors, registry.0, table, control.handle())
        .map_err(|error| error.to_string())?;

    let (stop, stopped) = watch::channel(false);
    let threads = start_workers(&engine, clock, listeners, seats, &stopped)?;
    priority::give_way();
    engine.announce_start();
    greet(options, &engine, &run_dir);
    daemon::tell_ready();
    control.block_on(serve(&engine, signals, doors, &reloader));
    // The workers have ended if nobody listens.
    let _ = stop.send(true);
    for thread in threads {
        let _ = thread.join();
    }
    engine.end();
    log.line(level::NOTICE, "core", "stopped");
    log.flush();
    remove_pid_files(options);
    Ok(())
}

fn start_log(options: &Options, settings: &script::Settings) -> Log {
    let threshold = options
        .debug
        .unwrap_or_else(|| i32::try_from(settings.int("debug")).unwrap_or(0));
    let to_stderr = options.log_stderr || settings.bool("log_stderror");
    let target = if to_stderr {
        LogTarget::Stderr {
            color: options.color || settings.bool("log_color"),
        }
    } else {
        let name = settings.str("log_name");
        let ident = if name.is_empty() { "tandem" } else { name };
        LogTarget::Syslog {
            ident: ident.to_owned(),
            facility: log_facility(settings.str("log_facility")).unwrap_or(3),
        }
    };
    Log::start(threshold, target, json_style(options, settings))
}

/// Whether lines are JSON objects, by `--log-engine` or by the settings.
fn json_style(options: &Options, settings: &script::Settings) -> Option<JsonStyle> {
    let (kind, flags) = match &options.log_engine {
        Some(text) => text.split_once(':').unwrap_or((text, "")),
        None => (
            settings.str("log_engine_type"),
            settings.str("log_engine_data"),
        ),
    };
    (kind == "json").then(|| JsonStyle::from_flags(flags))
}

/// Says once which settings of the configuration do nothing here.
fn explain_settings(settings: &script::Settings, log: &Log) {
    let set = |usage| {
        let rows = script::settings::TABLE.iter();
        // `enable_sctp=no` asks for nothing.
        let counts = |row: &&SettingRow| usage == Usage::Unneeded || settings.asks(row);
        let rows = rows.filter(|row| row.usage == usage && settings.is_set(row.name));
        let rows = rows.filter(counts);
        rows.map(|row| row.name).collect::<Vec<_>>().join(", ")
    };
    let (unneeded, ignored) = (set(Usage::Unneeded), set(Usage::Ignored));
    if !unneeded.is_empty() {
        let text = format!("settings that are not needed here: {unneeded}");
        log.line(level::NOTICE, "core", &text);
    }
    if !ignored.is_empty() {
        let text = format!("settings that Tandem cannot follow: {ignored}");
        log.line(level::WARNING, "core", &text);
    }
}

/// Microseconds of a clock that never goes back, from its first reading on.
fn microseconds() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_micros() as u64
}

/// What the process may use; a limit that cannot be had is told and changes nothing.
fn set_limits(settings: &script::Settings, log: &Log) {
    let mut results = Vec::new();
    if let Ok(count @ 1..) = u64::try_from(settings.int("open_files_limit")) {
        results.push(privileges::allow_open_files(count));
    }
    if settings.is_set("disable_core_dump") {
        let allowed = !settings.bool("disable_core_dump");
        results.push(privileges::allow_core_file(allowed));
    }
    for text in results.into_iter().filter_map(Result::err) {
        log.line(level::WARNING, "core", &text);
    }
}

fn root(options: &Options, settings: &script::Settings) -> Option<PathBuf> {
    let setting = settings.str("chroot");
    let setting = (!setting.is_empty()).then(|| PathBuf::from(setting));
    options.root.clone().or(setting)
}

/// Where to work: as told, else at the root once in the background, so that no file system is kept busy.
fn work_dir(options: &Options, settings: &script::Settings) -> Option<PathBuf> {
    let told = settings
        .is_set("workdir")
        .then(|| PathBuf::from(settings.str("workdir")));
    let background = daemon::is_child().then(|| PathBuf::from("/"));
    options.work_dir.clone().or(told).or(background)
}

/// The directory of the control sockets. Without a configuration of the operator's own, one that we may write to.
fn run_dir(options: &Options, settings: &script::Settings) -> PathBuf {
    if let Some(dir) = &options.run_dir {
        return dir.clone();
    }
    if settings.is_set("rundir") {
        return PathBuf::from(settings.str("rundir"));
    }
    let usual = PathBuf::from("/run/kamailio");
    if options.file.is_some() || is_writable(&usual) {
        return usual;
    }
    let base = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    base.join(format!("tandem-{}", nix::unistd::getuid()))
}

/// Where files go that outlive the process: where we work, if that was told; without a configuration of the
/// operator's own, a place for such files that we may write to.
fn data_dir(options: &Options, run_dir: &Path) -> PathBuf {
    if options.file.is_some() || options.work_dir.is_some() {
        return std::env::current_dir().unwrap_or_default();
    }
    let from = |name| std::env::var_os(name).map(PathBuf::from);
    let usual = PathBuf::from("/var/lib/tandem");
    let state = from("XDG_STATE_HOME").or_else(|| Some(from("HOME")?.join(".local/state")));
    let places = [
        nix::unistd::geteuid().is_root().then_some(usual),
        state.map(|state| state.join("tandem")),
    ];
    let mut places = places.into_iter().flatten();
    places
        .find(|place| is_writable(place))
        .unwrap_or_else(|| run_dir.to_owned())
}

fn is_writable(dir: &Path) -> bool {
    make_run_dir(dir);
    nix::unistd::access(dir, nix::unistd::AccessFlags::W_OK).is_ok()
}

/// The control doors report it if the directory can't be used.
fn make_run_dir(run_dir: &Path) {
    let _ = std::fs::create_dir_all(run_dir);
}

fn account(options: &Options, settings: &script::Settings) -> (Option<String>, Option<String>) {
    let setting = |name: &str| Some(settings.str(name).to_owned()).filter(|text| !text.is_empty());
    let user = options.user.clone().or_else(|| setting("user"));
    (user, options.group.clone().or_else(|| setting("group")))
}

/// Lets the user that we become write into the runtime directory.
fn hand_over(run_dir: &Path, user: Option<&str>, group: Option<&str>) {
    let Some(user) = user else { return };
    let account = nix::unistd::User::from_name(user).ok().flatten();
    let group = group.and_then(|name| nix::unistd::Group::from_name(name).ok().flatten());
    if let Some(account) = account {
        let gid = group.map_or(account.gid, |group| group.gid);
        let _ = nix::unistd::chown(run_dir, Some(account.uid), Some(gid));
    }
}

fn worker_count(options: &Options) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    options.workers.unwrap_or(cores).clamp(1, 256)
}

fn write_pid_files(options: &Options) -> Result<(), String> {
    if let Some(path) = &options.pid_file {
        privileges::write_number(path, getpid().as_raw())?;
    }
    if let Some(path) = &options.pgid_file {
        privileges::write_number(path, getpgrp().as_raw())?;
    }
    Ok(())
}

fn remove_pid_files(options: &Options) {
    for path in options.pid_file.iter().chain(&options.pgid_file) {
        let _ = std::fs::remove_file(path);
    }
}

fn registry(
    engine: &Arc<Engine>,
    commands: Vec<rpc::Command>,
    reloader: &Arc<Reloader>,
) -> Result<(Arc<Registry>, Arc<DoorTable>), String> {
    let table = DoorTable::new();
    let mut registry = Registry::new();
    let reload = reloader.command(Arc::downgrade(engine));
    let own = table.commands().into_iter().chain([reload]);
    for command in commands.into_iter().chain(own) {
        registry.add(command).map_err(|error| error.to_string())?;
    }
    let registry = Arc::new(registry);
    engine.set_registry(Arc::clone(&registry));
    Ok((registry, table))
}

fn start_workers(
    engine: &Arc<Engine>,
    clock: Clock,
    listeners: Vec<WorkerListeners>,
    seats: Vec<StreamSeat>,
    stopped: &watch::Receiver<bool>,
) -> Result<Vec<JoinHandle<()>>, String> {
    let workers = listeners.len();
    let counters = network::udp_counters(&engine.statistics, workers);
    let mut threads = Vec::with_capacity(workers);
    let parts = listeners.into_iter().zip(seats).zip(counters);
    for (number, ((listeners, seat), counters)) in parts.enumerate() {
        let (engine, stopped) = (Arc::clone(engine), stopped.clone());
        let work = move || -> std::io::Result<()> {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let local = LocalSet::new();
            let _entered = runtime.enter();
            let udp = listeners.udp.into_iter();
            let udp = udp.map(|(id, socket)| UdpSocket::new(id, socket, Arc::clone(&counters)));
            let sockets = WorkerSockets {
                udp: udp.collect::<Result<_, _>>()?,
                listeners: listeners.streams,
            };
            let run = Driver::run(engine, clock, sockets, seat, (number, workers), stopped);
            local.block_on(&runtime, run);
            Ok(())
        };
        let log = engine_log(number);
        let thread = std::thread::Builder::new()
            .name(format!("worker {number}"))
            .spawn(move || {
                if let Err(error) = work() {
                    log(&error);
                }
            });
        threads.push(thread.map_err(|error| format!("cannot start a worker: {error}"))?);
    }
    Ok(threads)
}

fn engine_log(number: usize) -> impl FnOnce(&std::io::Error) {
    move |error| eprintln!("tandem: worker {number} cannot run: {error}")
}

fn greet(options: &Options, engine: &Engine, run_dir: &Path) {
    let sockets = engine.sockets.describe();
    for socket in sockets.lines() {
        engine
            .log
            .line(level::NOTICE, "core", &format!("listening on {socket}"));
    }
    if options.file.is_some() {
        return;
    }
    let socket = run_dir.join("kamailio_ctl");
    let socket = match socket.to_str() {
        Some("/run/kamailio/kamailio_ctl") | None => String::new(),
        Some(path) => format!("-s {path} "),
    };
    let reachable = engine
        .sockets
        .iter()
        .find(|socket| !socket.address.ip().is_loopback());
    let first = reachable
        .or(engine.sockets.iter().next())
        .map_or("", |socket| &socket.host);
    eprintln!(
        "Tandem listens on\n{}\n\
         Try it: register two phones with {first} as their registrar (any user, any password) and\n\
         let one call the other. While they talk:  kamcmd {socket}dlg.list\n\
         The configuration is `tandem --print-default-config`; run your own with `tandem -f FILE`.\n\
         Stop with Ctrl-C.",
        sockets
            .lines()
            .map(|line| format!("    {line}\n"))
            .collect::<String>()
    );
}

/// The signals that are taken.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// A peer that closes a control socket must not end the process.
    pipe: Signal,
}

impl Signals {
    fn listen(control: &Runtime) -> Result<Self, String> {
        let _entered = control.enter();
        let listen = |kind| signal(kind).map_err(|error| format!("cannot take signals: {error}"));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
            pipe: listen(SignalKind::pipe())?,
        })
    }

    /// Waits for one that ends the process.
    async fn end(&mut self, engine: &Engine, reloader: &Reloader) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                // What is wrong with it is in the log.
                _ = self.hang_up.recv() => drop(reloader.reload(engine)),
                _ = self.pipe.recv() => {}
            }
        }
    }
}

/// Waits for the signal that ends the process, then lets what is pending end.
async fn serve(engine: &Arc<Engine>, mut signals: Signals, doors: Doors, reloader: &Reloader) {
    signals.end(engine, reloader).await;
    engine
        .log
        .line(level::NOTICE, "core", "stopping: no new calls are taken");
    engine.stop();
    let end = async {
        let deadline = Instant::now() + STOP_PENDING;
        while Instant::now() < deadline && has_pending(engine) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        doors.stop().await;
    };
    tokio::select! {
        () = end => {}
        () = signals.end(engine, reloader) => engine.log.line(level::NOTICE, "core", "told again: ending at once"),
    }
}

fn has_pending(engine: &Engine) -> bool {
    let statistics = engine.transactions.statistics();
    statistics.current > statistics.waiting || !engine.batons.is_empty()
}
