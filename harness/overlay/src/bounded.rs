use std::collections::VecDeque;

/// Keeps the beginning and the end of a stream, and counts what lies between.
#[derive(Debug)]
pub struct Bounded {
    limit: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    cut: u64,
}

impl Bounded {
    /// Keeps `limit` bytes at either end.
    pub fn new(limit: usize) -> Self {
        Self { limit, head: Vec::new(), tail: VecDeque::new(), cut: 0 }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        self.head.extend_from_slice(first);
        self.tail.extend(rest);
        let over = self.tail.len().saturating_sub(self.limit);
        self.tail.drain(..over);
        self.cut += over as u64;
    }

    /// What was kept, as text without terminal sequences.
    pub fn into_text(self) -> String {
        let tail: Vec<u8> = self.tail.into();
        let clean = |bytes: &[u8]| String::from_utf8_lossy(&strip_ansi_escapes::strip(bytes)).into_owned();
        if self.cut == 0 {
            return clean(&[self.head, tail].concat());
        }
        format!("{}\n[cut: {} bytes]\n{}", clean(&self.head), self.cut, clean(&tail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_middle_is_cut_and_said() {
        let mut kept = Bounded::new(3);
        for part in ["ab", "cdef", "gh"] {
            kept.push(part.as_bytes());
        }
        assert_eq!(kept.into_text(), "abc\n[cut: 2 bytes]\nfgh");
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_uncounted(parts in proptest::collection::vec("[a-z]{0,9}", 0..9), limit in 0_usize..12) {
            let mut kept = Bounded::new(limit);
            for part in &parts {
                kept.push(part.as_bytes());
            }
            let whole = parts.concat();
            prop_assert_eq!(kept.head.len() + kept.tail.len() + kept.cut as usize, whole.len());
            if kept.cut == 0 {
                prop_assert_eq!(kept.into_text(), whole);
            }
        }
    }
}
