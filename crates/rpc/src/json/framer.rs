//! Cuts a stream of bytes into JSON objects by counting braces; newlines mean nothing.

/// Collects bytes and gives away whole objects. Bytes between objects are dropped.
#[derive(Debug)]
pub struct Framer {
    bytes: Vec<u8>,
    scanned: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
    max: usize,
    oversized: u64,
}

impl Framer {
    /// A framer for objects of at most `max` bytes.
    pub fn new(max: usize) -> Self {
        Self {
            bytes: Vec::new(),
            scanned: 0,
            depth: 0,
            in_string: false,
            escaped: false,
            max,
            oversized: 0,
        }
    }

    /// Takes bytes from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole object.
    pub fn next_object(&mut self) -> Option<Vec<u8>> {
        if self.depth == 0 {
            self.skip_to_object();
        }
        while let Some(&byte) = self.bytes.get(self.scanned) {
            self.scanned += 1;
            self.scan(byte);
            if self.depth == 0 {
                let rest = self.bytes.split_off(self.scanned);
                let object = std::mem::replace(&mut self.bytes, rest);
                self.scanned = 0;
                return Some(object);
            }
            if self.scanned >= self.max {
                self.oversized += 1;
                self.reset();
                return None;
            }
        }
        None
    }

    /// Whether an object has begun and not ended.
    pub fn is_partial(&self) -> bool {
        self.depth > 0
    }

    /// Forgets what was collected: the rest of it will not come.
    pub fn reset(&mut self) {
        let max = self.max;
        let oversized = self.oversized;
        *self = Self::new(max);
        self.oversized = oversized;
    }

    /// How many objects were dropped because they were too big.
    pub fn oversized(&self) -> u64 {
        self.oversized
    }

    fn skip_to_object(&mut self) {
        let start = self.bytes.iter().position(|byte| *byte == b'{');
        self.bytes.drain(..start.unwrap_or(self.bytes.len()));
    }

    fn scan(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            b'{' if !self.in_string => self.depth += 1,
            b'}' if !self.in_string => self.depth -= 1,
            _ => {}
        }
    }
}
