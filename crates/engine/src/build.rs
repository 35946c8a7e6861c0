//! From a compiled configuration to a running engine: settings, statistics, and the modules in their order.

use std::sync::Arc;
use std::time::Duration;

use script::Value;
use script::ast::Config;
use transport::listen::Sockets;

use crate::baton::Batons;
use crate::catalog::Catalog;
use crate::counters::Counters;
use crate::engine::Engine;
use crate::foreign::Foreign;
use crate::hooks::Hooks;
use crate::identity::Identity;
use crate::latency::Latency;
use crate::load::Loaded;
use crate::log::{Log, level};
use crate::log_prefix::LogPrefix;
use crate::releases::Releases;
use crate::reload::Origin;
use crate::scripts::{Parts, Script, Scripts};
use crate::settings::Settings;
use crate::setup::{EngineHandle, Setup};
use crate::slots::States;
use crate::statistics::Statistics;
use crate::world::World;

/// Precision of transaction timers, ms: the sixteenth of a second that Kamailio has.
pub const TICK_MS: u64 = 62;

/// An engine, and what is to be done around it.
pub struct Built {
    /// The engine.
    pub engine: Arc<Engine>,
    /// The management commands of its modules.
    pub commands: Vec<rpc::Command>,
    /// The doors that its modules want opened.
    pub doors: rpc::DoorsConfig,
}

/// Makes the engine and its commands, and initialises the modules in load order.
///
/// # Errors
/// What a module found wrong.
pub fn build(loaded: Loaded, world: World) -> Result<Built, String> {
    let Loaded {
        config,
        settings: core,
        parameters,
        catalog,
        program,
        log_prefix,
    } = loaded;
    let mut settings = core_settings(&core, &config);
    settings.aliases.extend(world.aliases);
    let statistics = Arc::new(Statistics::default());
    let counters = Counters::new(&statistics);
    let (mut hooks, mut states) = (Hooks::default(), States::default());
    let mut program_checks = Vec::new();
    let (mut commands, mut first_locals) = (Vec::new(), Vec::new());
    let mut doors = rpc::DoorsConfig::default();
    let handle = EngineHandle::default();
    let mut foreign = foreign(&config, &core);
    for module in catalog.loaded().to_vec() {
        for row in module.statistics {
            statistics.counter(row.group, row.name, row.resettable, row.doc);
        }
        let Some(init) = module.init else { continue };
        let mut setup = Setup {
            parameters: &parameters,
            catalog: &catalog,
            program: &program,
            config: &config,
            settings: &mut settings,
            hooks: &mut hooks,
            states: &mut states,
            statistics: &statistics,
            commands: &mut commands,
            doors: &mut doors,
            program_checks: &mut program_checks,
            first_locals: &mut first_locals,
            foreign: &mut foreign,
            log: &world.log,
            engine: handle.clone(),
            run_dir: world.run_dir.clone(),
            data_dir: world.data_dir.clone(),
            sockets: &world.sockets,
            databases: &world.databases,
            now: world.now,
            seed: world.seed,
        };
        init(&mut setup).map_err(|error| format!("module {}: {}", module.name, error.0))?;
    }
    first_locals.resize(
        first_locals.len().max(catalog.interner().len()),
        Value::Int(0),
    );
    let identity = identity(&core, world.seed);
    let latency = Latency::wanted(&core, &world.log, world.stopwatch);
    let transactions = transaction::Table::new(transaction::TableOptions {
        seed: [
            world.seed,
            world.seed.rotate_left(29) ^ 0x9e37_79b9_7f4a_7c15,
        ],
        now: world.now.time,
        tick_ms: TICK_MS,
    });
    let sent_by = sent_by(&world.sockets, &settings);
    let parts = script_parts(
        &core,
        &config,
        log_prefix,
        &world.log,
        latency.as_ref(),
        &catalog,
        &foreign,
    );
    let releases = Releases::new(hooks.hold.is_some());
    let engine = Arc::new(Engine {
        scripts: Scripts::new(Script::new(program, parts)),
        origin: Origin::new(&config, core, parameters),
        program_checks,
        catalog,
        hooks,
        settings,
        identity,
        statistics,
        counters,
        log: world.log,
        foreign,
        stopwatch: world.stopwatch,
        latency,
        sockets: world.sockets,
        resolver: world.resolver,
        streams: world.streams,
        batons: Batons::default(),
        transactions,
        first_locals,
        registry: std::sync::OnceLock::new(),
        started: world.now,
        sent_by,
        states,
        mailbox: crate::mailbox::Mailbox::default(),
        releases,
        stopping: std::sync::atomic::AtomicBool::new(false),
    });
    handle.set(&engine);
    for hook in &engine.hooks.built {
        hook(&engine).map_err(|error| error.0)?;
    }
    engine.log.line(level::INFO, "core", "configuration loaded");
    Ok(Built {
        engine,
        commands,
        doors,
    })
}

