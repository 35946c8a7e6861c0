//! The caller: begins calls at a steady rate, holds them, ends them, and counts what did not come back.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use sip::{Message, Method};

use crate::callee::is_timeout;
use crate::histogram::Histogram;
use crate::message::{Dialog, Within, blank, call_number, invite, micros, sent_at};

/// What load to make.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Where everything is sent.
    pub proxy: SocketAddr,
    /// Calls begun a second.
    pub rate: u64,
    /// Calls in all.
    pub calls: u64,
    /// From the 200 to the BYE; `None` never ends a call.
    pub hold: Option<Duration>,
    /// Tells the runs against one proxy apart.
    pub run: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// INVITEs sent.
    pub begun: u64,
    /// Calls answered with 200.
    pub answered: u64,
    /// BYEs answered with 200.
    pub ended: u64,
    /// Calls and BYEs with another final reply.
    pub refused: u64,
    /// The first line of the first refusal.
    pub first_refusal: Option<String>,
    /// Final replies that came again.
    pub repeated: u64,
    /// Messages that nobody expected.
    pub unexpected: u64,
    /// From the callee's sending of the 200 to its arrival here.
    pub back: Histogram,
}

enum Call {
    Begun,
    Up(Dialog),
    Over,
}

/// How long to wait for the last answers.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// How long to sleep when nothing is due.
const IDLE: Duration = Duration::from_millis(50);

/// Makes the calls.
///
/// # Errors
/// The socket fails.
pub fn run(socket: &UdpSocket, plan: Plan, start: Instant) -> io::Result<Outcome> {
    socket.set_nonblocking(true)?;
    let now = Instant::now();
    Caller {
        own: socket.local_addr()?,
        socket,
        plan,
        start,
        begun_at: now,
        last_activity: now,
        calls: Vec::with_capacity(plan.calls as usize),
        to_end: VecDeque::new(),
        outcome: Outcome::default(),
    }
    .run()
}

struct Caller<'a> {
    own: SocketAddr,
    socket: &'a UdpSocket,
    plan: Plan,
    start: Instant,
    begun_at: Instant,
    last_activity: Instant,
    /// By number.
    calls: Vec<Call>,
    to_end: VecDeque<(Instant, usize)>,
    outcome: Outcome,
}

