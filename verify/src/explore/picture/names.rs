//! Names for locations: what the source line that made them calls them.
//!
//! A location is made by a call such as `tail: CachePadded::new(Mem::AtomicU64::new(0))`. The call
//! knows its file, line and column; the line, if the file is still there to be read, knows the
//! name. It is a guess for the eyes, so each name also stands in a legend with its place.

use std::collections::HashMap;
use std::fs;
use std::panic::Location;
use std::path::Path;

use super::super::event::Loc;
use super::{Made, Story, What};

/// So many lines further up a name may stand, where a call was broken into lines.
const LINES_UP: usize = 6;

/// The names of a story's locations.
pub(super) struct Names {
    names: HashMap<Loc, String>,
    /// The group of locations that a name belongs to, and where they were made.
    groups: HashMap<Loc, (String, &'static Location<'static>)>,
}

impl Names {
    pub(super) fn of(story: &Story) -> Self {
        let mut sources = Sources::default();
        // Locations that one line made under one name are one group.
        let mut groups: Vec<(String, &'static Location<'static>, Vec<Loc>)> = Vec::new();
        for (loc, made) in locations(story) {
            let stem = stem(&mut sources, made.at, made.what);
            let line = |at: &Location<'static>| (at.file(), at.line());
            let same = |group: &&mut (String, &'static Location<'static>, Vec<Loc>)| {
                group.0 == stem && line(group.1) == line(made.at)
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.2.push(loc),
                None => groups.push((stem, made.at, vec![loc])),
            }
        }
        let plain: Vec<String> = groups.iter().map(|(stem, ..)| stem.clone()).collect();
        for (stem, at, _) in &mut groups {
            if plain.iter().filter(|other| *other == stem).count() > 1 {
                *stem = format!("{stem}@{}", at.line());
            }
        }
        let mut names = Self { names: HashMap::new(), groups: HashMap::new() };
        for (stem, at, members) in &groups {
            for (index, loc) in members.iter().enumerate() {
                let one = members.len() == 1;
                let name = if one { stem.clone() } else { format!("{stem}[{index}]") };
                names.names.insert(*loc, name);
                let group = if one { stem.clone() } else { format!("{stem}[]") };
                names.groups.insert(*loc, (group, at));
            }
        }
        names
    }

    pub(super) fn name(&self, loc: Loc) -> &str {
        self.names.get(&loc).map_or("?", String::as_str)
    }

    /// The name of the location's group, and where it was made.
    pub(super) fn group(&self, loc: Loc) -> Option<(String, String)> {
        self.groups.get(&loc).map(|(name, at)| (name.clone(), place(at)))
    }
}

/// Every location, in the order of their making.
fn locations(story: &Story) -> impl Iterator<Item = (Loc, &Made)> {
    story.made.iter().enumerate().flat_map(|(thread, made)| {
        made.iter()
            .enumerate()
            .map(move |(number, made)| (Loc { thread: thread as u8, number: number as u16 }, made))
    })
}

/// File and line, with slashes on every system.
pub(super) fn place(at: &Location<'_>) -> String {
    format!("{}:{}", at.file().replace('\\', "/"), at.line())
}

