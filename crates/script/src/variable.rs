//! One variable as it is written, `$(name(inner)[index]{transformation})`: parsed once, read and written often.

use crate::catalog::{Catalog, KeySpec, NameError, VariableId};
use crate::format::{Cursor, Format, Scope, TextError};
use crate::host::{Host, Index, SetError};
use crate::program::Key;
use crate::transform::{Failed, Transform};
use crate::value::Value;

/// A parsed variable.
#[derive(Clone, Debug)]
pub struct Variable {
    pub(crate) source: Source,
    index: IndexSource,
    transforms: Box<[Transform]>,
    writable: bool,
    slot: Option<u32>,
    text: Box<str>,
}

#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// `$rc`, `$retcode`, `$?`: the machine's own.
    ReturnCode,
    /// Known at load: `$null`, `$cfg(line)`.
    Constant(Value),
    /// The embedding program's, with a key known at load.
    Fixed(VariableId, Key),
    /// The embedding program's, with a key printed at each access.
    Printed(VariableId, Format),
}

#[derive(Clone, Debug)]
enum IndexSource {
    Fixed(Index),
    Read(Box<Variable>),
}

impl Variable {
    /// Parses one variable, which must be the whole text.
    pub fn parse(text: &[u8], catalog: &dyn Catalog) -> Result<Self, TextError> {
        Self::parse_whole(text, &Scope::new(catalog))
    }

    pub(crate) fn parse_whole(text: &[u8], scope: &Scope<'_>) -> Result<Self, TextError> {
        let mut cursor = Cursor::new(text);
        if !cursor.eat(b'$') {
            return Err(cursor.error("expected a variable, like `$var(x)`"));
        }
        let variable = Self::parse_behind_dollar(&mut cursor, scope)?;
        if cursor.rest().is_empty() {
            Ok(variable)
        } else {
            Err(cursor.error("unexpected text behind the variable").help(
                "an index or a transformation needs the form `$(name(key)[index]{class.op})`",
            ))
        }
    }

    /// Parses `name`, `name(inner)` or `(…)`; the `$` has been read.
    pub(crate) fn parse_behind_dollar(
        cursor: &mut Cursor<'_>,
        scope: &Scope<'_>,
    ) -> Result<Self, TextError> {
        let scope = &scope.deeper(cursor)?;
        let start = cursor.position();
        let long = cursor.eat(b'(');
        if long {
            cursor.skip_blanks();
        }
        let Named {
            source,
            writable,
            slot,
        } = parse_name(cursor, scope)?;
        let mut index = IndexSource::Fixed(Index::None);
        let mut transforms = Vec::new();
        if long {
            cursor.skip_blanks();
            if cursor.eat(b'[') {
                index = parse_index(cursor, scope)?;
                cursor.skip_blanks();
            }
            while cursor.peek() == Some(b'{') {
                transforms.push(Transform::parse(cursor, scope)?);
                cursor.skip_blanks();
            }
            if !cursor.eat(b')') {
                return Err(cursor.error("expected `)` at the end of the variable"));
            }
        }
        let text = format!("${}", String::from_utf8_lossy(cursor.since(start)));
        let writable = writable && transforms.is_empty();
        let whole = writable && matches!(index, IndexSource::Fixed(Index::None));
        let slot = slot.filter(|_| whole);
        Ok(Self {
            source,
            index,
            transforms: transforms.into(),
            writable,
            slot,
            text: text.into(),
        })
    }

    /// One of the embedding program's, to be read only.
    pub(crate) fn of_host(id: VariableId, key: Key, text: &str) -> Self {
        Self {
            source: Source::Fixed(id, key),
            index: IndexSource::Fixed(Index::None),
            transforms: Box::default(),
            writable: false,
            slot: None,
            text: text.into(),
        }
    }

