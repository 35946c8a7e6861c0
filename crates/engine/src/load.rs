//! From the text of a configuration to a program: parse, load modules, check parameters, compile. Every mistake is
//! collected with its place, so that one run shows all of them.

use std::path::Path;

use script::ast::{Config, ModuleParam, ModuleStatement, ParamValue, SettingValue};
use script::diagnostic::{Diagnostic, Diagnostics};
use script::source::{Loader, SourceMap, Span};
use script::suggest::nearest;
use script::{BlockKind, Format, Options as ParseOptions, Program};

use crate::catalog::Catalog;
use crate::events;
use crate::log_prefix::LogPrefix;
use crate::parameters::Parameters;
use crate::registry::{Module, ParameterValue};

/// A configuration that was read and compiled, but has not touched the world yet.
pub struct Loaded {
    /// Its syntax tree.
    pub config: Config,
    /// Its settings, with defaults.
    pub settings: script::Settings,
    /// Module parameters.
    pub parameters: Parameters,
    pub(crate) catalog: Catalog,
    pub(crate) program: Program,
    pub(crate) log_prefix: Option<LogPrefix>,
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
    let (config, modules, mut diagnostics) = read(map, loader, path, options, extra, available);
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

/// Reads a configuration and finds its modules; what both its beginning and a reload refuse is refused.
pub(crate) fn read(
    map: &mut SourceMap,
    loader: &dyn Loader,
    path: &Path,
    options: &ParseOptions,
    extra: &Extra,
    available: &'static [&'static Module],
) -> (Config, Vec<&'static Module>, Diagnostics) {
    let (config, mut diagnostics) = script::parse(map, loader, path, options);
    refuse_what_is_absent(&config, &mut diagnostics);
    warn_of_unknown_events(&config, &mut diagnostics);
    let modules = load_modules(&config, extra, available, &mut diagnostics);
    refuse_language(&config, &modules, available, &mut diagnostics);
    (config, modules, diagnostics)
}

/// What a configuration may ask for in the language, and Tandem does not have.
fn refuse_what_is_absent(config: &Config, diagnostics: &mut Diagnostics) {
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

/// The language that routes are written in, if it is not the native one.
pub(crate) fn language(config: &Config) -> Option<String> {
    let engine = config.engine.as_ref()?.to_lossy();
    (engine != "native").then_some(engine)
}

/// A language comes with its module; where routes are its functions, the file has none.
fn refuse_language(
    config: &Config,
    loaded: &[&'static Module],
    available: &'static [&'static Module],
    diagnostics: &mut Diagnostics,
) {
    let (Some(language), Some(engine)) = (language(config), &config.engine) else {
        return;
    };
    let module = format!("app_{language}");
    if find(available, &module).is_none() {
        let text = format!("Tandem has no configuration engine \"{language}\"");
        diagnostics.push(Diagnostic::error(engine.span, text).help("it has native and lua"));
    } else if !loaded.iter().any(|known| known.name == module) {
        let text = format!("the configuration engine \"{language}\" needs module {module}");
        let error = Diagnostic::error(engine.span, text);
        diagnostics.push(error.help(format!("write `loadmodule \"{module}.so\"` before it")));
    }
    // A script may run the others by their names.
    let never =
        |block: &&script::ast::Block| block.name.is_empty() || block.kind == BlockKind::Event;
    for block in config.blocks.iter().filter(never) {
        let text = format!("this block never runs: routes are functions in {language}");
        diagnostics.push(Diagnostic::warning(block.span, text));
    }
}

/// Event routes that nothing in Tandem runs: a configuration that waits for one would wait in silence.
fn warn_of_unknown_events(config: &Config, diagnostics: &mut Diagnostics) {
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

fn load_modules(
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

/// The text of a setting's value.
pub fn setting_text(value: &SettingValue) -> String {
    match value {
        SettingValue::Int(number) => number.to_string(),
        SettingValue::Str(text) => text.to_lossy(),
    }
}