impl Caller<'_> {
    fn run(mut self) -> io::Result<Outcome> {
        let mut buffer = vec![0; 65_536];
        let mut message = blank()?;
        while !self.is_done() && self.last_activity.elapsed() < LAST_ANSWERS {
            self.begin_due()?;
            self.end_due()?;
            match self.socket.recv_from(&mut buffer) {
                Ok((length, _)) => {
                    self.last_activity = Instant::now();
                    match message.refill(&buffer[..length]) {
                        Ok(()) => self.take(&message)?,
                        Err(_) => self.outcome.unexpected += 1,
                    }
                }
                Err(error) if is_timeout(&error) => self.wait()?,
                Err(error) => return Err(error),
            }
        }
        Ok(self.outcome)
    }

    fn is_done(&self) -> bool {
        let outcome = &self.outcome;
        let over = match self.plan.hold {
            None => outcome.answered + outcome.refused,
            Some(_) => outcome.ended + outcome.refused,
        };
        outcome.begun == self.plan.calls && over == self.plan.calls
    }

    /// When the call with this number is to begin.
    fn begins_at(&self, number: u64) -> Instant {
        self.begun_at + Duration::from_micros(number * 1_000_000 / self.plan.rate)
    }

    /// Sleeps until a message comes or something is due. Not with the socket's own timeout: the kernel counts that
    /// in ticks of 1 to 10 ms, which would make bursts of a steady rate.
    fn wait(&self) -> io::Result<()> {
        let now = Instant::now();
        let mut until = now + IDLE;
        if self.outcome.begun < self.plan.calls {
            until = until.min(self.begins_at(self.outcome.begun));
        }
        if let Some((at, _)) = self.to_end.front() {
            until = until.min(*at);
        }
        let timeout = TimeSpec::from_duration(until.saturating_duration_since(now));
        let mut sockets = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut sockets, Some(timeout), None) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn begin_due(&mut self) -> io::Result<()> {
        while self.outcome.begun < self.plan.calls
            && self.begins_at(self.outcome.begun) <= Instant::now()
        {
            let sent = micros(self.start);
            let plan = &self.plan;
            let bytes = invite(self.outcome.begun, plan.run, self.own, plan.proxy, sent);
            self.socket.send_to(&bytes, plan.proxy)?;
            self.calls.push(Call::Begun);
            self.outcome.begun += 1;
            self.last_activity = Instant::now();
        }
        Ok(())
    }

    fn end_due(&mut self) -> io::Result<()> {
        while let Some((at, number)) = self.to_end.front().copied() {
            let now = Instant::now();
            if at > now {
                break;
            }
            self.to_end.pop_front();
            self.last_activity = now;
            if let Some(Call::Up(dialog)) = self.calls.get(number) {
                self.send_within(number, "BYE", "BYE", 2, dialog)?;
            }
        }
        Ok(())
    }

    fn send_within(
        &self,
        number: usize,
        method: &str,
        transaction: &str,
        cseq: u32,
        dialog: &Dialog,
    ) -> io::Result<()> {
        let bytes = Within {
            method,
            transaction,
            number: number as u64,
            run: self.plan.run,
            cseq,
            own: self.own,
            dialog,
        }
        .write();
        self.socket.send_to(&bytes, self.plan.proxy).map(|_| ())
    }

    fn take(&mut self, message: &Message) -> io::Result<()> {
        let number = call_number(message, self.plan.run).map(|number| number as usize);
        let (Some(status), Some(number)) = (message.status(), number) else {
            self.outcome.unexpected += 1;
            return Ok(());
        };
        if number >= self.calls.len() {
            self.outcome.unexpected += 1;
            return Ok(());
        }
        match (message.method(), status) {
            (_, ..200) => Ok(()),
            (Method::Invite, 200) => self.answered(number, message),
            (Method::Invite, _) => {
                self.refused(number, message);
                let proxy = self.plan.proxy;
                match Dialog::from_refusal(message, number as u64, proxy) {
                    Some(dialog) => self.send_within(number, "ACK", "INVITE", 1, &dialog),
                    None => Ok(()),
                }
            }
            (Method::Bye, 200) => {
                match std::mem::replace(&mut self.calls[number], Call::Over) {
                    Call::Up(_) => self.outcome.ended += 1,
                    Call::Begun => self.outcome.unexpected += 1,
                    Call::Over => self.outcome.repeated += 1,
                }
                Ok(())
            }
            (Method::Bye, _) => {
                self.refused(number, message);
                Ok(())
            }
            _ => {
                self.outcome.unexpected += 1;
                Ok(())
            }
        }
    }

    fn refused(&mut self, number: usize, message: &Message) {
        if matches!(self.calls[number], Call::Over) {
            self.outcome.repeated += 1;
            return;
        }
        self.calls[number] = Call::Over;
        self.outcome.refused += 1;
        self.outcome.first_refusal.get_or_insert_with(|| {
            String::from_utf8_lossy(message.first_line())
                .trim()
                .to_owned()
        });
    }

    fn answered(&mut self, number: usize, message: &Message) -> io::Result<()> {
        match &self.calls[number] {
            Call::Begun => {}
            Call::Up(dialog) => {
                self.send_within(number, "ACK", "ACK", 1, dialog)?;
                self.outcome.repeated += 1;
                return Ok(());
            }
            Call::Over => {
                self.outcome.repeated += 1;
                return Ok(());
            }
        }
        let Some(dialog) = Dialog::from_ok(message) else {
            self.outcome.unexpected += 1;
            return Ok(());
        };
        self.outcome.answered += 1;
        if let Some(sent) = sent_at(message) {
            let now = micros(self.start);
            self.outcome.back.add(now.saturating_sub(sent));
        }
        self.send_within(number, "ACK", "ACK", 1, &dialog)?;
        self.calls[number] = Call::Up(dialog);
        if let Some(hold) = self.plan.hold {
            self.to_end.push_back((Instant::now() + hold, number));
        }
        Ok(())
    }
}
