//! PostgreSQL. The thread that asks also carries the connection: it waits for each answer, and nothing else happens
//! meanwhile.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::change::{Change, Layout};
use crate::connection::{Connection, Options, Outcome, Row, Select};
use crate::error::{Error, Fault};
use crate::sql;
use crate::url::{Driver, Url};
use crate::value::Value;

/// One transaction of this process after the other: a connection that was given up may still be committing, and a new
/// one does not see those rows.
static TURN: LazyLock<i64> = LazyLock::new(|| RandomState::new().hash_one("turn") as i64);

/// Rows asked for at a time where nobody says how many: all of them would have to be kept until the last one is there.
const FETCH_ROWS: usize = 1_000;

pub(crate) struct Postgres {
    runtime: Runtime,
    client: Client,
    limit: Duration,
}

impl Postgres {
    pub(crate) fn open(url: &Url, options: &Options) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::new(Fault::Away, error.to_string()))?;
        let connect = Duration::from_secs(options.connect_s.into());
        let mut config = Config::new();
        config
            .host(&url.host)
            .port(url.port)
            .dbname(&url.database)
            .application_name("tandem")
            .connect_timeout(connect);
        if !url.user.is_empty() {
            config.user(&url.user);
        }
        if !url.password.is_empty() {
            config.password(&url.password);
        }
        let connected =
            runtime.block_on(async { tokio::time::timeout(connect, config.connect(NoTls)).await });
        let (client, connection) = match connected {
            Ok(connected) => connected.map_err(|error| told(&error))?,
            Err(_) => return Err(Error::too_long()),
        };
        // How it ended is told to whoever asks next.
        runtime.spawn(async move { drop(connection.await) });
        let limit = Duration::from_secs(options.statement_s.into());
        let mut postgres = Self {
            runtime,
            client,
            limit,
        };
        // The server gives up before we do: nothing of a connection that we gave up stays behind there for long.
        let server = limit.as_millis() * 9 / 10;
        postgres.run(&format!(
            "SET standard_conforming_strings = on; SET statement_timeout = {server}; \
             SET idle_in_transaction_session_timeout = {server}"
        ))?;
        Ok(postgres)
    }

    fn run(&mut self, sql: &str) -> Result<Vec<SimpleQueryMessage>, Error> {
        let (client, limit) = (&self.client, self.limit);
        let answer = self
            .runtime
            .block_on(async { tokio::time::timeout(limit, client.simple_query(sql)).await });
        match answer {
            Ok(answer) => answer.map_err(|error| told(&error)),
            Err(_) => Err(Error::too_long()),
        }
    }

    /// The types of the columns that a statement gives; empty where that cannot be known before.
    fn types(&mut self, sql: &str) -> Vec<Type> {
        let (client, limit) = (&self.client, self.limit);
        let prepared = self
            .runtime
            .block_on(async { tokio::time::timeout(limit, client.prepare(sql)).await });
        match prepared {
            Ok(Ok(statement)) => statement
                .columns()
                .iter()
                .map(|c| c.type_().clone())
                .collect(),
            _ => Vec::new(),
        }
    }
}

impl Connection for Postgres {
    fn execute(&mut self, sql: &str) -> Result<Outcome, Error> {
        let types = self.types(sql);
        let mut outcome = Outcome::default();
        for message in self.run(sql)? {
            match message {
                SimpleQueryMessage::RowDescription(columns) => {
                    outcome.columns = columns.iter().map(|c| c.name().to_owned()).collect();
                }
                SimpleQueryMessage::Row(row) => {
                    let field = |at: usize| value(row.get(at), types.get(at));
                    outcome.rows.push((0..row.len()).map(field).collect());
                }
                SimpleQueryMessage::CommandComplete(affected) => outcome.affected = affected,
                _ => {}
            }
        }
        Ok(outcome)
    }

