//! JSON-RPC through the FIFO, datagrams and streams.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::thread::JoinHandle;

use nix::sys::stat::Mode;
use serde_json::{Value as Json, json};
use tandem_rpc::{Address, DoorsConfig, JsonSocketConfig};

use crate::house::{Directory, House, PATIENCE, free_address};

fn request(method: &str, params: &Json) -> String {
    json!({"jsonrpc": "2.0", "method": method, "params": params, "id": 7}).to_string()
}

fn read(document: &[u8]) -> Json {
    serde_json::from_slice(document).unwrap()
}

fn reply_fifo(house: &House, name: &str) -> JoinHandle<Vec<u8>> {
    let path = house.path(name);
    nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
    std::thread::spawn(move || std::fs::read(path).unwrap())
}

fn write_fifo(house: &House, request: &str) {
    let mut fifo = std::fs::OpenOptions::new()
        .write(true)
        .open(house.path("fifo"))
        .unwrap();
    fifo.write_all(request.as_bytes()).unwrap();
}

#[test]
fn the_fifo_answers_as_kamctl_expects() {
    let house = House::open();
    let reply = reply_fifo(&house, "kamailio_receiver_1");
    let request = "garbage }\n{\"jsonrpc\": \"2.0\", \"method\": \"core.echo\", \"params\": [\"}{\"], \n \
                   \"reply_name\": \"kamailio_receiver_1\", \"id\": 1}\n";
    write_fifo(&house, request);
    let expected = "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t[\"}{\"],\n\t\"id\":\t1\n}";
    assert_eq!(String::from_utf8(reply.join().unwrap()).unwrap(), expected);
}

#[test]
fn the_fifo_streams_a_listing_and_answers_others_meanwhile() {
    let house = House::open();
    let path = house.path("slow");
    nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
    let ask = |method: &str, count: i64, reply: &str| json!({"jsonrpc": "2.0", "method": method, "params": [count], "reply_name": reply, "id": 1});
    write_fifo(&house, &ask("listing", 100_000, "slow").to_string());
    let quick = reply_fifo(&house, "quick");
    write_fifo(&house, &ask("core.echo", 5, "quick").to_string());
    assert_eq!(read(&quick.join().unwrap())["result"], json!([5]));
    let listing = read(&std::fs::read(path).unwrap());
    let calls = listing["result"].as_array().unwrap();
    assert_eq!(calls.len(), 100_000);
    assert_eq!(calls[99_999]["call-id"], "99999@example.org");
}

#[test]
fn the_fifo_writes_nowhere_else() {
    let house = House::open();
    std::fs::write(house.path("file"), "precious").unwrap();
    std::fs::create_dir(house.path("inner")).unwrap();
    let inner = house.path("inner/fifo");
    nix::unistd::mkfifo(&inner, Mode::S_IRWXU).unwrap();
    for name in ["file", "inner/fifo", "missing", ""] {
        let request = json!({"jsonrpc": "2.0", "method": "core.echo", "reply_name": name});
        write_fifo(&house, &request.to_string());
    }
    let last = reply_fifo(&house, "last");
    let request = json!({"jsonrpc": "2.0", "method": "core.echo", "reply_name": "last"});
    write_fifo(&house, &request.to_string());
    last.join().unwrap();
    assert_eq!(std::fs::read(house.path("file")).unwrap(), b"precious");
    assert!(!house.path("missing").exists());
    let unsent = &house.table.counters.unsent;
    assert_eq!(unsent.load(std::sync::atomic::Ordering::Relaxed), 4);
}

fn datagram_client(house: &House, name: &str) -> UnixDatagram {
    let client = UnixDatagram::bind(house.path(name)).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.connect(house.path("json")).unwrap();
    client
}

fn receive(client: &UnixDatagram) -> Json {
    let mut reply = vec![0; 2 * 1024 * 1024];
    let len = client.recv(&mut reply).unwrap();
    read(&reply[..len])
}

#[test]
fn datagrams_are_answered_at_the_address_of_the_sender() {
    let house = House::open();
    let client = datagram_client(&house, "client");
    let ask = |method: &str, params: Json| {
        client.send(request(method, &params).as_bytes()).unwrap();
        receive(&client)
    };
    let sockets = ask("core.sockets_list", json!([]));
    let socket = json!({"socket": {"proto": "udp", "port": "5060"}});
    assert_eq!(sockets["result"], json!([socket, socket]));
    assert_eq!(
        ask("nested", json!([]))["result"],
        json!({
            "h_entry": 2793, "callee": {"tag": null},
            "profiles": [{"caller": "alice"}, "inbound"], "variables": [],
        })
    );
    assert_eq!(ask("nothing", json!([]))["result"], json!({}));
    assert_eq!(ask("later", json!([]))["result"], json!("later"));
    assert_eq!(
        ask("fault", json!([]))["error"],
        json!({"code": 404, "message": "Dialog not found"})
    );
    assert_eq!(
        ask("listing", json!([5]))["result"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    let too_big = ask("listing", json!([100_000]));
    assert_eq!(
        too_big["error"]["message"],
        "reply is too big for a datagram"
    );
    assert_eq!(too_big["id"], 7);
}

#[test]
fn commands_that_wait_or_panic_hold_up_nobody() {
    let house = House::open();
    let waiting = datagram_client(&house, "waiting");
    waiting
        .send(request("never", &json!([])).as_bytes())
        .unwrap();
    let client = datagram_client(&house, "client");
    client.send(b"no json").unwrap();
    client.send(request("bug", &json!([])).as_bytes()).unwrap();
    client
        .send(request("core.echo", &json!([1])).as_bytes())
        .unwrap();
    assert_eq!(receive(&client)["result"], json!([1]));
}

#[test]
fn udp_and_streams_carry_json_too() {
    let directory = Directory::new();
    let (udp, stream) = (free_address(), directory.path("stream"));
    let config = DoorsConfig {
        datagram: Some(JsonSocketConfig::new(Address::Udp(udp))),
        stream: Some(JsonSocketConfig::new(Address::Stream(stream.clone()))),
        ..DoorsConfig::default()
    };
    let _house = House::with(directory, &config).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let echo = request("core.echo", &json!(["x"]));
    client.send_to(echo.as_bytes(), udp).unwrap();
    let mut reply = [0; 1000];
    let len = client.recv(&mut reply).unwrap();
    assert_eq!(read(&reply[..len])["result"], json!(["x"]));
    streams_answer_one_after_the_other(&stream, &echo);
}

fn streams_answer_one_after_the_other(path: &Path, echo: &str) {
    let mut client = UnixStream::connect(path).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client
        .write_all([echo, "\n", echo].concat().as_bytes())
        .unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut replies = Vec::new();
    client.read_to_end(&mut replies).unwrap();
    let replies: Vec<Json> = serde_json::Deserializer::from_slice(&replies)
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(replies.len(), 2);
    assert_eq!(replies[1]["result"], json!(["x"]));
}
