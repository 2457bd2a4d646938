//! The audit for people: text for the terminal, Markdown for the book.

use core::fmt::{self, Write};

use super::verdict::{Audit, Row, Verdict, counted};

/// What a claim complained of is cut to this many characters: the page shows that it noticed, and
/// the command shows the rest.
const MESSAGE_MAX: usize = 100;

/// The text for a terminal.
#[must_use]
pub fn text(audit: &Audit) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_text(&mut page, audit);
    page
}

/// The page of the book.
#[must_use]
pub fn markdown(audit: &Audit) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_markdown(&mut page, audit);
    page
}

fn write_text(page: &mut String, audit: &Audit) -> fmt::Result {
    for (site, rows) in by_site(audit) {
        writeln!(page, "\n{site}")?;
        for row in rows {
            writeln!(page, "    {:28} {}  ({:.1} s)", row.weakened, row.verdict, row.seconds)?;
            if let Verdict::Killed { message, .. } = &row.verdict {
                writeln!(page, "    {:28}   {}", "", shortened(message))?;
            }
            if let Some(reason) = row.reason {
                writeln!(page, "    {:28}   {reason}", "")?;
            }
        }
    }
    writeln!(page)?;
    for case in &audit.cut_off {
        writeln!(page, "{case} did not end in time with nothing weakened, and took no part")?;
    }
    for row in audit.unexplained() {
        writeln!(page, "UNEXPLAINED  {row}")?;
    }
    for stale in &audit.stale {
        writeln!(page, "STALE  in the list of known survivors: {stale}")?;
    }
    writeln!(page, "{}, in {:.0} s", summary(audit), audit.seconds)
}

/// Rows of one operation, under its line in the source.
fn by_site(audit: &Audit) -> Vec<(String, Vec<&Row>)> {
    let mut sites: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in &audit.rows {
        let site = format!("{}:{}  {}  {}", row.file, row.line, row.function, row.operation);
        match sites.last_mut() {
            Some((last, rows)) if *last == site => rows.push(row),
            _ => sites.push((site, vec![row])),
        }
    }
    sites
}

fn summary(audit: &Audit) -> String {
    let killed = audit.rows.iter().filter(|row| row.is_killed()).count();
    let unreached = audit.rows.iter().filter(|row| row.verdict == Verdict::Unreached).count();
    let explained = audit.rows.iter().filter(|row| row.reason.is_some()).count();
    format!(
        "{} weakenings: {killed} killed, {} survived; {unreached} operations not reached; \
         {explained} explained, {} unexplained, {} stale explanations; {} cases took part",
        audit.rows.len() - unreached,
        audit.rows.len() - unreached - killed,
        audit.unexplained().count(),
        audit.stale.len(),
        audit.cases,
    )
}

/// The first line of a message, without tokens that would break a table.
fn shortened(message: &str) -> String {
    let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    match line.char_indices().nth(MESSAGE_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const HEAD: &str = "\
# The ordering audit

Every memory ordering in `core` that is stronger than `Relaxed`, and every fence, was made weaker,
one at a time, and the claims were run again, under the explorer or loom, until one of them failed.
An ordering that no claim misses is either too strong, or something that the engines cannot see: each
of these has its reason below. The same program checks that every ordering in the source is reached by
some claim.

This page is written by

```sh
cargo run --release -- audit --engine explore --markdown docs/src/verification/ordering-audit.md
```

and the command fails when an ordering survives that is not explained here, or when an explanation
is not needed any more. It weakens the code that ships, not a copy: an atomic operation knows the
line that called it (`#[track_caller]`), and the world `Audited<W>` asks the engine for less there.

What the weakening of one ordering alone cannot show: two orderings that stand in for each other.
";

fn write_markdown(page: &mut String, audit: &Audit) -> fmt::Result {
    page.push_str(HEAD);
    writeln!(page, "\n{}.", summary(audit))?;
    let killed: Vec<_> = audit.rows.iter().filter(|row| row.is_killed()).collect();
    let mut file = "";
    writeln!(page, "\n## Noticed")?;
    for row in killed {
        let Verdict::Killed { case, engine, executions, message } = &row.verdict else { continue };
        if row.file != file {
            file = &row.file;
            writeln!(page, "\n### `{file}`\n")?;
            writeln!(
                page,
                "| line | function | operation | weakened | fails | under | after | with |"
            )?;
            writeln!(page, "|---:|---|---|---|---|---|---:|---|")?;
        }
        writeln!(
            page,
            "| {} | `{}` | `{}` | {} | `{case}` | {engine} | {} | {} |",
            row.line,
            row.function,
            cell(&row.operation),
            row.weakened,
            executions.map_or("crash".into(), counted),
            cell(&shortened(message)),
        )?;
    }
    writeln!(page, "\n## Not noticed")?;
    let mut others = audit.rows.iter().filter(|row| !row.is_killed()).peekable();
    if others.peek().is_none() {
        writeln!(page, "\nNone.")?;
    }
    for row in others {
        writeln!(page, "\n* `{}:{}`, `{}`: `{}`", row.file, row.line, row.function, row.operation)?;
        writeln!(page, "  **{}**: {}.", row.weakened, row.verdict)?;
        writeln!(page, "  {}", row.reason.unwrap_or("NOT EXPLAINED"))?;
    }
    Ok(())
}
