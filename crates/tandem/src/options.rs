//! The command line: Kamailio's switches with Kamailio's meanings, and a few of our own.

use std::path::PathBuf;

use lexopt::prelude::*;

/// What the command line asked for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// `-f`: the configuration; `None` runs the built-in one.
    pub(crate) file: Option<PathBuf>,
    /// `-c`: check the configuration and exit.
    pub(crate) check: bool,
    /// `-l`: addresses that replace the configuration's.
    pub(crate) listen: Vec<String>,
    /// `-P`: where to write the process id.
    pub(crate) pid_file: Option<PathBuf>,
    /// `-G`: where to write the process group id.
    pub(crate) pgid_file: Option<PathBuf>,
    /// `-Y`: the runtime directory.
    pub(crate) run_dir: Option<PathBuf>,
    /// `-A`: preprocessor definitions, `NAME` or `NAME=value`.
    pub(crate) defines: Vec<String>,
    /// `--subst`, `--substdef`, `--substdefs`: the directive's name and its text.
    pub(crate) substitutions: Vec<(String, String)>,
    /// `--loadmodule`.
    pub(crate) modules: Vec<String>,
    /// `--modparam`: `module:parameter:type:value`.
    pub(crate) parameters: Vec<String>,
    /// `--alias`.
    pub(crate) aliases: Vec<String>,
    /// How often `-D` was given: once or twice stays in the foreground; never and three times goes to the background
    /// if the configuration forks.
    pub(crate) foreground: u8,
    /// `-E`: log to standard error.
    pub(crate) log_stderr: bool,
    /// `-e`: colours.
    pub(crate) color: bool,
    /// `-d` (repeated) or `--debug`: the log threshold.
    pub(crate) debug: Option<i32>,
    /// `-u`: the user to become.
    pub(crate) user: Option<String>,
    /// `-g`: the group to become.
    pub(crate) group: Option<String>,
    /// `-t`: the directory that becomes the root.
    pub(crate) root: Option<PathBuf>,
    /// `--log-engine`: `type:data`.
    pub(crate) log_engine: Option<String>,
    /// `-w`: the working directory.
    pub(crate) work_dir: Option<PathBuf>,
    /// `--server-id`.
    pub(crate) server_id: Option<i64>,
    /// `-T`: no TCP.
    pub(crate) no_tcp: bool,
    /// `-a`: automatic aliases on or off.
    pub(crate) auto_aliases: Option<bool>,
    /// `--workers`: how many threads carry SIP; default one a core.
    pub(crate) workers: Option<usize>,
    /// Switches that were given and have no meaning here, each once.
    pub(crate) unneeded: Vec<&'static str>,
    /// What to do instead of running.
    pub(crate) action: Option<Action>,
}

/// Something to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// `-h`, `--help`.
    Help,
    /// `-v`, `-V`, `--version`.
    Version,
    /// `-I`.
    Flags,
    /// `--print-default-config`.
    PrintDefaultConfig,
}

/// The help text.
pub(crate) const HELP: &str = "\
Tandem, a SIP proxy that knows about calls.

Usage: tandem [options]          run the built-in configuration
       tandem -f kamailio.cfg    run a Kamailio configuration
       tandem db ...             make and check the tables of calls (tandem db --help)

Configuration
  -f FILE               configuration file
  -c                    check the configuration and exit
  -A NAME[=VALUE]       define a preprocessor name
  -l [PROTO:]ADDR[:PORT][/ADVERTISED[:PORT]]
                        listen here instead of where the file says (repeatable)
  --alias [PROTO:]HOST[:PORT]
                        a name that means this proxy (repeatable)
  -a yes|no             take names of listening addresses as aliases
  --loadmodule NAME     load a module besides those of the file
  --modparam MODULE:PARAMETER:s|i:VALUE
                        set a module parameter
  --subst EXP, --substdef EXP, --substdefs EXP
                        preprocessor substitutions
  --server-id N         set server_id
  --print-default-config
                        print the built-in configuration

Running
  -D                    stay in the foreground (also -DD; -DDD does not)
  -E                    log to standard error
  -e                    with colours
  -d                    log more; once for each level
  --debug N             log up to level N
  --log-engine json[:FLAGS]
                        log JSON objects; the flags are a, c, j, M and N
  -P FILE               write the process id here
  -G FILE               write the process group id here
  -Y DIR                directory for control sockets
  -w DIR                working directory
  -t DIR                make DIR the root directory, once the sockets are open
  -u USER, -g GROUP     run as this user and group
  -T                    no TCP
  --workers N           threads that carry SIP (default: one a core)

Signals
  SIGHUP                read the configuration again
  SIGTERM, SIGINT       stop: take no new calls, answer what is pending; a second one ends at once

Information
  -v, -V, --version     version
  -I                    version and how it was built
  -h, --help            this text

Accepted and without meaning here: -b -C -K -L -m -M -n -N -O -Q -r -R -S -W -x -X --atexit
";

