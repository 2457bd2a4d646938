//! The source text behind a site: which function it stands in, what it says, and which orderings no
//! site covers.
//!
//! A site is a line and a column. A reader wants `self.head.load(Acquire)` in `fn pop`; and a list
//! of known survivors must not go stale when a comment above moves the line. So sites are named by
//! file, function and operation, all read from the text. The text is also what tells that an
//! ordering was *never reached*: it stands in the source, and in no site of any run.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use crate::instrument::{Order, Site};

/// The text of the files under audit, by the names that the compiler gives them.
#[derive(Debug, Default)]
pub struct Sources(BTreeMap<String, Source>);

/// One file, with comments and literals blanked: every byte stands where it stood.
#[derive(Debug)]
struct Source {
    code: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// An ordering that the source names and that no case reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// The file.
    pub file: String,
    /// The line of the ordering or of the fence.
    pub line: u32,
    /// The function it stands in.
    pub function: String,
    /// The operation, without its arguments.
    pub operation: String,
}

/// What makes an operation worth an audit when it stands in the source.
const TOKENS: [&str; 6] = [
    "Ordering::Acquire",
    "Ordering::Release",
    "Ordering::AcqRel",
    "Ordering::SeqCst",
    "::light_fence(",
    "::heavy_fence(",
];

impl Sources {
    /// Reads every file under `root/folder` whose name, relative to `root`, `files` accepts.
    ///
    /// # Errors
    ///
    /// When the folder or a file cannot be read.
    pub fn read(root: &Path, folder: &str, files: fn(&str) -> bool) -> io::Result<Self> {
        let mut sources = Self::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(root.join(&folder))? {
                let entry = entry?;
                let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
                if entry.file_type()?.is_dir() {
                    folders.push(name);
                } else if name.ends_with(".rs") && files(&name) {
                    let source = Source::new(&fs::read_to_string(entry.path())?);
                    sources.0.insert(name, source);
                }
            }
        }
        Ok(sources)
    }

    /// The function that a site stands in; `?` if the text has none there.
    #[must_use]
    pub fn function(&self, site: &Site) -> String {
        self.at(site)
            .map_or_else(|| "?".into(), |(source, start)| source.function(start).to_owned())
    }

    /// The operation of a site: `self.head.load(Acquire)`.
    #[must_use]
    pub fn operation(&self, site: &Site) -> String {
        let orders = match site.failure {
            Order::Relaxed if site.kind != crate::instrument::Kind::CompareExchange => {
                format!("{}", site.order)
            }
            failure => format!("{}, {failure}", site.order),
        };
        let callee = self.at(site).map_or("?".into(), |(source, start)| source.callee(start));
        if callee.ends_with("light_fence") || callee.ends_with("heavy_fence") {
            return format!("{callee}()");
        }
        format!("{callee}({orders})")
    }

    /// Every ordering, stronger than `Relaxed`, and every fence that none of the sites covers.
    #[must_use]
    pub fn unreached(&self, sites: &[Site]) -> Vec<Unreached> {
        let mut unreached = Vec::new();
        for (file, source) in &self.0 {
            let covered: Vec<_> = sites
                .iter()
                .filter(|site| &site.file == file)
                .filter_map(|site| source.offset(site.line, site.column))
                .map(|start| start..source.end_of_call(start))
                .collect();
            for token in source.tokens() {
                if !covered.iter().any(|call| call.contains(&token)) {
                    unreached.push(Unreached {
                        file: file.clone(),
                        line: source.line_of(token),
                        function: source.function(token).to_owned(),
                        operation: match source.code[token..].starts_with("::") {
                            true => source.callee(token + 2),
                            false => source.call_around(token),
                        },
                    });
                }
            }
        }
        unreached.dedup_by(|one, other| {
            (&one.file, &one.function, &one.operation, one.line)
                == (&other.file, &other.function, &other.operation, other.line)
        });
        unreached
    }

    fn at(&self, site: &Site) -> Option<(&Source, usize)> {
        let source = self.0.get(&site.file.replace('\\', "/"))?;
        Some((source, source.offset(site.line, site.column)?))
    }
}

