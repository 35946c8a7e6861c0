//! Transformations, `{s.len}`: pure functions from a value to a value, chained behind a variable. They never
//! touch the message; a parameter may be a variable, which is read first.

use std::fmt;

use smallvec::SmallVec;

use crate::format::{Cursor, Scope, TextError};
use crate::host::Host;
use crate::subst::Subst;
use crate::value::{Str, Value};
use crate::variable::Variable;

mod codec;
mod digest;
mod escape;
mod line;
mod name;
mod param;
mod slice;
mod sql;
mod string;
mod table;
mod uri;
mod val;

/// Parameters beyond this number are an error.
const PARAMETER_LIMIT: usize = 4;

/// What a transformation does: from a value and its parameters to a value.
type Function = fn(Value, &[Value]) -> Result<Value, Failed>;

/// One transformation with its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Transform {
    action: Action,
}

#[derive(Clone)]
enum Action {
    Function {
        run: Function,
        nullable: bool,
        parameters: Box<[Parameter]>,
    },
    Subst(Box<Subst>),
}

#[derive(Clone, Debug)]
enum Parameter {
    Fixed(Value),
    Read(Variable),
}

/// A transformation that could not be done, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed(pub(crate) &'static str);

/// How the text behind the operation is cut into parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// No parameters.
    None,
    /// `,a,b`: up to a comma or the brace; the numbers say how many must and may be there.
    List(u8, u8),
    /// `,a,c`: a number or variable, then one character, whatever it is (`{s.select,1,,}`).
    Separator,
    /// `,name[,c]`: a text, then perhaps one character.
    Named,
    /// `,text`: everything up to the brace, commas too.
    Rest,
}

/// One operation.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) syntax: Syntax,
    pub(crate) run: Function,
    /// Whether an unset variable may be given to it.
    pub(crate) nullable: bool,
}

impl Row {
    pub(crate) const fn new(name: &'static str, syntax: Syntax, run: Function) -> Self {
        Self {
            name,
            syntax,
            run,
            nullable: false,
        }
    }

    pub(crate) const fn nullable(name: &'static str, run: Function) -> Self {
        Self {
            name,
            syntax: Syntax::None,
            run,
            nullable: true,
        }
    }
}

impl Transform {
    /// Parses `{class.operation,parameters}`.
    pub(crate) fn parse(cursor: &mut Cursor<'_>, scope: &Scope<'_>) -> Result<Self, TextError> {
        cursor.eat(b'{');
        cursor.skip_blanks();
        let start = cursor.position();
        let name = cursor.take_while(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte));
        let name = String::from_utf8_lossy(name).into_owned();
        if name == "re.subst" {
            return Self::parse_subst(cursor, scope);
        }
        let Some(row) = table::find(&name) else {
            let error = TextError::new(start, &format!("unknown transformation `{name}`"));
            return Err(match crate::suggest::nearest(&name, table::names()) {
                Some(near) => error.help(&format!("did you mean `{near}`?")),
                None => error,
            });
        };
        let parameters = parse_parameters(cursor, scope, row.syntax)?;
        cursor.skip_blanks();
        if !cursor.eat(b'}') {
            return Err(cursor.error(&format!("expected `}}` at the end of `{name}`")));
        }
        let parameters = parameters.into();
        let action = Action::Function {
            run: row.run,
            nullable: row.nullable,
            parameters,
        };
        Ok(Self { action })
    }

    fn parse_subst(cursor: &mut Cursor<'_>, scope: &Scope<'_>) -> Result<Self, TextError> {
        if !cursor.eat(b',') {
            return Err(cursor.error("expected `,/expression/replacement/flags`"));
        }
        let start = cursor.position();
        let subst = Subst::parse_prefix(cursor, scope).map_err(|error| error.shifted(start))?;
        cursor.skip_blanks();
        if !cursor.eat(b'}') {
            return Err(cursor.error("expected `}` behind the substitution's flags (g, i, s)"));
        }
        Ok(Self {
            action: Action::Subst(Box::new(subst)),
        })
    }

    pub(crate) fn apply<H: Host + ?Sized>(
        &self,
        host: &mut H,
        rc: i64,
        value: Value,
    ) -> Result<Value, Failed> {
        match &self.action {
            Action::Subst(subst) => {
                if value.is_null() {
                    return Err(UNSET);
                }
                Ok(
                    match value.with_bytes(|text| subst.apply_in(host, rc, text)) {
                        Some((text, _)) => text.into(),
                        None => value,
                    },
                )
            }
            Action::Function {
                nullable: false, ..
            } if value.is_null() => Err(UNSET),
            Action::Function {
                run, parameters, ..
            } => {
                let mut given = SmallVec::<[Value; PARAMETER_LIMIT]>::new();
                for parameter in parameters {
                    given.push(match parameter {
                        Parameter::Fixed(value) => value.clone(),
                        Parameter::Read(variable) => variable.read(host, rc)?,
                    });
                }
                run(value, &given)
            }
        }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function { parameters, .. } => write!(f, "Function({parameters:?})"),
            Self::Subst(subst) => write!(f, "{subst:?}"),
        }
    }
}

