use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A question from a URI: `[sips:]host[:port][;transport]`.
fn query(text: &str) -> Query {
    let (text, secure) = match text.strip_prefix("sips:") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (text, transport) = match text.split_once(';') {
        Some((rest, name)) => (rest, Transport::from_name(name.as_bytes())),
        None => (text, None),
    };
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
        _ => (text, None),
    };
    Query::new(host.as_bytes(), port, transport, secure).unwrap()
}

fn resolver(lookup: impl Lookup + 'static, settings: ResolveSettings) -> Resolver {
    resolver_with(lookup, settings, Hosts::default())
}

fn resolver_with(
    lookup: impl Lookup + 'static,
    settings: ResolveSettings,
    hosts: Hosts,
) -> Resolver {
    let counters = Arc::new(ResolveCounters::default());
    Resolver::new(Box::new(lookup), settings, hosts, Box::new(|_| 0), counters)
}

fn texts(found: &Result<Candidates, ResolveError>) -> Vec<String> {
    match found {
        Ok(list) => list
            .iter()
            .map(|c| format!("{}:{}", c.transport, c.address))
            .collect(),
        Err(error) => vec![error.to_string()],
    }
}

fn with_tls() -> ResolveSettings {
    ResolveSettings {
        transports: vec![
            (Transport::Udp, 30),
            (Transport::Tcp, 20),
            (Transport::Tls, 10),
        ],
        ..ResolveSettings::default()
    }
}

/// A domain with everything, and one with addresses only.
fn zone() -> TableLookup {
    TableLookup::new()
        .naptr("full.test", 10, "SIP+D2T", "_sip._tcp.full.test")
        .naptr("full.test", 20, "SIPS+D2T", "_sips._tcp.full.test")
        .naptr("full.test", 30, "SIP+D2U", "_sip._udp.full.test")
        .naptr("full.test", 1, "E2U+sip", "elsewhere.test")
        .srv("_sip._udp.full.test", 10, 0, 5070, "a.full.test")
        .srv("_sip._udp.full.test", 20, 0, 5071, "b.full.test")
        .srv("_sip._tcp.full.test", 10, 0, 5072, "a.full.test")
        .srv("_sips._tcp.full.test", 10, 0, 5073, "b.full.test")
        .srv("_sip._udp.none.test", 0, 0, 0, "")
        .address("none.test", ip("10.0.0.9"))
        .address("a.full.test", ip("10.0.0.1"))
        .address("b.full.test", ip("10.0.0.2"))
        .address("b.full.test", ip("2001:db8::2"))
        .address("plain.test", ip("10.0.0.3"))
        .address("full.test", ip("10.0.0.4"))
}

#[tokio::test]
async fn what_each_kind_of_uri_leads_to() {
    let naptr = ResolveSettings {
        naptr: true,
        ..with_tls()
    };
    let by_their_order = ResolveSettings {
        naptr_own_preference: false,
        ..naptr.clone()
    };
    let tls = with_tls();
    let cases: [(&str, &ResolveSettings, &[&str]); 13] = [
        ("192.0.2.1", &tls, &["udp:192.0.2.1:5060"]),
        ("[2001:db8::1]", &tls, &["udp:[2001:db8::1]:5060"]),
        ("sips:192.0.2.1", &tls, &["tls:192.0.2.1:5061"]),
        ("192.0.2.1:5080;tcp", &tls, &["tcp:192.0.2.1:5080"]),
        ("full.test:5080", &tls, &["udp:10.0.0.4:5080"]),
        (
            "full.test",
            &tls,
            &[
                "udp:10.0.0.1:5070",
                "udp:10.0.0.2:5071",
                "udp:[2001:db8::2]:5071",
            ],
        ),
        ("FULL.test.;tcp", &tls, &["tcp:10.0.0.1:5072"]),
        (
            "sips:full.test",
            &tls,
            &["tls:10.0.0.2:5073", "tls:[2001:db8::2]:5073"],
        ),
        ("sips:plain.test;tcp", &tls, &["tls:10.0.0.3:5061"]),
        ("plain.test", &tls, &["udp:10.0.0.3:5060"]),
        (
            "full.test",
            &naptr,
            &[
                "udp:10.0.0.1:5070",
                "udp:10.0.0.2:5071",
                "udp:[2001:db8::2]:5071",
                "tcp:10.0.0.1:5072",
                "tls:10.0.0.2:5073",
                "tls:[2001:db8::2]:5073",
            ],
        ),
        (
            "full.test",
            &by_their_order,
            &[
                "tcp:10.0.0.1:5072",
                "tls:10.0.0.2:5073",
                "tls:[2001:db8::2]:5073",
                "udp:10.0.0.1:5070",
                "udp:10.0.0.2:5071",
                "udp:[2001:db8::2]:5071",
            ],
        ),
        ("none.test;udp", &tls, &["no such host"]),
    ];
    for (question, settings, expected) in cases {
        let resolver = resolver(zone(), settings.clone());
        let found = resolver.resolve(&query(question), Time::ZERO).await;
        assert_eq!(texts(&found), expected, "{question}");
    }
}

