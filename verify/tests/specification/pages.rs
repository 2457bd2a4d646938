//! The book's pages about holes and mutants are made from the catalogue, and say what it says.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use gosched_verify::specification::catalogue::{CAUGHT, Caught, SOUND};
use gosched_verify::specification::picture;
use gosched_verify::specification::schedule::find_violation;
use gosched_verify::specification::settings::{Change, Changes, Design};
use gosched_verify::specification::system::Reduction;
use gosched_verify::specification::timers::Timers;

use crate::{protocol, shortest, within};

const MADE: &str = "Made by `UPDATE=1 cargo test -p gosched-verify --test specification`; the test \
                    fails when this page is out of date.\n";

/// Asserts that a page of the book is `text`, or writes it.
#[track_caller]
fn assert_page(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/protocol").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, text).expect("the page can be written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "{name} is out of date: {MADE}");
}

fn caught(change: Change) -> &'static Caught {
    let is_it = |caught: &&Caught| caught.design == Design::Go && caught.change == change;
    CAUGHT.iter().find(is_it).expect("it is in the catalogue")
}

/// A hole: what goes wrong, in words, and the shortest schedule.
fn hole(page: &mut String, title: &str, story: &str, change: Change) {
    let caught = caught(change);
    let protocol = protocol(Design::Go, &[change], caught.on, Reduction::FULL);
    let schedule = shortest(&protocol).schedule.expect("it is caught");
    let (text, processors, machines, capacity) = caught.on;
    let _ = write!(
        page,
        "\n## {title}\n\n{story}\n\n```text\n{}```\n\nTo see it: `gosched-verify specification \
         --design go --change {} {text} -p {processors} -m {machines} -c {capacity}`.\n",
        picture::draw(&protocol, &schedule),
        change.name()
    );
}

const HOLES: [(&str, &str, Change); 4] = [
    (
        "H1: a hand-off idles a P that somebody asked for",
        "`handoffp` reads `nmspinning` and `npidle` without the lock, and if somebody searches it \
         does not start a searcher. But the one who is counted may be a wake that finds no P and \
         takes itself back. Under the lock `handoffp` idles the P without reading `needspinning`. \
         Repair: read it there; if it is set, count a searcher, clear it, and start a searching \
         machine on the P.",
        Change::H1,
    ),
    (
        "H3: a failing wake hides the next",
        "A wake counts first and looks for a P afterwards. When it finds none it sets \
         `needspinning`, and then takes itself off the count. In between another machine begins \
         to search, clears `needspinning`, steals, and does not wake a successor, because the \
         failing wake is still counted. Repair: off the count first, then `needspinning`, both \
         under the lock.",
        Change::H3,
    ),
    (
        "H4: a batch in hand is in no queue",
        "Since Go 1.25 a machine takes a batch from the global queue under the lock, and puts it \
         into its ring after the unlock. In between a searcher looks everywhere and sees \
         nothing. The taker was not searching, so it wakes nobody. Repair: whoever takes a batch \
         without searching wakes somebody after the batch is in the ring.",
        Change::H4,
    ),
    (
        "Filling the ring under the lock is not enough",
        "Up to Go 1.24 the batch went into the ring under the lock, and nobody was woken for it. \
         That closes H4's window and leaves another. A task in the global queue is safe, because \
         whoever drops a P looks there under the lock. A task in a ring is safe only if somebody \
         was woken for it, because who has not searched does not look at rings. A batch moves a \
         task from the one to the other. Here a machine comes back from a system call, finds no \
         P, and pushes its task to the global queue without a wake.",
        Change::FillUnderLock,
    ),
];

const H2: &str = "\n## H2: a timer that nobody watches\n\nA machine sleeps in the poller until a \
    timer of the busy P2 is due. It returns, finds no idle P, and parks. Another one, which never \
    searched, then idles P1. It looks at its own timers only. Repair: a poller that finds no P \
    sets `needspinning`. With the idle word, whoever drops a P looks at the timers as well (D4).\n\n\
    | step | the poller | the machine on P1 |\n|---|---|---|\n";

