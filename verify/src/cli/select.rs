//! Which checks a command line means.

use super::args::CheckArgs;
use crate::claim::{Claim, registry};
use crate::engine::{Check, Engine, checks, selftest};

/// The checks to run, and what the choice leaves out.
#[derive(Debug)]
pub(super) struct Selection {
    /// To run, in the order of the registry.
    pub(super) checks: Vec<Check>,
    /// What a reader of the table must know that its rows do not say.
    pub(super) not_checked: Vec<String>,
}

fn claims(selftests: bool) -> Vec<Claim> {
    if selftests { selftest::claims() } else { registry() }
}

/// The checks that `args` ask for.
///
/// # Errors
///
/// If a pattern or the engines match nothing.
pub(super) fn select(args: &CheckArgs) -> Result<Selection, String> {
    let all = checks(&claims(args.extent.selftest));
    let ids: Vec<_> = all.iter().map(Check::id).collect();
    let matches = |pattern: &str, id: &str| {
        if args.exact { pattern == id } else { matches(pattern, id) }
    };
    for pattern in &args.only {
        if !ids.iter().any(|id| matches(pattern, id)) {
            return Err(format!("--only {pattern}: no such check; --list shows all"));
        }
    }
    let wanted = |check: &Check, id: &str| {
        (args.only.is_empty() || args.only.iter().any(|pattern| matches(pattern, id)))
            && (args.engine.is_empty() || args.engine.contains(&check.engine))
    };
    let chosen: Vec<_> = all
        .iter()
        .zip(&ids)
        .filter(|(check, id)| wanted(check, id))
        .map(|(check, _)| check.clone())
        .collect();
    if chosen.is_empty() {
        let engines: Vec<_> = args.engine.iter().map(|engine| engine.name()).collect();
        return Err(format!("no check has the engine {}", engines.join(" or ")));
    }
    let left_out = all.len() - chosen.len();
    Ok(Selection { not_checked: not_checked(&all, &chosen, left_out), checks: chosen })
}

/// The check whose id is `id`.
///
/// # Errors
///
/// If there is none.
pub(super) fn exactly(id: &str, selftests: bool) -> Result<Check, String> {
    checks(&claims(selftests))
        .into_iter()
        .find(|check| check.id() == id)
        .ok_or_else(|| format!("{id}: no such check; --list shows all"))
}

/// Whether `id` contains `pattern`; with `*` in it, whether the pattern matches all of `id`.
pub(crate) fn matches(pattern: &str, id: &str) -> bool {
    let mut parts = pattern.split('*');
    let (Some(first), Some(last)) = (parts.next(), parts.next_back()) else {
        return id.contains(pattern);
    };
    let Some(rest) = id.strip_prefix(first) else { return false };
    let Some(mut rest) = rest.strip_suffix(last) else { return false };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

fn not_checked(all: &[Check], chosen: &[Check], left_out: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if left_out > 0 {
        lines.push(format!("{left_out} of {} checks, which were not selected", all.len()));
    }
    let mut without: Vec<_> = chosen
        .iter()
        .filter(|check| check.engine == Engine::Stress)
        .filter(|check| !all.iter().any(|it| sees_orderings(it.engine) && is_same_case(it, check)))
        .map(|check| format!("{}/{}", check.claim, check.case))
        .collect();
    without.dedup();
    if !without.is_empty() {
        lines.push(format!(
            "orderings in what is too large for the explorer and loom: {}",
            without.join(", ")
        ));
    }
    lines.extend(STANDING_LIMITS.map(str::to_owned));
    lines
}

/// Whether the engine explores reorderings.
fn sees_orderings(engine: Engine) -> bool {
    !["shuttle", "stress", "sequential", "specification"].contains(&engine.name())
}

fn is_same_case(a: &Check, b: &Check) -> bool {
    a.claim == b.claim && a.case == b.case
}

/// What no run checks, whatever its flags.
const STANDING_LIMITS: [&str; 5] = [
    "load buffering (a load that takes effect after a later store): RC11 forbids it, the language \
     does not, and no engine here shows it",
    "models larger than these: exhaustive is said of a model, not of the code",
    "by loom: schedules that it forgets (tokio-rs/loom#392), also without a bound; outcomes that \
     shuttle reached and loom did not are counted. SeqCst accesses count as AcqRel, weak \
     compare-exchanges never fail spuriously, failing ones never read stale values, and a light \
     fence counts as SeqCst",
    "by shuttle: orderings; it takes everything for SeqCst",
    "by the specification: the code; it is a model of the protocol, whose steps are sequentially \
     consistent but for the delays that a mutant names, and whose rings are single steps",
];

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_is_a_part_of_the_id_or_matches_all_of_it() {
        let id = "queue::no_task/overflow@loom";
        for pattern in ["queue", "overflow@loom", "*", "queue*", "*@loom", "q*task*loom", id] {
            assert!(matches(pattern, id), "{pattern}");
        }
        for pattern in ["stress", "overflow*", "*queue", "queue*x*", "queue*@loom*loom"] {
            assert!(!matches(pattern, id), "{pattern}");
        }
    }
}
