use super::*;

#[test]
fn parts_of_a_sip_uri() {
    let uri =
        Uri::parse(b"SIPS:al;x=1:pw@[2001:DB8::1]:99;transport=TCP;lr?a=b&c=d").expect("valid");
    assert_eq!(uri.scheme, Scheme::Sips);
    assert_eq!(
        (uri.user, uri.password),
        (Some(&b"al;x=1"[..]), Some(&b"pw"[..]))
    );
    assert_eq!(uri.user_name(), Some(&b"al"[..]));
    assert_eq!((uri.host, uri.port), (&b"[2001:DB8::1]"[..], Some(99)));
    assert_eq!(uri.bare_host(), b"2001:DB8::1");
    assert_eq!(uri.wanted_transport(), Some(Transport::Tls));
    assert!(uri.is_loose());
    assert_eq!(
        uri.iter_headers().collect::<Vec<_>>(),
        [(&b"a"[..], &b"b"[..]), (b"c", b"d")]
    );
}

#[test]
fn the_user_may_contain_what_separates_elsewhere() {
    let text = b"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1@example.com";
    let uri = Uri::parse(text).expect("valid");
    assert_eq!(
        uri.user,
        Some(&b"1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"[..])
    );
    assert_eq!(uri.host, b"example.com");
    let uri = Uri::parse(b"sip:user;par=u%40example.net@example.com").expect("valid");
    assert_eq!(
        (uri.host, uri.params.is_empty()),
        (&b"example.com"[..], true)
    );
}

#[test]
fn three_colons_before_an_ipv4_tail_are_two() {
    let uri = Uri::parse(b"sip:user@[2001:db8:::192.0.2.1]").expect("valid");
    assert_eq!(host_address(uri.host), host_address(b"2001:db8::192.0.2.1"));
    assert!(host_address(uri.host).is_some());
}

#[test]
fn tel_and_others() {
    let uri = Uri::parse(b"tel:+1-201;phone-context=x").expect("valid");
    assert_eq!(
        (uri.scheme, uri.user, uri.host),
        (Scheme::Tel, Some(&b"+1-201"[..]), &b""[..])
    );
    let uri = Uri::parse(b"soap.beep://192.0.2.103:3002").expect("valid");
    assert_eq!(
        (uri.scheme, uri.opaque),
        (Scheme::Other, &b"//192.0.2.103:3002"[..])
    );
}

#[test]
fn refuses() {
    for bad in [
        "",
        "sip",
        ":x",
        "sip:",
        "sip:@h",
        "sip:a@",
        "sip:a@h:",
        "sip:a@h:x",
        "sip:a@h:65536",
        "sip:[1.2.3.4]",
        "sip:[::::1.2.3.4]",
        "sip:2001:db8::10",
        "sip:[::1",
        "sip:[x]",
        "sip:a b@h",
        "sip:a@h b",
        "<sip:a@h>",
        "sip:a@h;x=\"",
        "sip:a%4@h",
        "sip:a@b@c",
        "tel:",
        "sip:h\u{e9}",
        "1sip:h",
    ] {
        assert!(Uri::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}
