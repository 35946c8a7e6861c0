//! Flags and properties of a call. Before there is a call they wait with the message.

use dialog::iflags;
use engine::{Pending, Run, level};
use script::{Args, Outcome};

use super::context::{self, Context};
use super::state::{State, moment};

/// The bit of a script flag; `None` outside of 0 to 31.
pub(super) fn flag(number: i64) -> Option<u32> {
    1u32.checked_shl(u32::try_from(number).ok()?)
}

fn truth(holds: bool) -> Outcome<Pending> {
    Outcome::Code(if holds { 1 } else { -1 })
}

pub(super) fn dlg_setflag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(flag(args.int(0)).is_some_and(|bit| change_flags(run, 0, bit)))
}

pub(super) fn dlg_resetflag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(flag(args.int(0)).is_some_and(|bit| change_flags(run, bit, 0)))
}

/// Changes the flags of the call to be, and of the call that is bound.
pub(super) fn change_flags(run: &mut Run, clear: u32, set: u32) -> bool {
    let context = run.slots.entry::<Context>();
    context.sflags = context.sflags & !clear | set;
    if let Some(id) = context::bound(run) {
        run.state::<State>().tracker.change_sflags(id, clear, set);
    }
    true
}

pub(super) fn dlg_isflagset(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(flag(args.int(0)).is_some_and(|bit| flags(run) & bit != 0))
}

/// The flags of the bound call, else those of the call to be.
pub(super) fn flags(run: &Run) -> u32 {
    let of_call =
        context::bound(run).and_then(|id| run.state::<State>().tracker.change_sflags(id, 0, 0));
    let of_message = || run.slots.get::<Context>().map(|context| context.sflags);
    of_call.or_else(of_message).unwrap_or(0)
}

/// The bit of a property, or why there is none.
pub(super) fn bit(name: &[u8]) -> Result<u32, String> {
    match name {
        b"timeout-noreset" => Ok(iflags::TIMEOUT_NORESET),
        b"ka-src" => Ok(iflags::KA_CALLER),
        b"ka-dst" => Ok(iflags::KA_CALLEE),
        _ => Err(format!("unknown property \"{}\"", name.escape_ascii())),
    }
}

pub(super) fn dlg_set_property(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    property(run, args.str(0), |bit| (0, bit))
}

pub(super) fn dlg_reset_property(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    property(run, args.str(0), |bit| (bit, 0))
}

fn property(
    run: &mut Run,
    name: &[u8],
    change: impl FnOnce(u32) -> (u32, u32),
) -> Outcome<Pending> {
    match bit(name) {
        Ok(bit) => {
            let (clear, set) = change(bit);
            change_properties(run, clear, set);
            truth(true)
        }
        Err(why) => {
            run.log(level::ERROR, "dialog", &why);
            truth(false)
        }
    }
}

/// Changes the properties of the call to be, and of the call that is bound.
pub(super) fn change_properties(run: &mut Run, clear: u32, set: u32) {
    let context = run.slots.entry::<Context>();
    context.iflags = context.iflags & !clear | set;
    if let Some(id) = context::bound(run) {
        let now = moment(run.now);
        run.state::<State>()
            .tracker
            .change_iflags(id, clear, set, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_0_to_31() {
        assert_eq!(flag(0), Some(1));
        assert_eq!(flag(31), Some(1 << 31));
        assert_eq!(flag(32), None);
        assert_eq!(flag(-1), None);
    }

    #[test]
    fn properties_have_their_bits() {
        assert_eq!(bit(b"timeout-noreset"), Ok(8));
        assert_eq!((bit(b"ka-src"), bit(b"ka-dst")), (Ok(2), Ok(4)));
        assert!(bit(b"Timeout-noreset").is_err());
    }
}
