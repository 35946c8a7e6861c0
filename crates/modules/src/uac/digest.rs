//! Digest responses (RFC 7616, RFC 8760): the arithmetic.

use md5::{Digest, Md5};
use sha2::Sha256;

/// How a response is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Algorithm {
    hash: Hash,
    /// The first half is bound to the nonces (`-sess`).
    is_session: bool,
    /// As it is written.
    pub(super) name: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Md5,
    Sha256,
}

const ALGORITHMS: [Algorithm; 4] = [
    Algorithm {
        hash: Hash::Md5,
        is_session: false,
        name: "MD5",
    },
    Algorithm {
        hash: Hash::Md5,
        is_session: true,
        name: "MD5-sess",
    },
    Algorithm {
        hash: Hash::Sha256,
        is_session: false,
        name: "SHA-256",
    },
    Algorithm {
        hash: Hash::Sha256,
        is_session: true,
        name: "SHA-256-sess",
    },
];

impl Algorithm {
    /// The one that a challenge names; without a name it is MD5. `None` for one that is not known here.
    pub(super) fn named(name: Option<&[u8]>) -> Option<Self> {
        let name = name.unwrap_or(b"MD5");
        let mut known = ALGORITHMS.into_iter();
        known.find(|algorithm| algorithm.name.as_bytes().eq_ignore_ascii_case(name))
    }

    /// Digits of a hash.
    const fn digits(self) -> usize {
        match self.hash {
            Hash::Md5 => 32,
            Hash::Sha256 => 64,
        }
    }

    /// The hash of the parts with colons between them, in lower-case hexadecimal digits.
    fn hash(self, parts: &[&[u8]]) -> Vec<u8> {
        let text = parts.join(&b':');
        match self.hash {
            Hash::Md5 => engine::hex(&Md5::digest(&text)),
            Hash::Sha256 => engine::hex(&Sha256::digest(&text)),
        }
        .into_bytes()
    }
}

/// What only the two sides know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secret<'a> {
    /// The password.
    Password(&'a [u8]),
    /// The hash of name, realm and password.
    Ha1(&'a [u8]),
}

/// What a response is computed from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) username: &'a [u8],
    pub(super) realm: &'a [u8],
    pub(super) secret: Secret<'a>,
    pub(super) nonce: &'a [u8],
    pub(super) method: &'a [u8],
    pub(super) uri: &'a [u8],
    /// With `qop=auth`: the count and our own nonce.
    pub(super) counted: Option<(&'a [u8], &'a [u8])>,
}

impl Question<'_> {
    /// The response; `None` when the secret is a hash of another algorithm.
    pub(super) fn response(&self) -> Option<Vec<u8>> {
        let hash = |parts: &[&[u8]]| self.algorithm.hash(parts);
        let mut first = match self.secret {
            Secret::Password(password) => hash(&[self.username, self.realm, password]),
            Secret::Ha1(ha1) if ha1.len() == self.algorithm.digits() => ha1.to_ascii_lowercase(),
            Secret::Ha1(_) => return None,
        };
        if self.algorithm.is_session {
            let own = self.counted.map_or(&b""[..], |counted| counted.1);
            first = hash(&[&first, self.nonce, own]);
        }
        let second = hash(&[self.method, self.uri]);
        Some(match self.counted {
            None => hash(&[&first, self.nonce, &second]),
            Some((count, own)) => hash(&[&first, self.nonce, count, own, b"auth", &second]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 §3.9.1.
    fn mufasa(algorithm: &str) -> Question<'static> {
        Question {
            algorithm: Algorithm::named(Some(algorithm.as_bytes())).expect("known"),
            username: b"Mufasa",
            realm: b"http-auth@example.org",
            secret: Secret::Password(b"Circle of Life"),
            nonce: b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            method: b"GET",
            uri: b"/dir/index.html",
            counted: Some((b"00000001", b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")),
        }
    }

    #[test]
    fn responses_are_those_of_the_rfc() {
        let response = |algorithm| mufasa(algorithm).response();
        assert_eq!(
            response("MD5").as_deref(),
            Some(&b"8ca523f5e9506fed4657c9700eebdbec"[..])
        );
        assert_eq!(
            response("sha-256").as_deref(),
            Some(&b"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"[..])
        );
    }

    /// RFC 2617 §3.5 without qop, as RFC 2069 has it.
    #[test]
    fn without_qop_nothing_is_counted() {
        let question = Question {
            realm: b"testrealm@host.com",
            secret: Secret::Password(b"Circle Of Life"),
            nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093",
            counted: None,
            ..mufasa("MD5")
        };
        assert_eq!(
            question.response().as_deref(),
            Some(&b"670fd8c2df070c60b045671b8b24ff02"[..])
        );
    }

    #[test]
    fn a_hash_serves_in_place_of_the_password() {
        let ha1 =
            mufasa("MD5")
                .algorithm
                .hash(&[b"Mufasa", b"http-auth@example.org", b"Circle of Life"]);
        let question = Question {
            secret: Secret::Ha1(&ha1),
            ..mufasa("MD5")
        };
        assert_eq!(question.response(), mufasa("MD5").response());
        let other = Question {
            secret: Secret::Ha1(&ha1),
            ..mufasa("SHA-256")
        };
        assert_eq!(other.response(), None);
    }

    #[test]
    fn only_known_algorithms_are_taken() {
        assert_eq!(Algorithm::named(None).map(|a| a.name), Some("MD5"));
        assert_eq!(
            Algorithm::named(Some(b"md5-SESS")).map(|a| a.name),
            Some("MD5-sess")
        );
        assert_eq!(Algorithm::named(Some(b"SHA-512-256")), None);
    }
}
