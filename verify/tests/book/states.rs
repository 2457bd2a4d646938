//! The book's pictures of states are drawn from the tables that the code asserts.
//!
//! A picture has a column for each state and an arrow for each transition, in the order of the
//! table. It stands between two comments that name it; what is around it is written by hand.

use std::fmt::Write as _;
use std::fs;

use gosched::scheduler::MACHINE_TRANSITIONS;
use gosched::{ProcessorState, TaskStatus};

use crate::root;

const PAGE: &str = "docs/src/protocol/states.md";

/// States by their names, and arrows between them, each with a label.
struct Picture {
    states: Vec<String>,
    arrows: Vec<(usize, &'static str, usize)>,
}

impl Picture {
    /// Of a table; the states in the order in which they first come.
    fn of<S: Copy>(table: &[(S, &'static str, S)], name: fn(S) -> String) -> Self {
        let mut states: Vec<String> = Vec::new();
        let mut column = |state: S| {
            let name = name(state);
            states.iter().position(|known| *known == name).unwrap_or_else(|| {
                states.push(name);
                states.len() - 1
            })
        };
        let arrows = table.iter().map(|(from, by, to)| (column(*from), *by, column(*to))).collect();
        Self { states, arrows }
    }

    /// From the middle of one column to that of the next.
    fn distance(&self) -> usize {
        let names = self.states.iter().map(|name| name.chars().count() + 2);
        let labels = self.arrows.iter().map(|(from, label, to)| {
            (label.chars().count() + 6).div_ceil(from.abs_diff(*to).max(1))
        });
        names.chain(labels).max().unwrap_or(1)
    }

    fn draw(&self) -> String {
        let distance = self.distance();
        let middle = |column: usize| column * distance + distance / 2;
        let mut text = String::new();
        let mut header = String::new();
        for (column, name) in self.states.iter().enumerate() {
            let start = middle(column) - name.chars().count() / 2;
            let gap = start - header.chars().count();
            let _ = write!(header, "{:gap$}{name}", "");
        }
        let _ = writeln!(text, "{header}");
        for (from, label, to) in &self.arrows {
            let mut row = vec![' '; middle(self.states.len() - 1) + 1];
            (0..self.states.len()).for_each(|column| row[middle(column)] = '│');
            let (left, right) = (middle(*from.min(to)), middle(*from.max(to)));
            for cell in &mut row[left + 1..right] {
                *cell = if *cell == '│' { '┼' } else { '─' };
            }
            row[middle(*from)] = if from < to { '├' } else { '┤' };
            row[if from < to { right - 1 } else { left + 1 }] =
                if from < to { '►' } else { '◄' };
            let label: Vec<char> = format!(" {label} ").chars().collect();
            let start = left + (right - left + 1 - label.len()) / 2;
            row[start..start + label.len()].copy_from_slice(&label);
            let _ = writeln!(text, "{}", row.iter().collect::<String>().trim_end());
        }
        text
    }
}

fn processor(state: ProcessorState) -> String {
    match state {
        ProcessorState::InSystemCall => "in a call".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn machine(place: &str) -> String {
    place.replace("a processor", "P").replace("system call", "call")
}

fn task(status: TaskStatus) -> String {
    match status {
        TaskStatus::InSystemCall => "in a call".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// The page with its pictures drawn anew.
fn redrawn(page: &str, pictures: &[(&str, String)]) -> Option<String> {
    let mut page = page.to_owned();
    for (name, picture) in pictures {
        let begin = format!("<!-- drawn: {name} -->\n\n```text\n");
        let start = page.find(&begin)? + begin.len();
        let end = start + page[start..].find("```\n")?;
        page.replace_range(start..end, picture);
    }
    Some(page)
}

#[test]
fn the_pictures_are_those_of_the_code() {
    let pictures = [
        ("processor", Picture::of(&ProcessorState::TRANSITIONS, processor).draw()),
        ("machine", Picture::of(&MACHINE_TRANSITIONS, machine).draw()),
        ("task", Picture::of(&TaskStatus::TRANSITIONS, task).draw()),
    ];
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{PAGE}: {error}"));
    let drawn = redrawn(&page, &pictures).expect("the page has a place for each picture");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &drawn).expect("the page can be written");
    } else {
        assert!(
            page == drawn,
            "{PAGE} is out of date: UPDATE=1 cargo test -p gosched-verify --test book"
        );
    }
}

#[test]
fn a_picture_has_an_arrow_for_each_transition() {
    let name = |state: char| state.to_string();
    let picture = Picture::of(&[('a', "go", 'b'), ('b', "on", 'c'), ('c', "back", 'a')], name);
    let expected = "    a       b       c\n    \
                    ├─ go ─►│       │\n    \
                    │       ├─ on ─►│\n    \
                    │◄─── back ─────┤\n";
    assert_eq!(picture.draw(), expected, "\n{}", picture.draw());
}

#[test]
fn a_page_without_a_place_is_no_page() {
    let pictures = [("a", "new\n".to_owned())];
    let page = "x\n<!-- drawn: a -->\n\n```text\nold\n```\ny\n";
    let expected = page.replace("old", "new");
    assert_eq!(redrawn(page, &pictures), Some(expected));
    assert_eq!(redrawn("x\n", &pictures), None);
}
