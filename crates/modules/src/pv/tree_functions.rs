//! Functions that fill, copy and empty `$xavp`, `$xavu` and `$xavi`.

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes, SetError, Str, Value};
use sip::Params;

use super::tree::{Kind, Level, Node, Trees, trees};
use crate::row::{function, function_optional, param};

const TEXT: ParameterKind = ParameterKind::Str;
const NAME: &[Parameter] = &[param("rname", TEXT)];
const CHILD: &[Parameter] = &[param("rname", TEXT), param("cname", TEXT)];
const CHILD_INT: &[Parameter] = &[
    param("rname", TEXT),
    param("cname", TEXT),
    param("ival", ParameterKind::Int),
];
const CHILD_STR: &[Parameter] = &[
    param("rname", TEXT),
    param("cname", TEXT),
    param("sval", TEXT),
];
const EXPLODE: &[Parameter] = &[param("sparams", TEXT), param("xname", TEXT)];
const IMPLODE: &[Parameter] = &[param("xname", TEXT), param("pvname", ParameterKind::Target)];
const COPY: &[Parameter] = &[
    param("source_name", TEXT),
    param("source_index", ParameterKind::Int),
    param("destination_name", TEXT),
    param("destination_index", ParameterKind::Int),
];
const LIST: &[Parameter] = &[
    param("slist", TEXT),
    param("sep", TEXT),
    param("mode", TEXT),
    param("xname", TEXT),
];
const VARIABLES: &[Parameter] = &[param("varname", TEXT), param("xname", TEXT)];
const ANY: Routes = Routes::ANY;

pub(super) const ROWS: &[FunctionRow] = &[
    function_optional(
        "xavp_copy",
        COPY,
        3,
        ANY,
        copy,
        "Copies an `$xavp` onto another stack, or over one of its values.",
    ),
    function(
        "xavp_params_explode",
        EXPLODE,
        ANY,
        explode_plain,
        "Makes an `$xavp` of `a=1;b=2`.",
    ),
    function(
        "xavp_params_implode",
        IMPLODE,
        ANY,
        implode_plain,
        "Writes an `$xavp` as `a=1;b=2;`.",
    ),
    function(
        "xavu_params_explode",
        EXPLODE,
        ANY,
        explode_single,
        "Makes an `$xavu` of `a=1;b=2`.",
    ),
    function(
        "xavu_params_implode",
        IMPLODE,
        ANY,
        implode_single,
        "Writes an `$xavu` as `a=1;b=2;`.",
    ),
    function(
        "xavp_slist_explode",
        LIST,
        ANY,
        explode_list,
        "Makes an `$xavp` with a `v` for each element of a list.",
    ),
    function(
        "xavp_child_seti",
        CHILD_INT,
        ANY,
        set_plain_int,
        "Gives a child of an `$xavp` a number.",
    ),
    function(
        "xavi_child_seti",
        CHILD_INT,
        ANY,
        set_any_case_int,
        "Gives a child of an `$xavi` a number.",
    ),
    function(
        "xavp_child_sets",
        CHILD_STR,
        ANY,
        set_plain_str,
        "Gives a child of an `$xavp` a text.",
    ),
    function(
        "xavi_child_sets",
        CHILD_STR,
        ANY,
        set_any_case_str,
        "Gives a child of an `$xavi` a text.",
    ),
    function(
        "xavp_rm",
        NAME,
        ANY,
        remove_plain,
        "Removes the newest value of an `$xavp`.",
    ),
    function(
        "xavi_rm",
        NAME,
        ANY,
        remove_any_case,
        "Removes the newest value of an `$xavi`.",
    ),
    function(
        "xavp_child_rm",
        CHILD,
        ANY,
        remove_plain_child,
        "Removes a child of an `$xavp`.",
    ),
    function(
        "xavi_child_rm",
        CHILD,
        ANY,
        remove_any_case_child,
        "Removes a child of an `$xavi`.",
    ),
    function(
        "pv_xavp_print",
        &[],
        ANY,
        print_plain,
        "Writes all `$xavp` to the log.",
    ),
    function(
        "pv_xavu_print",
        &[],
        ANY,
        print_single,
        "Writes all `$xavu` to the log.",
    ),
    function(
        "pv_xavi_print",
        &[],
        ANY,
        print_any_case,
        "Writes all `$xavi` to the log.",
    ),
    function(
        "pv_var_to_xavp",
        VARIABLES,
        ANY,
        variables_to_tree,
        "Copies one `$var`, or all with `*`, into an `$xavp`.",
    ),
    function(
        "pv_xavp_to_var",
        NAME,
        ANY,
        tree_to_variables,
        "Copies the children of an `$xavp` into the `$var`s of their names.",
    ),
];