#[test]
fn the_page_of_holes_draws_the_shortest_schedules() {
    let mut page = format!("# Holes in Go's protocol\n\n{MADE}\n{HOLES_INTRODUCTION}");
    let [h1, others @ ..] = HOLES;
    hole(&mut page, h1.0, h1.1, h1.2);
    page += H2;
    let found = within(|limits| find_violation(&Timers::GoAsWritten, limits));
    let steps = found.schedule.expect("H2 is found").steps;
    for (number, (label, _)) in steps.iter().enumerate() {
        let (poller, dropper) = if label.actor == 0 { (label.says, "") } else { ("", label.says) };
        let _ = writeln!(page, "| {} | {poller} | {dropper} |", number + 1);
    }
    page += "\nNow P1 is idle, the timer is due, and nobody looks.\n";
    for (title, story, change) in others {
        hole(&mut page, title, story, change);
    }
    assert_page("holes.md", &page);
}

const HOLES_INTRODUCTION: &str = "\
Go wakes a machine for new work by a protocol of two counts and a flag under a lock. The search \
through its [specification](../verification/specification.md) finds four ways in which it leaves \
a task, or a timer, beside an idle P. In Go each is rare and heals: the next wake, or the \
preemption after 10 ms, finds what was left. A core without preemption has nothing that heals, \
so it must not begin.\n\n\
How to read a picture: a column for each machine, a row for each step; at the right the idle Ps, \
and `nmspinning/needspinning`. Each schedule is a shortest one: it is the violated property that is \
reached first, on the program for which that takes the fewest steps. H1 and H3 come from one habit, \
*count first, and find a P afterwards*: the count is taken back, and in between others trusted it. \
The idle word counts a searcher only in a step that also gives it a P.\n";

fn names(changes: &[Change]) -> String {
    Changes::of(changes).to_string().replace('+', ", ")
}

#[test]
fn the_page_of_mutants_lists_the_catalogue() {
    let mut page = format!("# Mutants of the protocol\n\n{MADE}\n{MUTANTS_INTRODUCTION}");
    for (design, title) in [(Design::Word, "The idle word"), (Design::Go, "Go, repaired")] {
        let _ = write!(
            page,
            "\n## {title}\n\n| mutant | what it changes | violates | steps | program |\n\
             |---|---|---|---|---|\n"
        );
        for caught in CAUGHT.iter().filter(|caught| caught.design == design) {
            let (text, processors, ..) = caught.on;
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} | `{text}`, {processors} Ps |",
                caught.change.name(),
                caught.change.says(),
                caught.property.name(),
                caught.steps
            );
        }
    }
    page += SOUND_INTRODUCTION;
    for (design, changes) in SOUND {
        let says: Vec<_> = changes.iter().map(|change| change.says()).collect();
        let _ = writeln!(page, "| {} | `{}` | {} |", design.name(), names(changes), says.join(" "));
    }
    assert_page("mutants.md", &page);
}

const MUTANTS_INTRODUCTION: &str = "\
Each row takes one piece of a protocol away, and the search must find what then goes wrong: the \
named property, in exactly so many steps. Local steps are counted. *L1*: a task waits beside an \
idle P, and nobody is under way. *S1*: a task is lost or doubled. *S4*: a P has no owner or two. \
*S6*: an idle P has tasks. *S13*: the count of searchers is wrong. *S14*: a machine searches \
although its own P has tasks. *S15*: a machine parks with something. *S21*: a locked \
task and its machine do not keep to each other. *S22*: the stopper goes on without every P. *L4*: a \
queued task waits for ever, in a program that never ends. *L10*: the stopper waits, and nobody is \
left who could come. *cycle*: the protocol goes round for ever.\n\n\
The program is the one, of those that were tried, on which the schedule is shortest.\n";

const SOUND_INTRODUCTION: &str = "\n## What is redundant\n\nThese change a protocol, and \
    violate nothing on any program of the suites with 2 Ps. What they take away may be worth \
    keeping for speed; nothing depends on it.\n\n| design | change | what it does |\n|---|---|---|\n";
