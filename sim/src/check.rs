//! What must be true of every run, whatever the network and the phones did.

use std::collections::BTreeMap;

use rpc::Value;

use crate::agent::Agent;
use crate::proxy::Proxy;

/// While calls are up: every profile is the set that the calls themselves show.
pub(crate) fn profiles(proxy: &Proxy) -> Result<(), String> {
    let calls = proxy.command("dlg.list", &[])?;
    let mut expected: BTreeMap<(String, String), i64> = BTreeMap::new();
    for call in &calls {
        let Some(call) = call.as_struct() else {
            return Err("a call is no struct".to_owned());
        };
        let Some(Value::Array(profiles)) = call.get("profiles") else {
            continue;
        };
        for profile in profiles {
            let key = match profile {
                Value::Struct(pair) => match pair.members().first() {
                    Some((name, value)) => (
                        name.to_string(),
                        value.as_str().unwrap_or_default().to_owned(),
                    ),
                    None => continue,
                },
                other => (other.as_str().unwrap_or_default().to_owned(), String::new()),
            };
            *expected.entry(key).or_default() += 1;
        }
    }
    for ((name, value), count) in &expected {
        let args: Vec<&str> = if value.is_empty() {
            vec![name.as_str()]
        } else {
            vec![name.as_str(), value.as_str()]
        };
        let size = proxy.command("dlg.profile_get_size", &args)?;
        if size.first().and_then(Value::as_int) != Some(*count) {
            return Err(format!(
                "profile {name} {value}: the calls say {count}, it says {size:?}"
            ));
        }
    }
    Ok(())
}

/// When all is quiet: nothing is left, and everybody got an answer.
pub(crate) fn quiet(proxy: &Proxy, agents: &[&Agent]) -> Result<(), String> {
    let left = proxy.engine.transactions.len();
    if left > 0 {
        return Err(format!("{left} transactions are left"));
    }
    if !proxy.engine.batons.is_empty() || proxy.waiting() > 0 {
        return Err("a call's run never ended".to_owned());
    }
    let calls = proxy.command("dlg.list", &[])?;
    if !calls.is_empty() {
        return Err(format!(
            "{} calls are left: {:?}",
            calls.len(),
            calls.first()
        ));
    }
    for args in [&["calls"][..], &["caller"], &["spare"]] {
        let size = proxy.command("dlg.profile_get_size", args)?;
        if size.first().and_then(Value::as_int) != Some(0) {
            return Err(format!("profile {args:?} is not empty: {size:?}"));
        }
    }
    statistics(proxy)?;
    proxy.watch.verdict()?;
    for agent in agents {
        answered(agent, agents)?;
        if let Some(disorder) = &agent.disorder {
            return Err(disorder.clone());
        }
    }
    Ok(())
}

fn statistics(proxy: &Proxy) -> Result<(), String> {
    let statistics = &proxy.engine.statistics;
    for name in ["active_dialogs", "early_dialogs"] {
        let value = statistics.get("dialog", name);
        if value != Some(0) {
            return Err(format!("dialog:{name} is {value:?} when no call is up"));
        }
    }
    match proxy.engine.counters.panics.value() {
        0 => Ok(()),
        panics => Err(format!("{panics} runs panicked")),
    }
}

/// A caller that stayed got one final reply. Besides it only 2xx may come: of several branches, or of a callee that
/// answered while the call was being given up (RFC 3261 §16.7 item 5). A 2xx is repeated by the callee alone, so that
/// the loss of the only one that a callee sent before it vanished is nobody's fault.
fn answered(agent: &Agent, agents: &[&Agent]) -> Result<(), String> {
    if agent.vanished || !agent.invite_sent {
        return Ok(());
    }
    let failures = agent
        .finals
        .iter()
        .filter(|(status, _)| *status >= 300)
        .count();
    let mut peers = agents
        .iter()
        .filter(|peer| peer.call_id() == agent.call_id());
    match agent.finals.len() {
        0 if peers.any(|peer| peer.vanished && peer.has_accepted()) => Ok(()),
        // It gave up itself: RFC 3261 §17.1.1.2, timer B.
        0 if !agent.was_heard => Ok(()),
        // The 2xx was lost, and the call ended before the callee repeated it.
        0 if agent.ended => Ok(()),
        0 => Err(format!(
            "the caller at {} never got a final reply",
            agent.address
        )),
        _ if failures > 1 => Err(format!(
            "the caller at {} got {:?}",
            agent.address, agent.finals
        )),
        _ => Ok(()),
    }
}
