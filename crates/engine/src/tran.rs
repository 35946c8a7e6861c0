//! The transaction of the request being worked on: made when a function needs it.

use std::sync::Arc;

use sip::{Edits, Method};
use transaction::{Reason, Refused, Requester, TransactionId, Which};

use crate::engine::{Tx, TxData};
use crate::errors;
use crate::input::Input;
use crate::outgoing::reply_hop;
use crate::run::Run;

impl Run {
    /// Makes the transaction of this request, unless it is there already.
    ///
    /// # Errors
    /// The internal error: the request has none (ACK, faked), or too many of one call are there.
    pub fn ensure_transaction(&mut self) -> Result<&mut Tx, i32> {
        if self.tx.is_none() {
            self.create_transaction()?;
        }
        self.tx.as_deref_mut().ok_or(errors::SERVER)
    }

    fn create_transaction(&mut self) -> Result<(), i32> {
        let message = &self.msg.message;
        if !message.is_request() || message.method() == Method::Ack || self.msg.faked {
            return Err(errors::SERVER);
        }
        let requester = Requester {
            source: self.msg.hop,
            reply_to: reply_hop(&self.msg, self.engine.settings.reply_to_via),
        };
        let mut data = TxData::new(self.msg.clone());
        data.shared = std::mem::take(&mut self.shared);
        let request = Arc::clone(message);
        let settings = match data.shared.settings.take() {
            Some(settings) => *settings,
            None => self.engine.settings.transactions,
        };
        let created =
            self.engine
                .transactions
                .create(request, requester, settings, data, self.now.time);
        let tx = created.map_err(|refused| match refused {
            Refused::Incomplete => errors::INCOMPLETE,
            Refused::Crowded => errors::SERVER,
        })?;
        self.tx = Some(tx);
        let engine = self.engine.clone();
        for hook in &engine.hooks.transaction_created {
            hook(self);
        }
        Ok(())
    }

    /// Cancels pending branches of the transaction at hand. Those that end at once are judged after this run.
    pub fn cancel_branches(&mut self, which: Which, reason: Reason<'_>) {
        let now = self.now.time;
        let Some(tx) = &mut self.tx else { return };
        let ended = tx.cancel_branches(which, reason, now, &mut self.out);
        let (key, id) = (tx.call_key(), tx.id());
        let inputs = ended.into_iter().map(|branch| {
            (
                key,
                Input::BranchEnded {
                    id,
                    branch,
                    status: 487,
                },
            )
        });
        self.follow_ups.extend(inputs);
    }

    /// Checks a transaction out in place of the one at hand, which is checked in.
    /// False when it is gone.
    pub fn switch_transaction(&mut self, id: TransactionId) -> bool {
        self.check_in();
        self.tx = self.engine.transactions.checkout(id);
        self.tx.is_some()
    }

    /// Gives the transaction at hand back to the table.
    pub fn check_in(&mut self) {
        let Some(mut tx) = self.tx.take() else { return };
        if tx.is_waiting() {
            tx.data.working.edits = Edits::default();
        }
        let Some(mut gone) = self.engine.transactions.check_in(tx) else {
            return;
        };
        let engine = self.engine.clone();
        for hook in &engine.hooks.transaction_done {
            hook(self, &mut gone.data);
        }
    }
}
