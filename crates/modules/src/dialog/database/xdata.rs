//! The column `xdata`: what has no column of its own, as JSON. Profiles as Kamailio writes them; beside them the
//! lifetime, where it is not the time between answer and end.

use dialog::{DialogId, Stored};
use serde_json::{Value, json};

/// Seconds by which the lifetime may differ from the time between answer and end: the ACK takes its time.
const SLACK_SECS: u32 = 2;

/// Names, and values in those that have them.
type Profiles = Vec<(String, Option<Vec<u8>>)>;

/// Writes what `read` reads; `None` if there is nothing to be written.
pub(super) fn write(call: &Stored) -> Option<Vec<u8>> {
    let mut members = serde_json::Map::new();
    if !call.profiles.is_empty() {
        let profiles = call.profiles.iter().enumerate();
        let profiles = profiles.map(|(at, (name, value))| {
            let mut profile = json!({ "name": name });
            if let Some(value) = value {
                profile["value"] = json!(String::from_utf8_lossy(value));
            }
            profile["puid"] = json!(unique(call.id, at));
            profile
        });
        members.insert("profiles".to_owned(), profiles.collect());
    }
    let between = call.timeout.saturating_sub(call.start_ts);
    if between.abs_diff(call.lifetime) > SLACK_SECS {
        members.insert("lifetime".to_owned(), json!(call.lifetime));
    }
    (!members.is_empty()).then(|| Value::Object(members).to_string().into_bytes())
}

/// A name for one membership, in the form of Kamailio's.
fn unique(id: DialogId, at: usize) -> String {
    format!("dlgp-{:x}-{:x}-{}", id.h_entry, id.h_id, at + 1)
}

/// What `write` wrote, or Kamailio: the profiles, and the lifetime or 0. Nothing of a text that is no such JSON.
pub(super) fn read(text: &[u8]) -> (Profiles, u32) {
    let Ok(value) = serde_json::from_slice::<Value>(text) else {
        return (Vec::new(), 0);
    };
    let profiles = value["profiles"].as_array().into_iter().flatten();
    let profiles = profiles.filter_map(|profile| {
        let name = profile["name"].as_str()?.to_owned();
        let value = profile["value"]
            .as_str()
            .map(|value| value.as_bytes().to_vec());
        Some((name, value))
    });
    let lifetime = value["lifetime"]
        .as_u64()
        .and_then(|s| u32::try_from(s).ok());
    (profiles.collect(), lifetime.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kamailio_writes_is_read() {
        let text =
            br#"{"profiles":[{"name":"caller","value":"alice","puid":"dlgp-6b0268ed-608e-2"},
            {"name":"inbound","puid":"dlgp-6b0268ed-608e-1"}]}"#;
        let (profiles, lifetime) = read(text);
        let expected = [
            ("caller".to_owned(), Some(b"alice".to_vec())),
            ("inbound".to_owned(), None),
        ];
        assert_eq!((profiles.as_slice(), lifetime), (&expected[..], 0));
        assert_eq!(read(b"nonsense"), (Vec::new(), 0));
        assert_eq!(read(b"[1,2]"), (Vec::new(), 0));
    }
}
