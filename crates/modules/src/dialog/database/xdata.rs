//! The column `xdata`: what has no column of its own, as JSON. Profiles as Kamailio writes them; beside them, where
//! Kamailio sees nothing, the lifetime where it is not the time between answer and end, CSeq numbers where those of
//! the columns do not say all, and the further dialogs of a forked call.

use dialog::{DialogId, Numbers, Stored, StoredFork, StoredLeg};
use serde_json::{Map, Value, json};

/// Seconds by which the lifetime may differ from the time between answer and end: the ACK takes its time.
const SLACK_SECS: u32 = 2;

/// Writes what `read` reads; `None` if there is nothing to be written. Further dialogs that do not fit into so many
/// characters are left out.
pub(super) fn write(call: &Stored, room: usize) -> Option<Vec<u8>> {
    let mut members = Map::new();
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
    if let Some(numbers) = &call.numbers {
        let numbers = json!([numbers.seen, numbers.used, numbers.raised]);
        members.insert("cseq".to_owned(), numbers);
    }
    let forks = call.forks.iter().filter_map(fork);
    let text = fill(members, forks, room);
    (!text.is_empty()).then(|| text.into_bytes())
}

/// The text with as many further dialogs as fit; empty if there is nothing.
fn fill(
    mut members: Map<String, Value>,
    forks: impl Iterator<Item = Value>,
    room: usize,
) -> String {
    let written = |members: &Map<String, Value>| match members.is_empty() {
        true => String::new(),
        false => Value::Object(members.clone()).to_string(),
    };
    let mut text = written(&members);
    let mut all = Vec::new();
    for fork in forks {
        all.push(fork);
        members.insert("forks".to_owned(), json!(all));
        let more = written(&members);
        if more.chars().count() > room {
            break;
        }
        text = more;
    }
    text
}

/// One further dialog; `None` of one that JSON cannot hold.
fn fork(fork: &StoredFork) -> Option<Value> {
    let leg = &fork.callee;
    let texts = [&leg.tag, &leg.contact, &leg.route_set, &leg.socket];
    let mut members = Vec::new();
    for text in texts {
        members.push(json!(std::str::from_utf8(text).ok()?));
    }
    let [to_caller, to_callee] = fork.used;
    let numbers = [fork.caller_cseq, leg.cseq, to_caller, to_callee];
    members.extend(numbers.map(Value::from));
    Some(Value::Array(members))
}

/// A name for one membership, in the form of Kamailio's.
fn unique(id: DialogId, at: usize) -> String {
    format!("dlgp-{:x}-{:x}-{}", id.h_entry, id.h_id, at + 1)
}

/// Fills in what `write` wrote, or Kamailio. Nothing of a text that is no such JSON.
pub(super) fn read(text: &[u8], call: &mut Stored) {
    let Ok(value) = serde_json::from_slice::<Value>(text) else {
        return;
    };
    let profiles = value["profiles"].as_array().into_iter().flatten();
    let profiles = profiles.filter_map(|profile| {
        let name = profile["name"].as_str()?.to_owned();
        let value = profile["value"]
            .as_str()
            .map(|value| value.as_bytes().to_vec());
        Some((name, value))
    });
    call.profiles = profiles.collect();
    call.lifetime = number(&value["lifetime"]).unwrap_or(0);
    call.numbers = numbers(&value["cseq"]);
    let forks = value["forks"].as_array().into_iter().flatten();
    call.forks = forks.filter_map(fork_of).collect();
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn array<const N: usize>(value: &Value) -> Option<[u32; N]> {
    let numbers: Option<Vec<u32>> = value.as_array()?.iter().map(number).collect();
    numbers?.try_into().ok()
}

fn numbers(value: &Value) -> Option<Numbers> {
    Some(Numbers {
        seen: array(&value[0])?,
        used: array(&value[1])?,
        raised: [array(&value[2][0])?, array(&value[2][1])?],
    })
}

fn fork_of(value: &Value) -> Option<StoredFork> {
    let text = |at: usize| value[at].as_str().map(|text| text.as_bytes().to_vec());
    let number = |at: usize| number(&value[at]);
    let callee = StoredLeg {
        tag: text(0)?,
        contact: text(1)?,
        route_set: text(2)?,
        socket: text(3)?,
        cseq: number(5)?,
    };
    Some(StoredFork {
        callee,
        caller_cseq: number(4)?,
        used: [number(6)?, number(7)?],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Stored {
        let mut call = Stored {
            profiles: Vec::new(),
            forks: Vec::new(),
            numbers: None,
            ..super::super::rows::tests::example()
        };
        super::read(text, &mut call);
        call
    }

    #[test]
    fn what_kamailio_writes_is_read() {
        let text =
            br#"{"profiles":[{"name":"caller","value":"alice","puid":"dlgp-6b0268ed-608e-2"},
            {"name":"inbound","puid":"dlgp-6b0268ed-608e-1"}]}"#;
        let expected = [
            ("caller".to_owned(), Some(b"alice".to_vec())),
            ("inbound".to_owned(), None),
        ];
        let call = read(text);
        assert_eq!(
            (call.profiles.as_slice(), call.lifetime),
            (&expected[..], 0)
        );
        assert_eq!((call.forks, call.numbers), (Vec::new(), None));
    }

    #[test]
    fn nothing_is_read_of_what_is_something_else() {
        for text in [
            &b"nonsense"[..],
            b"[1,2]",
            b"{\"forks\":[[1]],\"cseq\":[[1,2],7]}",
        ] {
            let call = read(text);
            assert_eq!((call.forks, call.numbers), (Vec::new(), None));
        }
    }

    #[test]
    fn further_dialogs_are_written_as_far_as_they_fit() {
        let mut call = super::super::rows::tests::example();
        call.forks = vec![call.forks[0].clone(); 5];
        let text = write(&call, 512).expect("something");
        assert!(text.len() <= 512, "{}", text.len());
        let again = read(&text);
        assert_eq!(again.profiles, call.profiles);
        assert!((1..5).contains(&again.forks.len()));
        assert_eq!(
            read(&write(&call, usize::MAX).expect("all")).forks,
            call.forks
        );
    }
}
