//! What it takes to understand an INVITE: nanoseconds and heap allocations, beside other people's parsers when built
//! with the feature `parsers`.

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::ExitCode;
use std::time::Instant;

use sip::{Index, Message};
use tandem_bench::load::text::{Common, Id, Texts};

/// Messages in one measurement.
const ROUNDS: u32 = 20_000;

/// Measurements, of which the fastest counts: what others do on the machine only ever adds.
const MEASUREMENTS: u32 = 25;

fn main() -> ExitCode {
    let common = Common {
        transport: "UDP",
        run: 7,
        hosts: &["192.0.2.10:5060".to_owned()],
    };
    let id = Id {
        slot: 42,
        number: 123_456,
    };
    let mut bytes = Vec::new();
    let own = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 10), 5060);
    Texts::new(own, &common).invite(id, &mut bytes);
    if Message::parse(bytes.clone()).is_err() {
        eprintln!("parse: the INVITE of the load is not a valid one");
        return ExitCode::FAILURE;
    }
    println!("An INVITE of {} bytes with SDP:\n", bytes.len());
    println!("| parser | ns | allocations | bytes allocated |");
    println!("|---|---:|---:|---:|");
    ours(&bytes);
    #[cfg(feature = "parsers")]
    others::print(&bytes);
    ExitCode::SUCCESS
}

fn ours(bytes: &[u8]) {
    let mut index = Index::default();
    row("tandem-sip: index, hot headers decoded", || {
        index.parse(black_box(bytes)).is_ok()
    });
    let Ok(mut message) = Message::parse(bytes.to_vec()) else {
        return;
    };
    row("tandem-sip: the same, with the copy into a message", || {
        message.refill(black_box(bytes)).is_ok()
    });
    row(
        "tandem-sip: the same, top Via, From, To, Call-ID, CSeq read",
        || {
            message.refill(black_box(bytes)).is_ok()
                && black_box(message.top_via()).is_some()
                && black_box(message.from_tag()).is_some()
                && black_box(message.to()).is_some()
                && black_box(message.call_id()).is_some()
                && black_box(message.cseq()).is_some()
                && black_box(message.max_forwards()).is_some()
        },
    );
    row(
        "tandem-sip: a message and an index of its own each time",
        || Message::parse(black_box(bytes).to_vec()).is_ok(),
    );
}

/// Measures and prints one row. `work` tells whether it understood the message.
fn row(name: &str, mut work: impl FnMut() -> bool) {
    if !work() {
        println!("| {name} | does not understand it | – | – |");
        return;
    }
    let allocated = allocation_counter::measure(|| {
        black_box(work());
    });
    let best = (0..MEASUREMENTS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..ROUNDS {
                black_box(work());
            }
            start.elapsed() / ROUNDS
        })
        .min()
        .unwrap_or_default();
    println!(
        "| {name} | {} | {} | {} |",
        best.as_nanos(),
        allocated.count_total,
        allocated.bytes_total
    );
}

#[cfg(feature = "parsers")]
mod others {
    //! Parsers published by others, each as its documentation says to use it.

    use std::hint::black_box;

    use super::row;

    pub(super) fn print(bytes: &[u8]) {
        row("rsip 0.4, untyped", || {
            rsip::Request::try_from(black_box(bytes)).is_ok()
        });
        row("rsip 0.4, the same headers typed", || rsip_typed(bytes));
        row("rsipstack 0.7, untyped", || {
            rsipstack::sip::Request::try_from(black_box(bytes)).is_ok()
        });
        row("rsipstack 0.7, the same headers typed", || {
            rsipstack_typed(bytes)
        });
    }

    fn rsip_typed(bytes: &[u8]) -> bool {
        use rsip::prelude::*;
        let Ok(request) = rsip::Request::try_from(black_box(bytes)) else {
            return false;
        };
        request
            .via_header()
            .is_ok_and(|via| black_box(via.typed()).is_ok())
            && request
                .from_header()
                .is_ok_and(|from| black_box(from.typed()).is_ok())
            && request
                .to_header()
                .is_ok_and(|to| black_box(to.typed()).is_ok())
            && black_box(request.call_id_header()).is_ok()
            && request
                .cseq_header()
                .is_ok_and(|cseq| black_box(cseq.typed()).is_ok())
            && request
                .max_forwards_header()
                .is_ok_and(|forwards| black_box(forwards.num()).is_ok())
    }

    fn rsipstack_typed(bytes: &[u8]) -> bool {
        use rsipstack::sip::prelude::*;
        let Ok(request) = rsipstack::sip::Request::try_from(black_box(bytes)) else {
            return false;
        };
        request
            .via_header()
            .is_ok_and(|via| black_box(via.typed()).is_ok())
            && request
                .from_header()
                .is_ok_and(|from| black_box(from.typed()).is_ok())
            && request
                .to_header()
                .is_ok_and(|to| black_box(to.typed()).is_ok())
            && black_box(request.call_id_header()).is_ok()
            && request
                .cseq_header()
                .is_ok_and(|cseq| black_box(cseq.typed()).is_ok())
            && request
                .max_forwards_header()
                .is_ok_and(|forwards| black_box(forwards.value().parse::<u8>()).is_ok())
    }
}
