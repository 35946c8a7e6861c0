//! How the kernel chooses the worker that gets a datagram, among the sockets that share an
//! address (SO_REUSEPORT).

use std::io;
use std::net::UdpSocket;

use nix::sys::socket::{setsockopt, sockopt};

/// Which worker a datagram goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Steering {
    /// By the sender's address and port: a peer's datagrams stay in order and on one worker. A
    /// single big peer then loads only one worker.
    #[default]
    Flow,
    /// At random: right for a few big peers.
    Random,
    /// To the worker with the number of the CPU that took the interrupt.
    Cpu,
}

/// Where classic BPF keeps the kernel's own figures instead of packet bytes (`SKF_AD_OFF`).
const ANCILLARY: u32 = libc::SKF_AD_OFF as u32;

/// Sets the choice for the whole group that `socket` is in; its members are numbered in the order
/// in which they were bound.
pub(crate) fn attach_steering(
    socket: &UdpSocket,
    steering: Steering,
    members: usize,
) -> io::Result<()> {
    let source = match steering {
        Steering::Flow => return Ok(()),
        Steering::Random => ANCILLARY.wrapping_add(libc::SKF_AD_RANDOM as u32),
        Steering::Cpu => ANCILLARY.wrapping_add(libc::SKF_AD_CPU as u32),
    };
    let Ok(members) = u32::try_from(members) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    if members < 2 {
        return Ok(());
    }
    let step = |code: u32, k: u32| libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf: 0,
        k,
    };
    let mut program = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, source),
        step(libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K, members),
        step(libc::BPF_RET | libc::BPF_A, 0),
    ];
    let filter = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    setsockopt(socket, sockopt::AttachReusePortCbpf, &filter)?;
    Ok(())
}
