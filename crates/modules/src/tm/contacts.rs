//! Serial forking by preference: the destinations in classes of equal q, one class after another.

use std::collections::VecDeque;

use engine::{FunctionRow, Pending, Run, Target, level};
use script::{Args, Outcome, ParameterKind};

use super::{State, WHERE_RELAYED};
use crate::row::{function, function_optional, param};

pub(super) const T_LOAD_CONTACTS: FunctionRow = function_optional(
    "t_load_contacts",
    &[param("mode", ParameterKind::Int)],
    0,
    WHERE_RELAYED,
    t_load_contacts,
    "Sets the destinations aside in classes of equal preference, for t_next_contacts().",
);
pub(super) const T_NEXT_CONTACTS: FunctionRow = function(
    "t_next_contacts",
    &[],
    WHERE_RELAYED,
    t_next_contacts,
    "Makes the next class the destinations: 1, -2 when none is left.",
);

pub(super) const T_NEXT_CONTACT_FLOW: FunctionRow = function(
    "t_next_contact_flow",
    &[],
    WHERE_RELAYED,
    t_next_contact_flow,
    "Where a branch has failed: makes another contact of the same +sip.instance the destination; -2 without one.",
);

const NONE_LEFT: i64 = -2;

/// What is still to be tried.
#[derive(Default)]
struct Contacts {
    /// By preference, the most wanted first.
    classes: VecDeque<Vec<Target>>,
    /// Further ways to user agents that are being tried already (RFC 5626).
    flows: Vec<Target>,
}

/// How the destinations are set aside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// By falling q; those of equal q at the same time.
    Preference,
    /// One after the other, by chance; q is the weight.
    Chance,
}

fn t_load_contacts(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    if !run.state::<State>().has_contacts {
        run.log(
            level::ERROR,
            "tm",
            "t_load_contacts: the parameter contacts_avp is not set",
        );
        return Outcome::Code(-1);
    }
    let order = match args.int(0) {
        0 => Order::Preference,
        1 => Order::Chance,
        _ => {
            run.log(
                level::ERROR,
                "tm",
                "t_load_contacts: there are modes 0 and 1",
            );
            return Outcome::Code(-1);
        }
    };
    if run.msg.branches.is_empty() {
        return Outcome::Code(1);
    }
    let targets = run.msg.destinations().cloned().collect();
    let classes = match order {
        Order::Preference => by_preference(targets),
        Order::Chance => by_chance(targets, |sum| fastrand::i64(0..sum)),
    };
    run.msg.branches.clear();
    run.msg.uri_consumed = true;
    let flows = Vec::new();
    run.shared().slots.put(Contacts { classes, flows });
    Outcome::Code(1)
}

fn by_preference(mut targets: Vec<Target>) -> VecDeque<Vec<Target>> {
    targets.sort_by_key(|target| std::cmp::Reverse(target.q));
    targets
        .chunk_by(|one, next| one.q == next.q)
        .map(<[Target]>::to_vec)
        .collect()
}

/// The more weight, the earlier, on average; those without any come last. `draw` picks a number below its argument.
fn by_chance(mut targets: Vec<Target>, draw: impl Fn(i64) -> i64) -> VecDeque<Vec<Target>> {
    let mut classes = VecDeque::new();
    loop {
        let weights = targets.iter().map(|target| i64::from(target.q.max(0)));
        let sum: i64 = weights.clone().sum();
        if sum == 0 {
            break;
        }
        let mut left = draw(sum);
        let drawn = weights.clone().position(|weight| {
            left -= weight;
            left < 0
        });
        classes.push_back(vec![targets.remove(drawn.unwrap_or(0))]);
    }
    classes.extend(targets.into_iter().map(|target| vec![target]));
    classes
}

