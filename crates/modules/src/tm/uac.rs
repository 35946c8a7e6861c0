//! `t_uac_send()`: a request of our own.

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};

use crate::core::rpc::uac::Described;
use crate::row::{function, param};

const REQUEST: &[Parameter] = &[
    param("method", ParameterKind::Str),
    param("ruri", ParameterKind::Str),
    param("next_hop", ParameterKind::Str),
    param("socket", ParameterKind::Str),
    param("headers", ParameterKind::Str),
    param("body", ParameterKind::Str),
];

pub(super) const T_UAC_SEND: FunctionRow = function(
    "t_uac_send",
    REQUEST,
    Routes::ANY,
    t_uac_send,
    "Sends a request of our own and does not wait for its replies.",
);

fn t_uac_send(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let text = |at| args.str(at).to_string();
    let described = Described {
        method: text(0),
        uri: text(1),
        next_hop: text(2),
        socket: text(3),
        headers: text(4),
        body: text(5),
    };
    match described.request(&run.engine) {
        Ok(request) => {
            run.send_local(request);
            Outcome::Code(1)
        }
        Err(fault) => {
            run.log(level::ERROR, "tm", &format!("t_uac_send: {}", fault.text));
            Outcome::Code(-1)
        }
    }
}
