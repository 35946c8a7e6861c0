//! The two system calls that move many datagrams at once, `recvmmsg` and `sendmmsg`.
//! The only file with unsafe code: the kernel reads and writes through pointers, and each block
//! says why they are good. It knows nothing of SIP and decides nothing.
#![allow(unsafe_code)]

use std::fmt;
use std::io;
use std::mem;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::time::Duration;

use libc::{c_int, c_uint, iovec, mmsghdr, msghdr, sockaddr_in, sockaddr_in6};

/// Room for an address of either family.
#[derive(Clone, Copy)]
#[repr(C)]
union Name {
    family: libc::sa_family_t,
    v4: sockaddr_in,
    v6: sockaddr_in6,
}

/// Room for the two control messages that we ask for, the drop counter (a header and a `u32`) and the
/// time of arrival (a header and a `timespec`), aligned as headers must be.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES]);

const CONTROL_BYTES: usize = 64;
const NAME_BYTES: u32 = size_of::<Name>() as u32;

/// Buffers for one batch, and the headers that point into them.
pub(super) struct Receiver {
    // The vectors below are never resized, so the pointers in `headers` and `vectors` stay good,
    // wherever this struct itself is moved.
    arena: Vec<u8>,
    slot_bytes: usize,
    names: Vec<Name>,
    controls: Vec<Control>,
    // Only the kernel reads these; they are kept for the pointers in `headers`.
    _vectors: Vec<iovec>,
    headers: Vec<mmsghdr>,
    used: usize,
}

/// One received datagram.
pub(super) struct Slot<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) remote: Option<SocketAddr>,
    pub(super) truncated: bool,
    /// What the kernel adds.
    pub(super) notes: Notes,
}

/// What the kernel says of a datagram, as far as it was asked to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Notes {
    /// How many datagrams it has dropped on this socket so far.
    pub(super) drops: Option<u32>,
    /// When the datagram came, since 1970.
    pub(super) came: Option<Duration>,
}

impl Receiver {
    /// Room for `slots` datagrams of `slot_bytes` each.
    pub(super) fn new(slots: usize, slot_bytes: usize) -> Self {
        let mut arena = vec![0; slots * slot_bytes];
        let mut names = vec![Name { v6: zeroed_v6() }; slots];
        let mut controls = vec![Control([0; CONTROL_BYTES]); slots];
        let mut vectors: Vec<iovec> = arena
            .chunks_exact_mut(slot_bytes)
            .map(|chunk| iovec {
                iov_base: chunk.as_mut_ptr().cast(),
                iov_len: slot_bytes,
            })
            .collect();
        let headers = names
            .iter_mut()
            .zip(&mut controls)
            .zip(&mut vectors)
            .map(|((name, control), vector)| {
                let mut header = empty_header();
                header.msg_hdr.msg_name = ptr::from_mut(name).cast();
                header.msg_hdr.msg_namelen = NAME_BYTES;
                header.msg_hdr.msg_iov = vector;
                header.msg_hdr.msg_iovlen = 1;
                header.msg_hdr.msg_control = ptr::from_mut(control).cast();
                header.msg_hdr.msg_controllen = CONTROL_BYTES;
                header
            })
            .collect();
        Self {
            arena,
            slot_bytes,
            names,
            controls,
            _vectors: vectors,
            headers,
            used: 0,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.headers.len()
    }

    /// Fills slots from the socket without waiting; how many.
    pub(super) fn receive(&mut self, socket: &impl AsFd) -> io::Result<usize> {
        for header in self.headers.iter_mut().take(self.used) {
            // The kernel has put the real lengths here; say again how much room there is.
            header.msg_hdr.msg_namelen = NAME_BYTES;
            header.msg_hdr.msg_controllen = CONTROL_BYTES;
            header.msg_hdr.msg_flags = 0;
        }
        self.used = 0;
        // SAFETY: `headers` holds as many headers as we say. Each points to a name, a control
        // buffer and an I/O vector that live as long as `self`, do not move, are not shared with
        // another header, and are as long as the header says; `&mut self` keeps readers away.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_fd().as_raw_fd(),
                self.headers.as_mut_ptr(),
                self.headers.len() as c_uint,
                libc::MSG_DONTWAIT,
                ptr::null_mut(),
            )
        };
        self.used = check(count)?;
        Ok(self.used)
    }

    /// A slot that the last `receive` filled.
    pub(super) fn slot(&self, index: usize) -> Option<Slot<'_>> {
        if index >= self.used {
            return None;
        }
        let header = self.headers.get(index)?;
        let start = index * self.slot_bytes;
        let length = (header.msg_len as usize).min(self.slot_bytes);
        Some(Slot {
            bytes: self.arena.get(start..start + length)?,
            remote: read_name(self.names.get(index)?, header.msg_hdr.msg_namelen),
            truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
            notes: read_notes(self.controls.get(index)?, header.msg_hdr.msg_controllen),
        })
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("slots", &self.headers.len())
            .field("slot_bytes", &self.slot_bytes)
            .finish_non_exhaustive()
    }
}

