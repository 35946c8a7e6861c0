//! A small catalogue and host for tests: `$var`, `$vn`, `$avp`, a request INVITE to alice, a few functions.

#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::Path;

use tandem_script::{
    Args, BlockKind, Catalog, Completion, FunctionId, Host, Index, Key, KeySpec, Limits, Machine,
    MemoryLoader, NameError, Options, Outcome, Parameter, ParameterKind, Place, Program, Progress,
    Resolved, RouteEnd, Routes, SetError, Signature, SourceMap, Str, Value, VariableId,
};

const fn p(name: &'static str, kind: ParameterKind) -> Parameter {
    Parameter { name, kind }
}

const fn row(
    name: &'static str,
    parameters: &'static [Parameter],
    required: usize,
    routes: Routes,
    core: bool,
) -> Signature {
    Signature {
        name,
        parameters,
        required,
        routes,
        core,
        doc: "",
    }
}

use ParameterKind as K;

pub const FUNCTIONS: &[Signature] = &[
    row("is_method", &[p("method", K::Str)], 1, Routes::ANY, false),
    row("xlog", &[p("format", K::Lazy)], 1, Routes::ANY, false),
    row("code", &[p("code", K::Int)], 1, Routes::ANY, false),
    row("stop", &[p("drop", K::Int)], 1, Routes::ANY, false),
    row(
        "branch",
        &[p("block", K::Block(BlockKind::Branch))],
        1,
        Routes::ANY,
        false,
    ),
    row("setflag", &[p("flag", K::Int)], 1, Routes::ANY, true),
    row("isflagset", &[p("flag", K::Int)], 1, Routes::ANY, true),
    row(
        "matches",
        &[p("text", K::Str), p("regex", K::Regex)],
        2,
        Routes::ANY,
        false,
    ),
    row(
        "change",
        &[p("subst", K::Subst), p("target", K::Target)],
        2,
        Routes::ANY,
        false,
    ),
    row("only_failure", &[], 0, Routes::FAILURE, false),
    row("only_request", &[], 0, Routes::REQUEST, false),
    row(
        "fixed",
        &[p("text", K::Static), p("number", K::Int)],
        1,
        Routes::ANY,
        false,
    ),
    row("wait", &[p("code", K::Int)], 1, Routes::ANY, false),
];

/// Classes of variables, by number.
const CLASSES: &[(&str, bool)] = &[
    ("var", true),
    ("vn", true),
    ("avp", true),
    ("hdr", false),
    ("rU", true),
    ("ru", true),
    ("mf", true),
    ("@method", false),
    ("@uri", false),
    ("@src_ip", false),
    ("@src_port", false),
    ("@proto", false),
    ("@af", false),
    ("@status", false),
    ("sel", false),
    ("place", true),
];

/// As many `$place`s lie in the host's slots; the others it has not made room for.
const ROOM: usize = 2;

pub struct TestCatalog;

impl Catalog for TestCatalog {
    fn functions(&self, name: &str) -> Vec<(FunctionId, &Signature)> {
        let rows = FUNCTIONS
            .iter()
            .enumerate()
            .filter(|(_, row)| row.name == name);
        rows.map(|(at, row)| (FunctionId(at as u32), row)).collect()
    }

    fn variable(&self, name: &str, inner: Option<&str>) -> Result<Resolved, NameError> {
        let Some(at) = CLASSES.iter().position(|(known, _)| *known == name) else {
            return Err(NameError::Unknown);
        };
        let key = match inner {
            Some(inner) if name == "place" => {
                KeySpec::Attr(inner.bytes().map(|b| u32::from(b - b'a')).sum())
            }
            Some(_) => KeySpec::Format,
            None => KeySpec::None,
        };
        Ok(Resolved {
            id: VariableId(at as u32),
            key,
            writable: CLASSES[at].1,
        })
    }

    fn slot(&self, id: VariableId, key: &KeySpec) -> Option<u32> {
        match (CLASSES[id.0 as usize].0, key) {
            ("place", KeySpec::Attr(slot)) => Some(*slot),
            _ => None,
        }
    }

    fn function_names(&self) -> Vec<(&str, &str)> {
        let own = FUNCTIONS.iter().map(|row| (row.name, ""));
        own.chain([("t_relay", "tm")]).collect()
    }

    fn variable_names(&self) -> Vec<&str> {
        CLASSES.iter().map(|(name, _)| *name).collect()
    }
}

#[derive(Debug)]
pub enum Pending {
    Done(Box<Outcome<Self>>),
    Branch,
}

