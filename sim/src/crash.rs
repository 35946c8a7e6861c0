//! The proxy crashes at any moment: what it told its peers has to be true of the one that is started in its place.

use std::collections::BTreeSet;

use rpc::Value;
use sip::{Message, Method};

use crate::check;
use crate::disk::Disk;
use crate::proxy::Proxy;

/// The state of a call that is over.
const DELETED: i64 = 5;

/// What the peers were told before the crash.
#[derive(Default)]
pub(crate) struct Told {
    /// Calls whose INVITE got a 2xx.
    answered: BTreeSet<Vec<u8>>,
    /// Calls in which a BYE was sent.
    ended: BTreeSet<Vec<u8>>,
    /// Calls of which nobody was told whether they are over: a BYE has come, an operator has set their state, or the
    /// proxy has ended them itself, and its BYE waits for the commit.
    unclear: BTreeSet<Vec<u8>>,
}

impl Told {
    /// Notes a message that the proxy has sent. True if it told of a call's beginning or end.
    pub(crate) fn note(&mut self, bytes: &[u8]) -> bool {
        let Ok(message) = Message::parse(bytes.to_vec()) else {
            return false;
        };
        let call_id = message.call_id().unwrap_or_default().to_vec();
        let is_success = message
            .status()
            .is_some_and(|status| (200..300).contains(&status));
        match message.method() {
            Method::Invite if is_success => self.answered.insert(call_id),
            Method::Bye if message.is_request() => self.ended.insert(call_id),
            _ => false,
        }
    }

    /// Notes a message that has reached the proxy.
    pub(crate) fn note_arrival(&mut self, bytes: &[u8]) {
        if let Ok(message) = Message::parse(bytes.to_vec())
            && message.method() == Method::Bye
        {
            let call_id = message.call_id().unwrap_or_default();
            self.unclear.insert(call_id.to_vec());
        }
    }

    /// Notes that an operator has set the state of a call.
    pub(crate) fn note_state_set(&mut self, call_id: &str) {
        self.unclear.insert(call_id.as_bytes().to_vec());
    }

    /// Notes which calls are over for the proxy at the moment of its crash.
    ///
    /// # Errors
    /// It does not list them.
    pub(crate) fn note_ended(&mut self, proxy: &Proxy) -> Result<(), String> {
        for call in proxy.command("dlg.list", &[])? {
            let text = |name| call.as_struct()?.get(name);
            if text("state") == Some(&Value::from(DELETED))
                && let Some(call_id) = text("call-id").and_then(Value::as_str)
            {
                self.unclear.insert(call_id.as_bytes().to_vec());
            }
        }
        Ok(())
    }

    /// Starts a proxy on the disk and looks whether it knows what the peers were told.
    ///
    /// # Errors
    /// A call is missing, or the counts are wrong.
    pub(crate) fn check(&self, seed: u64, at: u64, disk: &Disk) -> Result<usize, String> {
        let proxy = Proxy::start(seed, at, Some(disk));
        let list = proxy.command("dlg.list", &[])?;
        let call_id = |call: &Value| {
            Some(
                call.as_struct()?
                    .get("call-id")?
                    .as_str()?
                    .as_bytes()
                    .to_vec(),
            )
        };
        let there: BTreeSet<Vec<u8>> = list.iter().filter_map(call_id).collect();
        let lost = self.answered.difference(&self.ended);
        let lost = lost.filter(|call| !self.unclear.contains(*call));
        let lost: Vec<_> = lost.filter(|call| !there.contains(*call)).collect();
        if let Some(call) = lost.first() {
            let call = call.escape_ascii();
            return Err(format!(
                "call {call} was told of before the crash, and is gone"
            ));
        }
        let active = proxy.engine.statistics.get("dialog", "active_dialogs");
        if active != i64::try_from(list.len()).ok() {
            return Err(format!(
                "{} calls, active_dialogs is {active:?}",
                list.len()
            ));
        }
        check::profiles(&proxy)?;
        Ok(list.len())
    }
}