/// Takes out all but the first of each user agent.
fn further_flows(class: &mut Vec<Target>) -> Vec<Target> {
    let (mut first, mut further) = (Vec::<Target>::new(), Vec::new());
    for target in class.drain(..) {
        let known = |earlier: &Target| earlier.instance == target.instance;
        match !target.instance.is_empty() && first.iter().any(known) {
            true => further.push(target),
            false => first.push(target),
        }
    }
    *class = first;
    further
}

fn t_next_contacts(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    if !run.state::<State>().has_contacts {
        run.log(
            level::ERROR,
            "tm",
            "t_next_contacts: the parameter contacts_avp is not set",
        );
        return Outcome::Code(-1);
    }
    let contacts = run.shared().slots.entry::<Contacts>();
    let Some(mut class) = contacts.classes.pop_front() else {
        return Outcome::Code(NONE_LEFT);
    };
    contacts.flows.extend(further_flows(&mut class));
    let mut class = class.into_iter();
    if let Some(first) = class.next() {
        run.msg.target = first;
        run.msg.uri_consumed = false;
    }
    run.msg.branches = class.collect();
    Outcome::Code(1)
}

/// The instance of the branch that has failed here.
fn failed_instance(run: &Run) -> Option<Vec<u8>> {
    let branch = run.branch.filter(|_| run.branch_status != 0)?;
    let instance = &run.tx.as_deref()?.branch(branch)?.data.target.instance;
    Some(instance.clone())
}

fn t_next_contact_flow(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let Some(instance) = failed_instance(run) else {
        let text = "t_next_contact_flow: no branch has failed here";
        run.log(level::ERROR, "tm", text);
        return Outcome::Code(-1);
    };
    let flows = &mut run.shared().slots.entry::<Contacts>().flows;
    let at = flows.iter().position(|flow| flow.instance == instance);
    let Some(at) = at.filter(|_| !instance.is_empty()) else {
        return Outcome::Code(NONE_LEFT);
    };
    run.msg.target = flows.remove(at);
    run.msg.uri_consumed = false;
    Outcome::Code(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_preferences_keep_their_order() {
        let target = |q, ruid: &[u8]| Target {
            q,
            ruid: ruid.to_vec(),
            ..Target::default()
        };
        let classes = by_preference(vec![
            target(500, b"a"),
            target(1000, b"b"),
            target(500, b"c"),
        ]);
        let names: Vec<Vec<&[u8]>> = classes
            .iter()
            .map(|class| class.iter().map(|t| &t.ruid[..]).collect())
            .collect();
        assert_eq!(names, [vec![&b"b"[..]], vec![&b"a"[..], &b"c"[..]]]);
    }

    fn named(q: i32, ruid: &[u8], instance: &[u8]) -> Target {
        Target {
            q,
            ruid: ruid.to_vec(),
            instance: instance.to_vec(),
            ..Target::default()
        }
    }

    fn ruids(targets: &[Target]) -> Vec<&[u8]> {
        targets.iter().map(|target| &target.ruid[..]).collect()
    }

    #[test]
    fn chance_follows_the_weights_and_leaves_those_without_to_the_end() {
        let targets = || {
            vec![
                named(0, b"last", b""),
                named(300, b"a", b""),
                named(700, b"b", b""),
            ]
        };
        let order = |draw: fn(i64) -> i64| -> Vec<Vec<u8>> {
            let classes = by_chance(targets(), draw);
            classes.iter().map(|class| class[0].ruid.clone()).collect()
        };
        assert_eq!(order(|_| 0), [&b"a"[..], b"b", b"last"]);
        assert_eq!(order(|sum| sum - 1), [&b"b"[..], b"a", b"last"]);
    }

    #[test]
    fn one_contact_of_a_user_agent_at_a_time() {
        let mut class = vec![
            named(1, b"a", b"one"),
            named(1, b"b", b""),
            named(1, b"c", b"one"),
            named(1, b"d", b""),
            named(1, b"e", b"two"),
        ];
        let further = further_flows(&mut class);
        assert_eq!(ruids(&class), [b"a", b"b", b"d", b"e"]);
        assert_eq!(ruids(&further), [b"c"]);
    }
}
