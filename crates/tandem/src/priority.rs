//! What threads that serve people leave to those that serve calls.

/// Added to the thread's nice value: a quarter of a core is left where one worker wants all of it, and a thread that
/// wakes up comes first.
const MORE: i32 = 5;

/// Lets the calling thread, and those that it starts, give way to the others. Where the system does not let it, it
/// works as before.
pub(crate) fn give_way() {
    // Linux keeps this value for each thread.
    let _ = rustix::process::nice(MORE);
}
