//! From the text of a configuration to an engine: parse, load modules, check parameters, compile, initialise.
//! Every mistake is collected with its place, so that one run shows all of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use script::ast::{Config, ModuleParam, ModuleStatement, ParamValue, SettingValue};
use script::diagnostic::{Diagnostic, Diagnostics};
use script::source::{Loader, SourceMap, Span};
use script::suggest::nearest;
use script::{BlockKind, Format, Options as ParseOptions, Program, Value};
use transport::listen::Sockets;
use transport::resolve::Resolver;
use transport::stream::StreamHandle;

use crate::baton::Batons;
use crate::catalog::Catalog;
use crate::clock::Now;
use crate::counters::Counters;
use crate::engine::Engine;
use crate::events;
use crate::hooks::Hooks;
use crate::identity::Identity;
use crate::latency::Latency;
use crate::log::{Log, level};
use crate::log_prefix::LogPrefix;
use crate::parameters::Parameters;
use crate::registry::{Module, ParameterValue};
use crate::reload::Origin;
use crate::scripts::{Parts, Script, Scripts};
use crate::settings::Settings;
use crate::setup::{EngineHandle, Setup};
use crate::slots::States;
use crate::statistics::Statistics;

/// Precision of transaction timers, ms: the sixteenth of a second that Kamailio has.
pub const TICK_MS: u64 = 62;

/// A configuration that was read and compiled, but has not touched the world yet.
pub struct Loaded {
    /// Its syntax tree.
    pub config: Config,
    /// Its settings, with defaults.
    pub settings: script::Settings,
    /// Module parameters.
    pub parameters: Parameters,
    catalog: Catalog,
    program: Program,
    log_prefix: Option<LogPrefix>,
}

/// Module statements of the command line, which come before those of the file.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// `--loadmodule`.
    pub modules: Vec<String>,
    /// `--modparam`: module, parameter, value.
    pub parameters: Vec<(String, String, ParameterValue)>,
}

/// Reads, checks and compiles a configuration. The diagnostics hold warnings too; with any error there is no
/// configuration.
pub fn load(
    map: &mut SourceMap,
    loader: &dyn Loader,
    path: &Path,
    options: &ParseOptions,
    extra: &Extra,
    available: &'static [&'static Module],
) -> (Option<Loaded>, Diagnostics) {
    let (config, mut diagnostics) = script::parse(map, loader, path, options);
    refuse_what_is_absent(&config, &mut diagnostics);
    warn_of_unknown_events(&config, &mut diagnostics);
    let modules = load_modules(&config, extra, available, &mut diagnostics);
    let catalog = Catalog::new(available, &modules);
    let parameters = take_parameters(&config, extra, &modules, &catalog, &mut diagnostics);
    let log_prefix = log_prefix(&config, &catalog, &mut diagnostics);
    let program = script::compile(&config, &catalog, map);
    let settings = script::Settings::new(&config);
    let program = match program {
        Ok(program) if !diagnostics.has_errors() => program,
        Ok(_) => return (None, diagnostics),
        Err(found) => {
            diagnostics.append(found);
            return (None, diagnostics);
        }
    };
    (
        Some(Loaded {
            config,
            settings,
            parameters,
            catalog,
            program,
            log_prefix,
        }),
        diagnostics,
    )
}

/// What a configuration may ask for in the language, and Tandem does not have.
pub(crate) fn refuse_what_is_absent(config: &Config, diagnostics: &mut Diagnostics) {
    if let Some(engine) = &config.engine
        && engine.to_lossy() != "native"
    {
        let text = format!(
            "Tandem has no configuration engine \"{}\"",
            engine.to_lossy()
        );
        diagnostics.push(Diagnostic::error(engine.span, text));
    }
    for setting in &config.settings {
        if let ("log_facility", SettingValue::Str(name)) = (setting.name, &setting.value)
            && name.as_str().and_then(script::log_facility).is_none()
        {
            let text = format!("\"{}\" is no facility of the system log", name.to_lossy());
            let error = Diagnostic::error(setting.span, text);
            diagnostics.push(error.help("facilities are LOG_DAEMON, LOG_LOCAL0 and the like"));
        }
    }
    let on = |setting: &&script::ast::Setting| setting.value == SettingValue::Int(1);
    for setting in config.settings.iter().filter(on) {
        if matches!(setting.name, "enable_tls" | "return_mode") {
            let text = format!("Tandem does not have {} = 1 yet", setting.name);
            diagnostics.push(Diagnostic::error(setting.span, text));
        }
    }
}