// SAFETY: the raw pointers in `headers` and `_vectors` lead only to memory that the same
// `Receiver` owns; nothing in it belongs to a thread.
unsafe impl Send for Receiver {}

/// The most datagrams of one `send`.
const SEND_CHUNK: usize = 32;
/// The longest datagram that is joined with others: no link that carries IPv6 has a smaller MTU.
const JOINED_BYTES_MAX: usize = 1_200;

/// Room for the length of each of several datagrams that the kernel is given as one, `UDP_SEGMENT`: a header and a `u16`.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct SegmentControl([u8; SEGMENT_CONTROL_BYTES]);

const SEGMENT_CONTROL_BYTES: usize = size_of::<libc::cmsghdr>() + 8;

/// Hands the first datagrams of a list (at most 32) to the kernel without waiting; how many it
/// took. An error is about the first of them.
///
/// With `join`, neighbours of one length to one peer go through the kernel as one, which cuts them apart at the end. Not
/// every kernel, device and route can do that: the error is then another one than for a single datagram.
pub(super) fn send<B: AsRef<[u8]>>(
    socket: &impl AsFd,
    datagrams: &[(B, SocketAddr)],
    join: bool,
) -> io::Result<usize> {
    let mut names = [Name { v6: zeroed_v6() }; SEND_CHUNK];
    let mut vectors = [iovec {
        iov_base: ptr::null_mut(),
        iov_len: 0,
    }; SEND_CHUNK];
    let mut controls = [SegmentControl([0; SEGMENT_CONTROL_BYTES]); SEND_CHUNK];
    let mut headers = [empty_header(); SEND_CHUNK];
    let datagrams = datagrams.get(..SEND_CHUNK).unwrap_or(datagrams);
    for ((bytes, _), vector) in datagrams.iter().zip(&mut vectors) {
        let bytes = bytes.as_ref();
        vector.iov_base = bytes.as_ptr().cast_mut().cast();
        vector.iov_len = bytes.len();
    }
    let mut rest = vectors.as_mut_slice();
    let mut count = 0;
    let groups = datagrams.chunk_by(|a, b| join && may_join(a, b));
    for (group, ((name, control), header)) in
        groups.zip(names.iter_mut().zip(&mut controls).zip(&mut headers))
    {
        let (own, others) = rest.split_at_mut(group.len());
        rest = others;
        let Some((bytes, to)) = group.first() else {
            continue;
        };
        header.msg_hdr.msg_namelen = write_name(name, *to);
        header.msg_hdr.msg_name = ptr::from_mut(name).cast();
        header.msg_hdr.msg_iov = own.as_mut_ptr();
        header.msg_hdr.msg_iovlen = group.len();
        if group.len() > 1 {
            write_segment(control, bytes.as_ref().len());
            header.msg_hdr.msg_control = ptr::from_mut(control).cast();
            header.msg_hdr.msg_controllen = SEGMENT_CONTROL_BYTES;
        }
        count += 1;
    }
    // SAFETY: the first `count` headers point to names, control messages and I/O vectors on this stack frame, each as
    // long as the header says, and the vectors to the bytes that `datagrams` lends for the length of this call; the
    // kernel only reads all of them, apart from `msg_len` in the headers, which are ours.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_fd().as_raw_fd(),
            headers.as_mut_ptr(),
            count as c_uint,
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        )
    };
    let sent = headers.iter().take(check(sent)?);
    Ok(sent.map(|header| header.msg_hdr.msg_iovlen).sum())
}

