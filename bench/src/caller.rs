//! The caller: begins calls at a steady rate, holds them, ends them, and counts what did not come back.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use sip::{Message, Method};

use crate::callee::is_timeout;
use crate::histogram::Histogram;
use crate::message::{Dialog, Within, call_number, invite, micros, sent_at};

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
    /// Tells the runs of one proxy apart.
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
    /// Final replies other than 200, with the first of them.
    pub refused: u64,
    /// The first line of the first refusal.
    pub first_refusal: Option<String>,
    /// Messages that nobody expected.
    pub unexpected: u64,
    /// From the callee's sending of the 200 to its arrival here.
    pub back: Histogram,
}

struct Call {
    dialog: Option<Dialog>,
}

/// How long to wait for the last answers.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// Makes the calls.
///
/// # Errors
/// The socket fails.
pub fn run(socket: &UdpSocket, plan: Plan, start: Instant) -> io::Result<Outcome> {
    Caller {
        own: socket.local_addr()?,
        socket,
        plan,
        start,
        begun_at: Instant::now(),
        calls: HashMap::new(),
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
    calls: HashMap<u64, Call>,
    to_end: VecDeque<(Instant, u64)>,
    outcome: Outcome,
}

impl Caller<'_> {
    fn run(mut self) -> io::Result<Outcome> {
        self.socket
            .set_read_timeout(Some(Duration::from_millis(1)))?;
        let mut buffer = vec![0; 65_536];
        let mut message = Message::parse(b"OPTIONS sip:a SIP/2.0\r\n\r\n".to_vec())
            .map_err(|_| io::Error::other("the first message is valid"))?;
        let mut quiet_since = Instant::now();
        while !self.is_done() && quiet_since.elapsed() < LAST_ANSWERS {
            self.begin_due()?;
            self.end_due()?;
            match self.socket.recv_from(&mut buffer) {
                Ok((length, _)) => {
                    quiet_since = Instant::now();
                    match message.refill(&buffer[..length]) {
                        Ok(()) => self.take(&message)?,
                        Err(_) => self.outcome.unexpected += 1,
                    }
                }
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(error),
            }
            if self.outcome.begun < self.plan.calls || !self.to_end.is_empty() {
                quiet_since = Instant::now();
            }
        }
        Ok(self.outcome)
    }

    fn is_done(&self) -> bool {
        let answered = self.outcome.answered + self.outcome.refused;
        let ended = self.plan.hold.is_none() || self.outcome.ended == self.outcome.answered;
        self.outcome.begun == self.plan.calls && answered == self.plan.calls && ended
    }

    fn begin_due(&mut self) -> io::Result<()> {
        let elapsed = self.begun_at.elapsed().as_micros() as u64;
        let due = (elapsed * self.plan.rate / 1_000_000 + 1).min(self.plan.calls);
        while self.outcome.begun < due {
            let number = self.outcome.begun;
            let sent = micros(self.start);
            let bytes = invite(number, self.plan.run, self.own, self.plan.proxy, sent);
            self.socket.send_to(&bytes, self.plan.proxy)?;
            self.calls.insert(number, Call { dialog: None });
            self.outcome.begun += 1;
        }
        Ok(())
    }

    fn end_due(&mut self) -> io::Result<()> {
        while let Some((at, number)) = self.to_end.front().copied() {
            if at > Instant::now() {
                break;
            }
            self.to_end.pop_front();
            self.send_within(number, "BYE", 2)?;
        }
        Ok(())
    }

    fn send_within(&self, number: u64, method: &str, cseq: u32) -> io::Result<()> {
        let Some(Call {
            dialog: Some(dialog),
        }) = self.calls.get(&number)
        else {
            return Ok(());
        };
        let (run, own) = (self.plan.run, self.own);
        let bytes = Within {
            method,
            number,
            run,
            cseq,
            own,
            dialog,
        }
        .write();
        self.socket.send_to(&bytes, self.plan.proxy).map(|_| ())
    }

    fn take(&mut self, message: &Message) -> io::Result<()> {
        let number = call_number(message, self.plan.run);
        let (Some(status), Some(number)) = (message.status(), number) else {
            self.outcome.unexpected += 1;
            return Ok(());
        };
        match (message.method(), status) {
            (_, ..200) => {}
            (Method::Invite, 200) => self.answered(number, message)?,
            (Method::Bye, 200) => {
                if self.calls.remove(&number).is_some() {
                    self.outcome.ended += 1;
                }
            }
            _ => {
                self.outcome.refused += 1;
                let line = String::from_utf8_lossy(message.first_line())
                    .trim()
                    .to_owned();
                self.outcome.first_refusal.get_or_insert(line);
            }
        }
        Ok(())
    }

    fn answered(&mut self, number: u64, message: &Message) -> io::Result<()> {
        let Some(call) = self.calls.get_mut(&number) else {
            self.outcome.unexpected += 1;
            return Ok(());
        };
        if call.dialog.is_none() {
            let Some(dialog) = Dialog::from_ok(message) else {
                self.outcome.unexpected += 1;
                return Ok(());
            };
            call.dialog = Some(dialog);
            self.outcome.answered += 1;
            if let Some(sent) = sent_at(message) {
                self.outcome
                    .back
                    .add(micros(self.start).saturating_sub(sent));
            }
            if let Some(hold) = self.plan.hold {
                self.to_end.push_back((Instant::now() + hold, number));
            }
        }
        self.send_within(number, "ACK", 1)
    }
}