/// Event routes that nothing in Tandem runs: a configuration that waits for one would wait in silence.
pub(crate) fn warn_of_unknown_events(config: &Config, diagnostics: &mut Diagnostics) {
    let events = config.blocks.iter().filter(|b| b.kind == BlockKind::Event);
    for block in events.filter(|block| !events::is_known(&block.name)) {
        let text = format!("nothing in Tandem runs event_route[{}]", block.name);
        diagnostics
            .push(Diagnostic::warning(block.span, text).suggest(events::suggest(&block.name)));
    }
}

/// The format that stands before log lines about a message. Lines with Call-IDs need one, be it empty.
pub(crate) fn log_prefix(
    config: &Config,
    catalog: &Catalog,
    diagnostics: &mut Diagnostics,
) -> Option<LogPrefix> {
    let last = |name| config.settings.iter().rev().find(|s| s.name == name);
    let setting = last("log_prefix")?;
    let SettingValue::Str(text) = &setting.value else {
        return None;
    };
    let each_call = last("log_prefix_mode").is_some_and(|s| s.value == SettingValue::Int(1));
    match Format::parse(&text.bytes, catalog) {
        Ok(format) => Some(LogPrefix { format, each_call }),
        Err(error) => {
            let text = format!("log_prefix: {error}");
            diagnostics.push(Diagnostic::error(setting.span, text));
            None
        }
    }
}

fn find(available: &'static [&'static Module], name: &str) -> Option<&'static Module> {
    available.iter().copied().find(|module| module.name == name)
}

pub(crate) fn load_modules(
    config: &Config,
    extra: &Extra,
    available: &'static [&'static Module],
    diagnostics: &mut Diagnostics,
) -> Vec<&'static Module> {
    // The core's own names are always there.
    let mut loaded: Vec<_> = find(available, "core").into_iter().collect();
    let from_line = extra
        .modules
        .iter()
        .map(|name| (bare_name(name), Span::NONE));
    let from_file = config
        .modules
        .iter()
        .filter_map(|statement| match statement {
            ModuleStatement::Load(load) => Some((load.module.clone(), load.written.span)),
            _ => None,
        });
    for (name, span) in from_line.chain(from_file) {
        let Some(module) = find(available, &name) else {
            let names = available.iter().map(|module| module.name);
            diagnostics.push(
                Diagnostic::error(span, format!("Tandem has no module \"{name}\""))
                    .suggest(nearest(&name, names)),
            );
            continue;
        };
        let missing = module
            .requires
            .iter()
            .find(|need| !loaded.iter().any(|m| m.name == **need));
        if let Some(need) = missing {
            let text = format!("module {name} needs module {need}, loaded before it");
            diagnostics.push(Diagnostic::error(span, text));
        }
        if !loaded.iter().any(|known| std::ptr::eq(*known, module)) {
            loaded.push(module);
        }
    }
    loaded
}

fn bare_name(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".so").unwrap_or(file).to_owned()
}

