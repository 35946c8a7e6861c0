//! Tables as they have to be: made, checked, and told apart from what a stranger made.

use crate::connection::Connection;
use crate::error::{Error, Fault};
use crate::sql;
use crate::url::Driver;

/// Where the versions of all tables stand.
pub const VERSION_TABLE: &str = "version";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number that the database gives each row.
    Id,
    /// A whole number of 32 bits.
    Int,
    /// A text of at most so many characters.
    Text(u16),
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// It may hold nothing.
    pub null: bool,
    /// What it holds when nothing is said.
    pub default: Option<i64>,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The version of its shape, kept in the table `version`.
    pub version: u32,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// The columns by which its rows are found.
    pub index: Vec<String>,
}

/// How a table is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is not there.
    Missing {
        /// The table.
        table: String,
    },
    /// Its version is another one; `None`: it has none.
    Version {
        /// The table.
        table: String,
        /// What is there.
        found: Option<i64>,
        /// What has to be there.
        expected: u32,
    },
    /// A column is not there.
    Column {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A column has too small or another type.
    Type {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The type that is there.
        found: String,
        /// The type that has to be there.
        expected: String,
    },
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing { table } => write!(f, "there is no table {table}"),
            Self::Version {
                table,
                found: None,
                expected,
            } => write!(
                f,
                "the table version says nothing of {table}, expected version {expected}"
            ),
            Self::Version {
                table,
                found: Some(found),
                expected,
            } => write!(
                f,
                "invalid version {found} for table {table} found, expected {expected}"
            ),
            Self::Column { table, column } => write!(f, "table {table} has no column {column}"),
            Self::Type {
                table,
                column,
                found,
                expected,
            } => write!(
                f,
                "column {column} of table {table} is {found}, expected {expected}"
            ),
        }
    }
}

/// Tells how tables differ from what they have to be.
///
/// # Errors
/// What the database says.
pub fn check(connection: &mut dyn Connection, tables: &[Table]) -> Result<Vec<Difference>, Error> {
    let mut differences = Vec::new();
    let has_versions = !connection.columns(VERSION_TABLE)?.is_empty();
    for table in tables {
        let columns = connection.columns(&table.name)?;
        if columns.is_empty() {
            differences.push(Difference::Missing {
                table: table.name.clone(),
            });
            continue;
        }
        let found = match has_versions {
            true => version(connection, &table.name)?,
            false => None,
        };
        if found != Some(i64::from(table.version)) {
            differences.push(Difference::Version {
                table: table.name.clone(),
                found,
                expected: table.version,
            });
        }
        compare(connection.driver(), table, &columns, &mut differences);
    }
    Ok(differences)
}

fn compare(
    driver: Driver,
    table: &Table,
    found: &[(String, String)],
    differences: &mut Vec<Difference>,
) {
    for column in &table.columns {
        let Some((_, kind)) = found
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&column.name))
        else {
            differences.push(Difference::Column {
                table: table.name.clone(),
                column: column.name.clone(),
            });
            continue;
        };
        if !fits(column.kind, kind) {
            differences.push(Difference::Type {
                table: table.name.clone(),
                column: column.name.clone(),
                found: kind.clone(),
                expected: type_name(driver, column.kind),
            });
        }
    }
}

/// Whether a type of a database, by its name, has room for what a column holds.
fn fits(kind: Kind, found: &str) -> bool {
    let found = found.to_ascii_lowercase();
    match kind {
        Kind::Id | Kind::Int => found.contains("int") || found.contains("serial"),
        Kind::Text(size) => {
            let is_text = ["char", "text", "clob"]
                .iter()
                .any(|word| found.contains(word));
            let digits = found.split_once('(').map(|(_, rest)| rest);
            let room = digits.and_then(|rest| rest.split(')').next()?.parse::<u32>().ok());
            is_text && room.is_none_or(|room| room >= u32::from(size))
        }
    }
}

fn version(connection: &mut dyn Connection, table: &str) -> Result<Option<i64>, Error> {
    let driver = connection.driver();
    let sql = format!(
        "SELECT table_version FROM {} WHERE table_name = '{}'",
        sql::name(driver, VERSION_TABLE),
        table.replace('\'', "''")
    );
    let outcome = connection.execute(&sql)?;
    let first = outcome.rows.first().and_then(|row| row.first());
    Ok(first.and_then(crate::Value::as_int))
}

/// Makes the tables that are not there, and notes their versions.
///
/// # Errors
/// What the database says; a table that is there and differs is not touched.
pub fn create(connection: &mut dyn Connection, tables: &[Table]) -> Result<(), Error> {
    let driver = connection.driver();
    if connection.columns(VERSION_TABLE)?.is_empty() {
        for sql in create_statements(driver, &version_table()) {
            connection.execute(&sql)?;
        }
        note_version(connection, VERSION_TABLE, 1)?;
    }
    for table in tables {
        if connection.columns(&table.name)?.is_empty() {
            for sql in create_statements(driver, table) {
                connection.execute(&sql)?;
            }
            note_version(connection, &table.name, table.version)?;
        }
    }
    Ok(())
}

