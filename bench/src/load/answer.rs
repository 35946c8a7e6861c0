//! The callee's replies, written from the requests that they answer.

use std::io::Write;
use std::net::SocketAddrV4;

use super::net::Outbox;
use super::text::{Id, SDP};
use super::wire::{Lines, Read};

/// A request that came to the callee.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its call.
    pub id: Id,
    /// Which branch of a forked call it is about; else 0.
    pub branch: usize,
    /// The port that it came in at.
    pub port: usize,
    /// Who sent it.
    pub from: SocketAddrV4,
    /// The callee's own address there.
    pub own: SocketAddrV4,
    /// When, in nanoseconds since the start of the run.
    pub came: u64,
    /// When it was read.
    pub now: u64,
    /// All of it.
    pub bytes: &'a [u8],
    /// In pieces.
    pub read: Read<'a>,
}

/// What a reply has beyond what it copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: the request's To has a tag already.
    Plain,
    /// The tag of the request's branch.
    Tagged,
    /// A tag, a Contact, and a session description.
    Session,
}

impl Request<'_> {
    /// Answers it.
    pub fn reply(&self, status: &str, answer: Answer, out: &mut Outbox) {
        self.write(status, answer, out.message(self.port, self.from));
    }

    /// Appends the answer.
    pub fn write(&self, status: &str, answer: Answer, out: &mut Vec<u8>) {
        first_line(status, out);
        self.write_head(out);
        self.write_rest(answer, self.branch, out);
    }

    /// Via, Record-Route and From: what a later reply begins with after its first line.
    pub fn write_head(&self, out: &mut Vec<u8>) {
        let read = &self.read;
        let copy = |lines: &Lines<'_>, out: &mut Vec<u8>| {
            lines.iter().for_each(|line| out.extend_from_slice(line));
        };
        copy(&read.vias, out);
        if read.cseq_method == b"INVITE" {
            copy(&read.record_routes, out);
        }
        out.extend_from_slice(read.from);
    }

    /// The 200 of any branch, of which the head was kept.
    pub fn write_answer(&self, branch: usize, head: &[u8], out: &mut Vec<u8>) {
        first_line("200 OK", out);
        out.extend_from_slice(head);
        self.write_rest(Answer::Session, branch, out);
    }

    /// The 487 that ends the INVITE which this CANCEL is about, of which the head was kept.
    pub fn write_terminated(&self, head: &[u8], out: &mut Vec<u8>) {
        first_line("487 Request Terminated", out);
        out.extend_from_slice(head);
        self.write_to(Some(self.branch), out);
        out.extend_from_slice(self.read.call_id);
        let number = self.read.cseq.split(|byte| *byte == b' ').nth(1);
        out.extend_from_slice(b"CSeq: ");
        out.extend_from_slice(number.unwrap_or(b"1"));
        out.extend_from_slice(b" INVITE\r\nContent-Length: 0\r\n\r\n");
    }

    /// The To line, with the tag of a branch.
    fn write_to(&self, tag: Option<usize>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.read.to.trim_ascii_end());
        if let Some(branch) = tag {
            out.extend_from_slice(b";tag=e");
            out.push(b'0' + branch as u8);
            out.push(b'-');
            out.extend_from_slice(&self.id.text());
        }
        out.extend_from_slice(b"\r\n");
    }

    fn write_rest(&self, answer: Answer, branch: usize, out: &mut Vec<u8>) {
        let read = &self.read;
        self.write_to((answer != Answer::Plain).then_some(branch), out);
        out.extend_from_slice(read.call_id);
        out.extend_from_slice(read.cseq);
        if answer != Answer::Session {
            out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
            return;
        }
        let via = read.vias.iter().next().unwrap_or_default();
        let is_tcp = via.get(..17).is_some_and(|via| via.ends_with(b"/TCP "));
        let parameter = if is_tcp { ";transport=tcp" } else { "" };
        // Writing to a vector cannot fail.
        let _ = write!(
            out,
            "Contact: <sip:b{branch}@{}{parameter}>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{SDP}",
            self.own,
            SDP.len()
        );
    }
}

fn first_line(status: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"SIP/2.0 ");
    out.extend_from_slice(status.as_bytes());
    out.extend_from_slice(b"\r\n");
}
