//! Challenges (401, 407), and the credentials that answer them (RFC 3261 §22, RFC 8760).

use std::borrow::Cow;

use sip::{Credentials, HeaderId, Message};

use super::credentials::Credential;
use super::digest::{Algorithm, Question};

/// More than this many challenges of one reply are left unanswered.
const CHALLENGES_MAX: usize = 8;

/// The count of a nonce that is used for the first time.
const FIRST: &[u8] = b"00000001";

/// One challenge that can be answered.
struct Challenge<'a> {
    fields: Credentials<'a>,
    realm: Cow<'a, [u8]>,
    algorithm: Algorithm,
    /// The header that answers it.
    answer: HeaderId,
    /// `qop=auth` is wanted, or known at least.
    has_qop: bool,
}

impl<'a> Challenge<'a> {
    fn parse(value: &'a [u8], answer: HeaderId) -> Option<Self> {
        let fields = Credentials::parse(value).filter(Credentials::is_digest)?;
        let algorithm = Algorithm::named(fields.algorithm().as_deref())?;
        let realm = fields.realm()?;
        fields.nonce()?;
        let has_qop = match fields.qop() {
            None => false,
            Some(list) => {
                let mut options = list.split(|&byte| byte == b',');
                options
                    .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"auth"))
                    .then_some(true)?
            }
        };
        Some(Self {
            fields,
            realm,
            algorithm,
            answer,
            has_qop,
        })
    }

    /// Whether both want the same credentials: the first one of such counts (RFC 8760 §2.4).
    fn is_like(&self, other: &Self) -> bool {
        self.answer == other.answer && self.realm == other.realm
    }
}

/// The challenges of a reply that can be answered, the first one of each realm.
fn challenges<'a>(replies: &[&'a Message]) -> Vec<Challenge<'a>> {
    let kinds = [
        (HeaderId::WwwAuthenticate, HeaderId::Authorization),
        (HeaderId::ProxyAuthenticate, HeaderId::ProxyAuthorization),
    ];
    let mut found: Vec<Challenge<'a>> = Vec::new();
    for &reply in replies {
        for (asks, answers) in kinds {
            for header in reply.headers_of(asks) {
                if let Some(challenge) = Challenge::parse(header.value, answers)
                    && found.len() < CHALLENGES_MAX
                    && !found.iter().any(|known| known.is_like(&challenge))
                {
                    found.push(challenge);
                }
            }
        }
    }
    found
}

/// What a request says of itself to be answered for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) method: &'a [u8],
    pub(super) uri: &'a [u8],
}

/// The credentials that answer the challenges of replies, as header values; none where nobody is known.
pub(super) fn answers(
    subject: Subject<'_>,
    replies: &[&Message],
    known: &[Credential],
) -> Vec<(HeaderId, Vec<u8>)> {
    let own = engine::hex(&fastrand::u128(..).to_be_bytes());
    let challenges = challenges(replies).into_iter();
    let answered = challenges.filter_map(|challenge| {
        let mut fitting = known.iter().filter(|c| c.fits(&challenge.realm));
        let value = fitting.find_map(|c| answer(&challenge, subject, c, own.as_bytes()))?;
        Some((challenge.answer, value))
    });
    answered.collect()
}

fn answer(
    challenge: &Challenge<'_>,
    subject: Subject<'_>,
    credential: &Credential,
    own_nonce: &[u8],
) -> Option<Vec<u8>> {
    let nonce = challenge.fields.nonce()?;
    let question = Question {
        algorithm: challenge.algorithm,
        username: credential.username(),
        realm: &challenge.realm,
        secret: credential.secret(),
        nonce: &nonce,
        method: subject.method,
        uri: subject.uri,
        counted: challenge.has_qop.then_some((FIRST, own_nonce)),
    };
    let response = question.response()?;
    let mut value = b"Digest username=".to_vec();
    value.extend_from_slice(&sip::quote(credential.username()));
    push(&mut value, &[b"realm=", &sip::quote(&challenge.realm)]);
    push(&mut value, &[b"nonce=", &sip::quote(&nonce)]);
    push(&mut value, &[b"uri=\"", subject.uri, b"\""]);
    if let Some(opaque) = challenge.fields.opaque() {
        push(&mut value, &[b"opaque=", &sip::quote(&opaque)]);
    }
    if let Some((count, own)) = question.counted {
        push(&mut value, &[b"qop=auth, nc=", count]);
        push(&mut value, &[b"cnonce=\"", own, b"\""]);
    }
    push(&mut value, &[b"response=\"", &response, b"\""]);
    push(
        &mut value,
        &[b"algorithm=", challenge.algorithm.name.as_bytes()],
    );
    Some(value)
}

