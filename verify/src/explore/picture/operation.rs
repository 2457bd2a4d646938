//! One event as a line of code: what the program wrote there, with names and values.

use std::cell::RefCell;

use super::super::event::{Arithmetic, Event, EventId, Fence, Label, Loc, Read, ReadKind, Write};
use super::super::pointers::NAMED;
use super::names::Names;
use super::{Story, What};

/// From here on a number is easier to read in hexadecimal: packed words are this large.
const LARGE: u64 = 1 << 20;

/// Writes events down.
pub(super) struct Operations<'a> {
    story: &'a Story,
    names: &'a Names,
    /// The pointers, in the order in which they were met: each gets a letter.
    pointers: RefCell<Vec<u64>>,
}

impl<'a> Operations<'a> {
    pub(super) fn new(story: &'a Story, names: &'a Names) -> Self {
        Self { story, names, pointers: RefCell::new(Vec::new()) }
    }

    /// What the event did; of a read-modify-write the read is asked.
    pub(super) fn text(&self, id: EventId, event: &Event) -> String {
        match &event.label {
            Label::Read(read) => self.read(read),
            Label::Write(write) => self.write(write),
            Label::Fence(Fence::Ordered(order)) => format!("fence({order:?})"),
            Label::Fence(Fence::Light) => "light_fence()".into(),
            Label::Fence(Fence::Heavy) => "heavy_fence()".into(),
            Label::Spawn(child) => format!("spawns thread {child}"),
            Label::Join(child) => format!("joins thread {child}"),
            Label::End => format!("thread {} ends", id.thread),
            Label::Choice { of, picked } => format!("chooses {picked} of 0..{of}"),
        }
    }

    fn what(&self, loc: Loc) -> What {
        let made = &self.story.made[usize::from(loc.thread)];
        made.get(usize::from(loc.number)).map_or(What::Word, |made| made.what)
    }

    fn write(&self, write: &Write) -> String {
        let name = self.names.name(write.loc);
        match self.what(write.loc) {
            What::Lock => format!("{name}.unlock()"),
            _ => {
                let value = self.value(write.loc, write.value);
                format!("{name}.store({value}, {:?})", write.order)
            }
        }
    }

    fn read(&self, read: &Read) -> String {
        let name = self.names.name(read.loc);
        let value = |word| self.value(read.loc, word);
        let found = value(read.value);
        match read.kind {
            ReadKind::Load(order) => format!("{name}.load({order:?}) → {found}"),
            ReadKind::Modify { arithmetic, operand, order, .. } => {
                match (self.what(read.loc), arithmetic) {
                    (What::Parker, _) => format!("{name}.unpark()"),
                    (What::Owners, Arithmetic::Add) => format!("{name}.clone()"),
                    (What::Owners, _) => format!("drop({name}), of {found}"),
                    _ => {
                        let method = method(arithmetic);
                        format!("{name}.{method}({}, {order:?}) → {found}", value(operand))
                    }
                }
            }
            ReadKind::Exchange { expected, new, success, failure, weak } => {
                let method = if weak { "compare_exchange_weak" } else { "compare_exchange" };
                let result = if read.is_exclusive() { "Ok" } else { "Err" };
                let luck = if read.spurious { ", spuriously" } else { "" };
                let (expected, new) = (value(expected), value(new));
                format!(
                    "{name}.{method}({expected}, {new}, {success:?}, {failure:?}) → \
                     {result}({found}){luck}"
                )
            }
            ReadKind::Await { .. } => {
                let parks = self.what(read.loc) == What::Parker;
                format!("{name}.{}()", if parks { "park" } else { "lock" })
            }
        }
    }

    /// Why a thread that waits at this read does.
    pub(super) fn reason(&self, read: &Read) -> &'static str {
        if self.what(read.loc) == What::Parker { "no token" } else { "it is held" }
    }

    fn value(&self, loc: Loc, word: u64) -> String {
        match self.what(loc) {
            What::Pointer if word == 0 => "null".into(),
            What::Pointer if word >= NAMED => self.pointer(word),
            _ => number(word),
        }
    }

    /// `&A`, `&B`, …: which pointer it is does not matter, only which ones are the same.
    fn pointer(&self, name: u64) -> String {
        let mut pointers = self.pointers.borrow_mut();
        let known = pointers.iter().position(|other| *other == name);
        let index = known.unwrap_or_else(|| {
            pointers.push(name);
            pointers.len() - 1
        });
        let letter = char::from(b'A' + (index % 26) as u8);
        if index < 26 { format!("&{letter}") } else { format!("&{letter}{}", index / 26) }
    }
}

fn method(arithmetic: Arithmetic) -> &'static str {
    match arithmetic {
        Arithmetic::Swap => "swap",
        Arithmetic::Add => "fetch_add",
        Arithmetic::Sub => "fetch_sub",
        Arithmetic::And => "fetch_and",
        Arithmetic::Or => "fetch_or",
        Arithmetic::Xor => "fetch_xor",
        Arithmetic::Max => "fetch_max",
        Arithmetic::Min => "fetch_min",
    }
}

/// Small numbers in decimal, large ones in hexadecimal, by groups of four.
fn number(word: u64) -> String {
    if word < LARGE {
        return word.to_string();
    }
    let mut rest = word;
    let mut groups = Vec::new();
    while rest > 0xffff {
        groups.push(format!("{:04x}", rest & 0xffff));
        rest >>= 16;
    }
    groups.push(format!("{rest:x}"));
    groups.reverse();
    format!("0x{}", groups.join("_"))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn large_numbers_are_cut_into_groups() {
        assert_eq!(number(1_048_575), "1048575");
        assert_eq!(number(1 << 20), "0x10_0000");
        assert_eq!(number(u64::from(u32::MAX)), "0xffff_ffff");
        assert_eq!(number(1 << 32 | 2), "0x1_0000_0002");
    }
}
