//! All operations by name.

use super::Row;

const CLASSES: &[&[Row]] = &[
    super::string::ROWS,
    super::slice::ROWS,
    super::codec::ROWS,
    super::escape::ROWS,
    super::digest::ROWS,
    super::uri::ROWS,
    super::param::ROWS,
    super::name::ROWS,
    super::line::ROWS,
    super::val::ROWS,
    super::sql::ROWS,
];

/// The row of an operation, `class.name`.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    CLASSES
        .iter()
        .flat_map(|rows| rows.iter())
        .find(|row| row.name == name)
}

/// The names of all operations.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    CLASSES
        .iter()
        .flat_map(|rows| rows.iter())
        .map(|row| row.name)
}
