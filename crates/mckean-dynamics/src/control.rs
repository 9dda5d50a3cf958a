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

    /// Step to take towards `until`: never past it, and no crumb left behind.
    pub fn propose(&self, tau: f64, until: f64) -> f64 {
        let rest = until - tau;
        if rest <= self.step * (1.0 + 1e-9) { rest } else { self.step }
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
        assert!(Control::new(0.1, 1, false).judge(0.1, None));
    }
}
