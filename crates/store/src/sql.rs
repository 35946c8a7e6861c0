//! Statements as text: names and values quoted as each database wants them.

use crate::change::{Change, Key, Layout};
use crate::connection::Select;
use crate::error::{Error, Fault};
use crate::url::Driver;
use crate::value::Value;

/// A name of a table or column in quotes. Names come from configurations, which may only use letters, digits and
/// `_`, `$`, `.`; a dot parts a schema from its table.
pub(crate) fn name(driver: Driver, name: &str) -> String {
    let quote = match driver {
        Driver::MySql => '`',
        Driver::Sqlite | Driver::Postgres => '"',
    };
    let mut text = String::with_capacity(name.len() + 2);
    for (i, part) in name.split('.').enumerate() {
        if i > 0 {
            text.push('.');
        }
        text.push(quote);
        text.extend(part.chars().filter(|c| *c != quote));
        text.push(quote);
    }
    text
}

/// Names in quotes, joined by commas.
pub(crate) fn names<'a>(driver: Driver, all: impl IntoIterator<Item = &'a String>) -> String {
    let quoted: Vec<_> = all.into_iter().map(|one| name(driver, one)).collect();
    quoted.join(", ")
}

/// `SELECT … FROM …`, with a place for the filter's value if there is a filter.
pub(crate) fn select(driver: Driver, select: &Select<'_>, place: &str) -> String {
    let layout = select.layout;
    let mut sql = format!(
        "SELECT {} FROM {}",
        names(driver, &layout.columns),
        name(driver, &layout.table)
    );
    if let Some((column, _)) = &select.filter {
        sql.push_str(&format!(" WHERE {} = {place}", name(driver, column)));
    }
    sql
}

/// The same with the filter's value as it stands in a statement. `None` if no row can have it: this database cannot
/// hold it.
pub(crate) fn select_literally(driver: Driver, wanted: &Select<'_>) -> Option<String> {
    let mut place = String::new();
    if let Some((_, value)) = &wanted.filter {
        literal(driver, value, &mut place)?;
    }
    Some(select(driver, wanted, &place))
}

/// `DELETE FROM … WHERE key = ? AND key = ?`.
pub(crate) fn delete_one(driver: Driver, layout: &Layout) -> String {
    let [first, second] = &layout.key;
    format!(
        "DELETE FROM {} WHERE {} = ? AND {} = ?",
        name(driver, &layout.table),
        name(driver, first),
        name(driver, second)
    )
}

/// `INSERT INTO … (…) VALUES `, without the values.
pub(crate) fn insert(driver: Driver, layout: &Layout) -> String {
    format!(
        "INSERT INTO {} ({}) VALUES ",
        name(driver, &layout.table),
        names(driver, &layout.columns)
    )
}

/// A value as it stands in a statement. `None` for a text that this database cannot hold.
pub(crate) fn literal(driver: Driver, value: &Value, sql: &mut String) -> Option<()> {
    match value {
        Value::Null => sql.push_str("NULL"),
        Value::Int(number) => sql.push_str(&number.to_string()),
        Value::Double(number) => sql.push_str(&number.to_string()),
        Value::Text(bytes) => {
            let text = std::str::from_utf8(bytes).ok()?;
            if text.contains('\0') {
                return None;
            }
            sql.push('\'');
            for c in text.chars() {
                match c {
                    '\'' => sql.push_str("''"),
                    '\\' if driver == Driver::MySql => sql.push_str("\\\\"),
                    c => sql.push(c),
                }
            }
            sql.push('\'');
        }
    }
    Some(())
}

/// All statements that save changes, as one text.
///
/// # Errors
/// A text that the database cannot hold.
pub(crate) fn save(
    driver: Driver,
    layouts: &[Layout],
    changes: &[Change],
) -> Result<String, Error> {
    let mut sql = String::with_capacity(changes.len() * 1024);
    for (at, layout) in layouts.iter().enumerate() {
        let of_table = || {
            changes
                .iter()
                .filter_map(move |c| Some((c, c.rows.get(at)?.as_ref()?)))
        };
        let replaced = of_table().filter(|(change, _)| change.replaces);
        delete(
            driver,
            layout,
            replaced.map(|(change, _)| change.key),
            &mut sql,
        );
        let rows = of_table().flat_map(|(_, rows)| rows);
        for (number, row) in rows.enumerate() {
            match number {
                0 => sql.push_str(&insert(driver, layout)),
                _ => sql.push_str(", "),
            }
            values(driver, row, &mut sql)?;
        }
        if !sql.is_empty() && !sql.ends_with("; ") {
            sql.push_str("; ");
        }
    }
    Ok(sql)
}