fn push(value: &mut Vec<u8>, parts: &[&[u8]]) {
    value.extend_from_slice(b", ");
    for part in parts {
        value.extend_from_slice(part);
    }
}

/// Whether a request already answered a challenge of the reply, and was not believed: another answer would fare
/// no better. A nonce that was only too old is another matter.
pub(super) fn was_answered(request: &Message, reply: &Message) -> bool {
    challenges(&[reply]).iter().any(|challenge| {
        let mut given = request.headers_of(challenge.answer);
        !challenge.fields.is_stale()
            && given.any(|given| {
                let realm = Credentials::parse(given.value).and_then(|given| given.realm());
                realm.as_deref() == Some(&*challenge.realm)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Subject<'static> = Subject {
        method: b"INVITE",
        uri: b"sip:bob@h",
    };

    fn reply(headers: &str) -> Message {
        let text = format!("SIP/2.0 401 Unauthorized\r\n{headers}\r\n");
        Message::parse(text.into_bytes()).expect("a message")
    }

    fn texts(headers: &str, known: &[Credential]) -> Vec<(HeaderId, String)> {
        let found = answers(SUBJECT, &[&reply(headers)], known);
        found
            .into_iter()
            .map(|(id, value)| (id, String::from_utf8(value).expect("text")))
            .collect()
    }

    #[test]
    fn each_realm_is_answered_once_and_by_the_first_algorithm_that_is_known() {
        let known = [Credential::anywhere(b"al\"ice", b"secret")];
        let found = texts(
            "WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", algorithm=SHA-512-256\r\n\
             WWW-Authenticate: Digest realm=\"a\", nonce=\"2\", algorithm=SHA-256, qop=\"auth-int,auth\", opaque=\"o\"\r\n\
             WWW-Authenticate: Digest realm=\"a\", nonce=\"3\"\r\n\
             Proxy-Authenticate: Digest realm=\"b\", nonce=\"4\"\r\n\
             Proxy-Authenticate: Basic realm=\"c\"\r\n\
             Proxy-Authenticate: Digest realm=\"d\", nonce=\"5\", qop=\"auth-int\"\r\n",
            &known,
        );
        assert_eq!(found.len(), 2, "{found:?}");
        let (id, first) = &found[0];
        assert_eq!(*id, HeaderId::Authorization);
        let start = r#"Digest username="al\"ice", realm="a", nonce="2", uri="sip:bob@h", opaque="o", qop=auth, nc=00000001, cnonce=""#;
        assert!(first.starts_with(start), "{first}");
        assert!(first.ends_with("algorithm=SHA-256"), "{first}");
        let (id, second) = &found[1];
        assert_eq!(*id, HeaderId::ProxyAuthorization);
        assert!(
            !second.contains("qop") && second.ends_with("algorithm=MD5"),
            "{second}"
        );
    }

    #[test]
    fn an_answer_that_was_not_believed_is_not_given_again() {
        let challenge = |more: &str| {
            reply(&format!(
                "WWW-Authenticate: Digest realm=\"a\", nonce=\"2\"{more}\r\n"
            ))
        };
        let request = |realm: &str| {
            let text = format!(
                "INVITE sip:b@h SIP/2.0\r\nAuthorization: Digest realm=\"{realm}\", nonce=\"1\"\r\n\r\n"
            );
            Message::parse(text.into_bytes()).expect("a message")
        };
        assert!(was_answered(&request("a"), &challenge("")));
        assert!(!was_answered(&request("b"), &challenge("")));
        assert!(!was_answered(&request("a"), &challenge(", stale=true")));
    }
}
