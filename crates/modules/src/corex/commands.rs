//! Commands of module corex.

use std::sync::Arc;

use engine::{Engine, level};
use rpc::{Call, Fault, Kind, Struct};

use crate::command::{CommandRow, command, list_command, takes};
use crate::core::rpc::{Memory, alias_row, socket_row};

pub(super) static COMMANDS: &[CommandRow] = &[
    list_command("corex.list_sockets", &[], sockets, "The listening sockets."),
    list_command(
        "corex.list_aliases",
        &[],
        aliases,
        "The names that mean this server, besides its sockets.",
    ),
    command(
        "corex.debug",
        &[takes("level", Kind::Int)],
        debug,
        "Shows or changes the log level.",
    ),
    command(
        "corex.pkg_summary",
        &[takes("selector", Kind::Str), takes("value", Kind::Int)],
        memory,
        "Logs the memory of the process.",
    ),
    command(
        "corex.shm_summary",
        &[],
        memory,
        "Logs the memory of the process.",
    ),
    command(
        "corex.shm_status",
        &[],
        memory,
        "Logs the memory of the process.",
    ),
];

fn sockets(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for socket in engine.sockets.iter() {
        let (proto, host, address, port) = socket_row(socket);
        let advertise = match socket.is_advertised {
            true => format!("{}:{}:{}", proto, socket.shown_host, socket.shown_port),
            false => "-".to_owned(),
        };
        call.add(
            Struct::new()
                .with("PROTO", proto)
                .with("NAME", host)
                .with("ADDRLIST", Struct::new().with("ADDR", address))
                .with("PORT", port)
                .with("MCAST", "no")
                .with("MHOMED", "no")
                .with("VIRTUAL", if socket.is_virtual { "yes" } else { "no" })
                .with("SOCKNAME", socket.name.as_deref().unwrap_or("-"))
                .with("ADVERTISE", advertise),
        );
    }
    Ok(())
}

fn aliases(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for alias in engine.settings.aliases.iter().rev() {
        let (proto, host, port) = alias_row(alias);
        call.add(
            Struct::new()
                .with("PROTO", proto)
                .with("ADDR", host)
                .with("PORT", port.unwrap_or(0)),
        );
    }
    Ok(())
}

fn debug(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let old = engine.log.threshold();
    let Some(new) = call.opt_int()? else {
        call.add(Struct::new().with("debug", old));
        return Ok(());
    };
    let new = new.clamp(-10, 10) as i32;
    engine.log.set_threshold(new);
    call.add(Struct::new().with("old", old).with("new", new));
    Ok(())
}

fn memory(engine: &Arc<Engine>, _: &mut Call<'_>) -> Result<(), Fault> {
    let Memory {
        resident,
        peak,
        free,
    } = Memory::now();
    let text =
        format!("memory: {resident} bytes used, {peak} at most so far, {free} free in the machine");
    engine.log.line(level::NOTICE, "corex", &text);
    Ok(())
}
