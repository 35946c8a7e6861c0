//! Whole configurations: the sample in all its variants, and the one that Kamailio installs, if it is here.

use std::path::Path;

use tandem_script::{FileLoader, Loader, MemoryLoader, Options, Severity, SourceMap, parse};

const DEFINES: &[&str] = &[
    "WITH_DEBUG",
    "WITH_MYSQL",
    "WITH_AUTH",
    "WITH_IPAUTH",
    "WITH_USRLOCDB",
    "WITH_PRESENCE",
    "WITH_MSGREBUILD",
    "WITH_NAT",
    "WITH_RTPENGINE",
    "WITH_NATSIPPING",
    "WITH_PSTN",
    "WITH_VOICEMAIL",
    "WITH_ALIASDB",
    "WITH_SPEEDDIAL",
    "WITH_MULTIDOMAIN",
    "WITH_TLS",
    "WITH_JSONRPC",
    "WITH_ANTIFLOOD",
    "WITH_BLOCK3XX",
    "WITH_BLOCK401407",
    "WITH_ACCDB",
];

fn errors(loader: &dyn Loader, path: &str, defines: &[&str]) -> String {
    let mut map = SourceMap::new();
    let defines = defines.iter().map(|d| (*d).to_owned()).collect();
    let options = Options {
        defines,
        ..Options::default()
    };
    let (_, diagnostics) = parse(&mut map, loader, Path::new(path), &options);
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error);
    errors.map(|d| d.render(&map, false)).collect()
}

#[test]
fn sample() {
    let text = include_bytes!("samples/office.cfg").to_vec();
    let loader = MemoryLoader {
        files: vec![("office.cfg".into(), text)],
        environment: Vec::new(),
    };
    let options = [
        "WITH_TLS",
        "WITH_VOICEMAIL",
        "WITH_LIMITS",
        "DOMAIN=\"x.org\"",
    ];
    for bits in 0..1 << options.len() {
        let chosen = options
            .iter()
            .enumerate()
            .filter(|(n, _)| bits >> n & 1 == 1);
        let chosen: Vec<_> = chosen.map(|(_, option)| *option).collect();
        assert_eq!(errors(&loader, "office.cfg", &chosen), "", "{chosen:?}");
    }
}

#[test]
fn installed_configuration() {
    let path = "/etc/kamailio/kamailio.cfg";
    let Ok(text) = FileLoader.load(Path::new(path)) else {
        return;
    };
    let loader = MemoryLoader {
        files: vec![(path.into(), text)],
        environment: Vec::new(),
    };
    // Three of the options use the database's address, which comes with WITH_MYSQL.
    for (n, first) in DEFINES.iter().enumerate() {
        // A third of the pairs, so that each option meets others of all kinds.
        for second in DEFINES[n + 1..].iter().step_by(3) {
            let found = errors(
                &loader,
                path,
                &["WITH_MYSQL_ADDRESS", first, second, "DBURL=\"x\""],
            );
            assert_eq!(found, "", "{first} {second}");
        }
    }
    assert_eq!(errors(&loader, path, &[]), "");
    assert_eq!(errors(&loader, path, DEFINES), "");
}