fn done(result: Result<(), SetError>) -> Outcome<Pending> {
    Outcome::Code(if result.is_ok() { 1 } else { -1 })
}

fn copy(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let roots = trees(run).level_mut(Kind::Plain);
    let index = usize::try_from(args.int(1)).unwrap_or(usize::MAX);
    let Some(node) = roots.node(Kind::Plain, args.str(0), index).cloned() else {
        return Outcome::Code(-1);
    };
    let name = args.str(2);
    match args.opt_int(3) {
        None => done(roots.push(name, node)),
        Some(index) => {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            let replaced = roots.replace(Kind::Plain, name, index, node);
            Outcome::Code(if replaced { 1 } else { -1 })
        }
    }
}

/// A level of the parameters, such that the first is the newest.
fn level_of(text: &[u8]) -> Result<Level, SetError> {
    let text = [b";", text].concat();
    let params: Vec<_> = Params::new(&text).iter().collect();
    let mut level = Level::default();
    for param in params.iter().rev() {
        let value = sip::unquote(param.value.unwrap_or_default());
        level.push(param.name, Node::Value(Value::Str(Str::new(&value))))?;
    }
    Ok(level)
}

fn explode_plain(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let level = level_of(args.str(0));
    let roots = trees(run).level_mut(Kind::Plain);
    done(level.and_then(|level| roots.push(args.str(1), Node::Level(level))))
}

fn explode_single(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Ok(level) = level_of(args.str(0)) else {
        return Outcome::Code(-1);
    };
    let roots = trees(run).level_mut(Kind::Single);
    if roots.replace(Kind::Single, args.str(1), 0, Node::Level(level.clone())) {
        return Outcome::Code(1);
    }
    done(roots.push(args.str(1), Node::Level(level)))
}

fn implode(run: &mut Run, args: &Args<'_>, kind: Kind) -> Outcome<Pending> {
    let Some(target) = args.variable(1) else {
        return Outcome::Code(-1);
    };
    let Some(Node::Level(level)) = trees(run).level(kind).node(kind, args.str(0), 0) else {
        return Outcome::Code(-1);
    };
    let mut text = Vec::new();
    for (name, node) in level.iter() {
        let Node::Value(value) = node else { continue };
        text.extend_from_slice(name);
        value.with_bytes(|bytes| {
            if !bytes.is_empty() {
                text.push(b'=');
                text.extend_from_slice(bytes);
            }
        });
        text.push(b';');
    }
    done(target.set(run, Value::from(text)))
}

fn implode_plain(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    implode(run, args, Kind::Plain)
}

fn implode_single(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    implode(run, args, Kind::Single)
}

fn explode_list(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (separators, trims) = (args.str(1), args.str(2).contains(&b't'));
    let elements = args.str(0).split(|byte| separators.contains(byte));
    let elements: Vec<&[u8]> = elements
        .map(|element| if trims { sip::trim(element) } else { element })
        .filter(|element| !element.is_empty())
        .collect();
    let mut level = Level::default();
    for element in elements.iter().rev() {
        if level
            .push(b"v", Node::Value(Value::Str(Str::new(element))))
            .is_err()
        {
            return Outcome::Code(-1);
        }
    }
    done(
        trees(run)
            .level_mut(Kind::Plain)
            .push(args.str(3), Node::Level(level)),
    )
}

fn set_child(run: &mut Run, args: &Args<'_>, kind: Kind, value: Value) -> Outcome<Pending> {
    let roots = trees(run).level_mut(kind);
    let level = roots.below(kind, args.str(0));
    done(level.and_then(|level| level.put(kind, args.str(1), value)))
}