/// Whether a datagram may follow another one in what the kernel is given as one: all but the last have to be of one
/// length, and 32 of them stay below the 64 kB and the 64 pieces that it takes.
fn may_join<B: AsRef<[u8]>>(first: &(B, SocketAddr), next: &(B, SocketAddr)) -> bool {
    let length = first.0.as_ref().len();
    first.1 == next.1 && length == next.0.as_ref().len() && (1..=JOINED_BYTES_MAX).contains(&length)
}

/// Writes the control message that has the kernel cut a message into datagrams of `length` bytes.
fn write_segment(control: &mut SegmentControl, length: usize) {
    const HEADER_BYTES: usize = size_of::<libc::cmsghdr>();
    let whole = HEADER_BYTES + size_of::<u16>();
    let parts: [&[u8]; 4] = [
        &whole.to_ne_bytes(),
        &libc::SOL_UDP.to_ne_bytes(),
        &libc::UDP_SEGMENT.to_ne_bytes(),
        &(length as u16).to_ne_bytes(),
    ];
    let mut at = 0;
    for part in parts {
        if let Some(room) = control.0.get_mut(at..at + part.len()) {
            room.copy_from_slice(part);
        }
        at += part.len();
    }
}

/// Lets routers cut datagrams that are too long for their next link, RFC 791 (`pmtu_discovery=0`). Without it the
/// kernel forbids that, and learns of it only from ICMP messages, which many networks drop.
pub(crate) fn allow_fragments(socket: &impl AsFd) -> io::Result<()> {
    set_option(
        socket,
        libc::IPPROTO_IP,
        libc::IP_MTU_DISCOVER,
        libc::IP_PMTUDISC_DONT,
    )
}

/// Makes a socket one on which the kernel does not join datagrams: it has to write checksums for that.
#[cfg(test)]
pub(super) fn forbid_joining(socket: &impl AsFd) -> io::Result<()> {
    set_option(socket, libc::SOL_SOCKET, libc::SO_NO_CHECK, 1)
}

fn set_option(socket: &impl AsFd, level: c_int, option: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the pointer and the length are those of an integer that lives until the call returns; the kernel
    // only reads it.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            option,
            ptr::from_ref(&value).cast(),
            size_of::<c_int>() as libc::socklen_t,
        )
    };
    check(result).map(drop)
}

fn check(result: c_int) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

fn empty_header() -> mmsghdr {
    // SAFETY: both are plain C structs of integers and pointers, for which all zeros is a value
    // (null pointers, lengths of zero); some C libraries add private padding fields that cannot
    // be written by name.
    unsafe {
        mmsghdr {
            msg_hdr: mem::zeroed::<msghdr>(),
            msg_len: 0,
        }
    }
}

fn zeroed_v6() -> sockaddr_in6 {
    sockaddr_in6 {
        sin6_family: 0,
        sin6_port: 0,
        sin6_flowinfo: 0,
        sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
        sin6_scope_id: 0,
    }
}

/// Writes an address as the kernel wants it; its length.
fn write_name(name: &mut Name, address: SocketAddr) -> u32 {
    match address {
        SocketAddr::V4(address) => {
            name.v4 = sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.ip().octets()),
                },
                sin_zero: [0; 8],
            };
            size_of::<sockaddr_in>() as u32
        }
        SocketAddr::V6(address) => {
            name.v6 = sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: address.ip().octets(),
                },
                sin6_scope_id: address.scope_id(),
            };
            size_of::<sockaddr_in6>() as u32
        }
    }
}

