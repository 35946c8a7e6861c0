//! Internal errors as the numbers that Kamailio gives them, and the replies that they become.

/// Something went wrong in the program itself or nothing better is known.
pub const SERVER: i32 = -1;
/// A message could not be used.
pub const BAD_REQUEST: i32 = -400;
/// A request lacks what names its transaction.
pub const INCOMPLETE: i32 = -9;
/// All branches were dropped, or there was none.
pub const NO_BRANCH: i32 = -6;
/// No socket can reach the destination.
pub const NO_SOCKET: i32 = -7;
/// The destination could not be sent to.
pub const SEND: i32 = -477;
/// The destination could not be resolved.
pub const UNRESOLVABLE: i32 = -478;
/// A URI could not be understood.
pub const BAD_URI: i32 = -479;
/// More destinations than `max_branches`.
pub const TOO_MANY_BRANCHES: i32 = -12;
/// The script did not let a message leave that has no transaction.
pub const DROPPED: i32 = -510;
/// The transaction was cancelled.
pub const CANCELED: i32 = -487;

/// The status and phrase of an internal error.
pub const fn status(error: i32) -> (u16, &'static str) {
    match error {
        -477 => (477, "Unfortunately error on sending to next hop occurred"),
        -478 => (478, "Unresolvable destination"),
        -479 => (479, "Regretfully, we were not able to process the URI"),
        -400 => (400, "Bad Request"),
        -9 => (400, "Transaction tuple incomplete"),
        -13 => (400, "Bad To"),
        -12 => (500, "Forking capacity exceeded"),
        -11 => (500, "Error in external logic"),
        -487 => (487, "Transaction canceled"),
        -2 => (500, "Message processing error"),
        -20 => (500, "Internal processing error"),
        0 => (500, "No error"),
        _ => (500, "I'm terribly sorry, server error occurred"),
    }
}

/// The whole reason phrase, with the error's number and the part (`TM`, `SL`) that answers.
pub fn reason(error: i32, part: &str) -> String {
    format!("{} ({}/{part})", status(error).1, -error)
}