#[derive(Default)]
pub struct TestHost {
    pub values: BTreeMap<(u32, Str), Value>,
    pub lists: BTreeMap<Str, Vec<Value>>,
    /// What `xlog` printed.
    pub log: Vec<String>,
    /// Levels and texts of mistakes.
    pub complaints: Vec<(i32, String)>,
    /// The calls that were made.
    pub calls: Vec<String>,
    pub flags: i64,
    /// `$place`.
    pub places: [Value; ROOM],
    /// Every call waits first.
    pub suspend: bool,
}

impl TestHost {
    fn perform(&mut self, function: FunctionId, args: &mut Args<'_>) -> Outcome<Pending> {
        let name = FUNCTIONS[function.0 as usize].name;
        self.calls.push(name.to_owned());
        let truth = |truth: bool| Outcome::Code(if truth { 1 } else { -1 });
        match name {
            "is_method" => truth(args.str(0).split(|b| *b == b'|').any(|m| m == b"INVITE")),
            "xlog" => {
                let mut out = Vec::new();
                if let Some(format) = args.lazy(0) {
                    format.print(self, &mut out);
                }
                self.log.push(String::from_utf8_lossy(&out).into_owned());
                Outcome::Code(1)
            }
            "code" | "wait" => Outcome::Code(args.int(0)),
            "stop" => Outcome::Stop {
                drop: args.int(0) != 0,
            },
            "branch" => match args.block(0) {
                Some(block) => Outcome::Route {
                    block,
                    routes: Routes::BRANCH,
                    then: Pending::Branch,
                },
                None => Outcome::Code(-2),
            },
            "setflag" => {
                self.flags |= 1 << args.int(0);
                Outcome::Code(1)
            }
            "isflagset" => truth(self.flags >> args.int(0) & 1 == 1),
            "matches" => truth(args.regex(1).is_some_and(|re| re.is_match(args.str(0)))),
            "change" => {
                let (Some(subst), Some(target)) = (args.subst(0), args.variable(1)) else {
                    return Outcome::Code(-1);
                };
                let before = target.get(self).to_str();
                match subst.apply(self, &before) {
                    Some((text, _)) => truth(target.set(self, text.into()).is_ok()),
                    None => Outcome::Code(-1),
                }
            }
            "fixed" => {
                self.log.push(format!("{} {}", args.str(0), args.int(1)));
                Outcome::Code(1)
            }
            _ => Outcome::Code(1),
        }
    }
}

fn name(key: &Key) -> Str {
    match key {
        Key::Name(name) => name.clone(),
        Key::Attr(number) => Str::from(number.to_string()),
        Key::None => Str::EMPTY,
    }
}

impl Host for TestHost {
    type Pending = Pending;

    fn call(&mut self, function: FunctionId, args: &mut Args<'_>) -> Outcome<Pending> {
        let outcome = self.perform(function, args);
        let waits = self.suspend || args.function() == "wait";
        if waits {
            Outcome::Wait(Pending::Done(Box::new(outcome)))
        } else {
            outcome
        }
    }

    fn resume(&mut self, pending: Pending, with: Completion) -> Outcome<Pending> {
        match (pending, with) {
            (Pending::Done(outcome), _) => *outcome,
            (Pending::Branch, Completion::Route(end)) => {
                self.log.push(format!(
                    "branch {} {} {}",
                    end.code, end.exited, end.dropped
                ));
                Outcome::Code(if end.dropped { -6 } else { 3 })
            }
            (Pending::Branch, _) => Outcome::Code(-7),
        }
    }

    fn get(&mut self, id: VariableId, key: &Key, index: Index) -> Value {
        let stored = |host: &Self| host.values.get(&(id.0, name(key))).cloned();
        match CLASSES[id.0 as usize].0 {
            "var" => stored(self).unwrap_or(Value::Int(0)),
            "place" => match key {
                Key::Attr(slot) if (*slot as usize) < ROOM => self.places[*slot as usize].clone(),
                _ => stored(self).unwrap_or(Value::Int(0)),
            },
            "avp" => {
                let list = self.lists.get(&name(key)).map_or(&[][..], Vec::as_slice);
                match index {
                    Index::At(at) => usize::try_from(at).ok().and_then(|at| list.get(at)),
                    _ => list.first(),
                }
                .cloned()
                .unwrap_or_default()
            }
            "rU" => stored(self).unwrap_or("alice".into()),
            "ru" | "@uri" => "sip:alice@example.org;transport=tcp".into(),
            "@method" => "INVITE".into(),
            "@src_ip" => "10.1.2.3".into(),
            "@src_port" => Value::Int(5070),
            "@proto" => "udp".into(),
            "@af" => Value::Int(4),
            "@status" => "200".into(),
            "sel" => name(key).into(),
            _ => stored(self).unwrap_or_default(),
        }
    }

