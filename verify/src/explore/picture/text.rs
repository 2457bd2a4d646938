//! The diagram in text, for terminals and files.

use super::names::place;
use super::rows::{Row, Rows, Source};

/// Columns of a terminal that a diagram may fill, if it has few threads.
const TERMINAL: usize = 140;
/// A cell is not made narrower than this, however many threads there are.
const CELL_LEAST: usize = 26;
/// Between two columns.
const GAP: usize = 2;
/// Of a longer diagram the first and the last rows are shown: it is an endless loop.
const HEAD: usize = 20;
const TAIL: usize = 80;

/// A column a thread, a row an event.
pub(super) fn columns(diagram: &Rows) -> String {
    let cells: Vec<String> = diagram.rows.iter().map(cell).collect();
    let count = diagram.threads.len();
    let most = CELL_LEAST.max((TERMINAL - 6) / count - GAP);
    let width = |thread: &u8| {
        let mine = diagram.rows.iter().zip(&cells).filter(|(row, _)| row.thread == *thread);
        let widest = mine.flat_map(|(_, cell)| wrap(cell, most)).map(|line| length(&line));
        widest.chain([length(&header(*thread))]).max().unwrap_or_default() + GAP
    };
    let widths: Vec<usize> = diagram.threads.iter().map(width).collect();
    let mut text = legend(diagram);
    let headers: Vec<String> = diagram.threads.iter().map(|thread| header(*thread)).collect();
    line(&mut text, "", headers.iter().zip(&widths));
    for (index, row) in diagram.rows.iter().enumerate() {
        if let Some(left_out) = gap(index, diagram.rows.len()) {
            text.push_str(&left_out);
        }
        if is_left_out(index, diagram.rows.len()) {
            continue;
        }
        for (part, content) in wrap(&cells[index], most).iter().enumerate() {
            let number = if part == 0 { (index + 1).to_string() } else { String::new() };
            let contents: Vec<String> = diagram
                .threads
                .iter()
                .map(|thread| if *thread == row.thread { content.clone() } else { String::new() })
                .collect();
            line(&mut text, &number, contents.iter().zip(&widths));
        }
    }
    text.push_str(&claim(diagram));
    text
}

/// Event by event, with the program's lines.
pub(super) fn listing(diagram: &Rows) -> String {
    let cells: Vec<String> = diagram.rows.iter().map(cell).collect();
    let width = cells.iter().map(|cell| length(cell)).max().unwrap_or_default().min(TERMINAL);
    let mut text = legend(diagram);
    for (index, (row, cell)) in diagram.rows.iter().zip(&cells).enumerate() {
        if let Some(left_out) = gap(index, diagram.rows.len()) {
            text.push_str(&left_out);
        }
        if is_left_out(index, diagram.rows.len()) {
            continue;
        }
        let at = row.at.map(place).unwrap_or_default();
        let pad = " ".repeat(width.saturating_sub(length(cell)));
        let line = format!("{:>4}  thread {}  {cell}{pad}  {at}", index + 1, row.thread);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str(&claim(diagram));
    text
}

pub(super) fn header(thread: u8) -> String {
    if thread == 0 { "thread 0 (main)".into() } else { format!("thread {thread}") }
}

/// What a row says.
pub(super) fn cell(row: &Row) -> String {
    let source = match row.source {
        Some(Source::Initial) => " (initial)".into(),
        Some(Source::Row(number)) => format!(" (row {number})"),
        None => String::new(),
    };
    let note = row.note.as_ref().map(|note| format!("  ← {note}")).unwrap_or_default();
    format!("{}{source}{note}", row.text)
}

fn legend(diagram: &Rows) -> String {
    let names = diagram.legend.iter().map(|(name, _)| length(name));
    let width = names.max().unwrap_or_default();
    let mut text = String::new();
    for (name, at) in &diagram.legend {
        let pad = " ".repeat(width - length(name));
        text.push_str(&format!("      {name}{pad}  {at}\n"));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn claim(diagram: &Rows) -> String {
    let mut text = String::from("\n");
    let lines = diagram.claim.iter().flat_map(|line| wrap(line, TERMINAL));
    for (index, line) in lines.enumerate() {
        let mark = if index == 0 { '✗' } else { ' ' };
        text.push_str(format!("   {mark}  {line}").trim_end());
        text.push('\n');
    }
    text
}

fn line<'a>(text: &mut String, number: &str, cells: impl Iterator<Item = (&'a String, &'a usize)>) {
    let mut line = format!("{number:>4}  ");
    for (cell, width) in cells {
        line.push_str(cell);
        line.push_str(&" ".repeat(width - length(cell)));
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

fn is_left_out(index: usize, rows: usize) -> bool {
    rows > HEAD + TAIL && index >= HEAD && index < rows - TAIL
}

/// The line that stands for what is left out, before the first row behind it.
fn gap(index: usize, rows: usize) -> Option<String> {
    let here = rows > HEAD + TAIL && index == rows - TAIL;
    here.then(|| format!("   ⋮  {} rows\n", rows - HEAD - TAIL))
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// Breaks a cell into lines, at spaces where there are any.
pub(super) fn wrap(cell: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let inner = cell.trim_start();
    let mut line = " ".repeat(length(cell) - length(inner));
    for word in inner.split(' ') {
        let mut word = word.to_owned();
        if !line.trim().is_empty() && length(&line) + 1 + length(&word) > width {
            lines.push(std::mem::replace(&mut line, "   ".into()));
        } else if !line.trim().is_empty() {
            line.push(' ');
        }
        while length(&line) + length(&word) > width {
            let room = width - length(&line);
            let rest: String = word.chars().skip(room).collect();
            line.extend(word.chars().take(room));
            lines.push(std::mem::replace(&mut line, "    ".into()));
            word = rest;
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn a_wide_cell_is_broken_at_spaces_and_loses_nothing() {
        assert_eq!(wrap("short", 10), ["short"]);
        assert_eq!(wrap("  left: 0", 10), ["  left: 0"]);
        assert_eq!(wrap("x.store(1, Relaxed)", 12), ["x.store(1,", "   Relaxed)"]);
        let name = "a_name_that_is_wider_than_the_column";
        let lines = wrap(name, 12);
        assert!(lines.iter().all(|line| line.len() <= 12), "{lines:?}");
        assert_eq!(lines.iter().map(|line| line.trim()).collect::<String>(), name);
    }
}
