//! What an operator may set, with Kamailio's names and defaults, and the limits that keep it bounded.

/// How requests within a dialog find their call (`dlg_match_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MatchMode {
    /// By the cookie alone.
    #[default]
    DidOnly = 0,
    /// By the cookie, and by Call-ID and tags where that finds nothing.
    DidFallback = 1,
    /// By Call-ID and tags alone; no cookie is added.
    DidNone = 2,
}

impl MatchMode {
    /// Reads the parameter's number; `None` outside 0..=2.
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::DidOnly),
            1 => Some(Self::DidFallback),
            2 => Some(Self::DidNone),
            _ => None,
        }
    }
}

/// A named set of calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileSettings {
    /// Its name: letters, digits and underscores.
    pub name: String,
    /// Whether a membership carries a value.
    pub with_value: bool,
}

/// The tracker's parameters. Times are in seconds.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Slots of the table; a power of two.
    pub hash_size: u32,
    /// Where `h_id`s start; without meaning when `h_id_step` is 1.
    pub h_id_start: u32,
    /// The distance between two `h_id`s, so that several nodes never hand out the same.
    pub h_id_step: u32,
    /// The Record-Route parameter that holds the cookie, 1 to 32 bytes.
    pub rr_param: String,
    /// How requests are matched.
    pub match_mode: MatchMode,
    /// The lifetime of a confirmed call.
    pub default_timeout: u32,
    /// How long a call may wait for its answer.
    pub early_timeout: u32,
    /// How long an answered call may wait for its ACK before it is given ten more seconds.
    pub noack_timeout: u32,
    /// How long the record of an ended call may stay.
    pub end_timeout: u32,
    /// Requests within a call do not restart its lifetime.
    pub timeout_noreset: bool,
    /// Observers hear of a new call, and of an INVITE that passes again, within `create`; else when the
    /// program calls [`announce`](crate::Tracker::announce).
    pub tells_created: bool,
    /// The same INVITE passing again binds to the call that exists.
    pub detect_spirals: bool,
    /// A call that expires is ended by BYE to both sides.
    pub send_bye: bool,
    /// The record of a failed call stays until its INVITE transaction is gone.
    pub wait_ack: bool,
    /// Raise CSeq numbers, so that they rise for both sides although this program sends requests of its own.
    pub track_cseq: bool,
    /// Which own Record-Routes stay in the recorded route sets: bit 1 the callee's, bit 2 the caller's.
    pub keep_proxy_rr: u8,
    /// Time between two keep-alives of a call that asks for them; 0 for none at all.
    pub keep_alive_interval: u32,
    /// Keep-alives are moved by up to this, so that calls that began together do not stay together.
    pub keep_alive_spread: u32,
    /// Keep-alives in a row that one party has to leave unanswered for the call to end.
    pub keep_alive_limit: u32,
    /// The profiles, in the order in which they were declared.
    pub profiles: Vec<ProfileSettings>,
    /// Records held at most; a further INVITE is refused and counted.
    pub max_dialogs: u32,
    /// Records with one Call-ID at most.
    pub max_dialogs_per_call_id: u32,
    /// Early or further confirmed dialogs of one call at most.
    pub max_forks: u32,
    /// Items of other nodes that profiles hold at most, over all.
    pub max_remote: u32,
    /// Bytes of variables and profile values that one call may hold.
    pub max_items_bytes: u32,
    /// Random bits: where each slot's `h_id`s begin.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hash_size: 4096,
            h_id_start: 0,
            h_id_step: 1,
            rr_param: "did".to_owned(),
            match_mode: MatchMode::DidOnly,
            default_timeout: 43_200,
            early_timeout: 300,
            noack_timeout: 60,
            end_timeout: 300,
            timeout_noreset: false,
            tells_created: true,
            detect_spirals: true,
            send_bye: false,
            wait_ack: true,
            track_cseq: false,
            keep_proxy_rr: 0,
            keep_alive_interval: 0,
            keep_alive_spread: 0,
            keep_alive_limit: 1,
            profiles: Vec::new(),
            max_dialogs: 4_000_000,
            max_dialogs_per_call_id: 256,
            max_forks: 64,
            max_remote: 1_000_000,
            max_items_bytes: 64 * 1024,
            seed: 0,
        }
    }
}

/// Settings that no tracker can run with. The texts are Kamailio's where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsError {
    /// `rr_param` is empty.
    EmptyRrParam,
    /// `rr_param` has more than 32 bytes.
    LongRrParam,
    /// `default_timeout` is 0.
    NoDefaultTimeout,
    /// `keep_proxy_rr` is above 3.
    KeepProxyRr,
    /// A profile's name is empty or holds something else than letters, digits and underscores.
    ProfileName(String),
    /// Two profiles have this name.
    DuplicateProfile(String),
    /// More than 65,535 profiles.
    TooManyProfiles,
}

