//! Nets: `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, one address.

use std::net::IpAddr;

use crate::ast::Network;

impl Network {
    /// Reads an address, or an address with a prefix length or a mask.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, mask) = match text.split_once('/') {
            Some((address, mask)) => (address, Some(mask)),
            None => (text, None),
        };
        let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match mask {
            None => width,
            Some(mask) => match mask.parse::<u8>() {
                Ok(prefix) => prefix,
                Err(_) => prefix_of(mask.parse().ok()?)?,
            },
        };
        (prefix <= width).then_some(Self { address, prefix })
    }

    /// Whether the address lies in the net. IPv4 and IPv6 have nothing in common.
    pub fn contains(&self, address: IpAddr) -> bool {
        let difference = match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => u128::from(a.to_bits() ^ b.to_bits()) << 96,
            (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits() ^ b.to_bits(),
            _ => return false,
        };
        difference.leading_zeros() >= u32::from(self.prefix)
    }
}

/// The length of a mask of leading ones.
fn prefix_of(mask: IpAddr) -> Option<u8> {
    let (ones, rest) = match mask {
        IpAddr::V4(mask) => (
            mask.to_bits().leading_ones(),
            mask.to_bits().trailing_zeros() + mask.to_bits().leading_ones() == 32,
        ),
        IpAddr::V6(mask) => (
            mask.to_bits().leading_ones(),
            mask.to_bits().trailing_zeros() + mask.to_bits().leading_ones() == 128,
        ),
    };
    // All zeros has 32 or 128 trailing zeros and no leading ones, so the sum is right there too.
    if rest { u8::try_from(ones).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nets_hold_their_addresses() {
        for (net, address, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/255.0.0.0", "10.1.1.1", true),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("[2001:db8::1]", "2001:db8::1", true),
            ("::/0", "1.2.3.4", false),
        ] {
            let net = Network::parse(net).expect(net);
            let address = address.parse().expect(address);
            assert_eq!(net.contains(address), inside, "{net:?} {address}");
        }
        for wrong in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/255.0.255.0",
            "host",
            "10.0.0.0/x",
        ] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }
}
