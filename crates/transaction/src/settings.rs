//! The timer values and policies of a transaction: Kamailio's `tm` parameters, by its names and defaults.

/// Timer values, all in milliseconds. A transaction has its own copy, which a script may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// How long a branch may stay without a final reply (RFC 3261 timers B, F and H).
    pub fr_timer: u32,
    /// The same for an INVITE branch after a provisional reply (timer C).
    pub fr_inv_timer: u32,
    /// How long an INVITE transaction may wait for its final reply, however often timers restart.
    pub max_inv_lifetime: u32,
    /// The same for other methods.
    pub max_noninv_lifetime: u32,
    /// How long a completed transaction absorbs retransmissions (timers D, I, J, K, L and M). The
    /// RFC wants 32 s for D, J, L and M over UDP; what comes after this time finds no transaction.
    pub wt_timer: u32,
    /// First retransmission interval over an unreliable transport (T1).
    pub retr_timer1: u32,
    /// The interval at which doubling ends (T2).
    pub retr_timer2: u32,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            fr_timer: 30_000,
            fr_inv_timer: 120_000,
            max_inv_lifetime: 180_000,
            max_noninv_lifetime: 32_000,
            wt_timer: 5_000,
            retr_timer1: 500,
            retr_timer2: 4_000,
        }
    }
}

/// What to do about a branch that has to be cancelled but has not answered at all (`cancel_b_method`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SilentBranch {
    /// 0: give it up at once with a 487 of our own.
    Fake487,
    /// 1: go on sending the INVITE, and cancel when a provisional reply comes (RFC 3261 §9.1).
    #[default]
    WaitForProvisional,
    /// 2: send the CANCEL anyway.
    CancelAnyway,
}

/// Which earlier replies a serial fork forgets (`failure_reply_mode`, `t_drop_replies`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forget {
    /// Mode 0, `"n"`: all replies compete.
    #[default]
    Nothing,
    /// Modes 1 and 3, `"all"`: only the new branches compete.
    All,
    /// Mode 2, `"l"`: the replies of the last leg do not compete.
    LastLeg,
}

/// Choices that RFC 3261 leaves to the proxy or that an operator may want otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Restart `fr_inv_timer` at every provisional reply, not only at a higher one from 180 up.
    pub restart_fr_on_each_reply: bool,
    /// How a silent branch is cancelled.
    pub cancel_b_method: SilentBranch,
    /// Let other branches go on after a 6xx.
    pub disable_6xx_block: bool,
    /// Which replies are forgotten when a failure route adds branches.
    pub failure_reply_mode: Forget,
    /// Added to the priority of replies made here when the best one is chosen; lower wins.
    pub faked_reply_prio: i32,
    /// Collect the challenges of all branches into a relayed 401 or 407 (RFC 3261 §16.7 item 7).
    pub aggregate_challenges: bool,
    /// Name the cause in CANCELs that are decided here (RFC 3326).
    pub local_cancel_reason: bool,
    /// Copy the Reason of a received CANCEL into those sent on.
    pub e2e_cancel_reason: bool,
    /// Forward 100 replies.
    pub relay_100: bool,
    /// The status that stands for a branch's timeout (`reply_408_code`).
    pub timeout_status: u16,
    /// The most branches that one transaction may have, over all serial legs.
    pub max_branches: u8,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            restart_fr_on_each_reply: true,
            cancel_b_method: SilentBranch::default(),
            disable_6xx_block: false,
            failure_reply_mode: Forget::default(),
            faked_reply_prio: 0,
            aggregate_challenges: true,
            local_cancel_reason: true,
            e2e_cancel_reason: true,
            relay_100: false,
            timeout_status: 408,
            max_branches: 12,
        }
    }
}

/// Timers and policy together, as a new transaction takes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Timer values.
    pub timers: Timers,
    /// Choices.
    pub policy: Policy,
    /// Headers whose names begin so are copied from an INVITE into its CANCEL and its ACK
    /// (`ac_extra_hdrs`, which is set once for the process).
    pub copied_headers: Option<&'static [u8]>,
}
