//! Questions about the message: its method, headers and body.

use engine::{FunctionRow, Pending, Run};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};
use sip::HeaderId;

use super::{sdp, truth};
use crate::row::{function, function_optional, param};

const TEXT: ParameterKind = ParameterKind::Str;
const METHODS: &[Parameter] = &[param("methods", ParameterKind::Str)];
const NAME: &[Parameter] = &[param("hf_name", TEXT)];
const NAME_RE: &[Parameter] = &[param("hf_name_re", ParameterKind::Regex)];
const MIME: &[Parameter] = &[param("mime", TEXT)];
const PRIVACY: &[Parameter] = &[param("privacy_type", TEXT)];
const ANY: Routes = Routes::ANY;

pub(super) const ROWS: &[FunctionRow] = &[
    function(
        "is_method",
        METHODS,
        ANY,
        is_method,
        "True when the method is one of `A|B`, in any case.",
    ),
    function(
        "is_present_hf",
        NAME,
        ANY,
        is_present_hf,
        "True when there is a header of this name.",
    ),
    function(
        "is_present_hf_pv",
        NAME,
        ANY,
        is_present_hf,
        "The same as `is_present_hf`.",
    ),
    function(
        "is_present_hf_re",
        NAME_RE,
        ANY,
        is_present_hf_re,
        "True when a header's name matches.",
    ),
    function(
        "is_present_hf_re_pv",
        NAME_RE,
        ANY,
        is_present_hf_re,
        "The same as `is_present_hf_re`.",
    ),
    function_optional(
        "has_body",
        MIME,
        0,
        ANY,
        has_body,
        "True when there is a body, of this type if one is given.",
    ),
    function(
        "is_privacy",
        PRIVACY,
        ANY,
        is_privacy,
        "True when Privacy has this value.",
    ),
    function(
        "is_audio_on_hold",
        &[],
        ANY,
        is_audio_on_hold,
        "1 for a null address, 2 for an attribute that holds an audio stream.",
    ),
];

fn is_method(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let method = run.msg.message.method_bytes();
    let mut names = args.str(0).split(|byte| *byte == b'|');
    truth(names.any(|name| sip::trim(name).eq_ignore_ascii_case(method)))
}

fn is_present_hf(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(run.msg.message.header_by_name(args.str(0)).is_some())
}

fn is_present_hf_re(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(ere) = args.regex(0) else {
        return Outcome::Code(-1);
    };
    let mut headers = run.msg.message.headers();
    truth(headers.any(|header| ere.is_match(header.name)))
}

fn has_body(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let message = &run.msg.message;
    if message.body().is_empty() {
        return Outcome::Code(-1);
    }
    match args.opt_str(0) {
        None => Outcome::Code(1),
        Some(wanted) if wanted.is_empty() || wanted.as_bytes() == b"0" => Outcome::Code(1),
        Some(wanted) => truth(same_type(message.value(HeaderId::ContentType), wanted)),
    }
}

/// Whether a Content-Type is of this type; a missing one means SDP (RFC 3261 §7.4.1 leaves it open).
pub(super) fn same_type(content_type: Option<&[u8]>, wanted: &[u8]) -> bool {
    let bare = |text: &[u8]| {
        let end = text.iter().position(|byte| *byte == b';');
        let text = sip::trim(&text[..end.unwrap_or(text.len())]);
        let parts = text.split(|byte| *byte == b'/').map(sip::trim);
        parts.map(<[u8]>::to_ascii_lowercase).collect::<Vec<_>>()
    };
    bare(content_type.unwrap_or(b"application/sdp")) == bare(wanted)
}

fn is_privacy(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let wanted = args.str(0);
    let headers = run.msg.message.headers_of(HeaderId::Privacy);
    let mut values = headers.flat_map(|header| header.value.split(|byte| b";,".contains(byte)));
    truth(values.any(|value| sip::trim(value).eq_ignore_ascii_case(wanted)))
}

fn is_audio_on_hold(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    Outcome::Code(sdp::audio_hold(run.msg.message.body()))
}

#[cfg(test)]
mod tests {
    use super::same_type;

    #[test]
    fn types_compare_without_parameters() {
        assert!(same_type(Some(b"Application/SDP ;x=1"), b"application/sdp"));
        assert!(same_type(None, b"application/sdp"));
        assert!(!same_type(Some(b"text/plain"), b"text/html"));
    }
}
