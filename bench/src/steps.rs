//! Whole calls through the core, each kind of message in a function of its own name, so that a profiler that counts
//! by function counts by message.

use std::collections::VecDeque;
use std::hint::black_box;
use std::io;
use std::net::SocketAddr;

use sip::Message;
use sip::build::Reply;

use crate::core::{CALLEE, CALLER, Core, PROXY, Sent};
use crate::message::{Dialog, Within, blank, invite};

/// Calls begin this often, so that the cost of a tick is shared by as many as at 1,000 calls a second.
const BETWEEN_CALLS_MS: u64 = 1;
/// From the 200 to the BYE.
const HOLD_MS: u64 = 500;
/// How often a worker looks at its timers.
const TICK_MS: u64 = 62;
/// Until calls of every age are there: held ones, and transactions that linger.
pub const WARM_UP_CALLS: u64 = 2_500;

/// How a step is done: [`deliver`] or something that counts around it.
pub type Deliver = fn(&mut Core, SocketAddr, &[u8], u64, &mut Sent);

macro_rules! steps {
    ($($step:ident $function:ident $name:literal),*) => {
        /// One kind of work.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Step { $(#[doc = $name] $step),* }

        impl Step {
            /// All of them, in the order of a call.
            pub const ALL: &[Self] = &[$(Self::$step),*];

            /// As a table shows it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$step => $name),* }
            }

            /// The function that does it, as the symbol table knows it.
            pub const fn function(self) -> &'static str {
                match self { $(Self::$step => stringify!($function)),* }
            }

            /// [`deliver`] in a function of that name.
            pub fn named(self) -> Deliver {
                match self { $(Self::$step => $function),* }
            }
        }

        // The name goes through a black box: functions with the same machine code would become one.
        $(
            #[inline(never)]
            fn $function(core: &mut Core, from: SocketAddr, bytes: &[u8], at: u64, sent: &mut Sent) {
                black_box($name);
                deliver(core, from, bytes, at, sent);
            }
        )*
    };
}

steps!(
    Invite count_invite "INVITE (and the 100)",
    Ringing count_180 "180",
    Ok count_200 "200",
    Ack count_ack "ACK",
    Bye count_bye "BYE",
    ByeOk count_bye_200 "200 to the BYE",
    Tick count_tick "ticks"
);

/// Gives the core a datagram; one with nothing in it means that only time goes on.
#[inline(never)]
pub fn deliver(core: &mut Core, from: SocketAddr, bytes: &[u8], at: u64, sent: &mut Sent) {
    if bytes.is_empty() {
        core.tick(at, sent);
    } else {
        core.receive(from, bytes, at, sent);
    }
}

/// Makes calls through a core.
pub struct Calls {
    core: Core,
    at_ms: u64,
    begun: u64,
    how: fn(Step) -> Deliver,
    up: VecDeque<(u64, u64, Dialog)>,
    sent: Sent,
    message: Message,
    reply: Vec<u8>,
}

impl Calls {
    /// None yet.
    ///
    /// # Errors
    /// None that can happen: the blank message is valid.
    pub fn new(core: Core) -> io::Result<Self> {
        Ok(Self {
            core,
            at_ms: 0,
            begun: 0,
            how: |_| deliver,
            up: VecDeque::new(),
            sent: Sent::default(),
            message: blank()?,
            reply: Vec::with_capacity(2_048),
        })
    }

    /// Makes as many calls more, while earlier ones end. `how` tells how each step is done.
    ///
    /// # Errors
    /// The core did not send what a proxy sends.
    pub fn make(&mut self, calls: u64, how: fn(Step) -> Deliver) -> io::Result<()> {
        self.how = how;
        for _ in 0..calls {
            self.begin()?;
            while let Some((ends_at, ..)) = self.up.front()
                && *ends_at <= self.at_ms
                && let Some((_, number, dialog)) = self.up.pop_front()
            {
                self.end(number, &dialog)?;
            }
            let before = self.at_ms;
            self.at_ms += BETWEEN_CALLS_MS;
            if before / TICK_MS != self.at_ms / TICK_MS {
                self.step(Step::Tick, PROXY, &[], &[])?;
            }
        }
        self.check()
    }

