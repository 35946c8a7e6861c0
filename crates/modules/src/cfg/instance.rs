//! `cfg_select()`, `cfg_reset()`: which instance of a group of configuration variables counts for the message at
//! hand. What is not the configuration's own is asked for by its module, with `selected_value`.

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, ParameterKind, Value};

use super::store::Store;
use crate::row::{action, param};

pub(crate) const CFG_SELECT: FunctionRow = action(
    "cfg_select",
    &[
        param("group", ParameterKind::Str),
        param("instance", ParameterKind::Int),
    ],
    2,
    cfg_select,
    "Lets an instance of a group of configuration variables count for this message; false when it is not there.",
);
pub(crate) const CFG_RESET: FunctionRow = action(
    "cfg_reset",
    &[param("group", ParameterKind::Str)],
    1,
    cfg_reset,
    "Lets the group itself count again.",
);

/// The instances that count for a message, by the positions of their groups.
#[derive(Default)]
struct Selected(Vec<(usize, i64)>);

/// The instance of a group that counts for the message at hand.
pub(super) fn selected(run: &Run, group: usize) -> Option<i64> {
    let selected = &run.slots.get::<Selected>()?.0;
    let found = selected.iter().find(|(known, _)| *known == group)?;
    Some(found.1)
}

/// The value of a module's variable for the message at hand, where that is not the module parameter's.
pub(crate) fn selected_value(run: &Run, group: &str, name: &str) -> Option<Value> {
    run.slots.get::<Selected>()?;
    let store = run.state::<Store>();
    let group = store.group_at(group)?;
    store.own_value(group, selected(run, group)?, name)
}

fn cfg_select(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (name, id) = (args.str(0), args.int(1));
    let store = run.state::<Store>();
    let group = name.as_str().and_then(|name| store.group_at(name));
    let Some(group) = group.filter(|group| store.has_instance(*group, id)) else {
        let text = format!("cfg_select: there is no group instance {name}[{id}]");
        run.log(level::ERROR, "core", &text);
        return Outcome::Code(-1);
    };
    let selected = &mut run.slots.entry::<Selected>().0;
    selected.retain(|(known, _)| *known != group);
    selected.push((group, id));
    tell(run, args);
    Outcome::Code(1)
}

fn cfg_reset(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let name = args.str(0);
    let store = run.state::<Store>();
    let Some(group) = name.as_str().and_then(|name| store.group_at(name)) else {
        let text = format!("cfg_reset: there is no group {name}");
        run.log(level::ERROR, "core", &text);
        return Outcome::Code(-1);
    };
    let selected = &mut run.slots.entry::<Selected>().0;
    selected.retain(|(known, _)| *known != group);
    tell(run, args);
    Outcome::Code(1)
}

fn tell(run: &mut Run, args: &Args<'_>) {
    let Some(group) = args.str(0).as_str() else {
        return;
    };
    let engine = run.engine.clone();
    for hook in &engine.hooks.config_selected {
        hook(run, group);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    const REQUEST: &str = "OPTIONS sip:b@10.0.0.8 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKa\n\
        From: <sip:a@x>;tag=1\nTo: <sip:b@x>\nCall-ID: c\nCSeq: 1 OPTIONS\nMax-Forwards: 20\n\
        Content-Length: 0\n\n";

    #[test]
    fn an_instance_counts_for_its_message_until_the_group_is_reset() {
        let mut bench = Bench::new(
            r#"
loadmodule "pv.so"
loadmodule "xlog.so"
grp.a = 1
grp.s = "base"
grp[1].a = 11
grp[2].a = 22
grp[2].s = "two"
route[SHOW] { xinfo("$var(n): $sel(cfg_get.grp.a) $sel(cfg_get.grp.s)"); }
request_route {
    $var(n) = "first"; route(SHOW);
    cfg_select("grp", 1); $var(n) = "one"; route(SHOW);
    $var(x) = 2; cfg_select("grp", $var(x)); $var(n) = "two"; route(SHOW);
    if (!cfg_select("grp", 7)) { $var(n) = "seven"; route(SHOW); }
    if (!cfg_select("nothing", 1)) { cfg_reset("grp"); $var(n) = "reset"; route(SHOW); }
    cfg_select("grp", 1);
}
"#,
        );
        for _ in 0..2 {
            bench.receive("10.0.0.9:5060", REQUEST);
            let log = bench.log().join("\n");
            for line in [
                "first: 1 base",
                "one: 11 base",
                "two: 22 two",
                "no group instance grp[7]",
                "seven: 22 two",
                "no group instance nothing[1]",
                "reset: 1 base",
            ] {
                assert!(log.contains(line), "{line}: {log}");
            }
        }
    }

    #[test]
    fn modules_take_the_values_of_the_instance() {
        let mut bench = Bench::new(
            r#"
loadmodule "tm.so"
loadmodule "maxfwd.so"
modparam("tm", "fr_timer", 20000)
tm[1].fr_timer = 500
tm[1].max_noninv_lifetime = 9000
maxfwd[1].max_limit = 5
request_route {
    cfg_select("tm", 1);
    cfg_select("maxfwd", 1);
    mf_process_maxfwd_header("10");
    t_relay();
}
"#,
        );
        let sent = bench.receive("10.0.0.9:5060", REQUEST);
        assert_eq!(sent[0].header("Max-Forwards"), "5");
        let late = bench.advance(1000);
        let statuses: Vec<_> = late.iter().map(|sent| sent.first_line()).collect();
        assert!(
            statuses.contains(&"SIP/2.0 408 Request Timeout"),
            "{statuses:?}"
        );
    }
}
