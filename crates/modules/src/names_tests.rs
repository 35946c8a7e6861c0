//! Every name that Kamailio's modules have is here too, or is absent for a reason that is written down.

use crate::ALL;
use crate::testing::Bench;

const NAMES: &str = include_str!("names.txt");

const ACCOUNTS: &str = "there are no accounts at other servers yet";

/// What is absent, and why; to use it is an error at load.
const ABSENT: &[(&str, &str)] = &[
    ("t_relay_to_sctp", "there is no SCTP"),
    ("t_forward_nonack_sctp", "there is no SCTP"),
    ("jsonrpc_dispatch", "there is no HTTP yet"),
    ("uac_reg_disable", ACCOUNTS),
    ("uac_reg_enable", ACCOUNTS),
    ("uac_reg_lookup", ACCOUNTS),
    ("uac_reg_lookup_uri", ACCOUNTS),
    ("uac_reg_refresh", ACCOUNTS),
    ("uac_reg_request_to", ACCOUNTS),
    ("uac_reg_status", ACCOUNTS),
];

/// Module, kind and name.
fn names() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let lines = NAMES.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(|line| {
        let mut words = line.split(' ');
        let (module, kind) = (words.next(), words.next());
        words.map(move |name| (module.unwrap_or_default(), kind.unwrap_or_default(), name))
    })
}

fn commands() -> Vec<String> {
    let modules = names().map(|(module, ..)| module);
    let mut load: Vec<&str> = Vec::new();
    for module in modules {
        if !load.contains(&module) {
            load.push(module);
        }
    }
    let load: String = load
        .iter()
        .map(|name| format!("loadmodule \"{name}.so\"\n"))
        .collect();
    let bench = Bench::new(&format!("{load}request_route {{ exit; }}\n"));
    bench.commands()
}

#[test]
fn every_name_of_kamailio_is_known() {
    let commands = commands();
    let is_there = |module: &str, kind: &str, name: &str| {
        let module = ALL.iter().find(|known| known.name == module);
        match (kind, module) {
            ("function", Some(module)) => module
                .functions
                .iter()
                .any(|row| row.signature.name == name),
            ("parameter", Some(module)) => module.parameters.iter().any(|row| row.name == name),
            ("command", _) => commands.iter().any(|known| known == name),
            _ => false,
        }
    };
    let missing: Vec<_> = names()
        .filter(|(module, kind, name)| !is_there(module, kind, name))
        .filter(|(.., name)| !ABSENT.iter().any(|(absent, _)| absent == name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let back: Vec<_> = names()
        .filter(|(.., name)| ABSENT.iter().any(|(absent, _)| absent == name))
        .filter(|(module, kind, name)| is_there(module, kind, name))
        .collect();
    assert!(back.is_empty(), "not absent any more: {back:?}");
}