    fn select(
        &mut self,
        select: &Select<'_>,
        take: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(query) = sql::select_literally(Driver::Postgres, select) else {
            return Ok(());
        };
        self.run(&format!(
            "BEGIN; DECLARE tandem NO SCROLL CURSOR FOR {query}"
        ))?;
        let rows = match select.fetch {
            0 => FETCH_ROWS,
            rows => rows,
        };
        let fetch = format!("FETCH {rows} FROM tandem");
        let result = (|| {
            loop {
                let mut found = false;
                for message in self.run(&fetch)? {
                    if let SimpleQueryMessage::Row(row) = message {
                        found = true;
                        take((0..row.len()).map(|at| value(row.get(at), None)).collect())?;
                    }
                }
                if !found {
                    return Ok(());
                }
            }
        })();
        self.run("ROLLBACK")?;
        result
    }

    fn save(&mut self, layouts: &[Layout], changes: &[Change]) -> Result<(), Error> {
        let statements = sql::save(Driver::Postgres, layouts, changes)?;
        let turn = *TURN;
        let begin = format!("BEGIN; SELECT pg_advisory_xact_lock({turn}); {statements}");
        // Only who has the answer to everything else commits: what reaches the server after we gave up is lost there.
        let saved = self.run(&begin).and_then(|_| self.run("COMMIT"));
        if let Err(error) = &saved
            && error.fault != Fault::Away
        {
            self.run("ROLLBACK")?;
        }
        saved.map(drop)
    }

    fn columns(&mut self, table: &str) -> Result<Vec<(String, String)>, Error> {
        let (schema, table) = table.rsplit_once('.').unwrap_or(("", table));
        let schema = match schema {
            "" => "table_schema = ANY (current_schemas(false))".to_owned(),
            schema => format!("table_schema = '{}'", schema.replace('\'', "''")),
        };
        let sql = format!(
            "SELECT column_name, data_type || COALESCE('(' || character_maximum_length || ')', '') \
             FROM information_schema.columns WHERE table_name = '{}' AND {schema} \
             ORDER BY ordinal_position",
            table.replace('\'', "''")
        );
        let rows = self
            .run(&sql)?
            .into_iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => {
                    Some((row.get(0)?.to_owned(), row.get(1)?.to_owned()))
                }
                _ => None,
            });
        Ok(rows.collect())
    }

    fn driver(&self) -> Driver {
        Driver::Postgres
    }
}

/// A field as the server writes it, as the number that its column holds.
fn value(text: Option<&str>, kind: Option<&Type>) -> Value {
    let Some(text) = text else {
        return Value::Null;
    };
    let is_one_of = |types: &[Type]| kind.is_some_and(|kind| types.contains(kind));
    if is_one_of(&[Type::INT2, Type::INT4, Type::INT8, Type::OID]) {
        return text.parse().map_or_else(|_| Value::from(text), Value::Int);
    }
    if is_one_of(&[Type::FLOAT4, Type::FLOAT8]) {
        return text
            .parse()
            .map_or_else(|_| Value::from(text), Value::Double);
    }
    if is_one_of(&[Type::BOOL]) {
        return Value::Int(i64::from(text == "t"));
    }
    Value::from(text)
}

fn told(error: &tokio_postgres::Error) -> Error {
    let Some(said) = error.as_db_error() else {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        let text = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
        return Error::new(Fault::Away, text);
    };
    let code = said.code();
    let busy = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        // It took too long, most often because of a lock.
        SqlState::QUERY_CANCELED,
    ];
    let away = [
        SqlState::TOO_MANY_CONNECTIONS,
        // Another server has taken its place.
        SqlState::READ_ONLY_SQL_TRANSACTION,
    ];
    let fault = match code.code().get(..2) {
        _ if busy.contains(code) => Fault::Busy,
        Some("08" | "57") => Fault::Away,
        _ if away.contains(code) => Fault::Away,
        Some("22" | "23") => Fault::Rows,
        _ => Fault::Refused,
    };
    Error::new(fault, said.message())
}
