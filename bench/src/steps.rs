//! Whole calls through the core, each kind of message in a function of its own name, so that a profiler that counts
//! by function counts by message.

use std::collections::VecDeque;
use std::hint::black_box;
use std::io;
use std::net::SocketAddr;

use crate::core::{CALLEE, CALLER, Core, PROXY, Sent};
use crate::load::answer::{Answer, Request};
use crate::load::net::v4;
use crate::load::text::{Common, Dialog, Id, Texts};
use crate::load::wire::Read;

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
    texts: Texts,
    at_ms: u64,
    hold_ms: u64,
    begun: u32,
    how: fn(Step) -> Deliver,
    up: VecDeque<(u64, Id, Dialog)>,
    sent: Sent,
}

impl Calls {
    /// None yet.
    ///
    /// # Errors
    /// None that can happen: the peers' addresses are of IPv4.
    pub fn new(core: Core) -> io::Result<Self> {
        let common = Common {
            transport: "UDP",
            run: 0,
            hosts: &[CALLEE.ip().to_string()],
        };
        Ok(Self {
            core,
            texts: Texts::new(v4(CALLER)?, &common),
            at_ms: 0,
            hold_ms: HOLD_MS,
            begun: 0,
            how: |_| deliver,
            up: VecDeque::new(),
            sent: Sent::default(),
        })
    }

    /// Calls that begin from now on do not end.
    pub const fn hold_for_ever(&mut self) {
        self.hold_ms = u64::MAX;
    }

    /// What they went through.
    pub const fn core(&self) -> &Core {
        &self.core
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
                && let Some((_, id, dialog)) = self.up.pop_front()
            {
                self.end(id, &dialog)?;
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
        let id = Id {
            slot: 0,
            number: self.begun,
        };
        self.begun += 1;
        let invite = written(|out| self.texts.invite(id, out));
        self.step(Step::Invite, CALLER, &invite, &[CALLER, CALLEE])?;
        let ringing = self.reply(id, "180 Ringing", Answer::Tagged)?;
        let ok = self.reply(id, "200 OK", Answer::Session)?;
        self.step(Step::Ringing, CALLEE, &ringing, &[CALLER])?;
        self.step(Step::Ok, CALLEE, &ok, &[CALLER])?;
        let read = read(self.last_to(CALLER)?)?;
        let target = read.contact.unwrap_or_default();
        let mut dialog = Dialog::default();
        dialog.set(target, |take| read.each_route_reversed(take), read.to);
        let ack = written(|out| self.texts.ack(id, &dialog, out));
        self.step(Step::Ack, CALLER, &ack, &[CALLEE])?;
        let ends_at = self.at_ms.saturating_add(self.hold_ms);
        self.up.push_back((ends_at, id, dialog));
        Ok(())
    }

    fn end(&mut self, id: Id, dialog: &Dialog) -> io::Result<()> {
        let bye = written(|out| self.texts.bye(id, dialog, out));
        self.step(Step::Bye, CALLER, &bye, &[CALLEE])?;
        let ok = self.reply(id, "200 OK", Answer::Plain)?;
        self.step(Step::ByeOk, CALLEE, &ok, &[CALLER])
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

    /// The last thing that was sent to one of the peers.
    fn last_to(&self, to: SocketAddr) -> io::Result<&[u8]> {
        let bytes = self.sent.iter().filter(|(at, _)| *at == to).last();
        let (_, bytes) = bytes.ok_or_else(|| io::Error::other("the core sent nothing"))?;
        Ok(bytes)
    }

    /// The callee's reply to what it got last.
    fn reply(&self, id: Id, status: &str, answer: Answer) -> io::Result<Vec<u8>> {
        let bytes = self.last_to(CALLEE)?;
        let request = Request {
            id,
            branch: 0,
            port: 0,
            from: v4(PROXY)?,
            own: v4(CALLEE)?,
            came: 0,
            now: 0,
            bytes,
            read: read(bytes)?,
        };
        Ok(written(|out| request.write(status, answer, out)))
    }
}

fn read(bytes: &[u8]) -> io::Result<Read<'_>> {
    Read::message(bytes).map_err(|wrong| io::Error::other(format!("the core's message: {wrong}")))
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(2_048);
    write(&mut out);
    out
}
