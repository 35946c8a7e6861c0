//! Where a database is, in the forms that Kamailio's `db_url` parameters have.

use std::fmt;
use std::path::{Path, PathBuf};

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Driver {
    /// A file.
    Sqlite,
    /// MySQL or MariaDB.
    MySql,
    /// PostgreSQL.
    Postgres,
}

impl Driver {
    /// The module that brings it in a configuration.
    pub const fn module(self) -> &'static str {
        match self {
            Self::Sqlite => "db_sqlite",
            Self::MySql => "db_mysql",
            Self::Postgres => "db_postgres",
        }
    }

    /// The port that is meant when none is named; 0 for a file.
    pub const fn port(self) -> u16 {
        match self {
            Self::Sqlite => 0,
            Self::MySql => 3306,
            Self::Postgres => 5432,
        }
    }

    const fn scheme(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::MySql => "mysql",
            Self::Postgres => "postgres",
        }
    }
}

/// Where a database is: `driver://user:password@host:port/database`, or `sqlite:///path`, `sqlite:path`.
///
/// It shows itself without its password, also to `{:?}`.
///
/// ```
/// use tandem_store::{Driver, Url};
///
/// let url = Url::parse("mysql://kamailio:secret@db.example:3307/calls").unwrap();
/// assert_eq!((url.driver, url.port), (Driver::MySql, 3307));
/// assert_eq!(url.to_string(), "mysql://kamailio:***@db.example:3307/calls");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    /// The kind.
    pub driver: Driver,
    /// Who we say we are; empty for nobody.
    pub user: String,
    /// How we prove it; empty for not at all.
    pub password: String,
    /// A name or an address; an absolute path is the directory of the server's socket.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The database's name, or the file of SQLite.
    pub database: String,
}

/// A text that names no database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlError(String);

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UrlError {}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let error = |text: &str| UrlError(text.to_owned());
        let (scheme, rest) = text.split_once(':').ok_or_else(|| {
            error("no driver before the first colon: driver://user:password@host/database")
        })?;
        let driver = match scheme {
            "sqlite" | "sqlite3" => Driver::Sqlite,
            "mysql" => Driver::MySql,
            "postgres" | "postgresql" => Driver::Postgres,
            _ => {
                let text = format!("no driver \"{scheme}\": there are sqlite, mysql and postgres");
                return Err(UrlError(text));
            }
        };
        if driver == Driver::Sqlite {
            return Self::file(rest.strip_prefix("//").unwrap_or(rest));
        }
        let rest = rest
            .strip_prefix("//")
            .ok_or_else(|| error("no // behind the driver"))?;
        Self::server(driver, rest)
    }

    fn file(path: &str) -> Result<Self, UrlError> {
        if path.is_empty() {
            return Err(UrlError("no file behind sqlite:".to_owned()));
        }
        Ok(Self {
            driver: Driver::Sqlite,
            user: String::new(),
            password: String::new(),
            host: String::new(),
            port: 0,
            database: path.to_owned(),
        })
    }

    fn server(driver: Driver, rest: &str) -> Result<Self, UrlError> {
        // A password may hold any of the separators but the last `@`.
        let (account, place) = match rest.rsplit_once('@') {
            Some((account, place)) => (account, place),
            None => ("", rest),
        };
        let (user, password) = account.split_once(':').unwrap_or((account, ""));
        let (host, database) = place
            .rsplit_once('/')
            .ok_or_else(|| UrlError("no / before the database's name".to_owned()))?;
        if database.is_empty() {
            return Err(UrlError("no database behind the last /".to_owned()));
        }
        let (host, port) = host_and_port(host, driver)?;
        Ok(Self {
            driver,
            user: user.to_owned(),
            password: password.to_owned(),
            host,
            port,
            database: database.to_owned(),
        })
    }

    /// The file of an SQLite database; `None` of others.
    pub fn path(&self) -> Option<&Path> {
        (self.driver == Driver::Sqlite).then(|| Path::new(&self.database))
    }

    /// The same, with a file whose name is relative put into a directory.
    #[must_use]
    pub fn within(mut self, directory: &Path) -> Self {
        if self.driver == Driver::Sqlite && self.database != ":memory:" {
            let path: PathBuf = directory.join(&self.database);
            self.database = path.to_string_lossy().into_owned();
        }
        self
    }
}

fn host_and_port(text: &str, driver: Driver) -> Result<(String, u16), UrlError> {
    let bad = || UrlError("the port is no number from 1 to 65535".to_owned());
    let split = match text.strip_prefix('[') {
        Some(rest) => rest
            .split_once(']')
            .map(|(host, port)| (host, port.strip_prefix(':'))),
        None => text.rsplit_once(':').map(|(host, port)| (host, Some(port))),
    };
    let (host, port) = split.unwrap_or((text, None));
    let port = match port {
        Some(digits) => digits
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(bad)?,
        None => driver.port(),
    };
    let host = if host.is_empty() { "localhost" } else { host };
    Ok((host.to_owned(), port))
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.driver.scheme())?;
        if self.driver == Driver::Sqlite {
            return f.write_str(&self.database);
        }
        if !self.user.is_empty() {
            let secret = if self.password.is_empty() { "" } else { ":***" };
            write!(f, "{}{secret}@", self.user)?;
        }
        write!(f, "{}:{}/{}", self.host, self.port, self.database)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_kamailio_are_understood() {
        let shown = |text: &str| Url::parse(text).map(|url| url.to_string());
        for (text, expected) in [
            ("sqlite:///var/lib/calls.db", "sqlite:///var/lib/calls.db"),
            ("sqlite:calls.db", "sqlite://calls.db"),
            ("sqlite:/calls.db", "sqlite:///calls.db"),
            (
                "mysql://k:p@localhost/kamailio",
                "mysql://k:***@localhost:3306/kamailio",
            ),
            ("mysql://k:p@ss:w/rd@h:99/d", "mysql://k:***@h:99/d"),
            ("postgres://k@[::1]:99/d", "postgres://k@::1:99/d"),
            ("postgres://k@[::1]/d", "postgres://k@::1:5432/d"),
            ("postgresql:///d", "postgres://localhost:5432/d"),
            (
                "postgres://k@/run/postgresql/d",
                "postgres://k@/run/postgresql:5432/d",
            ),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
        }
        let url = Url::parse("mysql://k:p@ss:w/rd@h:99/d").unwrap();
        assert_eq!(url.password, "p@ss:w/rd");
    }

    #[test]
    fn mistakes_do_not_repeat_the_password() {
        for text in [
            "",
            "calls",
            "oracle://a:secret@b/c",
            "mysql:a:secret@b/c",
            "mysql://a:secret@b",
            "mysql://a:secret@b/",
            "mysql://a:secret@b:0/c",
            "postgres://a:secret@b:x/c",
            "sqlite:",
        ] {
            let error = Url::parse(text).expect_err(text).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_relative_file_is_put_into_a_directory() {
        let within = |text: &str| {
            Url::parse(text)
                .unwrap()
                .within(Path::new("/data"))
                .database
        };
        assert_eq!(within("sqlite:calls.db"), "/data/calls.db");
        assert_eq!(within("sqlite:///calls.db"), "/calls.db");
        assert_eq!(within("sqlite::memory:"), ":memory:");
    }
}
