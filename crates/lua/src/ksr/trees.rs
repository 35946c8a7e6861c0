//! KSR.pvx: variables by their class, one family of functions for each.

use super::api::Entry;
use super::meaning::Meaning::{self, Get, IsNull, Set, Unset};
use super::meaning::Missing::{Empty, Nil, Word};

/// What the functions of one class do; `of` a name, and of a child of one that is a tree.
struct Class {
    /// How their names begin: `xavp_`.
    prefix: &'static str,
    of: &'static str,
    child: &'static str,
}

static CLASSES: &[Class] = &[
    Class {
        prefix: "var_",
        of: "$var({0})",
        child: "",
    },
    Class {
        prefix: "shv_",
        of: "$shv({0})",
        child: "",
    },
    Class {
        prefix: "avp_",
        of: "$avp({0})",
        child: "",
    },
    Class {
        prefix: "xavp_",
        of: "$xavp({0})",
        child: "$xavp({0}=>{1})",
    },
    Class {
        prefix: "xavu_",
        of: "$xavu({0})",
        child: "$xavu({0}=>{1})",
    },
    Class {
        prefix: "xavi_",
        of: "$xavi({0})",
        child: "$xavi({0}=>{1})",
    },
];

/// What a function of such a family means; none for what is another function's name.
pub(super) fn meaning(entry: &Entry) -> Option<Meaning> {
    if entry.module != "pvx" {
        return None;
    }
    CLASSES.iter().find_map(|class| {
        let what = entry.name.strip_prefix(class.prefix)?;
        match what.strip_prefix("child_") {
            Some(what) if !class.child.is_empty() => act(what, class.child),
            Some(_) => None,
            None => act(what, class.of),
        }
    })
}

fn act(what: &str, variable: &'static str) -> Option<Meaning> {
    Some(match what {
        "get" => Get(variable, Nil),
        "gete" => Get(variable, Empty),
        "getw" => Get(variable, Word),
        "seti" | "sets" => Set(variable),
        "rm" => Unset(variable),
        "is_null" => IsNull(variable),
        _ => return None,
    })
}
