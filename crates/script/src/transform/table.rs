//! All operations by name.

use super::Row;

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

const CLASSES: &[&[Row]] = &[];
