//! `setavpflag()` and its kind: flags of AVPs, which `avpflags` gives names.

use engine::{AvpAt, AvpName, FunctionRow, Pending, Run};
use script::{Args, Outcome, Parameter, ParameterKind};

use super::flags::bit;
use crate::row::{action, param};

const AVP_AND_FLAG: &[Parameter] = &[
    param("avp", ParameterKind::Static),
    param("flag", ParameterKind::Int),
];

pub(super) const SETAVPFLAG: FunctionRow = action(
    "setavpflag",
    AVP_AND_FLAG,
    2,
    setavpflag,
    "Sets a flag of an AVP's newest value, of its n-th with [n], of all with []; false when there is none.",
);
pub(super) const RESETAVPFLAG: FunctionRow = action(
    "resetavpflag",
    AVP_AND_FLAG,
    2,
    resetavpflag,
    "Clears such a flag.",
);
pub(super) const ISAVPFLAGSET: FunctionRow = action(
    "isavpflagset",
    AVP_AND_FLAG,
    2,
    isavpflagset,
    "True when the flag of the value is set; with [] when that of any is.",
);

/// The AVP as the parser writes it: a name, and `[n]` or `[]` behind it.
fn avp(args: &Args<'_>) -> (AvpName, AvpAt) {
    let text = args.str(0).as_str().unwrap_or_default();
    let (name, index) = text.split_once('[').unwrap_or((text, "1]"));
    let at = match index.trim_end_matches(']').parse::<usize>() {
        Ok(index) => AvpAt::Position(index.saturating_sub(1)),
        Err(_) => AvpAt::All,
    };
    (crate::pv::avp_name(name.as_bytes()), at)
}

/// Does something to the flags that are meant; true when that holds for any of them.
fn with_flags(
    run: &mut Run,
    args: &Args<'_>,
    work: impl Fn(&mut u32, u32) -> bool,
) -> Outcome<Pending> {
    let (name, at) = avp(args);
    let bit = bit(args.int(1));
    let flags = run.shared().avps.flags(&name, at);
    let holding = flags.filter_map(|flags| work(flags, bit).then_some(()));
    Outcome::Code(if holding.count() > 0 { 1 } else { -1 })
}

fn setavpflag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_flags(run, args, |flags, bit| {
        *flags |= bit;
        true
    })
}

fn resetavpflag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_flags(run, args, |flags, bit| {
        *flags &= !bit;
        true
    })
}

fn isavpflagset(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_flags(run, args, |flags, bit| *flags & bit != 0)
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn flags_belong_to_the_value_they_were_given_to() {
        let mut bench = Bench::new(
            r#"
loadmodule "pv.so"
loadmodule "xlog.so"
avpflags one, two
route[SHOW] {
    $var(t) = "";
    if (isavpflagset("a", "one")) { $var(t) = $var(t) + "1"; }
    if (isavpflagset("$f.a[2]", one)) { $var(t) = $var(t) + "2"; }
    if (isavpflagset("s:a[]", "one")) { $var(t) = $var(t) + "any"; }
    if (isavpflagset("a", two)) { $var(t) = $var(t) + "two"; }
    xinfo("$var(n) <$var(t)>");
}
request_route {
    $var(n) = "none"; if (!setavpflag("a", "one")) { route(SHOW); }
    $avp(a) = "x"; setavpflag("a", one); $var(n) = "set"; route(SHOW);
    $avp(a) = "y"; $var(n) = "pushed"; route(SHOW);
    setavpflag($avp(a), two); $var(n) = "two"; route(SHOW);
    resetavpflag("a[]", one); $var(n) = "cleared"; route(SHOW);
}
"#,
        );
        bench.receive(
            "10.0.0.9:5060",
            "OPTIONS sip:b@10.0.0.8 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKa\n\
             From: <sip:a@x>;tag=1\nTo: <sip:b@x>\nCall-ID: c\nCSeq: 1 OPTIONS\n\
             Content-Length: 0\n\n",
        );
        let log = bench.log().join("\n");
        for line in [
            "none <>",
            "set <1any>",
            "pushed <2any>",
            "two <2anytwo>",
            "cleared <two>",
        ] {
            assert!(log.contains(line), "{line}: {log}");
        }
    }

    #[test]
    fn what_is_no_avp_or_no_flag_is_refused_at_load() {
        for call in [
            "setavpflag(\"a\", \"three\")",
            "setavpflag(\"a\", 1)",
            "setavpflag(\"t.a\", one)",
            "setavpflag(\"a[0]\", one)",
            "setavpflag(\"a\")",
        ] {
            let config = format!("avpflags one\nrequest_route {{ {call}; }}\n");
            assert!(Bench::load(&config).is_err(), "{call}");
        }
    }
}
