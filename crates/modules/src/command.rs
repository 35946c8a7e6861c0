//! Management commands as rows: a name, its parameters, a handler, one line of help.

use std::sync::Arc;

use engine::{Engine, Setup};
use rpc::{Call, Command, Fault, Kind};

/// One management command.
pub(crate) struct CommandRow {
    name: &'static str,
    parameters: &'static [CommandParameter],
    list: bool,
    handler: CommandHandler,
    doc: &'static str,
}

/// The code of a command: scans parameters, adds values.
pub(crate) type CommandHandler = fn(&Arc<Engine>, &mut Call<'_>) -> Result<(), Fault>;

/// One parameter of a command.
pub(crate) struct CommandParameter {
    name: &'static str,
    kind: Kind,
    optional: bool,
}

/// A parameter that must be given.
pub(crate) const fn needs(name: &'static str, kind: Kind) -> CommandParameter {
    CommandParameter {
        name,
        kind,
        optional: false,
    }
}

/// A parameter that may be left out.
pub(crate) const fn takes(name: &'static str, kind: Kind) -> CommandParameter {
    CommandParameter {
        name,
        kind,
        optional: true,
    }
}

/// A command whose JSON result has the form of what it adds.
pub(crate) const fn command(
    name: &'static str,
    parameters: &'static [CommandParameter],
    handler: CommandHandler,
    doc: &'static str,
) -> CommandRow {
    CommandRow {
        name,
        parameters,
        list: false,
        handler,
        doc,
    }
}

/// A command whose JSON result is an array, whatever the number of its values.
pub(crate) const fn list_command(
    name: &'static str,
    parameters: &'static [CommandParameter],
    handler: CommandHandler,
    doc: &'static str,
) -> CommandRow {
    CommandRow {
        list: true,
        ..command(name, parameters, handler, doc)
    }
}

/// Adds commands to those of the configuration.
pub(crate) fn add_commands(setup: &mut Setup<'_>, rows: &'static [CommandRow]) {
    for row in rows {
        let (handle, handler) = (setup.engine.clone(), row.handler);
        let mut command = Command::new(row.name, row.doc, move |call| {
            let engine = handle.get().ok_or_else(stopping)?;
            handler(&engine, call)
        });
        for parameter in row.parameters {
            command = match parameter.optional {
                true => command.optional(parameter.name, parameter.kind),
                false => command.parameter(parameter.name, parameter.kind),
            };
        }
        if row.list {
            command = command.list();
        }
        setup.commands.push(command);
    }
}

fn stopping() -> Fault {
    Fault::new(500, "Tandem is stopping")
}

/// The fault for work that the workers can't take up now.
pub(crate) fn busy(_: engine::MailboxFull) -> Fault {
    Fault::new(500, "Too much work is waiting already")
}
