//! The core setting `log_prefix`: a format that stands before every log line while a message is worked on.

use std::sync::Arc;

use script::Format;

use crate::log::Context;
use crate::run::Run;

/// What is printed before log lines, and when anew.
#[derive(Clone, Debug, Default)]
pub struct LogPrefix {
    /// The format.
    pub format: Format,
    /// Printed anew before each function call (`log_prefix_mode` 1), else once for each message.
    pub each_call: bool,
}

impl Run {
    /// Prints the prefix for the message at hand; what this thread logs from now on begins with it.
    pub(crate) fn print_log_prefix(&mut self) {
        if self.script.log_prefix.is_none() {
            return;
        }
        let script = self.script.clone();
        let Some(prefix) = &script.log_prefix else {
            return;
        };
        let mut text = Vec::with_capacity(64);
        prefix.format.print(self, &mut text);
        let call_id = self.msg.message.call_id().unwrap_or_default();
        let context = Arc::new(Context {
            prefix: String::from_utf8_lossy(&text).into_owned(),
            call_id: String::from_utf8_lossy(call_id).into_owned(),
        });
        crate::log::enter(Arc::clone(&context));
        self.log_context = Some(context);
    }
}
