use super::*;
use crate::change::Key;
use crate::testing::{Scratch, layouts, rows_of, thing};

fn open(scratch: &Scratch) -> Sqlite {
    Sqlite::open(&scratch.url(), &Options::default()).expect("a file")
}

#[test]
fn rows_take_the_place_of_those_before() {
    let scratch = Scratch::new("replace");
    let mut sqlite = open(&scratch);
    let layouts = layouts(&mut sqlite);
    sqlite
        .save(&layouts, &[thing(1, "a", &["x", "y"]), thing(2, "b", &[])])
        .unwrap();
    assert_eq!(rows_of(&mut sqlite, &layouts), ["1 a", "2 b", "1 x", "1 y"]);
    sqlite.save(&layouts, &[thing(1, "c", &["z"])]).unwrap();
    assert_eq!(rows_of(&mut sqlite, &layouts), ["2 b", "1 c", "1 z"]);
    let mut same = thing(1, "d", &[]);
    same.rows[1] = None;
    sqlite
        .save(&layouts, &[same, Change::gone(Key(2, 2), 2)])
        .unwrap();
    assert_eq!(rows_of(&mut sqlite, &layouts), ["1 d", "1 z"]);
}

#[test]
fn all_is_saved_or_nothing() {
    let scratch = Scratch::new("atomic");
    let mut sqlite = open(&scratch);
    let layouts = layouts(&mut sqlite);
    let mut bad = thing(2, "b", &[]);
    bad.rows[1] = Some(vec![vec![Value::Int(2), Value::Int(2), Value::Null]]);
    let error = sqlite
        .save(&layouts, &[thing(1, "a", &[]), bad])
        .expect_err("a field is empty");
    assert_eq!(error.fault, Fault::Rows);
    assert!(rows_of(&mut sqlite, &layouts).is_empty());
}

#[test]
fn values_come_back_as_they_were() {
    let scratch = Scratch::new("values");
    let mut sqlite = open(&scratch);
    let outcome = sqlite
        .execute("SELECT 1, 2.5, 'text', NULL, x'ff' AS bytes")
        .unwrap();
    let expected = [
        Value::Int(1),
        Value::Double(2.5),
        Value::from("text"),
        Value::Null,
        Value::Text(vec![0xff]),
    ];
    assert_eq!(outcome.rows, [expected]);
    assert_eq!(outcome.columns[4], "bytes");
    sqlite.execute("CREATE TABLE t (a)").unwrap();
    assert_eq!(
        sqlite
            .execute("INSERT INTO t VALUES (1), (2)")
            .unwrap()
            .affected,
        2
    );
    assert_eq!(
        sqlite.execute("nonsense").expect_err("no SQL").fault,
        Fault::Refused
    );
}

#[test]
fn a_file_that_cannot_be_made_is_away() {
    let url = Url::parse("sqlite:///proc/no/such.db").unwrap();
    let error = Sqlite::open(&url, &Options::default())
        .err()
        .expect("no file");
    assert_eq!(error.fault, Fault::Away);
    assert!(error.text.contains("/proc/no/such.db"), "{error}");
}
