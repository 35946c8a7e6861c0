//! At start: finds the database, looks at its tables, reads the calls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{InitError, Setup, level};
use store::{
    Committer, Connection, Difference, Driver, Error, Fault, Options, Pace, Queries, Queue, Url,
};

use super::read::{Count, Reader};
use super::saver::{Marker, Saver};
use super::{Database, Mode, Policy, layout};
use crate::dialog::State;

/// Pauses between attempts to connect at start: the first one, and the longest.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));

/// Starts to keep calls in the database that the parameters name, if they want that.
///
/// # Errors
/// The parameters do not fit together; or the database is not there, is not ours, or cannot be read.
pub(in crate::dialog) fn start(setup: &mut Setup<'_>, state: &Arc<State>) -> Result<(), InitError> {
    let parameters = setup.parameters;
    let mode = match parameters.int("dialog", "db_mode") {
        0 => return Ok(()),
        1 => Mode::Realtime,
        2 => Mode::Delayed,
        _ => Mode::Shutdown,
    };
    let url = url(setup)?;
    let driver = url.driver.module();
    if !setup.is_loaded(driver) {
        let text = format!("db_url is {url}: load module {driver} before module dialog");
        return Err(text.into());
    }
    let options = crate::database::options(parameters, &url);
    let layouts = layout::layouts(parameters);
    let wait = u64::try_from(parameters.int("dialog", "db_start_wait")).unwrap_or(0);
    let mut connection = connect(setup, &url, &options, Duration::from_secs(wait))?;
    let told = |error: Error| InitError(format!("{url}: {error}"));
    check(setup, &url, &mut *connection, &layouts)?;
    let natural = |name| usize::try_from(parameters.int("dialog", name)).unwrap_or(0);
    let fetch = natural("db_fetch_rows");
    if parameters.int("dialog", "db_skip_load") == 0 {
        let begin = Instant::now();
        let sockets = setup.sockets;
        let reader = Reader {
            tracker: &state.tracker,
            layouts: &layouts,
            fetch,
            log: setup.log,
            now: super::at_start(setup),
            is_ours: &|text| sockets.find_text(text).is_some(),
        };
        let count = reader.read(&mut *connection, None).map_err(told)?;
        say_read(setup, &url, count, begin.elapsed());
    }
    if mode == Mode::Shutdown {
        for layout in &layouts {
            let table = layout.table.replace('"', "");
            let sql = format!("DELETE FROM {table}");
            connection.execute(&sql).map_err(told)?;
        }
    }
    let changes = Arc::new(Queue::new(natural("db_queue_max")));
    let saver = Arc::new(Saver {
        tracker: Arc::clone(&state.tracker),
        engine: setup.engine.clone(),
        changes: Arc::clone(&changes),
        layouts: layouts.clone(),
        driver: url.driver,
        writes_all: mode == Mode::Shutdown,
        log: setup.log.clone(),
        place: url.to_string(),
    });
    let pace = match mode {
        Mode::Realtime => Pace::Now(Duration::from_millis(natural("db_commit_window") as u64)),
        Mode::Delayed | Mode::Shutdown => {
            Pace::Every(Duration::from_secs(natural("db_update_period") as u64))
        }
    };
    let committer = Committer::start(
        Arc::clone(&saver),
        Arc::clone(&changes),
        connection,
        (setup.databases, url.clone(), options.clone()),
        layouts.to_vec(),
        pace,
    );
    let no_thread = |error| InitError(format!("cannot start a thread: {error}"));
    let reads = ["dlg_db_load_callid", "dlg_db_load_extra"];
    let reads = reads.iter().any(|name| setup.program.calls(name));
    let queries = reads.then(|| Queries::start(url.clone(), options));
    let database = Database {
        mode,
        policy: policy(setup),
        hold_ms: natural("db_hold_time") as u64,
        url,
        layouts,
        fetch,
        changes,
        saver,
        committer: Some(committer.map_err(no_thread)?),
        queries: queries.transpose().map_err(no_thread)?,
    };
    take_part(setup, state, database);
    Ok(())
}

fn take_part(setup: &mut Setup<'_>, state: &State, database: Database) {
    if database.mode != Mode::Shutdown {
        state.tracker.set_journal(Box::new(Marker {
            engine: setup.engine.clone(),
            changes: Arc::clone(&database.changes),
        }));
    }
    if database.mode == Mode::Realtime {
        setup.hooks.hold = Some(super::hold);
    }
    if database.policy == Policy::Refuse {
        setup.hooks.request_in.push(super::refuse_unsaved);
    }
    setup.hooks.end.push(super::end);
    let database = setup.put_state(database);
    super::statistics::add(setup, &database);
}

fn url(setup: &Setup<'_>) -> Result<Url, InitError> {
    let text = setup.parameters.text("dialog", "db_url");
    let text = text.ok_or("db_mode is not 0, and db_url is empty")?;
    let url = Url::parse(&text).map_err(|error| InitError(format!("db_url: {error}")))?;
    Ok(url.within(&setup.data_dir))
}

fn policy(setup: &Setup<'_>) -> Policy {
    match setup.parameters.text("dialog", "db_fail_policy").as_deref() {
        Some("refuse") => Policy::Refuse,
        _ => Policy::Continue,
    }
}

/// Connects; while nobody is there, again and again for some time.
fn connect(
    setup: &Setup<'_>,
    url: &Url,
    options: &Options,
    limit: Duration,
) -> Result<Box<dyn Connection>, InitError> {
    let begin = Instant::now();
    let mut pause = RETRY.0;
    loop {
        let error = match (setup.databases.connect)(url, options) {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        let text = format!("cannot connect to {url}: {error}");
        if error.fault != Fault::Away || begin.elapsed() + pause > limit {
            return Err(text.into());
        }
        let text = format!("{text}; trying again in {} ms", pause.as_millis());
        setup.log.line(level::WARNING, "dialog", &text);
        std::thread::sleep(pause);
        pause = (pause * 2).min(RETRY.1);
    }
}

/// Looks whether the tables are ours. An SQLite file without any of them gets them.
fn check(
    setup: &Setup<'_>,
    url: &Url,
    connection: &mut dyn Connection,
    layouts: &[store::Layout; 2],
) -> Result<(), InitError> {
    let told = |error: Error| InitError(format!("{url}: {error}"));
    let tables = layout::tables(layouts);
    let mut differences = store::check(connection, &tables).map_err(told)?;
    let is_missing = |difference: &Difference| matches!(difference, Difference::Missing { .. });
    if url.driver == Driver::Sqlite
        && differences.len() == tables.len()
        && differences.iter().all(is_missing)
    {
        store::create(connection, &tables).map_err(told)?;
        let text = format!("{url}: made the tables of calls");
        setup.log.line(level::NOTICE, "dialog", &text);
        differences = store::check(connection, &tables).map_err(told)?;
    }
    for difference in differences {
        let text = format!("{url}: {difference}");
        // A narrower column holds most calls; a missing one none.
        if matches!(difference, Difference::Type { .. }) {
            setup.log.line(level::WARNING, "dialog", &text);
        } else {
            let help = "see `tandem db check` and `tandem db create`";
            return Err(format!("{text}; {help}").into());
        }
    }
    Ok(())
}

fn say_read(setup: &Setup<'_>, url: &Url, count: Count, took: Duration) {
    if count == Count::default() {
        return;
    }
    let text = format!(
        "{} calls of {url} go on, {} rows were left out ({} ms)",
        count.calls,
        count.skipped,
        took.as_millis()
    );
    setup.log.line(level::NOTICE, "dialog", &text);
}
