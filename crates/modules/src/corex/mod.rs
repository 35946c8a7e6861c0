//! Module corex: destinations, sockets and raw sending beyond the core's own actions.

mod addresses;
mod branches;
mod commands;
mod files;
mod internal;
mod packets;
mod send;
mod via;

use engine::{
    Alias, FunctionRow, InitError, Module, ParameterRow, ParameterType, ParameterValue, Setup,
};
use sip::Transport;

use crate::command::add_commands;
use crate::row::{join, parameter, total};

/// Module corex.
pub(crate) static MODULE: Module = Module {
    name: "corex",
    requires: &[],
    functions: &FUNCTIONS,
    variables: &[],
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Destinations, sockets and raw sending.",
};

const TABLES: &[&[FunctionRow]] = &[
    branches::FUNCTIONS,
    addresses::FUNCTIONS,
    send::FUNCTIONS,
    files::FUNCTIONS,
    internal::FUNCTIONS,
    packets::FUNCTIONS,
    via::FUNCTIONS,
];

static FUNCTIONS: [FunctionRow; total(TABLES)] = join(TABLES);

static PARAMETERS: &[ParameterRow] = &[
    parameter(
        "alias_subdomains",
        ParameterType::Repeated,
        "[proto:]domain[:port]: the domain and all its subdomains mean this server; may be given several times.",
    ),
    ParameterRow {
        name: "dns_cache",
        kind: ParameterType::Repeated,
        check: Some(no_dns_records),
        doc: "A record for the DNS cache; refused: put addresses into the hosts file.",
    },
    parameter(
        "nio_intercept",
        ParameterType::Int(0),
        "1: event_route[network:msg] sees all that is received and sent.",
    ),
    parameter(
        "nio_min_msg_len",
        ParameterType::Int(0),
        "The shortest packet that event_route[network:msg] sees, bytes.",
    ),
    parameter(
        "nio_msg_avp",
        ParameterType::Str(None),
        "The AVP in which event_route[network:msg] puts what takes the packet's place.",
    ),
    parameter(
        "evcb_reply_out",
        ParameterType::Str(None),
        "A function of another language for replies that are sent; of no meaning here.",
    ),
];

fn no_dns_records(_: &ParameterValue) -> Result<(), String> {
    Err("dns_cache: Tandem takes fixed addresses from the hosts file only".to_owned())
}

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    for value in setup.parameters.all("corex", "alias_subdomains") {
        let ParameterValue::Str(text) = value else {
            return Err("parameter alias_subdomains is a string".into());
        };
        let alias = alias(&text).ok_or_else(|| {
            InitError(format!(
                "parameter alias_subdomains: {text:?}: expected [proto:]domain[:port]"
            ))
        })?;
        setup.settings.alias_subdomains.push(alias);
    }
    setup.hooks.branch_out.push(via::write);
    packets::init(setup)?;
    add_commands(setup, commands::COMMANDS);
    Ok(())
}

/// Reads `[proto:]domain[:port]`.
fn alias(text: &str) -> Option<Alias> {
    let (transport, rest) = match text.split_once(':') {
        Some((name, rest)) => match Transport::from_name(name.as_bytes()) {
            Some(transport) => (Some(transport), rest),
            None => (None, text),
        },
        None => (None, text),
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (rest, None),
    };
    let port = port.filter(|port| *port != 0);
    let host = host.to_ascii_lowercase();
    (!host.is_empty()).then_some(Alias {
        transport,
        host,
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_may_have_transport_and_port() {
        let parts = |text| alias(text).map(|alias| (alias.transport, alias.host, alias.port));
        let domain = || "foo.org".to_owned();
        assert_eq!(parts("foo.ORG"), Some((None, domain(), None)));
        assert_eq!(
            parts("udp:foo.org:5060"),
            Some((Some(Transport::Udp), domain(), Some(5060)))
        );
        assert_eq!(parts("foo.org:5060"), Some((None, domain(), Some(5060))));
        assert_eq!(parts("foo.org:x"), None);
        assert_eq!(parts(""), None);
    }
}
