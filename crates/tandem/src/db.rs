//! `tandem db`: makes, checks and upgrades the tables that calls are kept in.

use lexopt::prelude::*;
use store::{Options, Url};

/// The help text.
const HELP: &str = "\
Usage: tandem db create  --url URL    make the tables that are not there
       tandem db check   --url URL    tell what differs from what Tandem needs
       tandem db upgrade --url URL    add what older tables lack

URL is that of the configuration: sqlite:///path, mysql://user:password@host:port/database,
postgres://user:password@host:port/database. The tables are Kamailio's: dialog, dialog_vars, version.
";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Create,
    Check,
    Upgrade,
}

/// Does what the words behind `db` say. False if a check found differences.
///
/// # Errors
/// What is wrong with the words, or what the database says.
pub(crate) fn run(mut words: lexopt::Parser) -> Result<bool, String> {
    let mut task = None;
    let mut url = None;
    while let Some(word) = words.next().map_err(|error| error.to_string())? {
        match word {
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(true);
            }
            Long("url") => {
                let text = words.value().and_then(|value| value.string());
                let text = text.map_err(|error| error.to_string())?;
                url = Some(Url::parse(&text).map_err(|error| error.to_string())?);
            }
            Value(word) if task.is_none() => task = Some(task_of(&word.to_string_lossy())?),
            // The word itself may be a URL with a password.
            _ => return Err(format!("a word too many\n{HELP}")),
        }
    }
    match (task, url) {
        (Some(task), Some(url)) => perform(task, &url).map_err(|error| format!("{url}: {error}")),
        _ => Err(format!("what is to be done, and where?\n{HELP}")),
    }
}

fn task_of(word: &str) -> Result<Task, String> {
    match word {
        "create" => Ok(Task::Create),
        "check" => Ok(Task::Check),
        "upgrade" => Ok(Task::Upgrade),
        // Perhaps a URL with a password.
        _ if word.contains(':') => Err(format!("--url has to stand before a URL\n{HELP}")),
        _ => Err(format!("there is no `tandem db {word}`\n{HELP}")),
    }
}

fn perform(task: Task, url: &Url) -> Result<bool, store::Error> {
    let options = Options {
        create: task == Task::Create,
        ..Options::default()
    };
    let mut connection = store::connect(url, &options)?;
    let connection = &mut *connection;
    let tables = modules::tables();
    match task {
        Task::Create => store::create(connection, &tables)?,
        Task::Upgrade => {
            for line in store::upgrade(connection, &tables)? {
                println!("{line}");
            }
        }
        Task::Check => {}
    }
    let differences = store::check(connection, &tables)?;
    for difference in &differences {
        println!("{difference}");
    }
    if differences.is_empty() {
        println!("the tables of {url} are as they have to be");
    }
    Ok(differences.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &[&str]) -> Result<bool, String> {
        run(lexopt::Parser::from_args(words))
    }

    #[test]
    fn tables_are_made_and_checked() {
        let name = format!("tandem-db-{}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        let url = format!("sqlite://{}", path.display());
        assert!(said(&["check", "--url", &url]).is_err(), "there is no file");
        assert_eq!(said(&["create", "--url", &url]), Ok(true));
        assert_eq!(said(&["check", "--url", &url]), Ok(true));
        assert_eq!(said(&["--url", &url, "upgrade"]), Ok(true));
        std::fs::remove_file(path).expect("it was made");
    }

    #[test]
    fn mistakes_are_told_without_passwords() {
        for words in [
            &["create"][..],
            &["destroy", "--url", "sqlite:x"],
            &["check", "--url", "mysql:a:secret@b/c"],
            &["check", "mysql://a:secret@b/c"],
            &["check", "create", "mysql://a:secret@b/c"],
        ] {
            let error = said(words).expect_err("a mistake");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