    /// Every call that was answered and not ended is in the profile, and nothing was worth a warning.
    fn check(&self) -> io::Result<()> {
        let counted = self.core.calls_in("calls");
        if counted != Some(self.up.len() as u64) {
            let text = format!(
                "{} calls are up, the core counts {counted:?}",
                self.up.len()
            );
            return Err(io::Error::other(text));
        }
        match self.core.log().first() {
            Some(line) => Err(io::Error::other(line.clone())),
            None => Ok(()),
        }
    }

    fn begin(&mut self) -> io::Result<()> {
        let number = self.begun;
        self.begun += 1;
        let bytes = invite(number, 0, CALLER, PROXY, 0);
        self.step(Step::Invite, CALLER, &bytes, &[CALLER, CALLEE])?;
        self.take_from_core(CALLEE)?;
        self.write_reply(180, b"Ringing", b"");
        let ringing = std::mem::take(&mut self.reply);
        let contact = format!("Contact: <sip:callee@{CALLEE}>\r\n");
        self.write_reply(200, b"OK", contact.as_bytes());
        let ok = std::mem::replace(&mut self.reply, ringing);
        self.step_reply(Step::Ringing)?;
        self.reply = ok;
        self.step_reply(Step::Ok)?;
        self.take_from_core(CALLER)?;
        let dialog = Dialog::from_ok(&self.message)
            .ok_or_else(|| io::Error::other("the 200 that the caller got makes no dialog"))?;
        let ack = within("ACK", number, 1, &dialog);
        self.step(Step::Ack, CALLER, &ack, &[CALLEE])?;
        self.up.push_back((self.at_ms + HOLD_MS, number, dialog));
        Ok(())
    }

    fn end(&mut self, number: u64, dialog: &Dialog) -> io::Result<()> {
        let bye = within("BYE", number, 2, dialog);
        self.step(Step::Bye, CALLER, &bye, &[CALLEE])?;
        self.take_from_core(CALLEE)?;
        self.write_reply(200, b"OK", b"");
        self.step_reply(Step::ByeOk)
    }

    fn step_reply(&mut self, step: Step) -> io::Result<()> {
        let reply = std::mem::take(&mut self.reply);
        let done = self.step(step, CALLEE, &reply, &[CALLER]);
        self.reply = reply;
        done
    }

    /// Delivers, and checks where the core sent something.
    fn step(
        &mut self,
        step: Step,
        from: SocketAddr,
        bytes: &[u8],
        expected: &[SocketAddr],
    ) -> io::Result<()> {
        (self.how)(step)(&mut self.core, from, bytes, self.at_ms, &mut self.sent);
        if self
            .sent
            .iter()
            .map(|(to, _)| to)
            .eq(expected.iter().copied())
        {
            return Ok(());
        }
        let lines = self.sent.iter().map(|(to, bytes)| {
            let text = String::from_utf8_lossy(bytes);
            format!("\n  to {to}: {}", text.lines().next().unwrap_or_default())
        });
        let lines: String = lines.collect();
        let text = format!("after {} the core sent:{lines}", step.name());
        Err(io::Error::other(text))
    }

    /// Reads the last thing that was sent to one of the peers.
    fn take_from_core(&mut self, to: SocketAddr) -> io::Result<()> {
        let bytes = self.sent.iter().filter(|(at, _)| *at == to).last();
        let Some((_, bytes)) = bytes else {
            return Err(io::Error::other("the core sent nothing"));
        };
        self.message
            .refill(bytes)
            .map_err(|_| io::Error::other("the core sent what is no message"))
    }

    fn write_reply(&mut self, status: u16, reason: &[u8], headers: &[u8]) {
        let mut reply = Reply::new(status, reason);
        reply.to_tag = Some(b"callee");
        reply.headers = headers;
        self.reply.clear();
        reply.write(&self.message, &mut self.reply);
    }
}

fn within(method: &str, number: u64, cseq: u32, dialog: &Dialog) -> Vec<u8> {
    Within {
        method,
        transaction: method,
        number,
        run: 0,
        cseq,
        own: CALLER,
        dialog,
    }
    .write()
}
