//! The statistics group `sl`.

use engine::{Counter, StatisticRow, Statistics};

const fn row(name: &'static str, doc: &'static str) -> StatisticRow {
    StatisticRow {
        group: "sl",
        name,
        resettable: true,
        doc,
    }
}

/// Statuses that are counted by themselves; the others by class.
const SINGLE: [(u16, &str); 12] = [
    (200, "200_replies"),
    (202, "202_replies"),
    (300, "300_replies"),
    (301, "301_replies"),
    (302, "302_replies"),
    (400, "400_replies"),
    (401, "401_replies"),
    (403, "403_replies"),
    (404, "404_replies"),
    (407, "407_replies"),
    (408, "408_replies"),
    (483, "483_replies"),
];

const CLASSES: [&str; 6] = [
    "1xx_replies",
    "2xx_replies",
    "3xx_replies",
    "4xx_replies",
    "5xx_replies",
    "6xx_replies",
];

pub(super) static ROWS: &[StatisticRow] = &[
    row("1xx_replies", "Replies 1xx."),
    row("200_replies", "Replies 200."),
    row("202_replies", "Replies 202."),
    row("2xx_replies", "Other replies 2xx."),
    row("300_replies", "Replies 300."),
    row("301_replies", "Replies 301."),
    row("302_replies", "Replies 302."),
    row("3xx_replies", "Other replies 3xx."),
    row("400_replies", "Replies 400."),
    row("401_replies", "Replies 401."),
    row("403_replies", "Replies 403."),
    row("404_replies", "Replies 404."),
    row("407_replies", "Replies 407."),
    row("408_replies", "Replies 408."),
    row("483_replies", "Replies 483."),
    row("4xx_replies", "Other replies 4xx."),
    row("500_replies", "Replies 500."),
    row("5xx_replies", "Other replies 5xx."),
    row("6xx_replies", "Replies 6xx."),
    row("xxx_replies", "Replies of no class."),
    row("failures", "Replies that could not be sent."),
    row(
        "received_ACKs",
        "ACKs to replies made without a transaction.",
    ),
    row(
        "sent_err_replies",
        "Replies that tell of an internal error.",
    ),
    row("sent_replies", "Replies sent without a transaction."),
];

/// The counters behind the rows.
pub(super) struct Counters {
    single: Vec<(u16, Counter)>,
    server_error: Counter,
    classes: Vec<Counter>,
    other: Counter,
    pub(super) failures: Counter,
    pub(super) received_acks: Counter,
    pub(super) sent_errors: Counter,
    sent: Counter,
}

impl Counters {
    pub(super) fn new(statistics: &Statistics) -> Self {
        let counter = |name: &str| statistics.counter("sl", name, true, "");
        Self {
            single: SINGLE
                .iter()
                .map(|(status, name)| (*status, counter(name)))
                .collect(),
            server_error: counter("500_replies"),
            classes: CLASSES.iter().map(|name| counter(name)).collect(),
            other: counter("xxx_replies"),
            failures: counter("failures"),
            received_acks: counter("received_ACKs"),
            sent_errors: counter("sent_err_replies"),
            sent: counter("sent_replies"),
        }
    }

    /// A reply was sent.
    pub(super) fn count(&self, status: u16) {
        self.sent.increment();
        let single = self.single.iter().find(|(known, _)| *known == status);
        let class = usize::from(status / 100)
            .checked_sub(1)
            .and_then(|at| self.classes.get(at));
        match (single, class) {
            (Some((_, counter)), _) => counter.increment(),
            _ if status == 500 => self.server_error.increment(),
            (None, Some(counter)) => counter.increment(),
            (None, None) => self.other.increment(),
        }
    }
}
