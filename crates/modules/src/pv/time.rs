//! The time, of the message: `$Ts`, `$TV()`, `$time()`, `$timef()` and their kin.

use engine::{Interner, KeyRule, Run, VariableRow};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use script::{Index, Key, KeySpec, Str, Value};

use super::value::{attribute, attribute_name, int, key_name};
use crate::row::reads;

const NONE: KeyRule = KeyRule::None;

pub(super) const ROWS: &[VariableRow] = &[
    reads("Ts", NONE, unix, "Seconds since 1970."),
    reads("TS", NONE, unix, "Seconds since 1970."),
    reads("Tf", NONE, date, "The local date and time as text."),
    reads("TF", NONE, date, "The local date and time as text."),
    reads("Tb", NONE, boot, "When Tandem started, seconds since 1970."),
    reads(
        "TV",
        KeyRule::Resolve(moment_key),
        moment,
        "Seconds, milliseconds or microseconds of the time.",
    ),
    reads(
        "time",
        KeyRule::Resolve(field_key),
        local_field,
        "A part of the local time.",
    ),
    reads(
        "utime",
        KeyRule::Resolve(field_key),
        universal_field,
        "A part of the universal time.",
    ),
    reads(
        "timef",
        KeyRule::Format,
        local_text,
        "The local time in a format of strftime.",
    ),
    reads(
        "utimef",
        KeyRule::Format,
        universal_text,
        "The universal time in a format of strftime.",
    ),
];

fn unix(run: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(run.now.unix() as i64)
}

fn boot(run: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(run.engine.started.unix() as i64)
}

/// The moment of the run in a zone; nothing beyond the year 9999.
fn zoned(run: &Run, zone: TimeZone) -> Option<Zoned> {
    let moment = Timestamp::from_microsecond(run.now.unix_us as i64).ok()?;
    Some(moment.to_zoned(zone))
}

fn format(time: Option<Zoned>, format: &[u8]) -> Value {
    let text = time.and_then(|time| jiff::fmt::strtime::format(format, &time).ok());
    text.map_or(Value::Null, |text| Value::Str(Str::from(text)))
}

fn date(run: &mut Run, _: &Key, _: Index) -> Value {
    format(zoned(run, TimeZone::system()), b"%a %b %e %H:%M:%S %Y")
}

fn local_text(run: &mut Run, key: &Key, _: Index) -> Value {
    format(zoned(run, TimeZone::system()), key_name(key))
}

fn universal_text(run: &mut Run, key: &Key, _: Index) -> Value {
    format(zoned(run, TimeZone::UTC), key_name(key))
}

const MOMENT: &[&str] = &["s", "u", "m", "sn", "un", "mn", "Sn", "Sm"];

fn moment_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    attribute(MOMENT, inner)
}

/// A run knows one moment, so those that Kamailio takes anew (`…n`) are the same.
fn moment(run: &mut Run, key: &Key, _: Index) -> Value {
    let (seconds, micros) = (run.now.unix(), run.now.unix_us % 1_000_000);
    match attribute_name(MOMENT, key) {
        "s" | "sn" => Value::Int(seconds as i64),
        "u" | "un" => Value::Int(micros as i64),
        "m" | "mn" => Value::Int((run.now.unix_us / 1000) as i64),
        _ => Value::Str(Str::from(format!("{seconds}.{micros:06}"))),
    }
}

const FIELDS: &[&str] = &[
    "sec", "min", "hour", "mday", "mon", "year", "wday", "yday", "isdst",
];

fn field_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    attribute(FIELDS, inner)
}

fn local_field(run: &mut Run, key: &Key, _: Index) -> Value {
    field(zoned(run, TimeZone::system()), key)
}

fn universal_field(run: &mut Run, key: &Key, _: Index) -> Value {
    field(zoned(run, TimeZone::UTC), key)
}

fn field(time: Option<Zoned>, key: &Key) -> Value {
    let Some(time) = time else {
        return Value::Null;
    };
    match attribute_name(FIELDS, key) {
        "sec" => int(time.second()),
        "min" => int(time.minute()),
        "hour" => int(time.hour()),
        "mday" => int(time.day()),
        "mon" => int(time.month()),
        "year" => int(time.year()),
        "wday" => int(time.weekday().to_sunday_one_offset()),
        "yday" => int(time.day_of_year()),
        _ => {
            let offset = time.time_zone().to_offset_info(time.timestamp());
            Value::from(offset.dst().is_dst())
        }
    }
}