fn delete(driver: Driver, layout: &Layout, keys: impl Iterator<Item = Key>, sql: &mut String) {
    let [first, second] = layout.key.each_ref().map(|column| name(driver, column));
    for (number, key) in keys.enumerate() {
        match number {
            0 => sql.push_str(&format!(
                "DELETE FROM {} WHERE ",
                name(driver, &layout.table)
            )),
            _ => sql.push_str(" OR "),
        }
        let (a, b) = (key_part(driver, key.0), key_part(driver, key.1));
        sql.push_str(&format!("({first} = {a} AND {second} = {b})"));
    }
    if !sql.is_empty() && !sql.ends_with("; ") {
        sql.push_str("; ");
    }
}

/// PostgreSQL has no numbers without a sign.
fn key_part(driver: Driver, part: u32) -> i64 {
    match driver {
        Driver::Postgres => (part as i32).into(),
        Driver::MySql | Driver::Sqlite => part.into(),
    }
}

fn values(driver: Driver, row: &[Value], sql: &mut String) -> Result<(), Error> {
    sql.push('(');
    for (number, value) in row.iter().enumerate() {
        if number > 0 {
            sql.push_str(", ");
        }
        literal(driver, value, sql).ok_or_else(|| {
            Error::new(
                Fault::Rows,
                "a text is no UTF-8, or holds a byte of value 0",
            )
        })?;
    }
    sql.push(')');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_end_their_quotes() {
        assert_eq!(name(Driver::Sqlite, "dia\"log"), "\"dialog\"");
        assert_eq!(name(Driver::MySql, "a.b`c"), "`a`.`bc`");
    }

    #[test]
    fn changes_are_one_text() {
        let layouts = ["things", "notes"].map(|table| Layout {
            table: table.to_owned(),
            columns: ["first", "second", "text"].map(str::to_owned).to_vec(),
            key: ["first", "second"].map(str::to_owned),
        });
        let thing = crate::testing::thing;
        let fresh = Change {
            replaces: false,
            ..thing(3, "c", &[])
        };
        let changes = [
            thing(1, "a", &["x", "y"]),
            fresh,
            Change::gone(Key(2, 4_000_000_000), 2),
        ];
        let sql = save(Driver::Postgres, &layouts, &changes).unwrap();
        let expected = [
            "DELETE FROM \"things\" WHERE (\"first\" = 1 AND \"second\" = 1) OR (\"first\" = 2 AND \"second\" = -294967296)",
            "INSERT INTO \"things\" (\"first\", \"second\", \"text\") VALUES (1, 1, 'a'), (3, 3, 'c')",
            "DELETE FROM \"notes\" WHERE (\"first\" = 1 AND \"second\" = 1) OR (\"first\" = 2 AND \"second\" = -294967296)",
            "INSERT INTO \"notes\" (\"first\", \"second\", \"text\") VALUES (1, 1, 'x'), (1, 1, 'y')",
            "",
        ];
        assert_eq!(sql.split("; ").collect::<Vec<_>>(), expected);
        assert_eq!(save(Driver::MySql, &layouts, &[]).unwrap(), "");
    }

    #[test]
    fn texts_cannot_end_their_quotes() {
        let shown = |driver, text: &[u8]| {
            let mut sql = String::new();
            literal(driver, &Value::from(text), &mut sql).map(|()| sql)
        };
        assert_eq!(shown(Driver::MySql, br"a'\b").as_deref(), Some(r"'a''\\b'"));
        assert_eq!(
            shown(Driver::Postgres, br"a'\b").as_deref(),
            Some(r"'a''\b'")
        );
        assert_eq!(shown(Driver::Postgres, b"\xff"), None);
        assert_eq!(shown(Driver::MySql, b"a\0"), None);
    }
}
