//! Values between Lua and the rest of the program.

use mlua::{Lua, Value as LuaValue};
use script::Value;

/// What a variable's value is in Lua.
pub(crate) fn to_lua(lua: &Lua, value: &Value) -> mlua::Result<LuaValue> {
    match value {
        Value::Null => Ok(LuaValue::Nil),
        Value::Int(number) => Ok(int(*number)),
        Value::Str(text) => Ok(LuaValue::String(lua.create_string(text.as_bytes())?)),
    }
}

/// A number in Lua.
pub(crate) const fn int(number: i64) -> LuaValue {
    LuaValue::Integer(number)
}

/// What a value of Lua is to a function. None for what is neither text nor number nor truth.
pub(crate) fn from_lua(value: &LuaValue) -> Option<Value> {
    match value {
        LuaValue::Nil => Some(Value::Null),
        LuaValue::Boolean(truth) => Some((*truth).into()),
        LuaValue::Integer(number) => Some(Value::Int(*number)),
        LuaValue::Number(number) => Some(Value::Int(*number as i64)),
        LuaValue::String(text) => Some(Value::from(&*text.as_bytes())),
        _ => None,
    }
}

/// The code that a route's function returned: what it says, and 1 when it says nothing.
pub(crate) fn code(value: Option<&LuaValue>) -> i64 {
    match value {
        Some(LuaValue::Boolean(false)) => -1,
        Some(value) => match from_lua(value) {
            Some(Value::Int(number)) => number,
            Some(Value::Str(text)) => script::parse_int(&text).unwrap_or(1),
            _ => 1,
        },
        None => 1,
    }
}
