//! The statistics group `tmx`: the table's own figures under Kamailio's names.

use engine::Setup;
use transaction::Statistics;

type Figure = fn(&Statistics) -> u64;

const FIGURES: &[(&str, Figure, &str)] = &[
    (
        "UAS_transactions",
        |s| s.created.saturating_sub(s.created_local),
        "Transactions of received requests.",
    ),
    (
        "UAC_transactions",
        |s| s.created_local,
        "Transactions of requests made here.",
    ),
    (
        "2xx_transactions",
        |s| s.traffic.finals[0],
        "Transactions that ended with a 2xx.",
    ),
    (
        "3xx_transactions",
        |s| s.traffic.finals[1],
        "Transactions that ended with a 3xx.",
    ),
    (
        "4xx_transactions",
        |s| s.traffic.finals[2],
        "Transactions that ended with a 4xx.",
    ),
    (
        "5xx_transactions",
        |s| s.traffic.finals[3],
        "Transactions that ended with a 5xx.",
    ),
    (
        "6xx_transactions",
        |s| s.traffic.finals[4],
        "Transactions that ended with a 6xx.",
    ),
    (
        "inuse_transactions",
        |s| s.current,
        "Transactions in memory.",
    ),
    (
        "active_transactions",
        |s| s.current.saturating_sub(s.waiting),
        "Transactions that do more than absorb retransmissions.",
    ),
    ("rpl_received", |s| s.traffic.received, "Replies received."),
    (
        "rpl_absorbed",
        |s| s.traffic.received.saturating_sub(s.traffic.relayed),
        "Replies received and not relayed.",
    ),
    (
        "rpl_generated",
        |s| s.traffic.generated,
        "Replies made here.",
    ),
    ("rpl_relayed", |s| s.traffic.relayed, "Replies relayed."),
    ("rpl_sent", |s| s.traffic.sent, "Replies sent."),
];

/// Makes the figures known.
pub(super) fn add(setup: &mut Setup<'_>) {
    for (name, figure, doc) in FIGURES {
        let engine = setup.engine.clone();
        setup.statistics.computed("tmx", name, doc, move || {
            let Some(engine) = engine.get() else { return 0 };
            i64::try_from(figure(&engine.transactions.statistics())).unwrap_or(i64::MAX)
        });
    }
}
