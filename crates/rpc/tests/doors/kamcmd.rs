//! The real kamcmd, if it is installed.

use std::path::Path;
use std::process::Command;

use tandem_rpc::{Address, BinrpcConfig, DoorsConfig};

use crate::house::{Directory, House, free_address};

/// What kamcmd prints; `None`, and a note, if it is not installed.
fn kamcmd(socket: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new("kamcmd")
        .args(["-s", socket])
        .args(["-D", &std::env::temp_dir().display().to_string()])
        .args(arguments)
        .output();
    match output {
        Ok(output) => {
            let printed = [output.stdout, output.stderr].concat();
            Some(String::from_utf8_lossy(&printed).into_owned())
        }
        Err(error) => {
            eprintln!("SKIPPED: kamcmd cannot be run ({error}); install kamailio's package");
            None
        }
    }
}

fn address(scheme: &str, path: &Path) -> String {
    format!("{scheme}:{}", path.display())
}

#[test]
fn kamcmd_prints_every_kind_of_reply() {
    let house = House::open();
    let socket = address("unixs", &house.path("ctl"));
    for (arguments, expected) in [
        (
            &["core.echo", "1", "two", "s:3", "1.5"][..],
            "1\ntwo\n3\n1.500000\n",
        ),
        (&["nothing"], ""),
        (&["fault"], "error: 404 - Dialog not found\n"),
        (&["no.such"], "error: 500 - command no.such not found\n"),
        (
            &["listing"],
            "error: 400 - error at parameter 0: expected integer type but end of packet encountered\n",
        ),
        (&["number"], "5000000000\n-3\n1.500000\n"),
        (
            &["core.psx"],
            "{\n\tIDX: 0\n\tDSC: timer\n}\n{\n\tIDX: 1\n\tDSC: timer\n}\n",
        ),
        (
            &["core.sockets_list"],
            "{\n\tsocket: {\n\t\tproto: udp\n\t\tport: 5060\n\t}\n\tsocket: {\n\t\tproto: udp\n\
             \t\tport: 5060\n\t}\n}\n",
        ),
        (
            &["nested"],
            "{\n\th_entry: 2793\n\tcallee: {\n\t\ttag: <null string>\n\t}\n\tprofiles: {\n\t\t{\n\
             \t\t\tcaller: alice\n\t\t}\n\t\tinbound\n\t}\n\tvariables: {\n\t}\n}\n",
        ),
        (&["help", "nested"], "A call.\n"),
        (&["-f", "%v.", "core.echo", "1"], "1."),
        (&["later"], "later\n"),
        (
            &["listing", "100000"],
            "error: 500 - reply is bigger than binrpc_max_body_size (32 KB)\n",
        ),
        (&["ctl.connections"], "1\n"),
    ] {
        let Some(printed) = kamcmd(&socket, arguments) else {
            return;
        };
        assert_eq!(printed, expected, "{arguments:?}");
    }
}

#[test]
fn kamcmd_reaches_every_transport() {
    let directory = Directory::new();
    let (udp, tcp) = (free_address(), free_address());
    let path = directory.path("datagram");
    let mut binrpc = BinrpcConfig::new(vec![
        Address::Datagram(path.clone()),
        Address::Udp(udp),
        Address::Tcp(tcp),
    ]);
    binrpc.limits.reply_bytes_max = 1024 * 1024;
    let config = DoorsConfig {
        binrpc: Some(binrpc),
        ..DoorsConfig::default()
    };
    let _house = House::with(directory, &config).unwrap();
    let sockets = [
        address("unixd", &path),
        format!("udp:{udp}"),
        format!("tcp:{tcp}"),
    ];
    for socket in &sockets {
        let Some(printed) = kamcmd(socket, &["core.echo", "x"]) else {
            return;
        };
        assert_eq!(printed, "x\n", "{socket}");
    }
    let big = kamcmd(&sockets[1], &["listing", "4000"]).unwrap();
    assert_eq!(big, "error: 500 - reply is too big for a datagram\n");
    let listeners = kamcmd(&sockets[2], &["ctl.listen"]).unwrap();
    assert_eq!(
        listeners.lines().filter(|line| *line == "binrpc").count(),
        3
    );
    let last = format!("binrpc\ntcp\n{}\n{}\n", tcp.ip(), tcp.port());
    assert!(listeners.ends_with(&last), "{listeners}");
}
