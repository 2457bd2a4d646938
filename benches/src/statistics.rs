//! Medians and quartiles.
//!
//! On a shared machine the distribution of a time has a long tail to one side: the mean tells about
//! the neighbours. The median of *ratios within one round* is steadier still: what disturbs a round
//! disturbs all contenders in it.

use serde::Serialize;

/// The middle and the spread of some values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The least value: for times, what the machine can do when nobody disturbs.
    pub min: f64,
    /// A quarter of the values are below.
    pub q1: f64,
    /// Half of the values are below.
    pub median: f64,
    /// A quarter of the values are above.
    pub q3: f64,
    /// The largest value.
    pub max: f64,
}

impl Spread {
    /// Of these values; `None` if there are none, or one is no number (a ratio to nothing).
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<_> = values.into_iter().collect();
        if sorted.is_empty() || sorted.iter().any(|value| !value.is_finite()) {
            return None;
        }
        sorted.sort_unstable_by(f64::total_cmp);
        Some(Self {
            min: sorted[0],
            q1: quantile(&sorted, 0.25),
            median: quantile(&sorted, 0.5),
            q3: quantile(&sorted, 0.75),
            max: sorted[sorted.len() - 1],
        })
    }

    /// Of the ratios of two series, round by round.
    #[must_use]
    pub fn of_ratios(numerators: &[f64], denominators: &[f64]) -> Option<Self> {
        Self::of(numerators.iter().zip(denominators).map(|(upper, lower)| upper / lower))
    }
}

/// Between two values, the point on the line.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_stand_between_the_values() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0]).expect("there are values");
        assert_eq!((spread.min, spread.max), (1.0, 4.0));
        assert_eq!((spread.q1, spread.median, spread.q3), (1.75, 2.5, 3.25));
    }

    #[test]
    fn ratios_are_taken_within_a_round_before_the_median() {
        // Each round is slower than the one before, for both; the ratio is 1/2 throughout.
        let spread = Spread::of_ratios(&[1.0, 10.0, 100.0], &[2.0, 20.0, 200.0]).expect("values");
        assert_eq!((spread.min, spread.median, spread.max), (0.5, 0.5, 0.5));
    }

    #[test]
    fn nothing_and_no_number_have_no_spread() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of_ratios(&[1.0], &[0.0]), None);
    }
}
