use super::*;
use crate::testing::Scratch;
use crate::{Options, connect};

fn table() -> Table {
    let column = |name: &str, kind, null| Column {
        name: name.to_owned(),
        kind,
        null,
        default: None,
    };
    Table {
        name: "things".to_owned(),
        version: 3,
        columns: vec![
            column("id", Kind::Id, false),
            column("number", Kind::Int, false),
            column("text", Kind::Text(64), true),
        ],
        index: vec!["number".to_owned()],
    }
}

fn shown(connection: &mut dyn Connection) -> Vec<String> {
    let found = check(connection, &[table()]).unwrap();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn what_was_made_is_as_it_has_to_be() {
    let scratch = Scratch::new("schema");
    let mut connection = connect(&scratch.url(), &Options::default()).unwrap();
    assert_eq!(shown(&mut *connection), ["there is no table things"]);
    create(&mut *connection, &[table()]).unwrap();
    assert!(shown(&mut *connection).is_empty());
    create(&mut *connection, &[table()]).unwrap();
    assert!(upgrade(&mut *connection, &[table()]).unwrap().is_empty());
}

#[test]
fn differences_are_told() {
    let scratch = Scratch::new("differences");
    let mut connection = connect(&scratch.url(), &Options::default()).unwrap();
    create(&mut *connection, &[]).unwrap();
    for sql in [
        "CREATE TABLE things (id INTEGER PRIMARY KEY, number VARCHAR(3))",
        "INSERT INTO version (table_name, table_version) VALUES ('things', 2)",
    ] {
        connection.execute(sql).unwrap();
    }
    assert_eq!(
        shown(&mut *connection),
        [
            "invalid version 2 for table things found, expected 3",
            "column number of table things is VARCHAR(3), expected INTEGER",
            "table things has no column text",
        ]
    );
    let error = upgrade(&mut *connection, &[table()]).expect_err("a stranger's table");
    assert!(error.text.contains("cannot be upgraded"), "{error}");
}

#[test]
fn an_older_table_gets_what_it_lacks() {
    let scratch = Scratch::new("upgrade");
    let mut connection = connect(&scratch.url(), &Options::default()).unwrap();
    create(&mut *connection, &[]).unwrap();
    connection
        .execute("CREATE TABLE things (id INTEGER PRIMARY KEY, number INTEGER)")
        .unwrap();
    let done = upgrade(&mut *connection, &[table()]).unwrap();
    assert_eq!(
        done,
        [
            "table things has version 3",
            "added column text to table things"
        ]
    );
    assert!(shown(&mut *connection).is_empty());
}
