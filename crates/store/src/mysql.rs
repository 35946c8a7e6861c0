//! MySQL and MariaDB. The thread that asks also carries the connection, as with PostgreSQL.

use std::future::Future;
use std::time::Duration;

use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, OptsBuilder};
use tokio::runtime::{Builder, Runtime};

use crate::change::{Change, Layout};
use crate::connection::{Connection, Options, Outcome, Row, Select};
use crate::error::{Error, Fault};
use crate::sql;
use crate::url::{Driver, Url};
use crate::value::Value;

pub(crate) struct MySql {
    runtime: Runtime,
    connection: Conn,
    limit: Duration,
    is_strict: bool,
}

/// Things in one text at most: servers take texts of some megabytes.
const THINGS_MAX: usize = 128;

/// What does not fit is refused, not cut off; and a backslash means itself when it is doubled.
const STRICT: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES'";

impl MySql {
    pub(crate) fn open(url: &Url, options: &Options) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::new(Fault::Away, error.to_string()))?;
        // The server gives up before we do: nothing of a connection that we gave up stays behind there for long.
        let server = options.statement_s.saturating_sub(1).max(1);
        let limits = format!(
            "SET SESSION innodb_lock_wait_timeout = {server}, SESSION lock_wait_timeout = {server} \
             /*M!100100 , SESSION max_statement_time = {server} */"
        );
        let mut builder = OptsBuilder::default()
            .setup(vec![limits])
            // Another server may be behind this address, not the one with the same path here.
            .prefer_socket(false)
            .user(Some(url.user.as_str()))
            .pass(Some(url.password.as_str()))
            .db_name(Some(url.database.as_str()))
            .tcp_port(url.port);
        builder = match url.host.starts_with('/') {
            true => builder.socket(Some(url.host.as_str())),
            false => builder.ip_or_hostname(url.host.as_str()),
        };
        let connect = Duration::from_secs(options.connect_s.into());
        let connected = within(&runtime, connect, Conn::new(builder))?;
        Ok(Self {
            runtime,
            connection: connected,
            limit: Duration::from_secs(options.statement_s.into()),
            is_strict: false,
        })
    }

    /// Only who has the answer to everything else commits: what reaches the server after we gave up is lost there.
    fn transaction(&mut self, texts: &[String]) -> Result<(), Error> {
        let mut begin = "START TRANSACTION; ";
        for text in texts {
            self.run(&format!("{}{text}", std::mem::take(&mut begin)))?;
        }
        self.run("COMMIT")
    }

    fn run(&mut self, sql: &str) -> Result<(), Error> {
        let connection = &mut self.connection;
        within(&self.runtime, self.limit, connection.query_drop(sql))
    }
}

impl Connection for MySql {
    fn execute(&mut self, sql: &str) -> Result<Outcome, Error> {
        let connection = &mut self.connection;
        let work = async {
            let mut result = connection.query_iter(sql).await?;
            let mut outcome = Outcome {
                columns: result
                    .columns_ref()
                    .iter()
                    .map(|c| c.name_str().into_owned())
                    .collect(),
                rows: Vec::new(),
                affected: result.affected_rows(),
            };
            while let Some(row) = result.next().await? {
                outcome.rows.push(read(&row));
            }
            outcome.affected = outcome.affected.max(result.affected_rows());
            result.drop_result().await?;
            Ok(outcome)
        };
        within(&self.runtime, self.limit, work)
    }

    fn select(
        &mut self,
        select: &Select<'_>,
        take: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(query) = sql::select_literally(Driver::MySql, select) else {
            return Ok(());
        };
        let (connection, limit) = (&mut self.connection, self.limit);
        self.runtime.block_on(async {
            let start = tokio::time::timeout(limit, connection.query_iter(query)).await;
            let mut result = start
                .map_err(|_| Error::too_long())?
                .map_err(|error| told(&error))?;
            loop {
                let row = tokio::time::timeout(limit, result.next()).await;
                match row
                    .map_err(|_| Error::too_long())?
                    .map_err(|error| told(&error))?
                {
                    Some(row) => take(read(&row))?,
                    None => break,
                }
            }
            result.drop_result().await.map_err(|error| told(&error))
        })
    }

