//! What another language needs: calls of functions with values, and blocks that the host runs.

mod support;

use support::{TestCatalog, TestHost, compile};
use tandem_script::{
    Args, BlockId, Catalog, Completion, Direct, FunctionId, Host, Index, Key, Limits, Machine,
    Outcome, Place, Progress, RouteEnd, Routes, SetError, Value, VariableId,
};

fn direct(name: &str) -> Direct {
    let rows = TestCatalog.functions(name);
    let (id, signature) = rows.first().expect("the function is known");
    Direct::new(*id, signature)
}

fn call(host: &mut TestHost, name: &str, values: &[Value]) -> Result<i64, String> {
    let mut find = |_, name: &str| BlockId::foreign(if name == "known" { 7 } else { u32::MAX });
    let outcome = direct(name).call(host, &TestCatalog, Routes::REQUEST, values, &mut find)?;
    match outcome {
        Outcome::Code(code) => Ok(code),
        Outcome::Route { block, .. } => Ok(i64::from(block.foreign_number().unwrap_or(0))),
        _ => Ok(0),
    }
}

#[test]
fn values_become_what_the_parameters_are() {
    let mut host = TestHost::default();
    assert_eq!(call(&mut host, "code", &[Value::from("12")]), Ok(12));
    assert_eq!(
        call(&mut host, "xlog", &["method is $var(none) $$".into()]),
        Ok(1)
    );
    assert_eq!(host.log, ["method is 0 $"]);
    assert_eq!(
        call(&mut host, "matches", &["abc".into(), "^a.c$".into()]),
        Ok(1)
    );
    assert_eq!(call(&mut host, "is_method", &["$avp(x)".into()]), Ok(-1));
    assert_eq!(call(&mut host, "branch", &["known".into()]), Ok(7));
    assert_eq!(call(&mut host, "branch", &["0".into()]), Ok(-2));
}

#[test]
fn wrong_arguments_are_told_and_nothing_is_called() {
    let mut host = TestHost::default();
    for (name, values, wanted) in [
        ("code", vec![], "0 arguments instead of 1"),
        ("code", vec!["x".into()], "must be a number"),
        ("xlog", vec!["$nosuch".into()], "unknown variable"),
        ("matches", vec!["a".into(), "(".into()], "regex: "),
        (
            "branch",
            vec!["unknown".into()],
            "there is no block unknown",
        ),
        (
            "only_failure",
            vec![],
            "cannot be used in this kind of route",
        ),
        (
            "change",
            vec!["/a/b/".into(), "$hdr(x)".into()],
            "cannot be assigned",
        ),
    ] {
        let error = call(&mut host, name, &values).expect_err(name);
        assert!(error.contains(wanted), "{name}: {error}");
    }
    assert!(host.calls.is_empty());
}

/// Runs foreign blocks: 1 returns its code, 2 waits first, 3 runs 1 and adds to its code, 4 ends the script.
struct Foreign;

enum Rest {
    Waited,
    Ran,
}

impl Host for Foreign {
    type Pending = Rest;

    fn call(&mut self, _: FunctionId, _: &mut Args<'_>) -> Outcome<Rest> {
        Outcome::Code(1)
    }

    fn resume(&mut self, pending: Rest, with: Completion) -> Outcome<Rest> {
        match (pending, with) {
            (Rest::Ran, Completion::Route(end)) => Outcome::Code(end.code + 100),
            (Rest::Waited, _) => Outcome::Code(20),
            _ => Outcome::Code(-1),
        }
    }

    fn foreign(&mut self, number: u32) -> Outcome<Rest> {
        match (number, BlockId::foreign(1)) {
            (1, _) => Outcome::Code(0),
            (2, _) => Outcome::Wait(Rest::Waited),
            (3, Some(block)) => Outcome::Route {
                block,
                routes: Routes::BRANCH,
                then: Rest::Ran,
            },
            _ => Outcome::Stop { drop: true },
        }
    }

    fn get(&mut self, _: VariableId, _: &Key, _: Index) -> Value {
        Value::Null
    }

    fn set(&mut self, _: VariableId, _: &Key, _: Index, _: Value) -> Result<(), SetError> {
        Ok(())
    }

    fn is_myself(&mut self, _: VariableId) -> bool {
        false
    }

    fn complain(&mut self, _: i32, _: Place<'_>, text: &str) {
        panic!("{text}");
    }
}

#[test]
fn foreign_blocks_are_run_by_the_host() {
    let program = compile("request_route { exit; }");
    let run = |number| {
        let block = BlockId::foreign(number).expect("a small number");
        assert!(program.owns(block));
        let mut machine = Machine::new(Limits::default());
        machine.start(&program, block, Routes::REQUEST);
        let mut waits = 0;
        loop {
            match machine.run(&program, &mut Foreign) {
                Progress::Ended(end) => return (end, waits),
                Progress::Waiting => {
                    waits += 1;
                    machine.complete(Completion::Value(Value::Null));
                }
            }
        }
    };
    let ended = |code| RouteEnd {
        code,
        ..RouteEnd::default()
    };
    assert_eq!(run(1), (ended(0), 0));
    assert_eq!(run(2), (ended(20), 1));
    assert_eq!(run(3), (ended(100), 0));
    let (end, _) = run(4);
    assert!(end.exited && end.dropped);
    assert_eq!(BlockId::foreign(u32::MAX), None);
}
