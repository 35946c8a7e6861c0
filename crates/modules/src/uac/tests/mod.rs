//! The module with tm and rr around it: challenges answered, parties replaced, requests of our own.

mod auth;
mod load;
mod replace;
mod request;

use crate::testing::{Bench, Sent, reply};

const ALICE: &str = "10.0.0.2:5060";
const BOB: &str = "10.0.0.3:5060";

const HEAD: &str = r#"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "textopsx.so"
loadmodule "dialog.so"
loadmodule "uac.so"
modparam("dialog", "dlg_match_mode", 1)
"#;

/// An engine with these parameters, and this in the route of an INVITE before it is relayed.
fn bench(parameters: &str, begin: &str, more: &str) -> Bench {
    Bench::new(&format!(
        r#"{HEAD}{parameters}
request_route {{
    if (loose_route()) {{
        t_relay();
        exit;
    }}
    record_route();
    {begin}
    t_relay();
}}
{more}"#
    ))
}

const INVITE: &str = "INVITE sip:bob@10.0.0.3 SIP/2.0
Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKa1
Max-Forwards: 70
From: \"Alice\" <sip:alice@example.org>;tag=fa
To: <sip:bob@example.org>
Call-ID: call-1@test
CSeq: 10 INVITE
Contact: <sip:alice@10.0.0.2;ob>
Content-Length: 0

";

fn sent_to<'a>(sent: &'a [Sent], address: &str) -> Vec<&'a Sent> {
    let address = address.parse().expect("an address");
    sent.iter().filter(|sent| sent.to == address).collect()
}

fn logged(bench: &Bench) -> Vec<String> {
    let lines = bench.log().into_iter();
    lines
        .filter_map(|line| Some(line.split_once("<script>: ")?.1.trim_end().to_owned()))
        .collect()
}