impl std::fmt::Display for SettingsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::EmptyRrParam => f.write_str("empty rr_param!!"),
            Self::LongRrParam => f.write_str("rr_param too long (max=32)!!"),
            Self::NoDefaultTimeout => f.write_str("0 default_timeout not accepted!!"),
            Self::KeepProxyRr => f.write_str("invalid value for keep_proxy_rr"),
            Self::ProfileName(name) => write!(f, "bad profile name `{name}`"),
            Self::DuplicateProfile(name) => write!(f, "profile `{name}` is declared twice"),
            Self::TooManyProfiles => f.write_str("too many profiles"),
        }
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Refuses what cannot work and rounds what nearly does; gives a sentence for each rounding.
    pub fn sanitise(&mut self) -> Result<Vec<String>, SettingsError> {
        self.check()?;
        let mut notes = Vec::new();
        let rounded = 1 << self.hash_size.clamp(1, 1 << 24).ilog2();
        if self.hash_size != rounded {
            notes.push(format!("hash_size {} is used as {rounded}", self.hash_size));
            self.hash_size = rounded;
        }
        self.h_id_step = self.h_id_step.max(1);
        let timeouts = [
            ("early_timeout", &mut self.early_timeout),
            ("noack_timeout", &mut self.noack_timeout),
            ("end_timeout", &mut self.end_timeout),
        ];
        for (name, seconds) in timeouts {
            if *seconds == 0 {
                notes.push(format!("{name} 0 is used as 1"));
                *seconds = 1;
            }
        }
        Ok(notes)
    }

    fn check(&self) -> Result<(), SettingsError> {
        match self.rr_param.len() {
            0 => return Err(SettingsError::EmptyRrParam),
            1..=32 => {}
            _ => return Err(SettingsError::LongRrParam),
        }
        if self.default_timeout == 0 {
            return Err(SettingsError::NoDefaultTimeout);
        }
        if self.keep_proxy_rr > 3 {
            return Err(SettingsError::KeepProxyRr);
        }
        if self.profiles.len() > usize::from(u16::MAX) {
            return Err(SettingsError::TooManyProfiles);
        }
        for (i, profile) in self.profiles.iter().enumerate() {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            if profile.name.is_empty() || !profile.name.bytes().all(allowed) {
                return Err(SettingsError::ProfileName(profile.name.clone()));
            }
            if self.profiles[..i].iter().any(|p| p.name == profile.name) {
                return Err(SettingsError::DuplicateProfile(profile.name.clone()));
            }
        }
        Ok(())
    }

    /// Adds the profiles of `profiles_with_value` or `profiles_no_value`: names separated by `;`.
    ///
    /// ```
    /// let mut settings = tandem_dialog::Settings::default();
    /// settings.declare_profiles("caller ; callee", true);
    /// settings.declare_profiles("inbound", false);
    /// assert_eq!(settings.profiles.len(), 3);
    /// ```
    pub fn declare_profiles(&mut self, names: &str, with_value: bool) {
        let names = names.split(';').map(str::trim).filter(|n| !n.is_empty());
        self.profiles.extend(names.map(|name| ProfileSettings {
            name: name.to_owned(),
            with_value,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_down_once() {
        for (given, used) in [
            (0, 1),
            (1, 1),
            (1000, 512),
            (4096, 4096),
            (u32::MAX, 1 << 24),
        ] {
            let mut settings = Settings {
                hash_size: given,
                ..Settings::default()
            };
            let notes = settings.sanitise().expect("valid");
            assert_eq!(settings.hash_size, used);
            assert_eq!(notes.len(), usize::from(given != used));
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let refuse = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.sanitise().expect_err("refused")
        };
        assert_eq!(refuse(|s| s.rr_param.clear()), SettingsError::EmptyRrParam);
        assert_eq!(
            refuse(|s| s.rr_param = "x".repeat(33)),
            SettingsError::LongRrParam
        );
        assert_eq!(
            refuse(|s| s.default_timeout = 0),
            SettingsError::NoDefaultTimeout
        );
        assert_eq!(refuse(|s| s.keep_proxy_rr = 4), SettingsError::KeepProxyRr);
        assert_eq!(
            refuse(|s| s.declare_profiles("a;b/s", true)),
            SettingsError::ProfileName("b/s".to_owned())
        );
        assert_eq!(
            refuse(|s| {
                s.declare_profiles(" caller ; ;callee", true);
                s.declare_profiles("callee", false);
            }),
            SettingsError::DuplicateProfile("callee".to_owned())
        );
    }
}
