//! Reads the configuration again while the process runs, on SIGHUP and for the command `cfg.reload`.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use engine::{Engine, Reloaded, level};
use rpc::{Call, Command, Fault, Struct, Value};

use crate::configuration;
use crate::options::Options;

/// Reads the configuration that the process was started with.
pub(crate) struct Reloader {
    options: Options,
    /// How long after one reading the next is refused to commands (`rpc_exec_delta`).
    pause: Duration,
    /// One at a time; when the last one was.
    last: Mutex<Option<Instant>>,
}

impl Reloader {
    /// For the options of the command line. To be made before the process goes to another directory.
    pub(crate) fn new(options: &Options, settings: &script::Settings) -> Self {
        let mut options = options.clone();
        options.file = options
            .file
            .map(|file| std::path::absolute(&file).unwrap_or(file));
        let pause = u64::try_from(settings.int("rpc_exec_delta")).unwrap_or(0);
        Self {
            options,
            pause: Duration::from_secs(pause),
            last: Mutex::new(None),
        }
    }

    /// Reads it, and tells the log what came of it.
    ///
    /// # Errors
    /// What is wrong with it, with places; nothing has changed then.
    pub(crate) fn reload(&self, engine: &Engine) -> Result<Reloaded, String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (reloaded, messages) = configuration::read_again(&self.options, engine)?;
        *last = Some(Instant::now());
        let severity = match reloaded {
            Some(_) => level::WARNING,
            None => level::ERROR,
        };
        for line in messages.lines() {
            engine.log.line(severity, "core", line);
        }
        let Some(reloaded) = reloaded else {
            let text = "the configuration has errors: everything stays as it was";
            engine.log.line(level::ERROR, "core", text);
            return Err(messages);
        };
        tell(engine, &reloaded);
        Ok(reloaded)
    }

    fn refuse_too_early(&self) -> Result<(), Fault> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last {
            Some(last) if last.elapsed() < self.pause => {
                let text = format!("only once in {} seconds", self.pause.as_secs());
                Err(Fault::new(500, text))
            }
            _ => Ok(()),
        }
    }

    /// The command `cfg.reload`.
    pub(crate) fn command(self: &Arc<Self>, engine: Weak<Engine>) -> Command {
        let reloader = Arc::clone(self);
        let doc = "Reads the configuration again and exchanges the routes.";
        Command::new("cfg.reload", doc, move |call: &mut Call<'_>| {
            reloader.refuse_too_early()?;
            let engine = engine
                .upgrade()
                .ok_or_else(|| Fault::new(500, "the process is ending"))?;
            let reloaded = reloader
                .reload(&engine)
                .map_err(|text| Fault::new(500, text))?;
            let waiting = reloaded.needs_restart.into_iter().map(Value::from);
            call.add(
                Struct::new()
                    .with("generation", i64::from(reloaded.generation))
                    .with("routes", reloaded.routes as i64)
                    .with("needs_restart", waiting.collect::<Vec<_>>()),
            );
            Ok(())
        })
    }
}

fn tell(engine: &Engine, reloaded: &Reloaded) {
    let routes = reloaded.routes;
    let text = format!("configuration read again: {routes} route blocks are in force");
    engine.log.line(level::NOTICE, "core", &text);
    if !reloaded.needs_restart.is_empty() {
        let text = format!(
            "changed, but only a restart can bring it: {}",
            reloaded.needs_restart.join(", ")
        );
        engine.log.line(level::WARNING, "core", &text);
    }
}
