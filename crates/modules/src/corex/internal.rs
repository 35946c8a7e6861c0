//! Flags inside a message that Kamailio's modules leave for each other.

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};

use crate::row::{function, param};

const NAME: &[Parameter] = &[param("flagname", ParameterKind::Str)];
const ANY: Routes = Routes::ANY;

pub(super) const FUNCTIONS: &[FunctionRow] = &[
    function(
        "msg_iflag_set",
        NAME,
        ANY,
        set,
        "Sets USE_UAC_FROM, USE_UAC_TO or UAC_AUTH; they can be asked for and change nothing else here.",
    ),
    function("msg_iflag_reset", NAME, ANY, reset, "Clears such a flag."),
    function(
        "msg_iflag_is_set",
        NAME,
        ANY,
        is_set,
        "1 when such a flag is set, -2 when it is not, -1 when there is none of this name.",
    ),
];

/// The flags that have names, each with its bit.
const NAMES: &[(&[u8], u32)] = &[
    (b"USE_UAC_FROM", 1),
    (b"USE_UAC_TO", 1 << 1),
    (b"UAC_AUTH", 1 << 2),
];

/// `via_add_xavp_params()`.
pub(super) const VIA_PARAMS: u32 = 1 << 3;
/// `via_use_xavp_fields()`.
pub(super) const VIA_FIELDS: u32 = 1 << 4;

/// The bit of a flag, whose name may be in any case.
fn bit(name: &[u8]) -> Option<u32> {
    let mut all = NAMES.iter();
    let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, bit)| *bit)
}

/// The bit that the argument names; tells of a name that is none.
fn named(run: &Run, args: &Args<'_>) -> Option<u32> {
    let bit = bit(args.str(0).as_bytes());
    if bit.is_none() {
        let text = format!("{}: there is no flag {}", args.function(), args.str(0));
        run.log(level::ERROR, "corex", &text);
    }
    bit
}

/// Sets or clears bits of a message.
pub(super) const fn put(run: &mut Run, bits: u32, on: bool) {
    if on {
        run.msg.internal_flags |= bits;
    } else {
        run.msg.internal_flags &= !bits;
    }
}

fn set(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    change(run, args, true)
}

fn reset(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    change(run, args, false)
}

fn change(run: &mut Run, args: &Args<'_>, on: bool) -> Outcome<Pending> {
    let Some(bit) = named(run, args) else {
        return Outcome::Code(-1);
    };
    put(run, bit, on);
    Outcome::Code(1)
}

fn is_set(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    Outcome::Code(match named(run, args) {
        Some(bit) if run.msg.internal_flags & bit != 0 => 1,
        Some(_) => -2,
        None => -1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    const CONFIG: &str = r#"
loadmodule "pv.so"
loadmodule "corex.so"
loadmodule "xlog.so"
request_route {
    msg_iflag_is_set("UAC_AUTH"); $var(a) = $rc;
    msg_iflag_set("uac_auth"); $var(b) = $rc;
    msg_iflag_is_set("UAC_AUTH"); $var(c) = $rc;
    msg_iflag_is_set("USE_UAC_TO"); $var(d) = $rc;
    msg_iflag_reset("UAC_AUTH"); $var(e) = $rc;
    msg_iflag_is_set("UAC_AUTH"); $var(f) = $rc;
    msg_iflag_set("OTHER"); $var(g) = $rc;
    msg_iflag_is_set("OTHER"); $var(h) = $rc;
    xinfo("$var(a) $var(b) $var(c) $var(d) $var(e) $var(f) $var(g) $var(h)");
}
"#;

    #[test]
    fn codes_are_those_of_kamailio() {
        let mut bench = Bench::new(CONFIG);
        bench.receive("10.0.0.9:5060", super::super::via::tests::REQUEST);
        let log = bench.log();
        let codes = log.iter().any(|line| line.contains("-2 1 1 -2 1 -2 -1 -1"));
        assert!(codes, "{log:?}");
        assert!(
            log.iter()
                .any(|line| line.contains("there is no flag OTHER"))
        );
    }

    #[test]
    fn bits_do_not_overlap() {
        let all = NAMES.iter().map(|(_, bit)| *bit);
        let sum: u32 = all.chain([VIA_PARAMS, VIA_FIELDS]).sum();
        assert_eq!(sum, 0b1_1111);
        assert_eq!(bit(b"UAC"), None);
    }
}
