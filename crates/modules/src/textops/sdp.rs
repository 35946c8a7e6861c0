//! What a session description says about hold.

/// 1 when an audio stream has a null address, 2 when it is `sendonly` or `inactive`, -1 otherwise
/// (RFC 2543 §B.5, RFC 3264 §8.4).
pub(super) fn audio_hold(body: &[u8]) -> i64 {
    let mut session = Stream::default();
    let mut streams: Vec<Stream> = Vec::new();
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(media) = line.strip_prefix(b"m=") {
            streams.push(Stream {
                audio: media.starts_with(b"audio"),
                ..session
            });
            continue;
        }
        let part = streams.last_mut().unwrap_or(&mut session);
        match line {
            [b'c', b'=', connection @ ..] => part.null_address = is_null(connection),
            b"a=sendonly" | b"a=inactive" => part.held = true,
            b"a=sendrecv" | b"a=recvonly" => part.held = false,
            _ => {}
        }
    }
    let audio: Vec<&Stream> = streams.iter().filter(|stream| stream.audio).collect();
    if audio.iter().any(|stream| stream.null_address) {
        1
    } else if audio.iter().any(|stream| stream.held) {
        2
    } else {
        -1
    }
}

#[derive(Clone, Copy, Default)]
struct Stream {
    audio: bool,
    null_address: bool,
    held: bool,
}

fn is_null(connection: &[u8]) -> bool {
    let address = connection.rsplit(|byte| *byte == b' ').next();
    matches!(address, Some(b"0.0.0.0" | b"::" | b"0::0"))
}

#[cfg(test)]
mod tests {
    use super::audio_hold;

    #[test]
    fn holds() {
        for (body, kind) in [
            ("v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 1 RTP/AVP 0\r\n", -1),
            ("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 1 RTP/AVP 0\r\n", 1),
            (
                "v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 1 RTP/AVP 0\r\nc=IN IP4 1.2.3.4\r\n",
                -1,
            ),
            ("v=0\nm=audio 1 RTP/AVP 0\na=sendonly\n", 2),
            ("v=0\na=inactive\nm=audio 1 RTP/AVP 0\n", 2),
            (
                "v=0\nm=audio 1 RTP/AVP 0\nm=video 1 RTP/AVP 0\na=sendonly\n",
                -1,
            ),
            ("", -1),
        ] {
            assert_eq!(audio_hold(body.as_bytes()), kind, "{body}");
        }
    }
}