/// The functions of another language, if the configuration is in one, with the callback for the core's events.
fn foreign(config: &Config, core: &script::Settings) -> Foreign {
    let mut foreign = Foreign::new(crate::load::language(config).is_some());
    let callback = core.str("kemi.event_route_callback");
    if foreign.is_engine() && !callback.is_empty() && callback != "none" {
        let event = "core:worker-one-init";
        if let Some(block) = foreign.block(callback, Some(event)) {
            foreign.set_event(event, block);
        }
    }
    foreign
}

/// What each socket shows in Via; the usual port is left out.
fn sent_by(sockets: &Sockets, settings: &Settings) -> Vec<String> {
    let name = |socket: &transport::listen::Socket| {
        let advertised = settings.advertised_address.as_deref();
        let host = advertised.unwrap_or(&socket.shown_host);
        match settings.advertised_port {
            Some(port) => format!("{host}:{port}"),
            None if socket.shown_port == 5060 => host.to_owned(),
            None => format!("{host}:{}", socket.shown_port),
        }
    };
    sockets.iter().map(name).collect()
}

/// What a script needs of the settings that can be exchanged with it.
pub(crate) fn script_parts(
    core: &script::Settings,
    config: &Config,
    log_prefix: Option<LogPrefix>,
    log: &Log,
    latency: Option<&Latency>,
    catalog: &Catalog,
    foreign: &Foreign,
) -> Parts {
    Parts {
        received: core.int("received_route_mode") == 1,
        defines: config.defines.clone(),
        log_prefix: log_prefix.or_else(|| log.needs_call_ids().then(LogPrefix::default)),
        measures_calls: latency.is_some_and(|latency| latency.action_limit > 0),
        limits: limits(core),
        locals: catalog.interner().len(),
        debug: core.int("debug"),
        foreign: foreign
            .is_engine()
            .then(|| (foreign.blocks(core), foreign.events().to_vec())),
    }
}

fn core_settings(core: &script::Settings, config: &Config) -> Settings {
    let text = |name: &str| Some(core.str(name).to_owned()).filter(|text| !text.is_empty());
    Settings {
        advertised_address: text("advertised_address"),
        advertised_port: u16::try_from(core.int("advertised_port"))
            .ok()
            .filter(|port| *port != 0),
        force_rport: core.bool("force_rport"),
        local_rport: core.bool("local_rport"),
        max_branches: usize::try_from(core.int("max_branches"))
            .unwrap_or(12)
            .clamp(1, 32),
        dns_failover: core.bool("use_dns_failover"),
        sip_warning: core.bool("sip_warning"),
        reply_to_via: core.bool("reply_to_via"),
        phone2tel: core.bool("phone2tel"),
        parser_log_level: if core.is_set("sip_parser_log") {
            i32::try_from(core.int("sip_parser_log")).unwrap_or(0)
        } else {
            level::INFO
        },
        message_max: usize::try_from(core.int("msg_recv_max_size"))
            .ok()
            .filter(|size| *size > 0 && core.is_set("msg_recv_max_size"))
            .unwrap_or(usize::MAX),
        dns_slow_ms: u64::try_from(core.int("dns_slow_query_ms")).unwrap_or(0),
        server_id: core.int("server_id"),
        xavp_via_params: text("xavp_via_params"),
        xavp_via_fields: text("xavp_via_fields"),
        accept_aliases: core.bool("tcp_accept_aliases"),
        check_via: core.bool("check_via"),
        onsend_for_replies: core.bool("onsend_route_reply"),
        udp_mtu: usize::try_from(core.int("udp_mtu")).unwrap_or(0),
        udp_mtu_transport: text("udp_mtu_try_proto")
            .and_then(|name| sip::Transport::from_name(name.as_bytes()))
            .unwrap_or(sip::Transport::Udp),
        aliases: config
            .aliases
            .iter()
            .map(crate::settings::Alias::from_config)
            .collect(),
        overload: crate::overload::Limits {
            wait: Duration::from_millis(u64::try_from(core.int("overload_wait")).unwrap_or(0)),
            ..crate::overload::Limits::default()
        },
        ..Settings::default()
    }
}

fn limits(core: &script::Settings) -> script::Limits {
    let defaults = script::Limits::default();
    script::Limits {
        recursion: usize::try_from(core.int("max_recursive_level")).unwrap_or(defaults.recursion),
        loops: u32::try_from(core.int("max_while_loops")).unwrap_or(defaults.loops),
        ..defaults
    }
}

fn identity(core: &script::Settings, seed: u64) -> Identity {
    let version = concat!("tandem (", env!("CARGO_PKG_VERSION"), ")");
    let line = |setting: &str, name: &str| -> Vec<u8> {
        if !core.bool("server_signature") {
            return Vec::new();
        }
        if core.is_set(setting) {
            return core.str(setting).as_bytes().to_vec();
        }
        format!("{name}: {version}").into_bytes()
    };
    Identity::new(
        line("server_header", "Server"),
        line("user_agent_header", "User-Agent"),
        seed,
    )
}