#[tokio::test]
async fn families_follow_the_sockets_and_the_settings() {
    let udp = query("b.full.test:5060");
    let (v4, v6) = ("udp:10.0.0.2:5060", "udp:[2001:db8::2]:5060");
    let cases: [(bool, bool, bool, &[&str]); 4] = [
        (true, true, false, &[v4, v6]),
        (true, true, true, &[v6, v4]),
        (false, true, false, &[v6]),
        (true, false, true, &[v4]),
    ];
    for (ipv4, ipv6, prefer_ipv6, expected) in cases {
        let settings = ResolveSettings {
            ipv4,
            ipv6,
            prefer_ipv6,
            ..ResolveSettings::default()
        };
        let found = resolver(zone(), settings).resolve(&udp, Time::ZERO).await;
        assert_eq!(texts(&found), expected);
    }
}

/// Counts the questions that reach the table.
struct Counting(TableLookup, Arc<AtomicU64>);

impl Lookup for Counting {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordKind) -> LookupFuture<'a> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.lookup(name, kind)
    }
}

#[tokio::test]
async fn answers_are_kept_as_long_as_they_hold() {
    let asked = Arc::new(AtomicU64::new(0));
    let ttl = Duration::from_secs(30);
    let list = vec![Record::Address(ip("10.0.0.1"))];
    let zone = TableLookup::new()
        .set("a.test", RecordKind::A, Ok(Records { list, ttl }))
        .set("bad.test", RecordKind::A, Err(LookupError::Failed));
    let settings = ResolveSettings {
        ipv6: false,
        ..ResolveSettings::default()
    };
    let resolver = resolver(Counting(zone, asked.clone()), settings);
    let at = |seconds: u64| Time::from_millis(seconds * 1000);
    let good = query("a.test:5060");
    assert!(resolver.cached(&good, at(0)).is_none());
    assert!(resolver.resolve(&good, at(0)).await.is_ok());
    assert!(matches!(resolver.cached(&good, at(29)), Some(Ok(_))));
    assert!(resolver.cached(&good, at(30)).is_none());
    let (missing, bad) = (query("x.test:5060"), query("bad.test:5060"));
    assert_eq!(
        resolver.resolve(&missing, at(0)).await,
        Err(ResolveError::NotFound)
    );
    assert_eq!(
        resolver.resolve(&missing, at(59)).await,
        Err(ResolveError::NotFound)
    );
    assert_eq!(
        resolver.resolve(&bad, at(0)).await,
        Err(ResolveError::Failed)
    );
    assert_eq!(
        resolver.resolve(&bad, at(4)).await,
        Err(ResolveError::Failed)
    );
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    assert!(resolver.cached(&missing, at(60)).is_none());
    assert!(resolver.cached(&bad, at(5)).is_none());
    let counters = resolver.counters();
    assert_eq!((counters.entries.get(), counters.lookups.get()), (3, 3));
    resolver.clear();
    assert!(resolver.cached(&good, at(0)).is_none());
    assert_eq!(counters.entries.get(), 0);
}

#[tokio::test]
async fn the_hosts_file_comes_first() {
    let hosts = Hosts::parse("127.0.0.1 phone a.full.test\n::1 phone\n");
    let settings = ResolveSettings {
        prefer_ipv6: true,
        ..ResolveSettings::default()
    };
    let resolver = resolver_with(zone(), settings, hosts);
    let known = resolver.cached(&query("Phone"), Time::ZERO).unwrap();
    assert_eq!(texts(&known), ["udp:[::1]:5060", "udp:127.0.0.1:5060"]);
    // A server of a service may stand there too.
    let found = resolver.resolve(&query("full.test"), Time::ZERO).await;
    assert_eq!(texts(&found)[0], "udp:127.0.0.1:5070");
}

