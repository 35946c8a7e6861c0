//! For tests: files that go away, and a pair of small tables.

use std::path::PathBuf;

use crate::change::{Change, Key, Layout};
use crate::connection::{Connection, Select};
use crate::url::Url;
use crate::value::Value;

/// A directory for one test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("tandem-store-{}-{name}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).expect("the temporary directory can be written");
        Self(directory)
    }

    pub(crate) fn url(&self) -> Url {
        let text = format!("sqlite://{}/test.db", self.0.display());
        Url::parse(&text).expect("a URL")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes two tables, one row of a thing in the first, any number in the second.
pub(crate) fn layouts(connection: &mut dyn Connection) -> [Layout; 2] {
    ["things", "notes"].map(|table| {
        let sql = format!(
            "CREATE TABLE {table} (first INTEGER NOT NULL, second INTEGER NOT NULL, \
             text VARCHAR(20) NOT NULL)"
        );
        connection.execute(&sql).expect("a table");
        Layout {
            table: table.to_owned(),
            columns: ["first", "second", "text"].map(str::to_owned).to_vec(),
            key: ["first", "second"].map(str::to_owned),
        }
    })
}

/// All rows of a thing, in place of those before.
pub(crate) fn thing(number: u32, text: &str, notes: &[&str]) -> Change {
    let row = |text: &str| vec![Value::from(number), Value::from(number), Value::from(text)];
    Change {
        key: Key(number, number),
        replaces: true,
        rows: vec![
            Some(vec![row(text)]),
            Some(notes.iter().map(|text| row(text)).collect()),
        ],
    }
}

/// What is in the tables, as the database gives it.
pub(crate) fn rows_of(connection: &mut dyn Connection, layouts: &[Layout]) -> Vec<String> {
    let mut rows = Vec::new();
    for layout in layouts {
        let select = Select {
            layout,
            filter: None,
            fetch: 0,
        };
        let take = &mut |row: Vec<Value>| {
            let text = row[2].as_text().unwrap_or_default();
            let number = row[0].as_int().unwrap_or_default();
            rows.push(format!("{number} {}", String::from_utf8_lossy(text)));
            Ok(())
        };
        connection.select(&select, take).expect("rows");
    }
    rows
}