fn read_name(name: &Name, length: u32) -> Option<SocketAddr> {
    // SAFETY: every byte of `Name` is initialised (it starts as a whole `sockaddr_in6`), and the
    // fields are integers and arrays of them, for which any bytes are a value; the family field
    // is at the same place in all variants.
    unsafe {
        match c_int::from(name.family) {
            libc::AF_INET if length as usize >= size_of::<sockaddr_in>() => {
                let ip = name.v4.sin_addr.s_addr.to_ne_bytes();
                let port = u16::from_be(name.v4.sin_port);
                Some(SocketAddrV4::new(ip.into(), port).into())
            }
            libc::AF_INET6 if length as usize >= size_of::<sockaddr_in6>() => {
                let ip = Ipv6Addr::from(name.v6.sin6_addr.s6_addr);
                let port = u16::from_be(name.v6.sin6_port);
                Some(SocketAddrV6::new(ip, port, 0, name.v6.sin6_scope_id).into())
            }
            _ => None,
        }
    }
}

/// What stands in a control buffer of which the kernel wrote `length` bytes.
fn read_notes(control: &Control, length: usize) -> Notes {
    const HEADER_BYTES: usize = size_of::<libc::cmsghdr>();
    let mut notes = Notes::default();
    let mut rest = control.0.get(..length).unwrap_or(&control.0);
    while let Some(bytes) = rest.get(..HEADER_BYTES) {
        // SAFETY: there are as many bytes as a header has, all of them initialised, and a header is integers only.
        let header = unsafe { bytes.as_ptr().cast::<libc::cmsghdr>().read_unaligned() };
        let whole = header.cmsg_len;
        let value = rest.get(HEADER_BYTES..whole).unwrap_or_default();
        match (header.cmsg_level, header.cmsg_type) {
            (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                notes.drops = value.try_into().ok().map(u32::from_ne_bytes);
            }
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => notes.came = read_time(value),
            _ => {}
        }
        let whole = whole.clamp(HEADER_BYTES, rest.len());
        let next = whole.next_multiple_of(align_of::<Control>());
        rest = rest.get(next..).unwrap_or_default();
    }
    notes
}

/// A `timespec`: seconds and nanoseconds.
fn read_time(value: &[u8]) -> Option<Duration> {
    let (seconds, nanoseconds) = value.split_at_checked(8)?;
    let seconds = i64::from_ne_bytes(seconds.try_into().ok()?);
    let nanoseconds = i64::from_ne_bytes(nanoseconds.try_into().ok()?);
    let nanoseconds = u32::try_from(nanoseconds).ok()?;
    Some(Duration::new(seconds.try_into().ok()?, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_kernels_form() {
        for text in [
            "192.0.2.1:5060",
            "[2001:db8::1]:5070",
            "[fe80::1%3]:1",
            "0.0.0.0:0",
        ] {
            let address: SocketAddr = text.parse().unwrap();
            let mut name = Name { v6: zeroed_v6() };
            let length = write_name(&mut name, address);
            assert_eq!(read_name(&name, length), Some(address));
        }
    }

    /// Appends a control message; where the next one begins.
    fn put(control: &mut Control, at: usize, kind: c_int, value: &[u8]) -> usize {
        let length = size_of::<libc::cmsghdr>() + value.len();
        control.0[at..at + 8].copy_from_slice(&length.to_ne_bytes());
        control.0[at + 8..at + 12].copy_from_slice(&libc::SOL_SOCKET.to_ne_bytes());
        control.0[at + 12..at + 16].copy_from_slice(&kind.to_ne_bytes());
        control.0[at + 16..at + length].copy_from_slice(value);
        at + length.next_multiple_of(8)
    }

    #[test]
    fn the_kernels_notes_are_read() {
        let mut control = Control([0; CONTROL_BYTES]);
        let time = [5_i64.to_ne_bytes(), 7_i64.to_ne_bytes()].concat();
        let middle = put(&mut control, 0, libc::SCM_TIMESTAMPNS, &time);
        let end = put(
            &mut control,
            middle,
            libc::SO_RXQ_OVFL,
            &7_u32.to_ne_bytes(),
        );
        assert!(end <= CONTROL_BYTES);
        let came = Some(Duration::new(5, 7));
        let both = Notes {
            drops: Some(7),
            came,
        };
        assert_eq!(read_notes(&control, end), both);
        assert_eq!(read_notes(&control, middle), Notes { drops: None, came });
        assert_eq!(read_notes(&control, 0), Notes::default());
        assert_eq!(read_notes(&control, 10), Notes::default());
        control.0[..8].fill(0xff);
        assert_eq!(read_notes(&control, end), Notes::default());
    }
}
