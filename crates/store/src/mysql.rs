//! MySQL and MariaDB. The thread that asks also carries the connection, as with PostgreSQL.

use std::future::Future;
use std::time::Duration;

use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
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

/// What does not fit is refused, not cut off; and a backslash means itself when it is doubled.
const STRICT: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES'; ";

impl MySql {
    pub(crate) fn open(url: &Url, options: &Options) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::new(Fault::Away, error.to_string()))?;
        let mut builder = OptsBuilder::default()
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
        let statements = sql::save(Driver::MySql, layouts, changes)?;
        let mode = match std::mem::replace(&mut self.is_strict, true) {
            true => "",
            false => STRICT,
        };
        let saved = self.run(&format!("{mode}START TRANSACTION; {statements}COMMIT"));
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
    let mysql_async::Error::Server(said) = error else {
        return Error::new(Fault::Away, error.to_string());
    };
    let fault = match said.code {
        // Lock wait timeout, dead lock.
        1205 | 1213 => Fault::Busy,
        // Too many connections, shutting down, killed, gone away.
        1040 | 1053 | 1077 | 1079 | 1152 | 1153 | 1158..=1161 | 1927 => Fault::Away,
        _ => match said.state.get(..2) {
            Some("08") => Fault::Away,
            Some("22" | "23") => Fault::Rows,
            _ => Fault::Refused,
        },
    };
    Error::new(fault, &said.message)
}
