//! A goroutine's name, in the descriptor itself.
//!
//! A dump reads it without a lock, and a signal's handler without an allocation; so it lies in a
//! few atomic words. Whoever reads it while the descriptor becomes another's finds a mixture, and
//! throws it away, since the number has changed: see `Goroutine::picture`.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many bytes a name has at most.
pub const MAX_NAME: usize = 32;
const WORDS: usize = MAX_NAME / 8;

/// Bytes, up to the first zero.
#[derive(Debug)]
pub(crate) struct AtomicName([AtomicU64; WORDS]);

impl AtomicName {
    pub(super) const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; WORDS])
    }

    /// Keeps a name; what is too long is cut, at a character's end.
    #[inline]
    pub(super) fn set(&self, name: &str) {
        if name.is_empty() {
            // ORDER: Relaxed: see `Goroutine::picture`.
            self.0[0].store(0, Ordering::Relaxed);
        } else {
            self.set_some(name);
        }
    }

    #[cold]
    fn set_some(&self, name: &str) {
        let end = (0..=MAX_NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
        let mut bytes = [0; MAX_NAME];
        let name = &name.as_bytes()[..end.unwrap_or(0)];
        bytes[..name.len()].copy_from_slice(name);
        for (word, bytes) in self.0.iter().zip(bytes.chunks_exact(8)) {
            let bytes = <[u8; 8]>::try_from(bytes).expect("a word has eight bytes");
            // ORDER: Relaxed: see `Goroutine::picture`.
            word.store(u64::from_le_bytes(bytes), Ordering::Relaxed);
        }
    }

    /// The bytes, and how many count. Without allocating.
    pub(super) fn get(&self) -> ([u8; MAX_NAME], usize) {
        let mut bytes = [0; MAX_NAME];
        for (word, bytes) in self.0.iter().zip(bytes.chunks_exact_mut(8)) {
            // ORDER: Relaxed: see `Goroutine::picture`.
            bytes.copy_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
        }
        (bytes, bytes.iter().position(|byte| *byte == 0).unwrap_or(MAX_NAME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: &str) -> String {
        let kept = AtomicName::new();
        kept.set("what was there before, and is longer");
        kept.set(name);
        let (bytes, len) = kept.get();
        String::from_utf8(bytes[..len].to_vec()).unwrap()
    }

    #[test]
    fn a_name_is_kept_and_cut_where_a_character_ends() {
        assert_eq!(kept(""), "");
        assert_eq!(kept("reader"), "reader");
        assert_eq!(kept(&"a".repeat(40)), "a".repeat(32));
        assert_eq!(kept(&"ü".repeat(16)), "ü".repeat(16));
        assert_eq!(kept(&format!("a{}", "ü".repeat(16))), format!("a{}", "ü".repeat(15)));
    }
}
