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

const NONE_LEFT: i64 = -2;

/// The classes that are still to be tried, the most wanted first.
#[derive(Default)]
struct Classes(VecDeque<Vec<Target>>);

fn t_load_contacts(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    if !run.state::<State>().has_contacts {
        run.log(
            level::ERROR,
            "tm",
            "t_load_contacts: the parameter contacts_avp is not set",
        );
        return Outcome::Code(-1);
    }
    if args.int(0) != 0 {
        run.log(
            level::ERROR,
            "tm",
            "t_load_contacts: only mode 0 is supported",
        );
        return Outcome::Code(-1);
    }
    if run.msg.branches.is_empty() {
        return Outcome::Code(1);
    }
    let classes = by_preference(run.msg.destinations().cloned().collect());
    run.msg.branches.clear();
    run.msg.uri_consumed = true;
    run.shared().slots.put(Classes(classes));
    Outcome::Code(1)
}

fn by_preference(mut targets: Vec<Target>) -> VecDeque<Vec<Target>> {
    targets.sort_by_key(|target| std::cmp::Reverse(target.q));
    targets
        .chunk_by(|one, next| one.q == next.q)
        .map(<[Target]>::to_vec)
        .collect()
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
    let Some(class) = run.shared().slots.entry::<Classes>().0.pop_front() else {
        return Outcome::Code(NONE_LEFT);
    };
    let mut class = class.into_iter();
    if let Some(first) = class.next() {
        run.msg.target = first;
        run.msg.uri_consumed = false;
    }
    run.msg.branches = class.collect();
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
}
