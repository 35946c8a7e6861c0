//! Whom we are known as, and where: the parameter `credential`, and what scripts put into variables.

use engine::{InitError, ParameterValue, Parameters, Run, Setup};
use script::{Value, Variable};

use super::digest::Secret;

/// A name and its secret at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credential {
    username: Vec<u8>,
    /// `None`: wherever somebody asks.
    realm: Option<Vec<u8>>,
    secret: Vec<u8>,
    /// The secret is the hash of name, realm and password.
    is_hashed: bool,
}

impl Credential {
    /// A name with its password, for whatever realm asks.
    pub(super) fn anywhere(username: &[u8], password: &[u8]) -> Self {
        Self {
            username: username.to_vec(),
            realm: None,
            secret: password.to_vec(),
            is_hashed: false,
        }
    }

    /// Reads `user:realm:password`; only the password may contain colons.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (username, realm, secret) = (parts.next()?, parts.next()?, parts.next()?);
        (!username.is_empty() && !realm.is_empty()).then(|| Self {
            username: username.into(),
            realm: Some(realm.into()),
            secret: secret.into(),
            is_hashed: false,
        })
    }

    pub(super) fn username(&self) -> &[u8] {
        &self.username
    }

    pub(super) fn secret(&self) -> Secret<'_> {
        match self.is_hashed {
            true => Secret::Ha1(&self.secret),
            false => Secret::Password(&self.secret),
        }
    }

    pub(super) fn fits(&self, realm: &[u8]) -> bool {
        self.realm.as_deref().is_none_or(|own| own == realm)
    }

    /// The same with its secret taken for the hash.
    fn hashed(mut self, is_hashed: bool) -> Self {
        self.is_hashed = is_hashed;
        self
    }
}

/// The check of the parameter `credential`.
pub(super) fn check(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Str(text) if Credential::parse(text).is_some() => Ok(()),
        _ => Err("the value must be user:realm:password".to_owned()),
    }
}

/// All credentials that a configuration names.
pub(super) struct Known {
    fixed: Vec<Credential>,
    /// Realm, name and secret.
    variables: Option<[Variable; 3]>,
}

impl Known {
    pub(super) fn new(setup: &Setup<'_>) -> Result<Self, InitError> {
        let names = ["auth_realm_avp", "auth_username_avp", "auth_password_avp"];
        let variables = names.map(|name| setup.variable("uac", name));
        let variables = match variables {
            [realm, username, password] => match (realm?, username?, password?) {
                (Some(realm), Some(username), Some(password)) => Some([realm, username, password]),
                (None, None, None) => None,
                _ => {
                    let text = "module uac: auth_realm_avp, auth_username_avp and auth_password_avp are needed together";
                    return Err(text.into());
                }
            },
        };
        Ok(Self {
            fixed: fixed(setup.parameters),
            variables,
        })
    }

    /// Those of the parameter `credential`.
    pub(super) fn fixed(&self) -> Vec<Credential> {
        self.fixed.clone()
    }

    /// Those that a script may use now: what it says itself first. `is_hashed`: their secrets are hashes.
    pub(super) fn of_script(&self, run: &mut Run, is_hashed: bool) -> Vec<Credential> {
        let all = self.in_variables(run).into_iter().chain(self.fixed());
        all.map(|credential| credential.hashed(is_hashed)).collect()
    }

    fn in_variables(&self, run: &mut Run) -> Option<Credential> {
        let [realm, username, password] = self.variables.as_ref()?;
        let mut text = |variable: &Variable| match variable.get(run) {
            Value::Null => None,
            value => Some(value.to_str().to_vec()).filter(|text| !text.is_empty()),
        };
        Some(Credential {
            realm: text(realm),
            username: text(username)?,
            secret: text(password)?,
            is_hashed: false,
        })
    }
}

fn fixed(parameters: &Parameters) -> Vec<Credential> {
    let given = parameters.all("uac", "credential").into_iter();
    given
        .filter_map(|value| match value {
            ParameterValue::Str(text) => Credential::parse(&text),
            ParameterValue::Int(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_a_name_a_realm_and_a_password() {
        let credential = Credential::parse("bob:trunk.example:a:b").expect("a credential");
        assert_eq!(credential.username(), b"bob");
        assert_eq!(credential.secret(), Secret::Password(b"a:b"));
        assert!(credential.fits(b"trunk.example") && !credential.fits(b"Trunk.example"));
        for wrong in ["bob", "bob:realm", ":realm:pw", "bob::pw"] {
            assert!(
                check(&ParameterValue::Str(wrong.to_owned())).is_err(),
                "{wrong}"
            );
        }
        assert!(Credential::anywhere(b"a", b"b").fits(b"any"));
    }
}
