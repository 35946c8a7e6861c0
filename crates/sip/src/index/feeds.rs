//! Where the line feeds of a message are: found in blocks of 64 bytes, one bit for each byte.

use crate::block;

const BLOCK: usize = 64;

/// The line feeds of a message from the front. It is given the same bytes on every call.
pub(super) struct LineFeeds {
    /// Where the block begins that `left` speaks of.
    block: usize,
    /// The line feeds of the block that were not given yet.
    left: u64,
}

impl LineFeeds {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self {
            block: 0,
            left: line_feeds(bytes),
        }
    }

    /// The offset of the next one.
    #[inline]
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        while self.left == 0 {
            self.block += BLOCK;
            let rest = bytes.get(self.block..).filter(|rest| !rest.is_empty())?;
            self.left = line_feeds(rest);
        }
        let at = self.block + self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(at)
    }
}

/// Bit n is set if byte n of the first block is a line feed.
#[inline]
fn line_feeds(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(block) => block_mask(block),
        None => {
            let mut block = [0; BLOCK];
            block[..bytes.len()].copy_from_slice(bytes);
            block_mask(&block)
        }
    }
}

#[inline]
fn block_mask(block: &[u8; BLOCK]) -> u64 {
    let (parts, _) = block.as_chunks();
    parts.iter().rev().fold(0, |mask, part| {
        mask << block::BLOCK | u64::from(block::matches(part, [b'\n']))
    })
}

#[cfg(test)]
mod tests {
    use super::LineFeeds;

    #[test]
    fn every_line_feed_is_found_at_any_distance() {
        for distance in 1..150 {
            for length in [0, 1, 63, 64, 65, 127, 128, 400] {
                let bytes: Vec<u8> = (0..length)
                    .map(|at| {
                        if at % distance == 0 {
                            b'\n'
                        } else {
                            b'\n' | 0x80
                        }
                    })
                    .collect();
                let mut feeds = LineFeeds::new(&bytes);
                let found: Vec<_> = std::iter::from_fn(|| feeds.next(&bytes)).collect();
                let expected: Vec<_> = (0..length).step_by(distance).collect();
                assert_eq!(found, expected);
            }
        }
    }
}
