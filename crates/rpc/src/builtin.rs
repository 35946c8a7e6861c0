//! The commands that describe the table of commands.

use crate::Fault;
use crate::call::Call;
use crate::registry::{Command, Kind, Parameter};

pub(crate) fn commands() -> [Command; 3] {
    [
        Command::new(
            "system.listMethods",
            "The names of all commands, sorted.",
            list_methods,
        )
        .list(),
        Command::new(
            "system.methodHelp",
            "What a command does, in a sentence.",
            method_help,
        )
        .parameter("method", Kind::Str),
        Command::new(
            "system.methodSignature",
            "The parameters that a command takes.",
            method_signature,
        )
        .parameter("method", Kind::Str),
    ]
}

fn list_methods(call: &mut Call<'_>) -> Result<(), Fault> {
    for command in call.registry().commands() {
        call.add(command.name());
    }
    Ok(())
}

fn method_help(call: &mut Call<'_>) -> Result<(), Fault> {
    let command = wanted(call)?;
    call.add(command.doc());
    Ok(())
}

fn method_signature(call: &mut Call<'_>) -> Result<(), Fault> {
    let command = wanted(call)?;
    let parameters: Vec<String> = command.parameters().iter().map(describe).collect();
    call.add(format!("{}({})", command.name(), parameters.join(", ")));
    Ok(())
}

fn wanted<'a>(call: &mut Call<'a>) -> Result<&'a Command, Fault> {
    let name = call
        .str()
        .map_err(|_| Fault::new(400, "Method Name Expected"))?;
    call.registry()
        .find(&name)
        .ok_or_else(|| Fault::new(400, "command not found"))
}

fn describe(parameter: &Parameter) -> String {
    let kind = match parameter.kind {
        Kind::Int => "int",
        Kind::Double => "double",
        Kind::Str => "string",
        Kind::Any => "any",
    };
    if parameter.optional {
        format!("[{}: {kind}]", parameter.name)
    } else {
        format!("{}: {kind}", parameter.name)
    }
}
