//! What came of the calls: exact counts, and how long each message took.

use std::fmt;

use crate::histogram::Histogram;

/// How long messages took, in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// From the caller's INVITE to its arrival at the callee.
    pub invite: Histogram,
    /// From the callee's 200 to its arrival at the caller.
    pub ok: Histogram,
    /// From the INVITE to the 100 that answers it.
    pub to_100: Histogram,
    /// From the INVITE to the 180.
    pub to_180: Histogram,
    /// From the INVITE to the 200.
    pub to_200: Histogram,
    /// From the INVITE to a refusal.
    pub to_refusal: Histogram,
    /// From the BYE to its 200: a request within a call.
    pub bye: Histogram,
}

impl Latencies {
    /// One way through the proxy, INVITE and 200 together.
    pub fn one_way(&self) -> Histogram {
        let mut both = self.invite.clone();
        both.merge(&self.ok);
        both
    }

    fn all(&self) -> [(&'static str, &Histogram); 7] {
        [
            ("INVITE one way", &self.invite),
            ("200 one way", &self.ok),
            ("INVITE to 100", &self.to_100),
            ("INVITE to 180", &self.to_180),
            ("INVITE to 200", &self.to_200),
            ("INVITE to refusal", &self.to_refusal),
            ("BYE to 200", &self.bye),
        ]
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Self) {
        let pairs = [
            (&mut self.invite, &other.invite),
            (&mut self.ok, &other.ok),
            (&mut self.to_100, &other.to_100),
            (&mut self.to_180, &other.to_180),
            (&mut self.to_200, &other.to_200),
            (&mut self.to_refusal, &other.to_refusal),
            (&mut self.bye, &other.bye),
        ];
        for (own, more) in pairs {
            own.merge(more);
        }
    }
}

/// Declares the counts, so that each is also printed.
macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident $label:literal;)*) => {
        /// The counts of a run.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counts { $($(#[$doc])* pub $name: u64),* }

        impl Counts {
            fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$(($label, self.$name)),*]
            }
        }
    };
}

counts! {
    /// Calls begun.
    begun "begun";
    /// INVITEs answered with 200.
    answered "answered";
    /// BYEs answered with 200: calls that went as they should, to their end.
    ended "ended";
    /// INVITEs answered with 503 and Retry-After, and not forwarded.
    refused "refused with 503 and Retry-After";
    /// INVITEs with any other final reply, or refused after they had been forwarded.
    rejected "rejected otherwise";
    /// BYEs with a final reply that is not 200.
    byes_rejected "BYEs rejected";
    /// INVITEs that the callee never saw.
    lost_invites "INVITEs lost";
    /// Calls that the callee answered and the caller never saw answered.
    lost_answers "200s lost";
    /// ACKs that the callee never saw.
    lost_acks "ACKs lost";
    /// BYEs that the callee never saw.
    lost_byes "BYEs lost";
    /// 200s to a BYE that the caller never saw.
    lost_bye_oks "200s to BYEs lost";
    /// Answered calls without a 100.
    missing_100 "without 100";
    /// Answered calls without a 180.
    missing_180 "without 180";
    /// Requests that the callee saw, each once: all branches of an INVITE.
    invites "INVITEs at the callee";
    /// The same.
    acks "ACKs at the callee";
    /// The same.
    byes "BYEs at the callee";
    /// The same: branches that lost.
    cancels "CANCELs at the callee";
    /// The same: of branches that lost.
    negative_acks "ACKs for 487 at the callee";
    /// Messages that came again.
    repeated "came again";
    /// Messages of calls that are over.
    late "came after the end";
    /// Provisional replies that came after the final one.
    overtaken "overtaken";
    /// Messages sent again by us.
    sent_again "sent again";
    /// Messages that nobody expected, or that are malformed.
    unexpected "unexpected";
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.named().into_iter().filter(|(_, count)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(label, count)| format!("{count} {label}"))
            .collect();
        f.write_str(&counts.join(", "))
    }
}

/// The parts of a run that are told apart, so that something can be done during one of them.
pub const PHASES: usize = 3;

/// All that was counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Counts.
    pub counts: Counts,
    /// How long things took, by phase.
    pub latencies: [Latencies; PHASES],
    /// What was wrong with the first unexpected messages, and how they begin.
    pub complaints: Vec<String>,
}

/// So many complaints tell enough.
const COMPLAINTS_MAX: usize = 8;

impl Tally {
    /// Remembers a message that nobody expected.
    pub fn complain(&mut self, what: impl fmt::Display, bytes: &[u8]) {
        self.counts.unexpected += 1;
        self.note(what, bytes);
    }

    /// Remembers why something failed, without counting it.
    pub fn note(&mut self, what: impl fmt::Display, bytes: &[u8]) {
        if self.complaints.len() < COMPLAINTS_MAX {
            let text = String::from_utf8_lossy(bytes);
            let first = text.lines().next().unwrap_or_default();
            self.complaints.push(format!("{what}: {first}"));
        }
    }

    /// Of the whole run.
    pub fn all_latencies(&self) -> Latencies {
        let mut all = Latencies::default();
        for phase in &self.latencies {
            all.merge(phase);
        }
        all
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.counts)?;
        for complaint in &self.complaints {
            writeln!(f, "  {complaint}")?;
        }
        for (name, histogram) in self.all_latencies().all() {
            if histogram.count() > 0 {
                let [p50, p99, p999] = histogram.usual();
                writeln!(f, "{name}: p50 {p50} us, p99 {p99} us, p99.9 {p999} us")?;
            }
        }
        Ok(())
    }
}