    /// Whether it may be assigned.
    pub const fn is_writable(&self) -> bool {
        self.writable
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The class and a key known at load, for programs that understand some variables themselves.
    pub const fn fixed(&self) -> Option<(VariableId, &Key)> {
        match &self.source {
            Source::Fixed(id, key) => Some((*id, key)),
            _ => None,
        }
    }

    /// The value; `Null` if a transformation fails.
    pub fn get<H: Host + ?Sized>(&self, host: &mut H) -> Value {
        self.read(host, 0).unwrap_or_default()
    }

    /// Assigns; `Null` is `$null`.
    pub fn set<H: Host + ?Sized>(&self, host: &mut H, value: Value) -> Result<(), SetError> {
        self.write(host, 0, value)
    }

    /// The value at load, if it is the same for ever.
    pub(crate) fn constant(&self) -> Option<Value> {
        let Source::Constant(value) = &self.source else {
            return None;
        };
        self.transforms.is_empty().then(|| value.clone())
    }

    /// Its position in `Host::slots`, if it lies there and is written without index and transformations.
    #[inline]
    pub(crate) const fn slot(&self) -> Option<u32> {
        self.slot
    }

    /// Its class and key, if the host's value is its value: no index, no transformations.
    #[inline]
    pub(crate) const fn whole(&self) -> Option<(VariableId, &Key)> {
        match (&self.source, &self.index) {
            (Source::Fixed(id, key), IndexSource::Fixed(Index::None))
                if self.transforms.is_empty() =>
            {
                Some((*id, key))
            }
            _ => None,
        }
    }

    /// Reads it in a run whose return code is `rc`.
    #[inline]
    pub(crate) fn read<H: Host + ?Sized>(&self, host: &mut H, rc: i64) -> Result<Value, Failed> {
        let value = match (&self.source, &self.index) {
            (Source::Fixed(id, key), IndexSource::Fixed(index)) => host.get(*id, key, *index),
            _ => self.read_slowly(host, rc),
        };
        if self.transforms.is_empty() {
            return Ok(value);
        }
        self.transforms
            .iter()
            .try_fold(value, |value, step| step.apply(host, rc, value))
    }

    #[cold]
    fn read_slowly<H: Host + ?Sized>(&self, host: &mut H, rc: i64) -> Value {
        let index = self.index.read(host, rc);
        match &self.source {
            Source::ReturnCode => Value::Int(rc),
            Source::Constant(value) => value.clone(),
            Source::Fixed(id, key) => host.get(*id, key, index),
            Source::Printed(id, format) => {
                let key = Key::Name(format.to_str(host, rc));
                host.get(*id, &key, index)
            }
        }
    }

    #[inline]
    pub(crate) fn write<H: Host + ?Sized>(
        &self,
        host: &mut H,
        rc: i64,
        value: Value,
    ) -> Result<(), SetError> {
        match (&self.source, &self.index) {
            (Source::Fixed(id, key), IndexSource::Fixed(index)) if self.writable => {
                host.set(*id, key, *index, value)
            }
            _ => self.write_slowly(host, rc, value),
        }
    }

    #[cold]
    fn write_slowly<H: Host + ?Sized>(
        &self,
        host: &mut H,
        rc: i64,
        value: Value,
    ) -> Result<(), SetError> {
        let index = self.index.read(host, rc);
        match &self.source {
            Source::Fixed(id, key) if self.writable => host.set(*id, key, index, value),
            Source::Printed(id, format) if self.writable => {
                let key = Key::Name(format.to_str(host, rc));
                host.set(*id, &key, index, value)
            }
            _ => Err(SetError(format!("{} cannot be assigned", self.text))),
        }
    }
}

impl IndexSource {
    fn read<H: Host + ?Sized>(&self, host: &mut H, rc: i64) -> Index {
        match self {
            Self::Fixed(index) => *index,
            Self::Read(variable) => {
                let value = variable.read(host, rc).unwrap_or_default();
                Index::At(value.to_int().unwrap_or(0))
            }
        }
    }
}

/// What a name with its parentheses stands for.
struct Named {
    source: Source,
    writable: bool,
    slot: Option<u32>,
}

impl Named {
    const fn read_only(source: Source) -> Self {
        Self {
            source,
            writable: false,
            slot: None,
        }
    }
}

fn parse_name(cursor: &mut Cursor<'_>, scope: &Scope<'_>) -> Result<Named, TextError> {
    let start = cursor.position();
    let name = cursor.take_while(|byte| byte.is_ascii_alphanumeric() || b"_.?".contains(&byte));
    let name = String::from_utf8_lossy(name).into_owned();
    if name.is_empty() {
        return Err(cursor
            .error("expected a variable's name behind `$`")
            .help("write `$$` for a dollar sign"));
    }
    let inner_at = cursor.position() + 1;
    let inner = if cursor.peek() == Some(b'(') {
        Some(cursor.balanced()?)
    } else {
        None
    };
    if inner.is_none() {
        match name.as_str() {
            "rc" | "retcode" | "?" => return Ok(Named::read_only(Source::ReturnCode)),
            "null" => return Ok(Named::read_only(Source::Constant(Value::Null))),
            _ => {}
        }
    }
    let Ok(inner) = inner.map(std::str::from_utf8).transpose() else {
        return Err(TextError::new(
            inner_at,
            "the text in parentheses is not UTF-8",
        ));
    };
    if let Some(value) = scope.place_value(&name, inner) {
        return Ok(Named::read_only(Source::Constant(value)));
    }
    let resolved = scope
        .catalog
        .variable(&name, inner)
        .map_err(|error| name_error(error, &name, start, inner_at, scope))?;
    let slot = scope.catalog.slot(resolved.id, &resolved.key);
    let source = match resolved.key {
        KeySpec::None => Source::Fixed(resolved.id, Key::None),
        KeySpec::Attr(number) => Source::Fixed(resolved.id, Key::Attr(number)),
        KeySpec::Format => {
            let format = Format::parse_in(inner.unwrap_or_default().as_bytes(), scope)
                .map_err(|error| error.shifted(inner_at))?;
            match format.constant() {
                Some(text) => Source::Fixed(resolved.id, Key::Name(text)),
                None => Source::Printed(resolved.id, format),
            }
        }
    };
    Ok(Named {
        source,
        writable: resolved.writable,
        slot,
    })
}

fn name_error(
    error: NameError,
    name: &str,
    start: usize,
    inner_at: usize,
    scope: &Scope<'_>,
) -> TextError {
    match error {
        NameError::Inner(reason) => TextError::new(inner_at, &format!("in `${name}(…)`: {reason}")),
        NameError::Unknown => {
            let error = TextError::new(start, &format!("unknown variable `${name}`"));
            let shorter = name.trim_end_matches(['.', '?']);
            if shorter != name && !shorter.is_empty() {
                return error.help(&format!("a name may contain dots; write `$({shorter})`"));
            }
            let known = scope.catalog.variable_names();
            match crate::suggest::nearest(name, known.iter().copied()) {
                Some(near) => error.help(&format!("did you mean `${near}`?")),
                None => error,
            }
        }
    }
}

fn parse_index(cursor: &mut Cursor<'_>, scope: &Scope<'_>) -> Result<IndexSource, TextError> {
    cursor.skip_blanks();
    let index = match cursor.peek() {
        Some(b'*') => {
            cursor.eat(b'*');
            IndexSource::Fixed(Index::All)
        }
        Some(b'$') => {
            cursor.eat(b'$');
            IndexSource::Read(Box::new(Variable::parse_behind_dollar(cursor, scope)?))
        }
        Some(b'+') => {
            cursor.eat(b'+');
            IndexSource::Fixed(Index::Append)
        }
        _ => {
            let text = cursor.take_while(|byte| byte.is_ascii_digit() || byte == b'-');
            match crate::value::parse_int(text) {
                Some(number) => IndexSource::Fixed(Index::At(number)),
                None => {
                    return Err(
                        cursor.error("expected a number, `*`, `+` or a variable as the index")
                    );
                }
            }
        }
    };
    cursor.skip_blanks();
    if cursor.eat(b']') {
        Ok(index)
    } else {
        Err(cursor.error("expected `]`"))
    }
}