pub(crate) fn take_parameters(
    config: &Config,
    extra: &Extra,
    loaded: &[&'static Module],
    catalog: &Catalog,
    diagnostics: &mut Diagnostics,
) -> Parameters {
    let mut parameters = Parameters::default();
    for module in loaded {
        parameters.declare(module);
    }
    for statement in &config.modules {
        let ModuleStatement::Param(param) = statement else {
            continue;
        };
        let value = match parameter_value(param, catalog) {
            Ok(value) => value,
            Err(text) => {
                diagnostics.push(Diagnostic::error(param.span, text));
                continue;
            }
        };
        for name in &param.modules {
            // A module that Tandem lacks was reported where it was loaded.
            let Some(module) = loaded.iter().copied().find(|m| m.name == name) else {
                continue;
            };
            give(
                &mut parameters,
                module,
                &param.name.to_lossy(),
                value.clone(),
                param.name.span,
                diagnostics,
            );
        }
    }
    for (name, parameter, value) in &extra.parameters {
        match loaded.iter().copied().find(|module| module.name == name) {
            Some(module) => {
                give(
                    &mut parameters,
                    module,
                    parameter,
                    value.clone(),
                    Span::NONE,
                    diagnostics,
                );
            }
            None => diagnostics.push(Diagnostic::error(
                Span::NONE,
                format!("--modparam: module \"{name}\" is not loaded"),
            )),
        }
    }
    parameters
}

fn give(
    parameters: &mut Parameters,
    module: &'static Module,
    name: &str,
    value: ParameterValue,
    span: Span,
    diagnostics: &mut Diagnostics,
) {
    let Some(row) = module.parameters.iter().find(|row| row.name == name) else {
        let text = format!(
            "module {} has no parameter \"{name}\" in Tandem",
            module.name
        );
        let names = module.parameters.iter().map(|row| row.name);
        diagnostics.push(Diagnostic::error(span, text).suggest(nearest(name, names)));
        return;
    };
    if let Err(text) = parameters.give(module, row, value) {
        diagnostics.push(Diagnostic::error(span, text));
    }
}

fn parameter_value(param: &ModuleParam, catalog: &Catalog) -> Result<ParameterValue, String> {
    let text = match &param.value {
        ParamValue::Int(value) => return Ok(ParameterValue::Int(*value)),
        ParamValue::Str(text) if !param.evaluated => {
            return Ok(ParameterValue::Str(text.to_lossy()));
        }
        ParamValue::Str(text) | ParamValue::Variable(text) => text,
    };
    let format = Format::parse(&text.bytes, catalog).map_err(|error| error.to_string())?;
    let printed = format
        .constant()
        .ok_or("the value can't be computed at load")?;
    Ok(ParameterValue::Str(
        String::from_utf8_lossy(printed.as_bytes()).into_owned(),
    ))
}

/// What the outside world gives an engine.
pub struct World {
    /// Listening sockets.
    pub sockets: Arc<Sockets>,
    /// Names of destinations.
    pub resolver: Arc<Resolver>,
    /// Stream connections of all workers.
    pub streams: StreamHandle,
    /// The log.
    pub log: Log,
    /// The time.
    pub now: Now,
    /// Randomness for tags and ids.
    pub seed: u64,
    /// A clock to measure with how long scripts take, µs.
    pub stopwatch: fn() -> u64,
    /// Where control sockets go.
    pub run_dir: PathBuf,
    /// Names that mean this proxy besides the configuration's.
    pub aliases: Vec<crate::settings::Alias>,
}

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
            log: &world.log,
            engine: handle.clone(),
            run_dir: world.run_dir.clone(),
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
    );
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
        stopping: std::sync::atomic::AtomicBool::new(false),
    });
    handle.set(&engine);
    engine.log.line(level::INFO, "core", "configuration loaded");
    Ok(Built {
        engine,
        commands,
        doors,
    })
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
) -> Parts {
    Parts {
        received: core.int("received_route_mode") == 1,
        defines: config.defines.clone(),
        log_prefix: log_prefix.or_else(|| log.needs_call_ids().then(LogPrefix::default)),
        measures_calls: latency.is_some_and(|latency| latency.action_limit > 0),
        limits: limits(core),
        locals: catalog.interner().len(),
        debug: core.int("debug"),
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

/// The text of a setting's value.
pub fn setting_text(value: &SettingValue) -> String {
    match value {
        SettingValue::Int(number) => number.to_string(),
        SettingValue::Str(text) => text.to_lossy(),
    }
}