impl Source {
    fn new(text: &str) -> Self {
        let code = blank(text);
        let ends = code.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { code, lines }
    }

    /// Line and column count from 1; the column counts characters, and code is ASCII but for
    /// literals and comments, which are blanked character by character.
    fn offset(&self, line: u32, column: u32) -> Option<usize> {
        let at = self.lines.get(line as usize - 1)? + column as usize - 1;
        (at < self.code.len()).then_some(at)
    }

    fn line_of(&self, at: usize) -> u32 {
        self.lines.partition_point(|begin| *begin <= at) as u32
    }

    /// Where the tokens stand.
    fn tokens(&self) -> Vec<usize> {
        let mut found: Vec<_> = TOKENS
            .iter()
            .flat_map(|token| self.code.match_indices(token).map(|(at, _)| at))
            .collect();
        found.sort_unstable();
        found
    }

    /// The name of the last function that begins before `at`.
    fn function(&self, at: usize) -> &str {
        let before = &self.code[..at];
        before
            .match_indices("fn ")
            .filter(|(at, _)| {
                !before[..*at].ends_with(|byte: char| byte.is_alphanumeric() || byte == '_')
            })
            .map(|(at, keyword)| {
                let name = &before[at + keyword.len()..];
                let end = name.find(|byte: char| !byte.is_alphanumeric() && byte != '_');
                &name[..end.unwrap_or(name.len())]
            })
            .filter(|name| !name.is_empty())
            .last()
            .unwrap_or("?")
    }

    /// Where the call whose name stands at `start` ends: after its closing parenthesis.
    fn end_of_call(&self, start: usize) -> usize {
        let mut depth = 0_usize;
        for (at, byte) in self.code.bytes().enumerate().skip(start) {
            match byte {
                b'(' => depth += 1,
                b')' if depth <= 1 => return at + 1,
                b')' => depth -= 1,
                b';' if depth == 0 => return at,
                _ => {}
            }
        }
        self.code.len()
    }

    /// The receiver and the name of the call whose name stands at `start`, without white space.
    fn callee(&self, start: usize) -> String {
        let end = self.code[start..].find('(').map_or(self.code.len(), |at| start + at);
        let bytes = self.code.as_bytes();
        let mut begin = start;
        let mut depth = 0_usize;
        while begin > 0 {
            match bytes[begin - 1] {
                b')' | b']' => depth += 1,
                b'(' | b'[' if depth == 0 => break,
                b'(' | b'[' => depth -= 1,
                byte if byte.is_ascii_whitespace() && depth == 0 => {
                    // A chain goes on over a line break when the next line begins with a dot.
                    let rest = self.code[begin..end].trim_start();
                    let before = self.code[..begin].trim_end();
                    if !rest.starts_with('.') || before.ends_with(['=', '{', ';', ',', '(']) {
                        break;
                    }
                    begin = before.len() + 1;
                }
                byte if depth > 0 || byte.is_ascii_alphanumeric() || b"_.:".contains(&byte) => {}
                _ => break,
            }
            begin -= 1;
        }
        self.code[begin..end].split_whitespace().collect()
    }

    /// The callee of the innermost call around a token; the token itself if it stands in none.
    fn call_around(&self, token: usize) -> String {
        let bytes = self.code.as_bytes();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let mut depth = 0_usize;
        for at in (0..token).rev() {
            match bytes[at] {
                b')' => depth += 1,
                b'(' if depth > 0 => depth -= 1,
                b'(' if at > 0 && is_name(bytes[at - 1]) => {
                    let name = (0..at).rev().take_while(|at| is_name(bytes[*at])).last();
                    return self.callee(name.unwrap_or(at));
                }
                b'{' | b'}' | b';' => break,
                _ => {}
            }
        }
        let rest = self.code[token..].trim_start_matches(':');
        let end = rest.find(|byte: char| !byte.is_alphanumeric() && byte != '_' && byte != ':');
        rest[..end.unwrap_or(rest.len())].to_owned()
    }
}