fn set_plain_int(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_child(run, args, Kind::Plain, Value::Int(args.int(2)))
}

fn set_any_case_int(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_child(run, args, Kind::AnyCase, Value::Int(args.int(2)))
}

fn set_plain_str(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_child(run, args, Kind::Plain, Value::Str(args.str(2).clone()))
}

fn set_any_case_str(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_child(run, args, Kind::AnyCase, Value::Str(args.str(2).clone()))
}

fn remove_plain(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    trees(run)
        .level_mut(Kind::Plain)
        .remove_newest(Kind::Plain, args.str(0));
    Outcome::Code(1)
}

fn remove_any_case(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    trees(run)
        .level_mut(Kind::AnyCase)
        .remove_newest(Kind::AnyCase, args.str(0));
    Outcome::Code(1)
}

fn remove_child(run: &mut Run, args: &Args<'_>, kind: Kind) -> Outcome<Pending> {
    let roots = trees(run).level_mut(kind);
    if let Some(Node::Level(_)) = roots.node(kind, args.str(0), 0)
        && let Ok(level) = roots.below(kind, args.str(0))
    {
        level.remove_newest(kind, args.str(1));
    }
    Outcome::Code(1)
}

fn remove_plain_child(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    remove_child(run, args, Kind::Plain)
}

fn remove_any_case_child(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    remove_child(run, args, Kind::AnyCase)
}

fn print(run: &Run, kind: Kind, class: &str) -> Outcome<Pending> {
    if let Some(trees) = run.shared_ref().slots.get::<Trees>() {
        print_level(run, trees.level(kind), class);
    }
    Outcome::Code(1)
}

fn print_level(run: &Run, level: &Level, above: &str) {
    for (name, node) in level.iter() {
        match node {
            Node::Value(value) => {
                let text = format!("{above}=>{name}: {}", value.to_str());
                run.log(level::INFO, "pv", &text);
            }
            Node::Level(level) => print_level(run, level, &format!("{above}=>{name}")),
        }
    }
}

fn print_plain(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    print(run, Kind::Plain, "xavp")
}

fn print_single(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    print(run, Kind::Single, "xavu")
}

fn print_any_case(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    print(run, Kind::AnyCase, "xavi")
}

/// The variables whose names are wanted, with their values; an unassigned one is 0 and left out of `*`.
fn variables(run: &Run, wanted: &[u8]) -> Vec<(String, Value)> {
    let names = run.engine.catalog.interner();
    let values = run.locals.vars.iter().enumerate();
    values
        .map(|(at, value)| (names.name(at as u32), value.clone()))
        .filter(|(name, value)| match wanted {
            b"*" => *value != Value::Int(0),
            wanted => name.as_bytes() == wanted,
        })
        .collect()
}

fn variables_to_tree(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let found = variables(run, args.str(0));
    if found.is_empty() {
        return Outcome::Code(-1);
    }
    let mut level = Level::default();
    for (name, value) in found {
        if level.push(name.as_bytes(), Node::Value(value)).is_err() {
            return Outcome::Code(-1);
        }
    }
    let roots = trees(run).level_mut(Kind::Plain);
    done(roots.push(args.str(1), Node::Level(level)))
}

fn tree_to_variables(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let node = trees(run)
        .level(Kind::Plain)
        .node(Kind::Plain, args.str(0), 0);
    let Some(Node::Level(level)) = node.cloned() else {
        return Outcome::Code(-1);
    };
    let names: Vec<String> = {
        let interner = run.engine.catalog.interner();
        (0..run.locals.vars.len())
            .map(|at| interner.name(at as u32))
            .collect()
    };
    for (name, node) in level.iter() {
        // A name that the configuration does not use as a variable can't be read anyway.
        let slot = names
            .iter()
            .position(|known| known.as_bytes() == name.as_bytes());
        if let (Node::Value(value), Some(slot)) = (node, slot) {
            run.locals.vars[slot] = value.clone();
        }
    }
    Outcome::Code(1)
}
