//! From data to the unit interval: linear and logarithmic axes.
//!
//! Maths: u = (g(v) - lo) / (hi - lo) with g the identity or log10.
//! Shapes: scalars.
//! Cost: one logarithm a point.
//! Checked: unit tests below (padding, constants, extremes).

/// The range of an axis, in transformed units (log10 on logarithmic axes).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub log: bool,
    pub lo: f64,
    pub hi: f64,
}

/// Sizes beyond this cannot be drawn: their range would overflow.
const LARGEST: f64 = 1e300;
/// Ranges below this count as none.
const SMALLEST: f64 = 1e-290;

/// The value in transformed units; `None` when it has no place on the axis.
pub(super) fn transform(v: f64, log: bool) -> Option<f64> {
    let drawable = v.is_finite() && v.abs() <= LARGEST && !(log && v <= 0.0);
    drawable.then(|| if log { v.log10() } else { v })
}

impl Scale {
    /// The range of transformed values (those not finite are ignored), widened by `padding` times itself on both sides.
    pub(super) fn around(values: impl Iterator<Item = f64>, log: bool, padding: f64) -> Scale {
        let finite = values.filter(|v| v.is_finite());
        let (lo, hi) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
        if lo > hi {
            return Scale { log, lo: 0.0, hi: 1.0 };
        }
        let size = lo.abs().max(hi.abs());
        let constant = hi - lo <= (1e-12 * size).max(SMALLEST);
        let margin = match (constant, log) {
            (false, _) => padding * (hi - lo),
            (true, true) => 0.5,
            (true, false) if size > SMALLEST => 0.1 * size,
            (true, false) => 1.0,
        };
        Scale { log, lo: lo - margin, hi: hi + margin }
    }

    /// Where a transformed value lies, clamped to 0..=1; minus infinity lies at 0.
    pub(super) fn place(&self, v: f64) -> f64 {
        ((v - self.lo) / (self.hi - self.lo)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_always_have_a_length() {
        for values in [vec![], vec![0.0], vec![3.0; 4], vec![-5e-324, 5e-324], vec![-1e300, 1e300], vec![f64::NAN, 1.0]]
        {
            for log in [false, true] {
                let transformed: Vec<f64> = values.iter().filter_map(|&v| transform(v, log)).collect();
                let scale = Scale::around(transformed.into_iter(), log, 0.05);
                assert!(scale.hi - scale.lo > 0.0 && (scale.hi - scale.lo).is_finite(), "{values:?} {scale:?}");
            }
        }
    }

    #[test]
    fn values_without_a_place() {
        assert_eq!(transform(-1.0, true), None);
        assert_eq!(transform(0.0, true), None);
        assert_eq!(transform(f64::MAX, false), None);
        assert_eq!(transform(f64::NAN, false), None);
        assert_eq!(transform(100.0, true), Some(2.0));
        let scale = Scale::around([1.0, 3.0].into_iter(), false, 0.5);
        assert_eq!((scale.lo, scale.hi, scale.place(2.0), scale.place(f64::NEG_INFINITY)), (0.0, 4.0, 0.5, 0.0));
    }
}