#[tokio::test]
async fn weights_are_drawn_anew_for_each_message() {
    let zone = TableLookup::new()
        .srv("_sip._udp.lb.test", 1, 10, 1, "h.test")
        .srv("_sip._udp.lb.test", 1, 90, 2, "h.test")
        .address("h.test", ip("10.0.0.1"));
    let settings = ResolveSettings {
        srv_weights: true,
        ..ResolveSettings::default()
    };
    let draws = AtomicU64::new(0);
    // 0, 100, 0, 100: with the lighter last, the extremes choose one each.
    let random = Box::new(move |bound| (draws.fetch_add(1, Ordering::Relaxed) % 2) * (bound - 1));
    let counters = Arc::new(ResolveCounters::default());
    let resolver = Resolver::new(Box::new(zone), settings, Hosts::default(), random, counters);
    let mut first = Vec::new();
    for _ in 0..4 {
        let found = resolver
            .resolve(&query("lb.test"), Time::ZERO)
            .await
            .unwrap();
        assert_eq!(found.len(), 2);
        first.push(found[0].address.port());
    }
    assert_eq!(first, [2, 1, 2, 1]);
}

/// A name server that never answers.
struct Silent;

impl Lookup for Silent {
    fn lookup<'a>(&'a self, _: &'a str, _: RecordKind) -> LookupFuture<'a> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn questions_under_way_are_bounded() {
    let settings = ResolveSettings {
        max_pending: 1,
        ..ResolveSettings::default()
    };
    let resolver = resolver(Silent, settings);
    let (a, b) = (query("a.test"), query("b.test"));
    tokio::select! {
        biased;
        _ = resolver.resolve(&a, Time::ZERO) => unreachable!(),
        second = resolver.resolve(&b, Time::ZERO) => assert_eq!(second, Err(ResolveError::Busy)),
    }
    assert_eq!(resolver.counters().pending.get(), 0);
    assert_eq!(resolver.counters().busy.get(), 1);
}

/// A name server that answers when it is told to.
struct Slow(TableLookup, Arc<Notify>, Arc<AtomicU64>);

impl Lookup for Slow {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordKind) -> LookupFuture<'a> {
        Box::pin(async move {
            self.2.fetch_add(1, Ordering::Relaxed);
            self.1.notified().await;
            self.0.lookup(name, kind).await
        })
    }
}

#[tokio::test]
async fn a_burst_of_equal_questions_is_one_search() {
    let (go, asked) = (Arc::new(Notify::new()), Arc::new(AtomicU64::new(0)));
    let settings = ResolveSettings {
        ipv6: false,
        cache: false,
        ..ResolveSettings::default()
    };
    let resolver = resolver(Slow(zone(), go.clone(), asked.clone()), settings);
    let question = query("plain.test:5060");
    let ask = || resolver.resolve(&question, Time::ZERO);
    // The first to ask goes away; one of the others takes the search over.
    let mut gone = Box::pin(ask());
    let (second, third, ()) = tokio::join!(ask(), ask(), async {
        tokio::select! { biased; _ = &mut gone => unreachable!(), () = std::future::ready(()) => {} }
        drop(gone);
        tokio::task::yield_now().await;
        go.notify_one();
    });
    assert_eq!(texts(&second), ["udp:10.0.0.3:5060"]);
    assert_eq!(second, third);
    assert!(asked.load(Ordering::Relaxed) <= 2);
}

mod server;

#[tokio::test]
async fn a_real_name_server_is_asked() {
    let server = server::start().await;
    let options = DnsOptions {
        timeout: Some(Duration::from_secs(2)),
        attempts: Some(1),
        ..DnsOptions::default()
    };
    let lookup = DnsLookup::with_servers(&[server], &options).unwrap();
    let settings = ResolveSettings {
        naptr: true,
        ..ResolveSettings::default()
    };
    let resolver = resolver(lookup, settings);
    let found = resolver.resolve(&query("example.test"), Time::ZERO).await;
    assert_eq!(
        texts(&found),
        ["udp:10.0.0.1:5070", "udp:[2001:db8::1]:5070"]
    );
    let missing = resolver.resolve(&query("missing.test"), Time::ZERO).await;
    assert_eq!(missing, Err(ResolveError::NotFound));
    let broken = resolver.resolve(&query("broken.test"), Time::ZERO).await;
    assert_eq!(broken, Err(ResolveError::Failed));
}

#[tokio::test]
async fn an_answer_that_may_not_be_kept_still_reaches_the_one_who_waited() {
    let settings = ResolveSettings {
        cache: false,
        ..ResolveSettings::default()
    };
    let resolver = resolver(zone(), settings);
    let question = query("plain.test");
    assert!(resolver.cached(&question, Time::ZERO).is_none());
    resolver.resolve(&question, Time::ZERO).await.unwrap();
    assert!(resolver.cached(&question, Time::ZERO).is_some());
    assert!(resolver.cached(&question, Time::ZERO).is_none());
    assert_eq!(resolver.counters().entries.get(), 0);
}
