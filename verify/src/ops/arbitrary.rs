//! Programs for libFuzzer and whatever else speaks the crate `arbitrary`.
//!
//! By hand and not derived: the bytes must be those of [`encoding`](super::encoding), which can be
//! written as well as read.

use arbitrary::{Arbitrary, Result, Unstructured};

use super::{Language, Program};

impl<'a, L: Language> Arbitrary<'a> for Program<L> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let length = u.len();
        Ok(Self::decode(u.bytes(length)?))
    }

    fn arbitrary_take_rest(u: Unstructured<'a>) -> Result<Self> {
        Ok(Self::decode(u.take_rest()))
    }
}
