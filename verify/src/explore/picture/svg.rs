//! The diagram as a picture: a column a thread, a box an event, time downwards, an arrow from each
//! write to the reads of other threads that read it, and a dashed one from what a read has missed.
//!
//! The file is complete in itself: no scripts, no fonts, no links. Text is set in a monospaced
//! face, whose width is known well enough to lay the boxes out.

use std::fmt::Write as _;

use super::rows::{Row, Rows, Source, Tone};
use super::text::{cell, header, wrap};

/// Of one character, at the size that the style below names; wide enough for the usual faces.
const CHARACTER: usize = 8;
const LINE: usize = 18;
const PADDING: usize = 10;
/// Between two boxes of a column.
const ROW_GAP: usize = 8;
/// Between two columns: room for arrows.
const COLUMN_GAP: usize = 64;
const MARGIN: usize = 24;
/// Left of the first column: room for row numbers.
const NUMBERS: usize = 36;
const HEADER: usize = 34;
/// Characters in the boxes of a row of columns at most, and in a single box at least.
const ROW_MOST: usize = 140;
const CELL_LEAST: usize = 26;
const CELL_MOST: usize = 46;
/// Boxes at most: a longer diagram is an endless loop, whose end tells the story.
const ROWS_MOST: usize = 100;

const STYLE: &str = "\
text { font: 13px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1f2328; }
.title { font-weight: bold; }
.quiet { fill: #6e7781; }
.life { stroke: #d0d7de; stroke-width: 1.5; stroke-dasharray: 2 4; }
.box { fill: #f6f8fa; stroke: #d0d7de; }
.weak { fill: #fff3d6; stroke: #d4a72c; }
.waits { fill: #eee8fb; stroke: #8250df; }
.fails { fill: #ffebe9; stroke: #cf222e; }
.note { font-style: italic; }
.reads { stroke: #0969da; stroke-width: 1.4; fill: none; marker-end: url(#head); }
.missed { stroke: #bf8700; stroke-width: 1.4; fill: none; stroke-dasharray: 5 4; marker-end: url(#weak-head); }
.claim { fill: #82071e; }
";

/// A row's box.
struct Placed<'a> {
    row: &'a Row,
    number: usize,
    lines: Vec<String>,
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// Where everything stands.
struct Layout<'a> {
    boxes: Vec<Placed<'a>>,
    /// Of each thread's column: left edge and width.
    columns: Vec<(u8, usize, usize)>,
    /// Where the lines of life begin and end.
    top: usize,
    bottom: usize,
    right: usize,
}

pub(super) fn draw(diagram: &Rows) -> String {
    let layout = lay_out(diagram);
    let claim: Vec<String> = diagram.claim.iter().flat_map(|line| wrap(line, 110)).collect();
    let widest = claim.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    let width = (layout.right + MARGIN).max(NUMBERS + widest * CHARACTER + 3 * MARGIN);
    let claim_height = claim.len() * LINE + 2 * PADDING;
    let legend = layout.bottom + claim_height + 2 * MARGIN;
    let height = legend + diagram.legend.len() * LINE + MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n",
        escape(&diagram.claim[0])
    );
    svg.push_str("<defs>\n");
    for (name, colour) in [("head", "#0969da"), ("weak-head", "#bf8700")] {
        let _ = writeln!(
            svg,
            "<marker id=\"{name}\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
             markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"{colour}\"/></marker>"
        );
    }
    svg.push_str("</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
    draw_columns(&mut svg, &layout);
    draw_arrows(&mut svg, &layout);
    draw_boxes(&mut svg, &layout);
    let claim_y = layout.bottom + MARGIN / 2;
    let _ = writeln!(
        svg,
        "<rect class=\"fails\" x=\"{NUMBERS}\" y=\"{claim_y}\" width=\"{}\" height=\"{claim_height}\" \
         rx=\"6\"/>",
        width - NUMBERS - MARGIN
    );
    for (index, line) in claim.iter().enumerate() {
        let mark = if index == 0 { "✗ " } else { "  " };
        let y = claim_y + PADDING + LINE * index + 13;
        text(&mut svg, "claim", NUMBERS + PADDING, y, &format!("{mark}{line}"));
    }
    for (index, (name, at)) in diagram.legend.iter().enumerate() {
        let y = legend + LINE * index;
        text(&mut svg, "quiet", NUMBERS, y, &format!("{name}: {at}"));
    }
    svg.push_str("</svg>\n");
    svg
}

fn lay_out(diagram: &Rows) -> Layout<'_> {
    let skipped = diagram.rows.len().saturating_sub(ROWS_MOST);
    let most = (ROW_MOST / diagram.threads.len()).clamp(CELL_LEAST, CELL_MOST);
    let rows = || diagram.rows.iter().enumerate().skip(skipped);
    let lines: Vec<Vec<String>> = rows().map(|(_, row)| box_lines(row, most)).collect();
    let mut columns = Vec::new();
    let mut x = MARGIN + NUMBERS;
    for thread in &diagram.threads {
        let mine = rows().zip(&lines).filter(|((_, row), _)| row.thread == *thread);
        let widest = mine.flat_map(|(_, lines)| lines).map(|line| line.chars().count()).max();
        let characters = widest.unwrap_or_default().max(header(*thread).chars().count());
        let width = characters * CHARACTER + 2 * PADDING;
        columns.push((*thread, x, width));
        x += width + COLUMN_GAP;
    }
    let mut y = MARGIN + HEADER;
    let mut boxes = Vec::new();
    for ((index, row), lines) in rows().zip(lines) {
        let Some(&(_, x, width)) = columns.iter().find(|column| column.0 == row.thread) else {
            continue;
        };
        let height = lines.len() * LINE + PADDING;
        boxes.push(Placed { row, number: index + 1, lines, x, y, width, height });
        y += height + ROW_GAP;
    }
    Layout { boxes, columns, top: MARGIN + LINE, bottom: y, right: x - COLUMN_GAP }
}

/// The operation, and what is remarkable about it in a line of its own.
fn box_lines(row: &Row, most: usize) -> Vec<String> {
    let plain = Row { note: None, text: row.text.clone(), missed: Vec::new(), ..*row };
    let mut lines = wrap(&cell(&plain), most);
    lines.extend(row.note.iter().flat_map(|note| wrap(note, most)));
    lines
}

fn draw_columns(svg: &mut String, layout: &Layout<'_>) {
    for &(thread, x, width) in &layout.columns {
        let middle = x + width / 2;
        let _ = writeln!(
            svg,
            "<line class=\"life\" x1=\"{middle}\" y1=\"{}\" x2=\"{middle}\" y2=\"{}\"/>",
            layout.top + 4,
            layout.bottom
        );
        text(svg, "title", x, MARGIN + 13, &header(thread));
    }
}

/// Arrows lie under the boxes, so that no text is crossed out.
fn draw_arrows(svg: &mut String, layout: &Layout<'_>) {
    for to in &layout.boxes {
        let read = match to.row.source {
            Some(Source::Row(number)) => Some(("reads", number)),
            _ => None,
        };
        let missed = to.row.missed.last().map(|number| ("missed", *number));
        for (class, number) in read.into_iter().chain(missed) {
            let from = layout.boxes.iter().find(|from| from.number == number);
            if let Some(from) = from.filter(|from| from.row.thread != to.row.thread) {
                draw_arrow(svg, class, from, to);
            }
        }
    }
}

fn draw_arrow(svg: &mut String, class: &str, from: &Placed<'_>, to: &Placed<'_>) {
    let rightwards = from.x < to.x;
    // Two arrows that come in side by side do not touch.
    let lower = if class == "missed" { 7 } else { 0 };
    let (x1, x2) = if rightwards { (from.x + from.width, to.x) } else { (from.x, to.x + to.width) };
    let (y1, y2) = (from.y + from.height / 2 + lower, to.y + 12 + lower);
    let reach = COLUMN_GAP * 2 / 3;
    let (c1, c2) = if rightwards {
        (x1 + reach, x2.saturating_sub(reach))
    } else {
        (x1.saturating_sub(reach), x2 + reach)
    };
    let _ =
        writeln!(svg, "<path class=\"{class}\" d=\"M{x1} {y1}C{c1} {y1} {c2} {y2} {x2} {y2}\"/>");
}

fn draw_boxes(svg: &mut String, layout: &Layout<'_>) {
    for placed in &layout.boxes {
        let class = match placed.row.tone {
            Tone::Plain => "box",
            Tone::Weak => "weak",
            Tone::Waits => "waits",
            Tone::Fails => "fails",
        };
        let Placed { x, y, width, height, number, .. } = placed;
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             rx=\"5\"/>"
        );
        text(svg, "quiet", MARGIN, y + 18, &format!("{number:>3}"));
        let notes = usize::from(placed.row.note.is_some());
        for (index, line) in placed.lines.iter().enumerate() {
            let class = if index + notes >= placed.lines.len() { "note" } else { "code" };
            text(svg, class, x + PADDING, y + 18 + LINE * index, line);
        }
    }
}

fn text(svg: &mut String, class: &str, x: usize, y: usize, content: &str) {
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" xml:space=\"preserve\">{}</text>",
        escape(content)
    );
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // What XML does not allow, whatever a panic's message may hold.
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
