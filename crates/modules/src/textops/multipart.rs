//! Multipart bodies (RFC 2046 §5.1.1): their parts, as ranges of the body.

use std::ops::Range;

/// The boundary that is used when none is given.
pub(super) const BOUNDARY: &[u8] = b"unique-boundary-1";

/// One part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// From its boundary to the next one.
    pub(super) whole: Range<usize>,
    /// The headers of the part.
    pub(super) headers: Range<usize>,
    /// What the part holds, without the line end before the next boundary.
    pub(super) content: Range<usize>,
}

/// The boundary in a Content-Type.
pub(super) fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    let at = content_type.iter().position(|byte| *byte == b';')?;
    let params = sip::Params::new(&content_type[at..]);
    let value = params.value(b"boundary")?;
    Some(sip::unquote(value).into_owned()).filter(|boundary| !boundary.is_empty())
}

/// The parts of a body in their order.
pub(super) fn parts(body: &[u8], boundary: &[u8]) -> Vec<Part> {
    let delimiter = [b"--", boundary].concat();
    let marks = delimiters(body, &delimiter);
    marks
        .windows(2)
        .filter_map(|pair| part(body, pair[0], pair[1], delimiter.len()))
        .collect()
}

/// Where the delimiters stand: only at the beginning of a line.
fn delimiters(body: &[u8], delimiter: &[u8]) -> Vec<usize> {
    let mut marks = Vec::new();
    let mut at = 0;
    while at + delimiter.len() <= body.len() {
        if body[at..].starts_with(delimiter) {
            marks.push(at);
        }
        match body[at..].iter().position(|byte| *byte == b'\n') {
            Some(line) => at += line + 1,
            None => break,
        }
    }
    marks
}

fn part(body: &[u8], start: usize, end: usize, delimiter: usize) -> Option<Part> {
    if body[start + delimiter..].starts_with(b"--") {
        return None;
    }
    let line = body[start..end].iter().position(|byte| *byte == b'\n')?;
    let headers = start + line + 1;
    let (headers_end, content) = match find(&body[headers..end], b"\r\n\r\n") {
        Some(at) => (headers + at + 2, headers + at + 4),
        // A part may have no headers at all.
        None if body[headers..end].starts_with(b"\r\n") => (headers, headers + 2),
        None => return None,
    };
    let text = &body[content..end];
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    Some(Part {
        whole: start..end,
        headers: headers..headers_end,
        content: content..content + text.len(),
    })
}

pub(super) fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}

/// The Content-Type of a part.
pub(super) fn content_type<'a>(body: &'a [u8], part: &Part) -> Option<&'a [u8]> {
    let lines = body.get(part.headers.clone())?.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = sip::trim(&line[..colon]);
            let is_type = sip::HeaderId::from_name(name) == sip::HeaderId::ContentType;
            is_type.then(|| sip::trim(&line[colon + 1..]))
        })
        .next()
}

/// One part as it stands in a body, its boundary before it.
pub(super) fn write_part(
    out: &mut Vec<u8>,
    boundary: &[u8],
    content_type: &[u8],
    disposition: Option<&[u8]>,
    content: &[u8],
) {
    for piece in [
        b"--",
        boundary,
        b"\r\nContent-Type: ",
        content_type,
        b"\r\n",
    ] {
        out.extend_from_slice(piece);
    }
    if let Some(disposition) = disposition {
        for piece in [b"Content-Disposition: ", disposition, b"\r\n"] {
            out.extend_from_slice(piece);
        }
    }
    for piece in [b"\r\n", content, b"\r\n"] {
        out.extend_from_slice(piece);
    }
}

/// The boundary behind the last part.
pub(super) fn write_end(out: &mut Vec<u8>, boundary: &[u8]) {
    for piece in [b"--", boundary, b"--\r\n"] {
        out.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_again() {
        let mut body = Vec::new();
        write_part(
            &mut body,
            b"b1",
            b"application/sdp",
            None,
            b"v=0\r\ns=-\r\n",
        );
        write_part(&mut body, b"b1", b"text/plain", Some(b"session"), b"hello");
        write_end(&mut body, b"b1");
        let parts = parts(&body, b"b1");
        let shown: Vec<_> = parts
            .iter()
            .map(|part| (content_type(&body, part), &body[part.content.clone()]))
            .collect();
        assert_eq!(
            shown,
            [
                (Some(&b"application/sdp"[..]), &b"v=0\r\ns=-\r\n"[..]),
                (Some(&b"text/plain"[..]), &b"hello"[..]),
            ]
        );
    }

    #[test]
    fn boundaries_and_broken_bodies() {
        assert_eq!(
            boundary(b"multipart/mixed;boundary=\"a b\""),
            Some(b"a b".to_vec())
        );
        assert_eq!(boundary(b"multipart/mixed"), None);
        for body in [
            "",
            "--b",
            "--b\r\n",
            "--b\r\nx",
            "--b\r\n--b--",
            "x--b\r\n\r\n--b--",
        ] {
            let parts = parts(body.as_bytes(), b"b");
            assert!(parts.is_empty(), "{body}");
        }
    }
}