/// Replaces comments, strings and characters by as many spaces as they have characters.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let literal = literal_len(rest);
        if literal == 0 {
            code.push(if first.is_ascii() { first } else { ' ' });
            rest = &rest[first.len_utf8()..];
            continue;
        }
        for inside in rest[..literal].chars() {
            code.push(if inside == '\n' { '\n' } else { ' ' });
        }
        rest = &rest[literal..];
    }
    code
}

/// How many bytes of a comment, a string or a character `text` begins with. (Raw strings with
/// hashes and nested block comments do not occur in the files under audit.)
fn literal_len(text: &str) -> usize {
    let to = |end: Option<usize>| end.unwrap_or(text.len());
    if text.starts_with("//") {
        return to(text.find('\n'));
    }
    if text.starts_with("/*") {
        return to(text.find("*/").map(|at| at + 2));
    }
    let mut chars = text.char_indices();
    match chars.next() {
        Some((_, '"')) => {
            let mut escaped = false;
            for (at, inside) in chars {
                match inside {
                    '"' if !escaped => return at + 1,
                    _ => escaped = inside == '\\' && !escaped,
                }
            }
            text.len()
        }
        // 'x' or '\n', not a lifetime.
        Some((_, '\'')) => match chars.next() {
            Some((_, '\\')) => to(text[2..].find('\'').map(|at| at + 3)),
            Some(_) => match chars.next() {
                Some((at, '\'')) => at + 1,
                _ => 0,
            },
            None => 0,
        },
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::Kind;

    const TEXT: &str = r#"
impl Queue {
    /// Ordering::SeqCst in a comment, and a 'quote.
    fn first(&self) -> u64 {
        let text = "Ordering::SeqCst (";
        self.heads[slot(1)].load(Ordering::Acquire)
    }

    fn second(&self) {
        self.inner()
            .tail
            .compare_exchange(
                f(1, ')'),
                2,
                Ordering::Release, // here
                Ordering::Relaxed,
            );
        Mem::fence(Ordering::SeqCst);
        Mem::heavy_fence();
    }
}
"#;

    fn sources() -> Sources {
        Sources([("a.rs".to_owned(), Source::new(TEXT))].into())
    }

    /// The site of the operation whose text follows `needle`'s place, as the compiler would say.
    fn site(needle: &str, kind: Kind, order: Order, failure: Order) -> Site {
        let at = TEXT.find(needle).unwrap();
        let line = TEXT[..at].matches('\n').count() as u32 + 1;
        let column = (at - TEXT[..at].rfind('\n').unwrap()) as u32;
        Site { file: "a.rs".into(), line, column, kind, order, failure }
    }

    fn all() -> [Site; 4] {
        use Order::{Acquire, Relaxed, Release, SeqCst};
        [
            site("load(", Kind::Load, Acquire, Relaxed),
            site("compare_exchange(", Kind::CompareExchange, Release, Relaxed),
            site("Mem::fence", Kind::Fence, SeqCst, Relaxed),
            site("Mem::heavy", Kind::HeavyFence, SeqCst, Relaxed),
        ]
    }

    #[test]
    fn sites_are_named_by_function_and_operation() {
        let sources = sources();
        let named = all().map(|site| (sources.function(&site), sources.operation(&site)));
        let expected = [
            ("first", "self.heads[slot(1)].load(Acquire)"),
            ("second", "self.inner().tail.compare_exchange(Release, Relaxed)"),
            ("second", "Mem::fence(SeqCst)"),
            ("second", "Mem::heavy_fence()"),
        ];
        assert_eq!(named, expected.map(|(function, text)| (function.into(), text.into())));
    }

    #[test]
    fn an_ordering_outside_every_site_is_unreached() {
        let sources = sources();
        assert_eq!(sources.unreached(&all()), []);
        let [load, _, fence, _] = all();
        let unreached = sources.unreached(&[load, fence]);
        let operations: Vec<_> = unreached.iter().map(|one| one.operation.as_str()).collect();
        assert_eq!(operations, ["self.inner().tail.compare_exchange", "Mem::heavy_fence"]);
        assert_eq!(unreached[0].function, "second");
        assert_eq!(unreached[0].line, 15);
    }
}
