//! What commands take and answer: ordered values that every door can write in its own notation.

use std::borrow::Cow;

/// The name of a struct member; fixed names cost nothing.
pub type Name = Cow<'static, str>;

/// One parameter or one value of a reply.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// A string that is not set: `null` in JSON, `<null string>` in binrpc.
    #[default]
    Null,
    /// A whole number.
    Int(i64),
    /// A fraction; binrpc carries three decimals.
    Double(f64),
    /// Text, normally UTF-8, but nothing is lost if a SIP peer sent something else.
    Str(Vec<u8>),
    /// Opaque bytes.
    Bytes(Vec<u8>),
    /// Members in order.
    Struct(Struct),
    /// Values without names. binrpc writes it as a struct of nameless members.
    Array(Vec<Self>),
    /// An array of one-member structs in JSON; in binrpc one struct that repeats the names.
    Named(Vec<(Name, Self)>),
}

impl Value {
    /// The text of a string value, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// The number of an integer value.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The members of a struct value.
    pub fn as_struct(&self) -> Option<&Struct> {
        match self {
            Self::Struct(members) => Some(members),
            _ => None,
        }
    }
}

/// Named values in order; a name may come more than once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Struct(Vec<(Name, Value)>);

impl Struct {
    /// A struct without members.
    pub fn new() -> Self {
        Self::default()
    }

    /// A struct without members that has room for `members`.
    pub fn with_capacity(members: usize) -> Self {
        Self(Vec::with_capacity(members))
    }

    /// Appends a member; for building a struct in one expression.
    #[must_use]
    pub fn with(mut self, name: impl Into<Name>, value: impl Into<Value>) -> Self {
        self.add(name, value);
        self
    }

    /// Appends a member, even if one with this name is there.
    pub fn add(&mut self, name: impl Into<Name>, value: impl Into<Value>) {
        self.0.push((name.into(), value.into()));
    }

    /// The first member with this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value)
    }

    /// The members in order.
    pub fn members(&self) -> &[(Name, Value)] {
        &self.0
    }

    /// The members in order, given away.
    pub fn into_members(self) -> Vec<(Name, Value)> {
        self.0
    }
}

impl From<Vec<(Name, Value)>> for Struct {
    fn from(members: Vec<(Name, Value)>) -> Self {
        Self(members)
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {
        $(impl From<$integer> for Value {
            fn from(number: $integer) -> Self {
                Self::Int(i64::from(number))
            }
        })*
    };
}
from_integer!(i8, i16, i32, i64, u8, u16, u32);

/// Numbers beyond `i64` stay at its maximum.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// Numbers beyond `i64` stay at its maximum.
impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.as_bytes().to_vec())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into_bytes())
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(text: Cow<'_, str>) -> Self {
        Self::from(text.into_owned())
    }
}

/// Text as it stood in a message.
impl From<&[u8]> for Value {
    fn from(text: &[u8]) -> Self {
        Self::Str(text.to_vec())
    }
}

impl From<Struct> for Value {
    fn from(members: Struct) -> Self {
        Self::Struct(members)
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::Array(items)
    }
}

/// `None` becomes [`Value::Null`].
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
