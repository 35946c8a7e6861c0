//! Reads the configuration and shows what is wrong with it.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::LazyLock;

use engine::{Engine, Extra, Loaded, Module, ParameterValue, Reloaded};
use script::source::Loader;
use script::{FileLoader, MemoryLoader, Options as ParseOptions, SourceMap};

use crate::DEFAULT_CONFIG;
use crate::options::Options;

/// All modules that there are.
fn available() -> &'static [&'static Module] {
    static AVAILABLE: LazyLock<Vec<&'static Module>> = LazyLock::new(|| {
        let own = modules::ALL.iter().copied();
        own.chain([&lua::MODULE, &lua::KEMIX]).collect()
    });
    &AVAILABLE
}

/// Reads, checks and compiles the configuration that the command line names.
///
/// # Errors
/// How many mistakes it has; they have been printed.
pub(crate) fn read(options: &Options) -> Result<Loaded, String> {
    let extra = extra(options)?;
    let parse = parse_options(options);
    let mut map = SourceMap::new();
    let (loader, path) = source(options);
    let (loaded, diagnostics) = engine::load(&mut map, &*loader, path, &parse, &extra, available());
    let color = std::io::stderr().is_terminal();
    eprint!("{}", diagnostics.render(&map, color));
    loaded.ok_or_else(|| {
        let errors = diagnostics.errors();
        let plural = if errors == 1 { "" } else { "s" };
        format!("{errors} error{plural} in the configuration")
    })
}

/// Reads the same configuration again for a running engine: what came of it, and all messages about it. With an error
/// nothing came of it.
///
/// # Errors
/// The command line cannot be understood any more, which it was before.
pub(crate) fn read_again(
    options: &Options,
    engine: &Engine,
) -> Result<(Option<Reloaded>, String), String> {
    let extra = extra(options)?;
    let parse = parse_options(options);
    let mut map = SourceMap::new();
    let (loader, path) = source(options);
    let (reloaded, diagnostics) = engine::reload(
        engine,
        &mut map,
        &*loader,
        path,
        &parse,
        &extra,
        available(),
    );
    Ok((reloaded, diagnostics.render(&map, false)))
}

/// Where the configuration is: in a file, or built in.
fn source(options: &Options) -> (Box<dyn Loader>, &Path) {
    match &options.file {
        Some(file) => (Box::new(FileLoader), file),
        None => {
            let loader = MemoryLoader::one("default.cfg", DEFAULT_CONFIG);
            (Box::new(loader), Path::new("default.cfg"))
        }
    }
}

fn parse_options(options: &Options) -> ParseOptions {
    let pick = |wanted: &str| {
        let all = options.substitutions.iter();
        all.filter(|(name, _)| name == wanted)
            .map(|(_, text)| text.clone())
            .collect()
    };
    ParseOptions {
        defines: options.defines.clone(),
        substs: pick("subst"),
        substdefs: pick("substdef"),
        substdefs_quoted: pick("substdefs"),
    }
}

fn extra(options: &Options) -> Result<Extra, String> {
    let parameters = options
        .parameters
        .iter()
        .map(|text| parameter(text))
        .collect::<Result<_, _>>()?;
    Ok(Extra {
        modules: options.modules.clone(),
        parameters,
    })
}

/// `module:parameter:type:value`, the type `s` or `i`.
fn parameter(text: &str) -> Result<(String, String, ParameterValue), String> {
    let mut parts = text.splitn(4, ':');
    let (Some(module), Some(name), Some(kind), Some(value)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(format!(
            "--modparam {text:?}: expected module:parameter:s|i:value"
        ));
    };
    let value = match kind {
        "s" => ParameterValue::Str(value.to_owned()),
        "i" => ParameterValue::Int(
            value
                .parse()
                .map_err(|_| format!("--modparam {text:?}: {value:?} is no integer"))?,
        ),
        _ => {
            return Err(format!(
                "--modparam {text:?}: the type is s or i, not {kind:?}"
            ));
        }
    };
    Ok((module.to_owned(), name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_parameter_has_four_parts() {
        let (module, name, value) = parameter("dialog:default_timeout:i:30").unwrap();
        assert_eq!(
            (module.as_str(), name.as_str()),
            ("dialog", "default_timeout")
        );
        assert_eq!(value, ParameterValue::Int(30));
        let (.., value) = parameter("corex:alias_subdomains:s:udp:a.org:5060").unwrap();
        assert_eq!(value, ParameterValue::Str("udp:a.org:5060".to_owned()));
        assert!(parameter("a:b:c").is_err());
        assert!(parameter("a:b:i:x").is_err());
    }
}
