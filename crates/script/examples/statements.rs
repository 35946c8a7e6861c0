//! Prints how long a run of 80 statements takes:
//! `cargo run --release -p tandem-script --example statements [rounds]`.

use std::path::Path;
use std::time::Instant;

use tandem_script::{
    Args, BlockKind, Catalog, Completion, FunctionId, Host, Index, Key, KeySpec, Machine,
    MemoryLoader, NameError, Options, Outcome, Parameter, ParameterKind, Place, Progress, Resolved,
    Routes, SetError, Signature, SourceMap, Str, Value, VariableId,
};

/// Runs measured at a time, unless the command line says otherwise.
const ROUNDS: u32 = 200_000;

const PARAMETERS: &[Parameter] = &[Parameter {
    name: "text",
    kind: ParameterKind::Str,
}];

const FUNCTION: Signature = Signature {
    name: "is_method",
    parameters: PARAMETERS,
    required: 1,
    routes: Routes::ANY,
    core: false,
    doc: "",
};

struct Names;

impl Catalog for Names {
    fn functions(&self, name: &str) -> Vec<(FunctionId, &Signature)> {
        if name == "is_method" {
            vec![(FunctionId(0), &FUNCTION)]
        } else {
            Vec::new()
        }
    }

    fn variable(&self, name: &str, inner: Option<&str>) -> Result<Resolved, NameError> {
        match (
            name,
            inner
                .and_then(|inner| inner.strip_prefix('v'))
                .map(str::parse),
        ) {
            ("var", Some(Ok(slot))) => Ok(Resolved {
                id: VariableId(0),
                key: KeySpec::Attr(slot),
                writable: true,
            }),
            ("@method", None) => Ok(Resolved {
                id: VariableId(1),
                key: KeySpec::None,
                writable: false,
            }),
            _ => Err(NameError::Unknown),
        }
    }

    fn slot(&self, id: VariableId, key: &KeySpec) -> Option<u32> {
        match (id, key) {
            (VariableId(0), KeySpec::Attr(slot)) => Some(*slot),
            _ => None,
        }
    }

    fn function_names(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn variable_names(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Ten slots of variables and a method.
struct Slots {
    values: [Value; 10],
    method: Str,
}

impl Host for Slots {
    type Pending = ();

    fn call(&mut self, _: FunctionId, args: &mut Args<'_>) -> Outcome<()> {
        Outcome::Code(if *args.str(0) == self.method { 1 } else { -1 })
    }

    fn resume(&mut self, (): (), _: Completion) -> Outcome<()> {
        Outcome::Code(1)
    }

    fn get(&mut self, id: VariableId, key: &Key, _: Index) -> Value {
        match (id, key) {
            (VariableId(0), Key::Attr(slot)) => {
                self.values.get(*slot as usize).cloned().unwrap_or_default()
            }
            _ => Value::Str(self.method.clone()),
        }
    }

    fn slots(&mut self) -> &mut [Value] {
        &mut self.values
    }

    fn set(&mut self, _: VariableId, key: &Key, _: Index, value: Value) -> Result<(), SetError> {
        if let Key::Attr(slot) = key
            && let Some(place) = self.values.get_mut(*slot as usize)
        {
            *place = value;
        }
        Ok(())
    }

    fn is_myself(&mut self, _: VariableId) -> bool {
        false
    }

    fn complain(&mut self, _: i32, _: Place<'_>, text: &str) {
        eprintln!("{text}");
    }
}

/// Ten sub-routes of seven executed statements each, and the ten calls of them.
fn configuration() -> String {
    let mut text = String::from("request_route {\n");
    for route in 0..10 {
        text.push_str(&format!("route(R{route});\n"));
    }
    text.push_str("}\n");
    for route in 0..10 {
        text.push_str(&format!(
            "route[R{route}] {{
    $var(v0) = {route};
    if ($var(v0) == 77) {{ exit; }}
    if (is_method(\"BYE\")) {{ exit; }}
    $var(v1) = $var(v0);
    if (method == \"INVITE\") {{
        $var(v2) = \"short text\";
    }}
    $var(v3) = $var(v1) + 1;
}}\n"
        ));
    }
    text
}

fn main() -> Result<(), String> {
    let mut map = SourceMap::new();
    let loader = MemoryLoader::one("bench.cfg", &configuration());
    let (config, diagnostics) = tandem_script::parse(
        &mut map,
        &loader,
        Path::new("bench.cfg"),
        &Options::default(),
    );
    if diagnostics.has_errors() {
        return Err(diagnostics.render(&map, false));
    }
    let program = tandem_script::compile(&config, &Names, &map)
        .map_err(|diagnostics| diagnostics.render(&map, false))?;
    let block = program
        .block(BlockKind::Request, "")
        .ok_or("no request_route")?;
    let mut host = Slots {
        values: Default::default(),
        method: "INVITE".into(),
    };
    let mut machine = Machine::default();
    let rounds = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(ROUNDS);
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..rounds {
            machine.start(&program, block, Routes::REQUEST);
            let progress = machine.run(&program, &mut host);
            assert!(matches!(progress, Progress::Ended(_)));
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds));
    }
    println!(
        "80 statements in 10 routes: {best:.0} ns a run, {:.1} ns a statement",
        best / 80.0
    );
    Ok(())
}