const UNSET: Failed = Failed("the variable is not set");

fn parse_parameters(
    cursor: &mut Cursor<'_>,
    scope: &Scope<'_>,
    syntax: Syntax,
) -> Result<Vec<Parameter>, TextError> {
    let mut found = Vec::new();
    match syntax {
        Syntax::None => {}
        Syntax::Rest => {
            expect_comma(cursor)?;
            found.push(parse_parameter(cursor, scope, b"}")?);
        }
        Syntax::Separator => {
            expect_comma(cursor)?;
            found.push(parse_parameter(cursor, scope, b",}")?);
            expect_comma(cursor)?;
            found.push(parse_character(cursor)?);
        }
        Syntax::Named => {
            expect_comma(cursor)?;
            found.push(parse_parameter(cursor, scope, b",}")?);
            if cursor.eat(b',') {
                found.push(parse_character(cursor)?);
            }
        }
        Syntax::List(required, most) => {
            while found.len() < usize::from(most).min(PARAMETER_LIMIT) && cursor.eat(b',') {
                found.push(parse_parameter(cursor, scope, b",}")?);
            }
            if found.len() < usize::from(required) {
                return Err(cursor.error(&format!("expected {required} parameters")));
            }
        }
    }
    Ok(found)
}

fn expect_comma(cursor: &mut Cursor<'_>) -> Result<(), TextError> {
    if cursor.eat(b',') {
        Ok(())
    } else {
        Err(cursor.error("expected `,` and a parameter"))
    }
}

fn parse_character(cursor: &mut Cursor<'_>) -> Result<Parameter, TextError> {
    cursor.eat(b'\\');
    match cursor.next() {
        Some(byte) => Ok(Parameter::Fixed([byte].as_slice().into())),
        None => Err(cursor.error("expected a character")),
    }
}

fn parse_parameter(
    cursor: &mut Cursor<'_>,
    scope: &Scope<'_>,
    ends: &[u8],
) -> Result<Parameter, TextError> {
    if cursor.eat(b'$') {
        return Variable::parse_behind_dollar(cursor, scope).map(Parameter::Read);
    }
    let mut text = Vec::new();
    while let Some(byte) = cursor.peek().filter(|byte| !ends.contains(byte)) {
        cursor.next();
        match (byte, cursor.peek()) {
            (b'\\', Some(escaped)) => {
                cursor.next();
                text.push(escaped);
            }
            _ => text.push(byte),
        }
    }
    Ok(Parameter::Fixed(Value::Str(Str::new(&text))))
}

/// The number in a parameter.
pub(crate) fn number(parameters: &[Value], at: usize) -> Result<i64, Failed> {
    parameters
        .get(at)
        .and_then(Value::to_int)
        .ok_or(Failed("the parameter is not a number"))
}

/// The text in a parameter; an absent one is empty.
pub(crate) fn text(parameters: &[Value], at: usize) -> Str {
    parameters.get(at).map(Value::to_str).unwrap_or_default()
}
