//! The callee registers its users with the proxy before calls for them are made.

use std::io;
use std::net::{SocketAddrV4, UdpSocket};
use std::time::Duration;

use super::net::callee_hosts;
use super::shared::Plan;
use super::text::USERS;

/// A registrar on this machine answers at once; what is lost is sent again.
const ANSWER_LIMIT: Duration = Duration::from_millis(500);
const ATTEMPTS: u32 = 5;

/// Registers all users, one after the other, over UDP.
///
/// # Errors
/// The registrar refuses one, or does not answer.
pub fn register(plan: &Plan, run: u32) -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(ANSWER_LIMIT))?;
    let own = socket.local_addr()?;
    let hosts: Vec<SocketAddrV4> = callee_hosts(plan)
        .map(|host| SocketAddrV4::new(host, plan.callee_port))
        .collect();
    for user in 0..USERS {
        let contact = hosts[user as usize % hosts.len()];
        let proxy = plan.proxy;
        let text = format!(
            "REGISTER sip:{proxy} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {own};branch=z9hG4bKr{run:x}-{user};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:callee{user:03}@{proxy}>;tag=r{user}\r\nTo: <sip:callee{user:03}@{proxy}>\r\n\
             Call-ID: register-{user}-{run:x}@127.0.0.1\r\nCSeq: 1 REGISTER\r\n\
             Contact: <sip:callee{user:03}@{contact}>\r\nExpires: 86400\r\nContent-Length: 0\r\n\r\n"
        );
        one(&socket, proxy, text.as_bytes(), user)?;
    }
    Ok(())
}

fn one(socket: &UdpSocket, proxy: SocketAddrV4, request: &[u8], user: u32) -> io::Result<()> {
    let call_id = format!("register-{user}-");
    let mut buffer = [0; 4_096];
    for _ in 0..ATTEMPTS {
        socket.send_to(request, proxy)?;
        while let Ok((length, _)) = socket.recv_from(&mut buffer) {
            let answer = String::from_utf8_lossy(&buffer[..length]);
            // An answer to what was sent twice may still come for the user before.
            if !answer.contains(&call_id) || answer.starts_with("SIP/2.0 1") {
                continue;
            }
            if answer.starts_with("SIP/2.0 200 ") {
                return Ok(());
            }
            let first = answer.lines().next().unwrap_or_default();
            return Err(io::Error::other(format!("the registrar says {first}")));
        }
    }
    Err(io::Error::other("the registrar does not answer"))
}
