//! The files of the doors: made, protected, not stolen, removed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};

use nix::sys::stat::Mode;

use crate::house::{Directory, House, all_doors, exists};

const FILES: [(&str, u32); 5] = [
    ("ctl", 0o600),
    ("ctl_datagram", 0o600),
    ("fifo", 0o660),
    ("json", 0o660),
    ("json_stream", 0o660),
];

#[test]
fn files_have_their_modes_and_go_away() {
    let mut house = House::open();
    for (name, mode) in FILES {
        let metadata = fs::symlink_metadata(house.path(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{name}");
    }
    house.close();
    for (name, _) in FILES {
        assert!(!exists(&house.path(name)), "{name}");
    }
}

#[test]
fn what_a_dead_program_left_is_replaced() {
    let directory = Directory::new();
    drop(UnixListener::bind(directory.path("ctl")).unwrap());
    drop(UnixDatagram::bind(directory.path("json")).unwrap());
    nix::unistd::mkfifo(&directory.path("fifo"), Mode::S_IRWXU).unwrap();
    let config = all_doors(&directory);
    assert!(House::with(directory, &config).is_ok());
}

#[test]
fn what_belongs_to_others_is_left_alone() {
    for (name, _) in FILES {
        let directory = Directory::new();
        fs::write(directory.path(name), "precious").unwrap();
        let config = all_doors(&directory);
        let error = House::with(Directory::new(), &config).err().unwrap();
        let error = error.to_string();
        assert!(error.contains("is something else"), "{error}");
        assert_eq!(fs::read(directory.path(name)).unwrap(), b"precious");
    }
}

#[test]
fn a_second_program_cannot_take_the_doors() {
    let house = House::open();
    for (name, _) in FILES {
        let mut config = all_doors(&house.directory);
        match name {
            "ctl" => {}
            "fifo" => config.binrpc = None,
            _ => {
                config.binrpc = None;
                config.fifo = None;
            }
        }
        let error = House::with(Directory::new(), &config).err().unwrap();
        assert!(error.to_string().contains("a running program"), "{error}");
    }
    for (name, _) in FILES {
        assert!(exists(&house.path(name)), "{name}");
    }
}

#[test]
fn a_door_that_somebody_replaced_is_not_removed() {
    let mut house = House::open();
    fs::remove_file(house.path("ctl")).unwrap();
    let _other = UnixListener::bind(house.path("ctl")).unwrap();
    house.close();
    assert!(exists(&house.path("ctl")));
}

#[test]
fn stopping_does_not_wait_for_a_command_that_never_ends() {
    use std::io::Write;
    let mut house = House::open();
    let mut client = std::os::unix::net::UnixStream::connect(house.path("ctl")).unwrap();
    let request = tandem_rpc::binrpc::encode_request("never", &[], 1).unwrap();
    client.write_all(&request).unwrap();
    house.close();
    assert!(!exists(&house.path("ctl")));
}