    fn set(
        &mut self,
        id: VariableId,
        key: &Key,
        index: Index,
        value: Value,
    ) -> Result<(), SetError> {
        let slot = match key {
            Key::Attr(slot) => *slot as usize,
            _ => ROOM,
        };
        let key = name(key);
        match CLASSES[id.0 as usize].0 {
            "place" if slot < ROOM && value.is_null() => self.places[slot] = Value::Int(0),
            "place" if slot < ROOM => self.places[slot] = value,
            "var" | "place" if value.is_null() => {
                drop(self.values.insert((id.0, key), Value::Int(0)))
            }
            "avp" => {
                let list = self.lists.entry(key).or_default();
                if index == Index::All {
                    list.clear();
                }
                match value {
                    Value::Null => drop(list.drain(..list.len().min(1))),
                    value => list.insert(0, value),
                }
            }
            "mf" if value.to_int().is_none() => return Err(SetError("not a number".to_owned())),
            _ => drop(self.values.insert((id.0, key), value)),
        }
        Ok(())
    }

    fn slots(&mut self) -> &mut [Value] {
        &mut self.places
    }

    fn is_myself(&mut self, operand: VariableId) -> bool {
        CLASSES[operand.0 as usize].0 == "@uri"
    }

    fn complain(&mut self, level: i32, place: Place<'_>, text: &str) {
        assert!(
            place.line > 0 && !place.block.is_empty(),
            "{place:?} {text}"
        );
        self.complaints.push((level, text.to_owned()));
    }
}

/// The program, or the messages.
pub fn try_compile(text: &str) -> Result<Program, String> {
    let mut map = SourceMap::new();
    let loader = MemoryLoader::one("test.cfg", text);
    let (config, diagnostics) = tandem_script::parse(
        &mut map,
        &loader,
        Path::new("test.cfg"),
        &Options::default(),
    );
    if diagnostics.has_errors() {
        return Err(diagnostics.render(&map, false));
    }
    tandem_script::compile(&config, &TestCatalog, &map).map_err(|found| found.render(&map, false))
}

#[track_caller]
pub fn compile(text: &str) -> Program {
    try_compile(text).unwrap_or_else(|messages| panic!("{text}\n{messages}"))
}

pub struct Run {
    pub host: TestHost,
    pub end: RouteEnd,
    pub waits: usize,
}

/// Runs `request_route` to its end.
pub fn run_with(program: &Program, host: TestHost, limits: Limits) -> Run {
    let mut run = Run {
        host,
        end: RouteEnd::default(),
        waits: 0,
    };
    let mut machine = Machine::new(limits);
    let block = program
        .block(BlockKind::Request, "")
        .expect("a request_route");
    machine.start(program, block, Routes::REQUEST);
    loop {
        match machine.run(program, &mut run.host) {
            Progress::Ended(end) => {
                run.end = end;
                return run;
            }
            Progress::Waiting => {
                run.waits += 1;
                assert!(machine.waiting().is_some());
                machine.complete(Completion::Value(Value::Null));
            }
        }
    }
}

/// Compiles and runs a configuration.
#[track_caller]
pub fn run(text: &str) -> Run {
    run_with(&compile(text), TestHost::default(), Limits::default())
}

/// The values that the worked examples start from.
pub const SETUP: &str = r#"$var(i0)=0; $var(i5)=5; $var(im)=-1; $var(i1)=1; $var(s)="abc"; $var(e)="";
    $var(n5)="5"; $avp(i)=7; $avp(z)=0; $avp(es)="";"#;

/// The value of an expression assigned to an AVP, printed, and the levels of the messages.
#[track_caller]
pub fn evaluate(expression: &str) -> (String, Vec<i32>) {
    let text = format!("request_route {{ {SETUP} $avp(r) = {expression}; }}");
    let run = run(&text);
    let value = run
        .host
        .lists
        .get(&Str::from("r"))
        .and_then(|list| list.first());
    let mut out = Vec::new();
    value.unwrap_or(&Value::Null).print(&mut out);
    let levels = run
        .host
        .complaints
        .iter()
        .map(|(level, _)| *level)
        .collect();
    (String::from_utf8_lossy(&out).into_owned(), levels)
}

/// Whether a condition holds, and the levels of the messages.
#[track_caller]
pub fn holds(condition: &str) -> (bool, Vec<i32>) {
    let text = format!(
        "request_route {{ {SETUP} if ({condition}) {{ xlog(\"T\"); }} else {{ xlog(\"F\"); }} }}"
    );
    let run = run(&text);
    assert_eq!(run.host.log.len(), 1, "{condition}");
    let levels = run
        .host
        .complaints
        .iter()
        .map(|(level, _)| *level)
        .collect();
    (run.host.log[0] == "T", levels)
}