/// Reads the command line.
///
/// # Errors
/// An unknown switch, a missing or a malformed value.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Options, lexopt::Error> {
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('f') => options.file = Some(parser.value()?.into()),
            Short('c') => options.check = true,
            Short('l') => options.listen.push(parser.value()?.string()?),
            Short('P') => options.pid_file = Some(parser.value()?.into()),
            Short('G') => options.pgid_file = Some(parser.value()?.into()),
            Short('Y') => options.run_dir = Some(parser.value()?.into()),
            Short('A') => options.defines.push(parser.value()?.string()?),
            Short('a') => options.auto_aliases = Some(yes_or_no(&parser.value()?.string()?)?),
            Short('D') => options.foreground = options.foreground.saturating_add(1),
            Short('E') => options.log_stderr = true,
            Short('e') => options.color = true,
            Short('d') => options.debug = Some(options.debug.unwrap_or(0) + 1),
            Short('u') => options.user = Some(parser.value()?.string()?),
            Short('g') => options.group = Some(parser.value()?.string()?),
            Short('t') => options.root = Some(parser.value()?.into()),
            Long("log-engine") => options.log_engine = Some(parser.value()?.string()?),
            Short('w') => options.work_dir = Some(parser.value()?.into()),
            Short('T') => options.no_tcp = true,
            Short('v' | 'V') | Long("version") => options.action = Some(Action::Version),
            Short('I') => options.action = Some(Action::Flags),
            Short('h') | Long("help") => options.action = Some(Action::Help),
            Long("print-default-config") => options.action = Some(Action::PrintDefaultConfig),
            Long("debug") => options.debug = Some(parser.value()?.parse()?),
            Long("alias") => options.aliases.push(parser.value()?.string()?),
            Long("loadmodule") => options.modules.push(parser.value()?.string()?),
            Long("modparam") => options.parameters.push(parser.value()?.string()?),
            Long("server-id") => options.server_id = Some(parser.value()?.parse()?),
            Long("workers") => options.workers = Some(parser.value()?.parse()?),
            Long(name @ ("subst" | "substdef" | "substdefs")) => {
                let name = name.to_owned();
                options
                    .substitutions
                    .push((name, parser.value()?.string()?));
            }
            other => {
                let name = other.into_owned_name();
                unneeded(&mut options, &mut parser, name)?;
            }
        }
    }
    Ok(options)
}

/// Names of switches, kept apart from the parser that they borrow from.
trait IntoOwnedName {
    fn into_owned_name(self) -> Name;
}

enum Name {
    Short(char),
    Long(String),
    Value(String),
}

impl IntoOwnedName for lexopt::Arg<'_> {
    fn into_owned_name(self) -> Name {
        match self {
            Short(name) => Name::Short(name),
            Long(name) => Name::Long(name.to_owned()),
            Value(value) => Name::Value(value.to_string_lossy().into_owned()),
        }
    }
}

/// Switches of Kamailio's that this program has no use for: their name and whether a value follows.
const UNNEEDED: [(char, &str, bool); 16] = [
    ('b', "-b", true),
    ('K', "-K", false),
    ('L', "-L", true),
    ('m', "-m", true),
    ('M', "-M", true),
    ('n', "-n", true),
    ('N', "-N", true),
    ('O', "-O", true),
    ('Q', "-Q", true),
    ('r', "-r", false),
    ('R', "-R", false),
    ('S', "-S", false),
    ('W', "-W", true),
    ('x', "-x", true),
    ('X', "-X", true),
    ('C', "-C", false),
];

fn unneeded(
    options: &mut Options,
    parser: &mut lexopt::Parser,
    name: Name,
) -> Result<(), lexopt::Error> {
    let (text, takes_value) = match name {
        Name::Short(short) => {
            let row = UNNEEDED.iter().find(|row| row.0 == short);
            let row = row.ok_or_else(|| format!("unknown option -{short}; see --help"))?;
            (row.1, row.2)
        }
        Name::Long(long) => match long.as_str() {
            "atexit" => ("--atexit", true),
            _ => return Err(format!("unknown option --{long}; see --help").into()),
        },
        Name::Value(value) => {
            return Err(format!("unexpected argument {value:?}; see --help").into());
        }
    };
    if takes_value {
        parser.value()?;
    }
    if !options.unneeded.contains(&text) {
        options.unneeded.push(text);
    }
    Ok(())
}

fn yes_or_no(text: &str) -> Result<bool, lexopt::Error> {
    match text {
        "yes" | "on" | "1" => Ok(true),
        "no" | "off" | "0" => Ok(false),
        _ => Err(format!("expected yes or no, not {text:?}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        parse(lexopt::Parser::from_args(line.split_whitespace())).map_err(|e| e.to_string())
    }

    #[test]
    fn kamailio_switches_keep_their_meaning() {
        let options = read(
            "-f k.cfg -DD -E -e -ddd -l udp:127.0.0.1:5070 -l tcp:127.0.0.1:5071 -A WITH_NAT -A X=1 \
             -P /tmp/p -Y /tmp/r -m 64 -M 8 -n 4 -N 4 -u nobody -g nogroup -w /tmp",
        )
        .unwrap();
        assert_eq!(options.foreground, 2);
        assert_eq!(options.debug, Some(3));
        assert_eq!(options.listen.len(), 2);
        assert_eq!(options.defines, ["WITH_NAT", "X=1"]);
        assert_eq!(options.unneeded, ["-m", "-M", "-n", "-N"]);
        assert_eq!(options.user.as_deref(), Some("nobody"));
    }

    #[test]
    fn three_times_d_means_the_background_again() {
        let settings = script::Settings::default();
        for (line, wanted) in [
            ("-f k.cfg", true),
            ("-f k.cfg -D", false),
            ("-f k.cfg -DD", false),
            ("-f k.cfg -DDD", true),
            ("-DDD", false),
        ] {
            let options = read(line).unwrap();
            assert_eq!(crate::daemon::wanted(&options, &settings), wanted, "{line}");
        }
    }

    #[test]
    fn unknown_switches_and_missing_values_are_errors() {
        assert!(read("-j").unwrap_err().contains("unknown option -j"));
        assert!(
            read("--nothing")
                .unwrap_err()
                .contains("unknown option --nothing")
        );
        assert!(read("stray").unwrap_err().contains("stray"));
        assert!(read("-f").is_err());
    }
}
