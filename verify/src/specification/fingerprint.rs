//! Fingerprints: 128 bits in place of a state.
//!
//! A search keeps the fingerprints of the states that it has seen, and not the states. Two states
//! with one fingerprint would be taken for one. If fingerprints are as good as random, the chance
//! that this happens at all among n states is less than n^2 / 2^129: among a hundred million
//! states, one in 10^22.

use core::hash::{BuildHasherDefault, Hash, Hasher};
use std::collections::HashMap;

/// What stands for a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64, u64);

/// The fingerprint of anything that can be hashed.
#[must_use]
pub(super) fn fingerprint(value: &impl Hash) -> Fingerprint {
    let mut mixer =
        Mixer { lanes: [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344], word: 0, len: 0 };
    value.hash(&mut mixer);
    mixer.end()
}

/// Two lanes of multiply and fold, with different odd constants.
struct Mixer {
    lanes: [u64; 2],
    word: u64,
    len: u32,
}

const FACTORS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f];

fn fold(lane: u64, factor: u64) -> u64 {
    let product = u128::from(lane) * u128::from(factor);
    (product as u64) ^ ((product >> 64) as u64)
}

impl Mixer {
    fn mix(&mut self) {
        for (lane, factor) in self.lanes.iter_mut().zip(FACTORS) {
            // The added constant keeps a lane from staying 0.
            *lane = fold(*lane ^ self.word, factor).wrapping_add(factor);
        }
        (self.word, self.len) = (0, 0);
    }

    fn end(mut self) -> Fingerprint {
        self.mix();
        Fingerprint(fold(self.lanes[0], FACTORS[1]), fold(self.lanes[1], FACTORS[0]))
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u8(*byte));
    }

    fn write_u8(&mut self, byte: u8) {
        self.word = self.word << 8 | u64::from(byte);
        self.len += 1;
        if self.len == 8 {
            self.mix();
        }
    }

    /// Lengths, which are the same in all states, and names of variants.
    fn write_usize(&mut self, number: usize) {
        self.write_u8(number as u8);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u8(number as u8);
    }

    fn finish(&self) -> u64 {
        self.lanes[0]
    }
}

/// A map from fingerprints, which need no hashing of their own.
pub(super) type FingerprintMap<V> = HashMap<Fingerprint, V, BuildHasherDefault<Half>>;

/// Takes the fingerprint's first half as the hash.
#[derive(Default, Debug)]
pub(super) struct Half(u64);

impl Hasher for Half {
    fn write(&mut self, _: &[u8]) {
        unreachable!("a fingerprint is two words");
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = self.0.rotate_left(32) ^ word;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
