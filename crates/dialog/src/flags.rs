//! The bits that databases, commands and scripts see, with Kamailio's values.

/// Volatile flags of a record (`dflags`).
pub mod dflags {
    /// Not in the database yet.
    pub const NEW: u16 = 1;
    /// Changed since it was written.
    pub const CHANGED: u16 = 2;
    /// A BYE was processed.
    pub const HAS_BYE: u16 = 4;
    /// A local BYE was sent to the caller.
    pub const BYE_TO_CALLER: u16 = 16;
    /// A local BYE was sent to the callee.
    pub const BYE_TO_CALLEE: u16 = 32;
    /// Variables changed since they were written.
    pub const VARIABLES_CHANGED: u16 = 128;
    /// Belongs to a transaction.
    pub const TRANSACTION: u16 = 512;
    /// Expired.
    pub const EXPIRED: u16 = 1024;
    /// Profiles changed since they were written; shares its bit with [`EXPIRED`], as in Kamailio 5.6.
    pub const PROFILES_CHANGED: u16 = 1024;
}

/// Properties of a call that are stored with it (`iflags`).
pub mod iflags {
    /// BYE to both sides when it expires.
    pub const TIMEOUT_BYE: u32 = 1;
    /// Keep-alives to the caller.
    pub const KA_CALLER: u32 = 2;
    /// Keep-alives to the callee.
    pub const KA_CALLEE: u32 = 4;
    /// Requests within the call do not restart its lifetime.
    pub const TIMEOUT_NORESET: u32 = 8;
    /// CSeq numbers of the two legs differ.
    pub const CSEQ_DIFF: u32 = 16;
    /// A PRACK was seen before the ACK.
    pub const PRACK: u32 = 32;
    /// Shared with other nodes.
    pub const DMQ_SYNC: u32 = 64;
}

/// What of a call is not as it was when it was last to be written.
pub(crate) mod unsaved {
    /// Anything but the variables.
    pub(crate) const ROW: u8 = 1;
    /// The variables.
    pub(crate) const VARIABLES: u8 = 2;
}
