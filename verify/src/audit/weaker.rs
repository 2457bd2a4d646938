//! What is weaker than what.

use crate::instrument::{Kind, Order, Part, Site, Weakening};

/// The orderings weaker than `order` that an operation of this kind may have, the strongest first.
/// The last is the bottom: `Relaxed`, which for a fence means that there is none.
#[must_use]
pub fn weaker(kind: Kind, part: Part, order: Order) -> &'static [Order] {
    use Order::{AcqRel, Acquire, Relaxed, Release, SeqCst};
    let reads = part == Part::Failure || kind == Kind::Load;
    match (kind, order) {
        (_, Relaxed) => &[],
        (Kind::LightFence | Kind::HeavyFence, _) => &[Relaxed],
        (_, SeqCst) if reads => &[Acquire, Relaxed],
        (Kind::Store, SeqCst) => &[Release, Relaxed],
        (_, SeqCst) => &[AcqRel, Acquire, Release, Relaxed],
        (_, AcqRel) => &[Acquire, Release, Relaxed],
        (_, Acquire | Release) => &[Relaxed],
    }
}

/// Every weakening of one ordering of a site, the bottom first: whatever survives there survives
/// further up, too.
#[must_use]
pub fn weakenings(site: &Site, part: Part) -> Vec<Weakening> {
    let order = match part {
        Part::Success => site.order,
        Part::Failure => site.failure,
    };
    weaker(site.kind, part, order)
        .iter()
        .rev()
        .map(|to| Weakening { site: site.clone(), part, to: *to })
        .collect()
}

/// Whether a claim that notices `strong` must notice `weak` as well.
#[must_use]
pub fn implies(strong: &Weakening, weak: &Weakening) -> bool {
    strong.site == weak.site
        && strong.part == weak.part
        && weaker(strong.site.kind, strong.part, strong.to).contains(&weak.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(kind: Kind, order: Order, failure: Order) -> Site {
        Site { file: "a.rs".into(), line: 1, column: 1, kind, order, failure }
    }

    fn steps(kind: Kind, part: Part, order: Order) -> Vec<Order> {
        weakenings(&site(kind, order, order), part).into_iter().map(|one| one.to).collect()
    }

    #[test]
    fn every_step_goes_down_and_the_bottom_comes_first() {
        use Order::{AcqRel, Acquire, Relaxed, Release, SeqCst};
        assert_eq!(steps(Kind::Load, Part::Success, Acquire), [Relaxed]);
        assert_eq!(steps(Kind::Load, Part::Success, SeqCst), [Relaxed, Acquire]);
        assert_eq!(steps(Kind::Store, Part::Success, SeqCst), [Relaxed, Release]);
        let four = [Relaxed, Release, Acquire, AcqRel];
        assert_eq!(steps(Kind::Fence, Part::Success, SeqCst), four);
        assert_eq!(steps(Kind::CompareExchange, Part::Success, SeqCst), four);
        assert_eq!(steps(Kind::CompareExchange, Part::Failure, SeqCst), [Relaxed, Acquire]);
        assert_eq!(steps(Kind::LightFence, Part::Success, SeqCst), [Relaxed]);
        assert_eq!(steps(Kind::Store, Part::Success, Relaxed), []);
    }

    #[test]
    fn acquire_and_release_do_not_imply_each_other() {
        let site = site(Kind::ReadModifyWrite, Order::AcqRel, Order::Relaxed);
        let to = |to| Weakening { site: site.clone(), part: Part::Success, to };
        assert!(implies(&to(Order::Acquire), &to(Order::Relaxed)));
        assert!(!implies(&to(Order::Acquire), &to(Order::Release)));
        assert!(!implies(&to(Order::Relaxed), &to(Order::Acquire)));
    }
}