/// The lines of the source files that were asked for.
#[derive(Default)]
struct Sources(HashMap<&'static str, Vec<String>>);

impl Sources {
    fn lines(&mut self, file: &'static str) -> &[String] {
        self.0.entry(file).or_insert_with(|| {
            // The compiler names files from the root of the workspace.
            let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
            let text = fs::read_to_string(root.join(file)).or_else(|_| fs::read_to_string(file));
            text.unwrap_or_default().lines().map(str::to_owned).collect()
        })
    }
}

/// What a location is called, without an index.
fn stem(sources: &mut Sources, at: &'static Location<'static>, what: What) -> String {
    let lines = sources.lines(at.file());
    let line = at.line() as usize - 1;
    let file = Path::new(at.file()).file_name().map_or("?".into(), |file| file.to_string_lossy());
    let found = lines.get(line).and_then(|text| {
        let before = text.get(..at.column() as usize - 1)?;
        let argument = || argument_of(&text[before.len()..]);
        named_before(before).or_else(|| named_above(&lines[..line])).or_else(argument)
    });
    let name = found.unwrap_or_else(|| format!("{file}:{}", at.line()));
    if what == What::Owners { format!("Arc {name}") } else { name }
}

/// The name that a line gives to what comes behind it: a field, a variable, an assignment.
fn named_before(before: &str) -> Option<String> {
    let variable = before.rfind("let ").map(|start| (start, before[start + 4..].trim_start()));
    let field = last_field(before);
    match (variable, field) {
        (Some((start, _)), Some((at, name))) if at > start => Some(name),
        (Some((_, pattern)), _) => name_in_pattern(pattern),
        (None, Some((_, name))) => Some(name),
        (None, None) => {
            let target = before.rfind(" = ").map(|at| &before[..at])?;
            let last = target.rsplit(|c: char| !is_part(c)).next()?;
            identifier(last)
        }
    }
}

/// The last `name: ` of a line, and where it stands.
fn last_field(before: &str) -> Option<(usize, String)> {
    let (at, _) = before.rmatch_indices(": ").find(|(at, _)| !before[..*at].ends_with(':'))?;
    let start = before[..at].rfind(|c: char| !is_part(c)).map_or(0, |other| other + 1);
    Some((start, identifier(&before[start..at])?))
}

/// `x: Word = `, `mut x = `, `(x, y) = (Word::new(0), `: which one is it?
fn name_in_pattern(pattern: &str) -> Option<String> {
    let Some(tuple) = pattern.strip_prefix(['(', '[']) else {
        let pattern = pattern.strip_prefix("mut ").unwrap_or(pattern);
        let end = pattern.find(|c: char| !is_part(c)).unwrap_or(pattern.len());
        return identifier(&pattern[..end]);
    };
    let (names, rest) = tuple.split_once([')', ']'])?;
    let (_, values) = rest.split_once("= ")?;
    let mut depth = 0;
    let mut commas = 0;
    for c in values.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 1 => commas += 1,
            _ => {}
        }
    }
    identifier(names.split(',').nth(commas)?.trim())
}

/// The name in the lines above, where a call was broken into several.
fn named_above(lines: &[String]) -> Option<String> {
    for line in lines.iter().rev().take(LINES_UP) {
        let code = line.trim();
        let is_function = code.split(' ').any(|word| word == "fn");
        if code.is_empty() || code.ends_with([';', '}']) || is_function {
            return None;
        }
        let opens = code.ends_with(['(', '[', '{', '=', '|']);
        if opens && let Some(name) = named_before(&format!("{code} ")) {
            return Some(name);
        }
        if code.ends_with('{') {
            return None;
        }
    }
    None
}

/// `…::new(name)`: an `Arc` of something that has a name.
fn argument_of(call: &str) -> Option<String> {
    let (_, arguments) = call.split_once("new(")?;
    let end = arguments.find(|c: char| !is_part(c))?;
    let alone = arguments[end..].starts_with([')', ',']);
    if alone { identifier(&arguments[..end]) } else { None }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn identifier(text: &str) -> Option<String> {
    let first = text.chars().next()?;
    let names = !first.is_numeric() && text.chars().all(is_part) && text != "_";
    names.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{argument_of, named_above, named_before};

    #[test]
    fn a_location_is_called_what_its_line_calls_it() {
        for (line, name) in [
            ("    tail: CachePadded::new(", Some("tail")),
            ("    slots: from_fn(|_| ", Some("slots")),
            ("let x = ", Some("x")),
            ("let mut x = Arc::new(", Some("x")),
            ("let x: Arc<Word> = Arc::new(", Some("x")),
            ("let (x, y) = (", Some("x")),
            ("let (x, y) = (Word::new(0), ", Some("y")),
            ("let [x, y] = [make(1, 2), ", Some("y")),
            ("let queue = Queue { head: Word::new(0), tail: ", Some("tail")),
            ("*self.head = ", Some("head")),
            ("Owner::of(", None),
            ("", None),
        ] {
            assert_eq!(named_before(line).as_deref(), name, "{line}");
        }
    }

    #[test]
    fn a_broken_call_is_named_by_the_line_that_opens_it() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(named_above(&lines("let x = Arc::new(\n  wrap(")).as_deref(), Some("x"));
        assert_eq!(named_above(&lines("let x = 1;\n")), None);
        assert_eq!(named_above(&lines("fn f(a: u32) {")), None);
    }

    #[test]
    fn an_arc_is_called_what_it_holds() {
        assert_eq!(argument_of("Mem::Arc::new(queue)").as_deref(), Some("queue"));
        assert_eq!(argument_of("Mem::Arc::new(Queue::new())"), None);
    }
}