    fn save(&mut self, layouts: &[Layout], changes: &[Change]) -> Result<(), Error> {
        let texts = changes.chunks(THINGS_MAX);
        let texts = texts.map(|some| sql::save(Driver::MySql, layouts, some));
        let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
        if !self.is_strict {
            self.run(STRICT)?;
            self.is_strict = true;
        }
        let saved = self.transaction(&texts);
        if let Err(error) = &saved
            && error.fault != Fault::Away
        {
            self.run("ROLLBACK")?;
        }
        saved
    }

    fn columns(&mut self, table: &str) -> Result<Vec<(String, String)>, Error> {
        let (schema, table) = table.rsplit_once('.').unwrap_or(("", table));
        let schema = match schema {
            "" => "DATABASE()".to_owned(),
            schema => format!("'{}'", schema.replace('\'', "''")),
        };
        let sql = format!(
            "SELECT column_name, column_type FROM information_schema.columns WHERE table_name = '{}' \
             AND table_schema = {schema} ORDER BY ordinal_position",
            table.replace('\'', "''")
        );
        let text = |value: Option<&Value>| match value {
            Some(Value::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            _ => String::new(),
        };
        let rows = self.execute(&sql)?.rows;
        Ok(rows
            .iter()
            .map(|row| (text(row.first()), text(row.get(1))))
            .collect())
    }

    fn driver(&self) -> Driver {
        Driver::MySql
    }
}

fn within<T>(
    runtime: &Runtime,
    limit: Duration,
    work: impl Future<Output = mysql_async::Result<T>>,
) -> Result<T, Error> {
    let done = runtime.block_on(async { tokio::time::timeout(limit, work).await });
    match done {
        Ok(done) => done.map_err(|error| told(&error)),
        Err(_) => Err(Error::too_long()),
    }
}

fn read(row: &mysql_async::Row) -> Row {
    let columns = row.columns_ref();
    let fields = columns.iter().enumerate();
    fields
        .map(|(at, column)| match row.as_ref(at) {
            Some(mysql_async::Value::Bytes(text)) => number(text, column.column_type()),
            Some(mysql_async::Value::Int(number)) => Value::Int(*number),
            Some(mysql_async::Value::UInt(number)) => {
                i64::try_from(*number).map_or(Value::Null, Value::Int)
            }
            Some(mysql_async::Value::Float(number)) => Value::Double((*number).into()),
            Some(mysql_async::Value::Double(number)) => Value::Double(*number),
            // Dates and times come as text in answers to statements without parameters.
            _ => Value::Null,
        })
        .collect()
}

/// A field as the server writes it, as the number that its column holds.
fn number(text: &[u8], kind: ColumnType) -> Value {
    let parsed = std::str::from_utf8(text).ok();
    let parsed = match kind {
        ColumnType::MYSQL_TYPE_TINY
        | ColumnType::MYSQL_TYPE_SHORT
        | ColumnType::MYSQL_TYPE_INT24
        | ColumnType::MYSQL_TYPE_LONG
        | ColumnType::MYSQL_TYPE_LONGLONG
        | ColumnType::MYSQL_TYPE_YEAR => parsed.and_then(|t| t.parse().ok()).map(Value::Int),
        ColumnType::MYSQL_TYPE_FLOAT | ColumnType::MYSQL_TYPE_DOUBLE => {
            parsed.and_then(|t| t.parse().ok()).map(Value::Double)
        }
        _ => None,
    };
    parsed.unwrap_or_else(|| Value::from(text))
}

fn told(error: &mysql_async::Error) -> Error {
    let said = match error {
        mysql_async::Error::Server(said) => said,
        mysql_async::Error::Driver(DriverError::PacketTooLarge) => {
            return Error::new(Fault::Rows, error.to_string());
        }
        _ => return Error::new(Fault::Away, error.to_string()),
    };
    let fault = match said.code {
        // Lock wait timeout, dead lock, interrupted, too slow (of MariaDB, of MySQL).
        1205 | 1213 | 1317 | 1969 | 3024 => Fault::Busy,
        // Too many connections, shutting down, killed, gone away.
        1040 | 1053 | 1077 | 1079 | 1152 | 1158..=1161 | 1927 => Fault::Away,
        // Read-only: another server has taken its place.
        1290 | 1792 | 1836 => Fault::Away,
        // Too much at once; texts that a column's character set does not have.
        1153 | 1300 | 1366 | 3988 => Fault::Rows,
        _ => match said.state.get(..2) {
            Some("08") => Fault::Away,
            Some("22" | "23") => Fault::Rows,
            _ => Fault::Refused,
        },
    };
    Error::new(fault, &said.message)
}
