//! When two URIs are the same (RFC 3261 §19.1.4).

use super::{Scheme, Uri, host_address};
use crate::escape::{escaped, is_unreserved};

/// Parameters that may not be in one URI only.
const DECISIVE: [&[u8]; 5] = [b"user", b"ttl", b"method", b"maddr", b"transport"];

impl Uri<'_> {
    /// Whether both are the same by RFC 3261 §19.1.4. The order of parameters and headers does not matter.
    pub fn is_equivalent(&self, other: &Uri<'_>) -> bool {
        if self.text == other.text {
            return true;
        }
        self.scheme != Scheme::Other
            && self.scheme == other.scheme
            && same_option(self.user, other.user)
            && same_option(self.password, other.password)
            && same_host(self.host, other.host)
            && self.port == other.port
            && params_agree(self, other)
            && params_agree(other, self)
            && headers_agree(self, other)
            && headers_agree(other, self)
    }

    /// Whether both name the same account: user, host and port, whatever else they say.
    pub fn same_aor(&self, other: &Uri<'_>) -> bool {
        same_option(self.user, other.user)
            && same_host(self.host, other.host)
            && self.port_or_default() == other.port_or_default()
    }
}

/// Whether two hosts are the same: names in any case, addresses in any notation.
pub fn same_host(one: &[u8], other: &[u8]) -> bool {
    if one.eq_ignore_ascii_case(other) {
        return true;
    }
    host_address(one).is_some_and(|address| host_address(other) == Some(address))
}

fn same_option(one: Option<&[u8]>, other: Option<&[u8]>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => units(one).eq(units(other)),
        (one, other) => one.is_none() && other.is_none(),
    }
}

fn same_any_case(one: &[u8], other: &[u8]) -> bool {
    let lower = |(escaped, byte): (bool, u8)| (escaped, byte.to_ascii_lowercase());
    units(one).map(lower).eq(units(other).map(lower))
}

/// The characters of a part. An escape equals its character unless that is a reserved one.
fn units(text: &[u8]) -> impl Iterator<Item = (bool, u8)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (&byte, after) = rest.split_first()?;
        if let Some(value) = escaped(rest) {
            rest = rest.get(3..).unwrap_or_default();
            return Some((!is_unreserved(value), value));
        }
        rest = after;
        Some((false, byte))
    })
}

fn params_agree(one: &Uri<'_>, other: &Uri<'_>) -> bool {
    one.params
        .iter()
        .all(|param| match other.param(param.name) {
            Some(value) => {
                same_any_case(param.value.unwrap_or_default(), value.unwrap_or_default())
            }
            None => !DECISIVE
                .iter()
                .any(|name| name.eq_ignore_ascii_case(param.name)),
        })
}

fn headers_agree(one: &Uri<'_>, other: &Uri<'_>) -> bool {
    one.iter_headers().all(|(name, value)| {
        other.iter_headers().any(|(other_name, other_value)| {
            name.eq_ignore_ascii_case(other_name) && units(value).eq(units(other_value))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::Uri;

    fn same(one: &str, other: &str) -> bool {
        let parse = |text: &'static str| Uri::parse(text.as_bytes()).expect("valid");
        let (one, other) = (one.to_owned().leak(), other.to_owned().leak());
        let (one, other) = (parse(one), parse(other));
        assert_eq!(one.is_equivalent(&other), other.is_equivalent(&one));
        one.is_equivalent(&other)
    }

    #[test]
    fn the_examples_of_rfc_3261() {
        for (one, other) in [
            (
                "sip:%61lice@atlanta.com;transport=TCP",
                "sip:alice@AtLanTa.CoM;Transport=tcp",
            ),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:carol@chicago.com;newparam=5",
                "sip:carol@chicago.com;security=on",
            ),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
            ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"),
        ] {
            assert!(same(one, other), "{one} = {other}");
        }
        for (one, other) in [
            (
                "SIP:ALICE@AtLanTa.CoM;Transport=udp",
                "sip:alice@AtLanTa.CoM;Transport=UDP",
            ),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            (
                "sip:bob@biloxi.com",
                "sip:bob@biloxi.com:6000;transport=tcp",
            ),
            (
                "sip:carol@chicago.com",
                "sip:carol@chicago.com?Subject=next%20meeting",
            ),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            (
                "sip:carol@chicago.com;security=off",
                "sip:carol@chicago.com;security=on",
            ),
            ("sip:a%3bb@h", "sip:a;b@h"),
            ("sip:a@h", "sips:a@h"),
        ] {
            assert!(!same(one, other), "{one} ≠ {other}");
        }
    }

    #[test]
    fn the_same_account() {
        let parse = |text| Uri::parse(text).expect("valid");
        let one = parse(b"sip:a@H;x=1");
        assert!(one.same_aor(&parse(b"sip:a@h:5060")));
        assert!(!one.same_aor(&parse(b"sip:A@h")));
    }
}
