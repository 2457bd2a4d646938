//! Programs as bytes, and back.
//!
//! ```text
//!    set-up: 4 bytes | operation: 3 bytes | operation: 3 bytes | ...
//!                      code, first argument, second argument
//! ```
//!
//! *Every* sequence of bytes is a program (codes and choices are taken modulo their number, a rest
//! of less than three bytes is left out), so no input of a fuzzer is wasted. The records have one
//! size, so that inserting, deleting, copying and splicing bytes, which is what fuzzers do, mostly
//! inserts, deletes, copies and splices operations. And the encoding has an inverse: known programs
//! are written out as seeds, and a crash is read back as a Rust expression.

use super::{Language, Program};

/// How many bytes an operation takes.
pub const RECORD: usize = 3;
/// How many bytes a set-up takes.
pub const SETUP: usize = 4;

/// An operation of some language, in three bytes.
pub trait Operation: Copy + core::fmt::Debug + PartialEq + 'static {
    /// How many operations the language has.
    const CODES: u8;

    /// The operation that the record stands for. Every record stands for one.
    fn decode(record: [u8; RECORD]) -> Self;

    /// A record that stands for the operation.
    fn encode(self) -> [u8; RECORD];
}

/// An argument of an operation, in one byte.
pub trait Argument: Copy {
    /// The argument that the byte stands for.
    fn from_byte(byte: u8) -> Self;

    /// A byte that stands for the argument.
    fn to_byte(self) -> u8;
}

impl Argument for u8 {
    fn from_byte(byte: u8) -> Self {
        byte
    }

    fn to_byte(self) -> u8 {
        self
    }
}

/// Makes an enum without fields an [`Argument`]. All its variants must be named.
macro_rules! choice {
    ($type:ty: $($variant:ident),+) => {
        impl $crate::ops::encoding::Argument for $type {
            fn from_byte(byte: u8) -> Self {
                const ALL: &[$type] = &[$(<$type>::$variant),+];
                ALL[usize::from(byte) % ALL.len()]
            }

            fn to_byte(self) -> u8 {
                self as u8
            }
        }
    };
}
pub(super) use choice;

/// An enum that is an [`Operation`]: its variants have up to two arguments, whose names stand here
/// for the reader.
macro_rules! operations {
    ($(#[$doc:meta])* pub enum $name:ident {
        $($(#[$about:meta])* $variant:ident $(($($argument:ident: $type:ty),+))?,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$about])* $variant $(($($type),+))?,)+
        }

        impl $crate::ops::encoding::Operation for $name {
            const CODES: u8 = [$(stringify!($variant)),+].len() as u8;

            fn decode(record: [u8; $crate::ops::encoding::RECORD]) -> Self {
                type Decoder = fn(&[u8]) -> $name;
                const DECODERS: &[Decoder] = &[$(|_arguments| {
                    let mut _arguments = _arguments.iter().copied();
                    $name::$variant $(($({
                        let byte = _arguments.next().unwrap_or(0);
                        <$type as $crate::ops::encoding::Argument>::from_byte(byte)
                    }),+))?
                }),+];
                let [code, arguments @ ..] = record;
                DECODERS[usize::from(code) % DECODERS.len()](&arguments)
            }

            fn encode(self) -> [u8; $crate::ops::encoding::RECORD] {
                /// The variants' places.
                enum Code { $($variant),+ }
                let (code, arguments): (Code, &[u8]) = match self {
                    $(Self::$variant $(($($argument),+))? => (
                        Code::$variant,
                        &[$($($crate::ops::encoding::Argument::to_byte($argument)),+)?],
                    ),)+
                };
                let mut record = [code as u8, 0, 0];
                record[1..=arguments.len()].copy_from_slice(arguments);
                record
            }
        }
    };
}
pub(super) use operations;

impl<L: Language> Program<L> {
    /// The program that the bytes stand for. All bytes stand for one.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        let (setup, ops) = bytes.split_at(bytes.len().min(SETUP));
        let mut padded = [0; SETUP];
        padded[..setup.len()].copy_from_slice(setup);
        let (records, _rest) = ops.as_chunks::<RECORD>();
        let ops = records.iter().map(|&record| L::Op::decode(record)).collect();
        Self { setup: L::from_bytes(padded), ops }
    }

    /// Bytes that stand for the program.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.setup.to_bytes().to_vec();
        bytes.extend(self.ops.iter().flat_map(|op| op.encode()));
        bytes
    }
}
