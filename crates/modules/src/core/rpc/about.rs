//! Commands about the program itself: version, times, modules, and the small ones for trying things out.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use engine::Engine;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rpc::{Call, Fault, Kind, Struct, Value};

use super::Facts;
use crate::command::{CommandRow, command, list_command, takes};

/// The version number.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What was built in, in the words that people look for.
const FEATURES: &str = "USE_TCP, USE_DNS_CACHE, USE_DNS_FAILOVER, USE_NAPTR";

pub(super) static COMMANDS: &[CommandRow] = &[
    command("core.version", &[], version, "The version of the server."),
    command("core.uptime", &[], uptime, "Since when the server runs."),
    command("core.info", &[], info, "How the server was built."),
    command(
        "core.runinfo",
        &[],
        run_info,
        "How it was built and since when it runs.",
    ),
    command("core.flags", &[], flags, "What was built in."),
    list_command("core.pwd", &[], pwd, "The working directory."),
    list_command("core.arg", &[], arguments, "The command line."),
    list_command(
        "core.modules",
        &[],
        modules,
        "The loaded modules, the last one first.",
    ),
    list_command(
        "core.ppdefines",
        &[],
        defines,
        "The names that the preprocessor defined.",
    ),
    list_command(
        "core.ppdefines_full",
        &[],
        defines_full,
        "The same with their values.",
    ),
    list_command(
        "core.echo",
        &[takes("value", Kind::Any)],
        echo,
        "Answers its parameters.",
    ),
    list_command(
        "core.prints",
        &[takes("text", Kind::Str)],
        echo_texts,
        "Answers its texts.",
    ),
    list_command(
        "core.printi",
        &[takes("number", Kind::Int)],
        echo_numbers,
        "Answers its numbers.",
    ),
    command(
        "core.kill",
        &[takes("signal", Kind::Int)],
        send_signal,
        "Sends the server a signal, 15 by default.",
    ),
];

/// The wall clock, in seconds since 1970: a command is the world's own input and runs when it comes.
pub(crate) fn unix_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

/// A time in the C library's form, `Sun Nov 22 04:01:12 2026`, in local time.
fn date_text(unix: u64) -> String {
    let seconds = i64::try_from(unix).unwrap_or(i64::MAX);
    match Timestamp::from_second(seconds) {
        Ok(time) => {
            let local = time.to_zoned(TimeZone::system());
            local.strftime("%a %b %e %H:%M:%S %Y").to_string()
        }
        Err(_) => String::new(),
    }
}

fn version_text() -> String {
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    format!("tandem {VERSION} ({arch}/{os})")
}

fn version(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    call.add(version_text());
    Ok(())
}

fn uptime(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (now, since) = (unix_now(), engine.started.unix());
    call.add(
        Struct::new()
            .with("now", date_text(now))
            .with("up_since", date_text(since))
            .with("uptime", now.saturating_sub(since)),
    );
    Ok(())
}

fn info(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    call.add(
        Struct::new()
            .with("version", format!("tandem {VERSION}"))
            .with("id", "")
            .with("compiler", "rustc")
            .with("compiled", "")
            .with("flags", FEATURES),
    );
    Ok(())
}

fn run_info(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (now, since) = (unix_now(), engine.started.unix());
    let up = now.saturating_sub(since);
    let (days, rest) = (up / 86_400, up % 86_400);
    let (hours, minutes, seconds) = (rest / 3600, rest % 3600 / 60, rest % 60);
    call.add(
        Struct::new()
            .with("name", "tandem")
            .with("version", VERSION)
            .with("sourceid", "")
            .with("compiler", "rustc")
            .with("compiled", "")
            .with("time_now", date_text(now))
            .with("time_started", date_text(since))
            .with("uptime_secs", up)
            .with(
                "utime_days",
                format!("{days}d {hours}h {minutes}m {seconds}s"),
            ),
    );
    Ok(())
}

fn flags(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    call.add(FEATURES);
    Ok(())
}

fn pwd(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let dir = std::env::current_dir();
    let dir = dir.map_err(|error| Fault::new(500, format!("getcwd failed: {error}")))?;
    call.add(dir.to_string_lossy());
    Ok(())
}

fn arguments(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for argument in std::env::args_os() {
        call.add(argument.to_string_lossy());
    }
    Ok(())
}

fn modules(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for module in engine.catalog.loaded().iter().rev() {
        if module.name != "core" {
            call.add(module.name);
        }
    }
    Ok(())
}

fn defines(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let facts = facts(engine)?;
    for (name, _) in &facts.defines {
        call.add(name.as_str());
    }
    Ok(())
}

fn defines_full(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let facts = facts(engine)?;
    for (name, value) in &facts.defines {
        call.add(
            Struct::new()
                .with("name", name.as_str())
                .with("type", 0)
                .with("value", value.as_deref().unwrap_or("none")),
        );
    }
    Ok(())
}

/// What the configuration said.
pub(super) fn facts(engine: &Engine) -> Result<Arc<Facts>, Fault> {
    engine
        .state::<Facts>()
        .ok_or(Fault::new(500, "Not initialised"))
}

fn echo(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    while let Some(text) = call.opt_text()? {
        call.add(text);
    }
    Ok(())
}

fn echo_texts(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    while let Some(text) = call.opt_str()? {
        call.add(text);
    }
    Ok(())
}

fn echo_numbers(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    while let Some(number) = call.opt_int()? {
        call.add(Value::Int(number));
    }
    Ok(())
}

fn send_signal(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let number = call.opt_int()?.unwrap_or(15);
    let signal = match i32::try_from(number) {
        Ok(0) => None,
        Ok(number) => Some(Signal::try_from(number).map_err(|_| no_signal())?),
        Err(_) => return Err(no_signal()),
    };
    kill(Pid::this(), signal).map_err(|error| Fault::new(500, error.to_string()))
}

fn no_signal() -> Fault {
    Fault::new(400, "There is no signal of that number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_the_form_of_the_c_library() {
        let text = date_text(1_795_320_072);
        assert_eq!(text.len(), 24, "{text}");
        assert!(text.ends_with(" 2026"), "{text}");
    }
}
