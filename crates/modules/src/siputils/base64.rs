//! Base64 with the alphabet for URLs (RFC 4648 §5), without padding.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes.
pub(super) fn encode_url(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..=chunk.len() as u32 {
            let index = (group >> (18 - 6 * digit)) & 63;
            out.push(ALPHABET[index as usize]);
        }
    }
    out
}

/// Decodes; padding may be there.
pub(super) fn decode_url(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=');
    let text = &text[..end.map_or(0, |at| at + 1)];
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.chunks(4) {
        let mut group = 0u32;
        for byte in chunk {
            let digit = ALPHABET.iter().position(|known| known == byte)?;
            group = group << 6 | digit as u32;
        }
        group <<= 6 * (4 - chunk.len() as u32);
        let bytes = group.to_be_bytes();
        out.extend_from_slice(bytes.get(1..chunk.len())?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in [
            "",
            "a",
            "ab",
            "abc",
            "sip:bob@10.0.0.1:5070;transport=tcp",
            "\u{ff}\u{fe}?>",
        ] {
            let encoded = encode_url(text.as_bytes());
            assert_eq!(
                decode_url(&encoded),
                Some(text.as_bytes().to_vec()),
                "{text}"
            );
        }
        assert_eq!(encode_url(b"a?>"), b"YT8-");
        assert_eq!(decode_url(b"YQ=="), Some(b"a".to_vec()));
        assert_eq!(decode_url(b"*"), None);
    }
}
