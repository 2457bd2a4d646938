//! Every atomic operation of the product has its argument above it.
//!
//! `// ORDER:` says which operation this one pairs with and what breaks without it. The audit
//! weakens the orderings one by one and checks that the sentence is true; this rule checks that it
//! is there.

use crate::source::{File, code_of};
use crate::{assert_accepts, assert_objects, assert_tidy};

/// Here the operations are passed on, with the caller's ordering.
const DELEGATES: [&str; 5] = ["delegate.rs", "hardware.rs", "loom.rs", "mod.rs", "shuttle.rs"];

const ORDERINGS: [&str; 6] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst", "Ordering"];

const CALLS: [&str; 6] = [".load(", ".store(", ".swap(", ".compare_exchange", ".fetch_", "fence("];

/// No statement with an atomic operation is longer than this.
const STATEMENT_LINES: usize = 16;

fn every_atomic_operation_has_its_argument(file: &File) -> Vec<String> {
    let delegate = DELEGATES.iter().any(|name| file.path == format!("core/src/memory/{name}"));
    if !file.is_rust() || !file.is_under("core/src/") || delegate {
        return Vec::new();
    }
    let lines: Vec<&str> = file.text.lines().collect();
    (0..lines.len())
        .filter(|index| is_operation(&lines, *index) && !is_argued(&lines, *index))
        .map(|index| file.objection(index + 1, "no `// ORDER:` above this atomic operation"))
        .collect()
}

/// Whether a call that begins on this line is an atomic operation: its arguments name an ordering,
/// or it is one of the asymmetric fences, which have none.
fn is_operation(lines: &[&str], index: usize) -> bool {
    let code = code_of(lines[index]);
    if code.contains("fn ") || code.trim_start().starts_with("use ") {
        return false;
    }
    CALLS.iter().any(|call| {
        code.match_indices(call).any(|(start, _)| {
            let arguments = arguments(lines, index, start);
            let asymmetric = *call == "fence(" && arguments.is_empty();
            asymmetric || ORDERINGS.iter().any(|ordering| arguments.contains(ordering))
        })
    })
}

/// What stands between the first parenthesis after `start` and the one that closes it.
fn arguments(lines: &[&str], index: usize, start: usize) -> String {
    let mut text = String::new();
    let mut depth = 0_usize;
    let first = core::iter::once(&code_of(lines[index])[start..]);
    let rest = lines[index + 1..].iter().take(STATEMENT_LINES).map(|line| code_of(line));
    for character in first.chain(rest).flat_map(str::chars) {
        match character {
            '(' => depth += 1,
            ')' if depth == 1 => return text,
            ')' => depth -= 1,
            _ if depth > 0 => text.push(character),
            _ => {}
        }
    }
    text
}

/// Whether the comment directly above the statement holds the argument.
fn is_argued(lines: &[&str], index: usize) -> bool {
    let above = lines[..index].iter().rev().take(STATEMENT_LINES).map(|line| line.trim());
    let mut in_comment = false;
    for line in above {
        if line.starts_with("//") {
            in_comment = true;
            if line.contains("// ORDER:") {
                return true;
            }
        } else if in_comment || ends_a_statement(line) {
            return false;
        }
    }
    false
}

/// Whether what follows `line` is a new statement.
fn ends_a_statement(line: &str) -> bool {
    let code = code_of(line).trim_end();
    let arm = code.ends_with(',') && code.contains("=>");
    code.is_empty() || arm || [';', '{', '}'].iter().any(|end| code.ends_with(*end))
}

#[test]
fn every_atomic_operation_of_the_core_has_its_argument() {
    assert_tidy(every_atomic_operation_has_its_argument);
}

#[test]
fn the_rule_objects_to_an_operation_without_an_argument() {
    let rule = every_atomic_operation_has_its_argument;
    let path = "core/src/note.rs";
    assert_objects(rule, path, 1, "self.state.load(Ordering::Acquire);\n");
    assert_objects(rule, path, 2, "// Loads.\nself.state.load(Ordering::Acquire);\n");
    assert_objects(rule, path, 1, "Mem::light_fence();\n");
    assert_objects(
        rule,
        path,
        3,
        "// ORDER: Release: pairs.\nself.a.store(1, Ordering::Release);\nMem::fence(SeqCst);\n",
    );
    assert_objects(
        rule,
        path,
        3,
        "// ORDER: for something else.\n\n\
         let a = b.compare_exchange_weak(\n    1,\n    2,\n    AcqRel,\n    Acquire,\n);\n",
    );
    assert_objects(
        rule,
        path,
        4,
        "match a {\n    // ORDER: Relaxed.\n    1 => b.load(Relaxed),\n    \
         _ => c.load(Relaxed),\n}\n",
    );
}

#[test]
fn the_rule_accepts_an_argument_above_the_statement() {
    let rule = every_atomic_operation_has_its_argument;
    let path = "core/src/note.rs";
    assert_accepts(rule, path, "// ORDER: Acquire: pairs\n// with it.\na.load(Acquire);\n");
    assert_accepts(rule, path, "// ORDER: Acquire.\nlet b =\n    a.load(Ordering::Acquire);\n");
    assert_accepts(rule, path, "// ORDER: both.\na\n    .b\n    .swap(1, Ordering::AcqRel);\n");
    assert_accepts(rule, path, "let taken = slots.swap(1, 2);\n/// a.load(Acquire)\n");
    assert_accepts(rule, "core/src/memory/loom.rs", "fence(Ordering::SeqCst);\n");
    assert_accepts(rule, "verify/src/world.rs", "a.load(Acquire);\n");
}
