//! Core actions about the streams that messages come and leave by.

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, ParameterKind};
use sip::StreamUse;

use crate::row::{action, param};

pub(super) const FORCE_TCP_ALIAS: FunctionRow = action(
    "force_tcp_alias",
    &[param("port", ParameterKind::Int)],
    0,
    force_tcp_alias,
    "Sends what goes to this port of the peer, else to the port in its Via, over the stream of the request.",
);
pub(super) const SET_FORWARD_NO_CONNECT: FunctionRow = action(
    "set_forward_no_connect",
    &[],
    0,
    set_forward_no_connect,
    "Sends the request on only over a stream that is open already.",
);
pub(super) const SET_FORWARD_CLOSE: FunctionRow = action(
    "set_forward_close",
    &[],
    0,
    set_forward_close,
    "Closes the stream that the request leaves by when it has left.",
);
pub(super) const SET_REPLY_NO_CONNECT: FunctionRow = action(
    "set_reply_no_connect",
    &[],
    0,
    set_reply_no_connect,
    "Answers only over a stream that is open already.",
);
pub(super) const SET_REPLY_CLOSE: FunctionRow = action(
    "set_reply_close",
    &[],
    0,
    set_reply_close,
    "Closes the stream of the request when the next reply has left.",
);

/// Over datagrams there is nothing to do, and that is no failure.
fn force_tcp_alias(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(connection) = run.msg.hop.connection else {
        return Outcome::Code(1);
    };
    let port = match args.opt_int(0) {
        Some(port) => u16::try_from(port).ok().filter(|port| *port != 0),
        None => run.msg.message.top_via().map(|via| {
            let usual = run.msg.hop.transport.default_port();
            via.port().unwrap_or(usual)
        }),
    };
    let Some(port) = port else {
        run.log(level::ERROR, "core", "force_tcp_alias: that is no port");
        return Outcome::Code(-1);
    };
    match run.engine.streams.add_alias(connection, port) {
        Ok(()) => Outcome::Code(1),
        Err(refused) => {
            run.log(level::ERROR, "core", &format!("force_tcp_alias: {refused}"));
            Outcome::Code(-1)
        }
    }
}

fn set_forward_no_connect(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.stream.forward.no_connect = true;
    Outcome::Code(1)
}

fn set_forward_close(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.stream.forward.close = true;
    Outcome::Code(1)
}

fn set_reply_no_connect(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let wish = StreamUse {
        no_connect: true,
        close: false,
    };
    use_for_replies(run, wish);
    Outcome::Code(1)
}

fn set_reply_close(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let wish = StreamUse {
        no_connect: false,
        close: true,
    };
    use_for_replies(run, wish);
    Outcome::Code(1)
}

/// The wish counts for the message at hand, and for its transaction if that is there already.
pub(crate) fn use_for_replies(run: &mut Run, wish: StreamUse) {
    run.msg.stream.reply = run.msg.stream.reply.or(wish);
    if let Some(tx) = &mut run.tx {
        tx.use_stream(wish);
    }
}
