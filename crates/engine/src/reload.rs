//! A configuration is read again while the engine runs: its routes take the place of those before, and what can't be
//! exchanged is told.

use std::path::Path;

use script::ast::{Config, ConfigVariable, Listen, ModuleStatement};
use script::diagnostic::{Diagnostic, Diagnostics};
use script::settings::{TABLE, Usage};
use script::source::{Loader, SourceMap, Span};
use script::{Options as ParseOptions, Settings};

use crate::build;
use crate::engine::Engine;
use crate::load::{self, Extra, setting_text};
use crate::log::level;
use crate::parameters::Parameters;
use crate::registry::Module;
use crate::scripts::Script;
use crate::settings::Alias;

/// Settings that a new script brings with it.
const EXCHANGED: &[&str] = &[
    "debug",
    "log_prefix",
    "log_prefix_mode",
    "max_while_loops",
    "max_recursive_level",
    "received_route_mode",
];

/// What the running process was made from: only a restart can change it.
#[derive(Debug)]
pub(crate) struct Origin {
    settings: Settings,
    parameters: Parameters,
    listens: Vec<String>,
    aliases: Vec<Alias>,
    variables: Vec<String>,
    language: Option<String>,
}

impl Origin {
    pub(crate) fn new(config: &Config, settings: Settings, parameters: Parameters) -> Self {
        Self {
            settings,
            parameters,
            listens: config.listens.iter().map(listen).collect(),
            aliases: config.aliases.iter().map(Alias::from_config).collect(),
            variables: config.variables.iter().map(variable).collect(),
            language: load::language(config),
        }
    }

    /// What is different in `other`, by the names that a configuration has for it.
    fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let counts = |row: &&script::settings::SettingRow| {
            row.usage == Usage::Used && !EXCHANGED.contains(&row.name)
        };
        for row in TABLE.iter().filter(counts) {
            if self.settings.written(row.name) != other.settings.written(row.name) {
                found.push(row.name.to_owned());
            }
        }
        if self.listens != other.listens {
            found.push("listen".to_owned());
        }
        if self.aliases != other.aliases {
            found.push("alias".to_owned());
        }
        if self.variables != other.variables {
            found.push("configuration variables".to_owned());
        }
        if self.language != other.language {
            found.push("cfgengine".to_owned());
        }
        let parameters = self.parameters.differences(&other.parameters);
        found.extend(parameters.map(|(module, name)| format!("modparam {module} {name}")));
        found
    }
}

fn listen(listen: &Listen) -> String {
    let name = listen.protocol.map_or("", |protocol| protocol.name());
    let hosts: Vec<String> = listen.hosts.iter().map(|host| host.to_lossy()).collect();
    let shown = listen.advertise.as_ref();
    let shown = shown.map(|shown| (shown.host.to_lossy(), shown.port));
    let own = listen.name.as_ref().map(|name| name.to_lossy());
    let (port, is_virtual) = (listen.port, listen.virtual_address);
    format!("{name} {hosts:?} {port:?} {shown:?} {own:?} {is_virtual}")
}

fn variable(variable: &ConfigVariable) -> String {
    let value = setting_text(&variable.value);
    format!("{:?}.{:?} = {value}", variable.group, variable.name)
}

/// What a reload has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// Which configuration this is; the first one was 0.
    pub generation: u32,
    /// How many route blocks it has.
    pub routes: usize,
    /// What has changed in the file, and will count after a restart.
    pub needs_restart: Vec<String>,
}

/// Reads a configuration again and puts its routes in the place of those that run: for new messages, at once and as a
/// whole. With any error nothing changes. To be called by one thread at a time.
pub fn reload(
    engine: &Engine,
    map: &mut SourceMap,
    loader: &dyn Loader,
    path: &Path,
    options: &ParseOptions,
    extra: &Extra,
    available: &'static [&'static Module],
) -> (Option<Reloaded>, Diagnostics) {
    let (config, modules, mut diagnostics) =
        load::read(map, loader, path, options, extra, available);
    refuse_new_modules(engine, &config, &modules, &mut diagnostics);
    let catalog = &engine.catalog;
    let parameters = load::take_parameters(&config, extra, &modules, catalog, &mut diagnostics);
    let log_prefix = load::log_prefix(&config, catalog, &mut diagnostics);
    let generation = engine.scripts.generation().wrapping_add(1);
    let program = match script::compile_generation(&config, catalog, map, generation) {
        Ok(program) if !diagnostics.has_errors() => program,
        Ok(_) => return (None, diagnostics),
        Err(found) => {
            diagnostics.append(found);
            return (None, diagnostics);
        }
    };
    for check in &engine.program_checks {
        if let Err(error) = check(&program) {
            diagnostics.push(Diagnostic::error(Span::NONE, error.0));
        }
    }
    if diagnostics.has_errors() {
        return (None, diagnostics);
    }
    let settings = Settings::new(&config);
    let latency = engine.latency.as_ref();
    let parts = build::script_parts(
        &settings,
        &config,
        log_prefix,
        &engine.log,
        latency,
        catalog,
        &engine.foreign,
    );
    let origin = Origin::new(&config, settings, parameters);
    let mut needs_restart = engine.origin.differences(&origin);
    for gone in catalog.loaded() {
        if !modules.iter().any(|module| std::ptr::eq(*module, *gone)) {
            needs_restart.push(format!("loadmodule {}", gone.name));
        }
    }
    let script = Script::new(program, parts);
    let routes = script.program.blocks().count();
    // A level that was set by a command stays until the file says something new.
    if script.debug != engine.script().debug {
        let threshold = i32::try_from(script.debug).unwrap_or(level::WARNING);
        engine.log.set_threshold(threshold);
    }
    engine.scripts.replace(script);
    let reloaded = Reloaded {
        generation,
        routes,
        needs_restart,
    };
    (Some(reloaded), diagnostics)
}

/// A module comes to life only at the start.
fn refuse_new_modules(
    engine: &Engine,
    config: &Config,
    modules: &[&'static Module],
    diagnostics: &mut Diagnostics,
) {
    for module in modules {
        if engine
            .catalog
            .loaded()
            .iter()
            .any(|known| std::ptr::eq(*known, *module))
        {
            continue;
        }
        let loads = config.modules.iter().find_map(|statement| match statement {
            ModuleStatement::Load(load) if load.module == module.name => Some(load.written.span),
            _ => None,
        });
        let text = format!("module {} is new: it needs a restart", module.name);
        diagnostics.push(Diagnostic::error(loads.unwrap_or(Span::NONE), text));
    }
}
