//! `log_extra`: variables whose values stand behind each line.

use engine::Run;
use script::{Catalog, Value, Variable};

/// Names and variables, in the order of the configuration.
#[derive(Debug, Default)]
pub(super) struct Extra(Vec<(String, Variable)>);

impl Extra {
    /// Reads `name=$variable;name=$variable`.
    pub(super) fn parse(text: &str, most: usize, catalog: &dyn Catalog) -> Result<Self, String> {
        let mut values = Vec::new();
        for item in items(text) {
            let item = item.trim();
            if item.is_empty() {
                continue;
            }
            let (name, variable) = item
                .split_once('=')
                .map(|(name, variable)| (name.trim(), variable.trim()))
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| format!("\"{item}\" is not name=$variable"))?;
            let variable = Variable::parse(variable.as_bytes(), catalog)
                .map_err(|error| format!("{name}: {error}"))?;
            values.push((name.to_owned(), variable));
        }
        if values.len() > most {
            return Err(format!(
                "{} values are more than acc_extra_size, {most}",
                values.len()
            ));
        }
        Ok(Self(values))
    }

    /// Writes `;name=value` for each.
    pub(super) fn print(&self, run: &mut Run, line: &mut Vec<u8>) {
        for (name, variable) in &self.0 {
            line.push(b';');
            line.extend_from_slice(name.as_bytes());
            line.push(b'=');
            match variable.get(run) {
                Value::Null => {}
                value => value.print(line),
            }
        }
    }
}

/// The parts between the semicolons that stand in no parentheses or braces.
fn items(text: &str) -> Vec<&str> {
    let (mut items, mut begin, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'{' => depth += 1,
            b')' | b'}' => depth = depth.saturating_sub(1),
            b';' if depth == 0 => {
                items.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    items.push(&text[begin..]);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_within_a_variable_do_not_part() {
        assert_eq!(items("a=$fU;b=$rU;"), ["a=$fU", "b=$rU", ""]);
        assert_eq!(
            items("a=$(hdr(X){param.value,y,;});b=$rU"),
            ["a=$(hdr(X){param.value,y,;})", "b=$rU"]
        );
        assert_eq!(items("a=$x)};b"), ["a=$x)}", "b"]);
    }
}