/// Adds what is missing to tables of an older shape, where that loses nothing: columns that may be empty or have a
/// default, and the version. Gives what it did.
///
/// # Errors
/// What the database says; or that a table has a shape that cannot be made into ours.
pub fn upgrade(connection: &mut dyn Connection, tables: &[Table]) -> Result<Vec<String>, Error> {
    let driver = connection.driver();
    let mut done = Vec::new();
    let found = check(connection, tables)?;
    let stranger = found.iter().find(|difference| match difference {
        Difference::Type { .. } => true,
        Difference::Column { table, column } => !can_be_added(tables, table, column),
        Difference::Version {
            found: Some(found),
            expected,
            ..
        } => *found > i64::from(*expected),
        _ => false,
    });
    if let Some(difference) = stranger {
        let text = format!("{difference}: this table cannot be upgraded");
        return Err(Error::new(Fault::Refused, text));
    }
    create(connection, tables)?;
    for difference in found {
        match &difference {
            Difference::Column { table, column } => {
                let shape = tables.iter().find(|known| known.name == *table);
                let column = shape.and_then(|t| t.columns.iter().find(|c| c.name == *column));
                if let Some(column) = column {
                    let sql = format!(
                        "ALTER TABLE {} ADD COLUMN {}",
                        sql::name(driver, table),
                        column_text(driver, column)
                    );
                    connection.execute(&sql)?;
                    done.push(format!("added column {} to table {table}", column.name));
                }
            }
            Difference::Version {
                table, expected, ..
            } => {
                note_version(connection, table, *expected)?;
                done.push(format!("table {table} has version {expected}"));
            }
            Difference::Missing { table } => done.push(format!("made table {table}")),
            Difference::Type { .. } => {}
        }
    }
    Ok(done)
}

fn can_be_added(tables: &[Table], table: &str, column: &str) -> bool {
    let table = tables.iter().find(|known| known.name == table);
    let column = table.and_then(|table| table.columns.iter().find(|known| known.name == column));
    column.is_some_and(|column| column.null || column.default.is_some())
}

fn note_version(connection: &mut dyn Connection, table: &str, version: u32) -> Result<(), Error> {
    let driver = connection.driver();
    let versions = sql::name(driver, VERSION_TABLE);
    let table = table.replace('\'', "''");
    connection.execute(&format!(
        "DELETE FROM {versions} WHERE table_name = '{table}'"
    ))?;
    let sql =
        format!("INSERT INTO {versions} (table_name, table_version) VALUES ('{table}', {version})");
    connection.execute(&sql).map(drop)
}

fn version_table() -> Table {
    let column = |name: &str, kind, default| Column {
        name: name.to_owned(),
        kind,
        null: false,
        default,
    };
    Table {
        name: VERSION_TABLE.to_owned(),
        version: 1,
        columns: vec![
            column("id", Kind::Id, None),
            column("table_name", Kind::Text(32), None),
            column("table_version", Kind::Int, Some(0)),
        ],
        index: vec!["table_name".to_owned()],
    }
}

fn create_statements(driver: Driver, table: &Table) -> [String; 2] {
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|column| column_text(driver, column))
        .collect();
    // Names of indices are shared by all tables of a PostgreSQL or SQLite database.
    let base = table.name.rsplit('.').next().unwrap_or(&table.name);
    let is_version = table.name == VERSION_TABLE;
    let (unique, index) = match (is_version, driver) {
        (true, Driver::MySql) => ("UNIQUE ", "table_name_idx".to_owned()),
        (true, _) => ("UNIQUE ", "version_table_name_idx".to_owned()),
        (false, Driver::MySql) => ("", "hash_idx".to_owned()),
        (false, _) => ("", format!("{base}_hash_idx")),
    };
    [
        format!(
            "CREATE TABLE {} ({})",
            sql::name(driver, &table.name),
            columns.join(", ")
        ),
        format!(
            "CREATE {unique}INDEX {} ON {} ({})",
            sql::name(driver, &index),
            sql::name(driver, &table.name),
            sql::names(driver, &table.index)
        ),
    ]
}

fn column_text(driver: Driver, column: &Column) -> String {
    let mut text = format!(
        "{} {}",
        sql::name(driver, &column.name),
        type_name(driver, column.kind)
    );
    if column.kind == Kind::Id {
        text.push_str(" PRIMARY KEY");
    }
    if let Some(default) = column.default {
        text.push_str(&format!(" DEFAULT {default}"));
    }
    if !column.null {
        text.push_str(" NOT NULL");
    }
    text
}

fn type_name(driver: Driver, kind: Kind) -> String {
    match (driver, kind) {
        (Driver::MySql, Kind::Id) => "INT(10) UNSIGNED AUTO_INCREMENT".to_owned(),
        (Driver::MySql, Kind::Int) => "INT(10) UNSIGNED".to_owned(),
        (Driver::Postgres, Kind::Id) => "SERIAL".to_owned(),
        (Driver::Sqlite, Kind::Id) | (_, Kind::Int) => "INTEGER".to_owned(),
        (_, Kind::Text(size)) => format!("VARCHAR({size})"),
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
