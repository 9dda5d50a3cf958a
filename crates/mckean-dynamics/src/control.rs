//! Step control: fixed steps, or a PI controller on the error estimate.
//!
//! Maths: h <- h * clamp(0.9 e^(-0.7/p) e_prev^(0.4/p), 0.2, 5) with p = order (Gustafsson's PI controller).
//! Shapes: scalars.
//! Cost: none.
//! Checked: tests below, `tests/flow.rs`.

/// Proposes step lengths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// Next step.
    pub step: f64,
    /// Last accepted error.
    pub previous: f64,
    order: f64,
    adaptive: bool,
}

impl Control {
    /// Starts at `step`; adaptive when the method has an error estimate.
    pub fn new(step: f64, order: u32, adaptive: bool) -> Self {
        Control { step, previous: 1.0, order: f64::from(order), adaptive }
    }

    /// Whether the error estimate chooses the steps.
    pub fn is_adaptive(&self) -> bool {
        self.adaptive
    }

    /// Distance that rounding alone explains on the grid of fixed steps; none for adaptive ones.
    pub fn crumb(&self) -> f64 {
        if self.adaptive { 0.0 } else { 1e-6 * self.step }
    }

    /// Time after a step of length `h`; on the grid of fixed steps no rounding piles up.
    pub fn after(&self, tau: f64, h: f64) -> f64 {
        let (next, grid) = (tau + h, ((tau + h) / h).round() * h);
        if (grid - next).abs() < self.crumb() { grid } else { next }
    }

    /// Step to take towards `until`: never past it, and no crumb left behind.
    pub fn propose(&self, tau: f64, until: f64) -> f64 {
        let rest = until - tau;
        if rest <= self.step * (1.0 + 1e-9) + self.crumb() { rest } else { self.step }
    }

    /// Judges a step of length `h` with error `error` (in units of the tolerance); true accepts it.
    pub fn judge(&mut self, h: f64, error: Option<f64>) -> bool {
        let Some(e) = error.filter(|_| self.adaptive) else { return true };
        if !e.is_finite() {
            self.step = 0.5 * h;
            return false;
        }
        let e = e.max(1e-10);
        let factor = 0.9 * e.powf(-0.7 / self.order) * self.previous.powf(0.4 / self.order);
        let accepted = e <= 1.0;
        let limited = factor.clamp(0.2, if accepted { 5.0 } else { 0.9 });
        if !accepted || h >= self.step * (1.0 - 1e-9) || limited < 1.0 {
            self.step = h * limited; // a step cut short by the end says nothing about longer ones
        }
        if accepted {
            self.previous = e;
        }
        accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_grows_shrinks_and_lands_on_the_end() {
        let mut c = Control::new(0.1, 5, true);
        assert!(!c.judge(0.1, Some(30.0)) && c.step < 0.1);
        let small = c.step;
        assert!(c.judge(small, Some(1e-4)) && c.step > small);
        assert_eq!(Control::new(0.1, 1, false).propose(0.95, 1.0), 1.0 - 0.95);
        assert!(!c.judge(0.1, Some(f64::NAN)));
        let fixed = Control::new(0.1, 1, false);
        let walked = (0..1_000_000).fold(0.0, |tau, _| fixed.after(tau, 0.1));
        assert_eq!((walked, fixed.after(0.25, 0.1)), (100_000.0, 0.35));
        assert!(Control::new(0.1, 1, false).judge(0.1, None));
    }
}
