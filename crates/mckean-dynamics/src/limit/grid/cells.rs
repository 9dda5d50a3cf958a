//! Cells of a two-dimensional particle space: their masses under the initial law, and the transport of mass between them.
//!
//! Maths: d rho/dtau + div(rho v) = 0 (eq 3.5 of Gao et al. 2024) by finite volumes: linear reconstruction with the monotonised
//! central limiter, upwind fluxes, walls that let nothing through. DERIVED: reconstructed values of a cell lie between 0 and twice its
//! mean, so masses stay >= 0 while step * (2 a_0/h_0 + 2 a_1/h_1) <= 1 for the largest face speeds a; order 2 for smooth densities.
//! Shapes: masses (n * n), cell (i, j) at i * n + j, coordinate 0 along i; velocities (2, n * n) at the centres.
//! Cost: about 40 operations a cell; initial masses n bisections a coordinate.
//! Checked: tests below (initial masses, conservation, positivity, order); `tests/limit_grid.rs`.

use mckean_model::LawAt;

/// Mass that stays where it is: far corners are empty and fast, and would bound the steps.
const EMPTY: f64 = 1e-11;

/// A square number of cells on a rectangle around the origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cells {
    /// Cells along a coordinate.
    pub n: usize,
    /// Half sides of the rectangle.
    pub reach: [f64; 2],
}

impl Cells {
    /// Width of a cell.
    fn width(&self, axis: usize) -> f64 {
        2.0 * self.reach[axis] / self.n as f64
    }

    /// Lower edge of row `i` of cells; `i = n` is the wall.
    fn edge(&self, axis: usize, i: usize) -> f64 {
        -self.reach[axis] + i as f64 * self.width(axis)
    }

    /// Centre of a cell.
    pub fn centre(&self, cell: usize) -> [f64; 2] {
        [0, 1].map(|axis| {
            let i = if axis == 0 { cell / self.n } else { cell % self.n };
            self.edge(axis, i) + 0.5 * self.width(axis)
        })
    }

    /// Masses under a law of independent numbers, of which `first` and `first + 1` are the coordinates; what lies outside is shared out.
    pub fn masses(&self, law: &LawAt<'_>, first: usize) -> Vec<f64> {
        let side = |axis: usize| -> Vec<f64> {
            let below: Vec<f64> = (0..=self.n).map(|i| below(law, first + axis, self.edge(axis, i))).collect();
            let all = below[self.n] - below[0];
            below.windows(2).map(|w| (w[1] - w[0]) / all).collect()
        };
        let (a, b) = (side(0), side(1));
        a.iter().flat_map(|x| b.iter().map(move |y| x * y)).collect()
    }

    /// Shares of the mass in the cells at the walls of either coordinate.
    pub fn at_walls(&self, mass: &[f64]) -> [f64; 2] {
        let wall = |i: usize| i == 0 || i + 1 == self.n;
        let share = |at: &dyn Fn(usize) -> usize| (0..mass.len()).filter(|k| wall(at(*k))).map(|k| mass[k]).sum();
        [share(&|k| k / self.n), share(&|k| k % self.n)]
    }

    /// Adds the rate of change of the masses; returns 2 a_0/h_0 + 2 a_1/h_1, whose inverse bounds a step.
    pub fn transport(&self, mass: &[f64], velocity: [&[f64]; 2], rate: &mut [f64]) -> f64 {
        let mut bound = 0.0;
        for (axis, v) in velocity.into_iter().enumerate() {
            let (step, across) = if axis == 0 { (self.n, 1) } else { (1, self.n) };
            let mut fastest = 0.0f64;
            for line in 0..self.n {
                let at = |k: usize| line * across + k * step;
                for k in 1..self.n {
                    let face = 0.5 * (v[at(k - 1)] + v[at(k)]);
                    if mass[if face > 0.0 { at(k - 1) } else { at(k) }] < EMPTY {
                        continue;
                    }
                    fastest = fastest.max(face.abs());
                    let value = match face > 0.0 {
                        true => mass[at(k - 1)] + 0.5 * self.slope(mass, k - 1, &at),
                        false => mass[at(k)] - 0.5 * self.slope(mass, k, &at),
                    };
                    let flux = face * value / self.width(axis);
                    rate[at(k - 1)] -= flux;
                    rate[at(k)] += flux;
                }
            }
            bound += 2.0 * fastest / self.width(axis);
        }
        bound
    }

    /// Limited difference across cell `k` of a line.
    fn slope(&self, mass: &[f64], k: usize, at: &impl Fn(usize) -> usize) -> f64 {
        if k == 0 || k + 1 == self.n {
            return 0.0;
        }
        let (left, right) = (mass[at(k)] - mass[at(k - 1)], mass[at(k + 1)] - mass[at(k)]);
        if left * right <= 0.0 {
            return 0.0;
        }
        (2.0 * left.abs()).min(2.0 * right.abs()).min(0.5 * (left + right).abs()).copysign(left)
    }
}

/// Probability that number `index` of a particle is below `x`, by bisection of the inverse transform.
fn below(law: &LawAt<'_>, index: usize, x: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    let mut point = vec![0.5; law.cube_dim()];
    for _ in 0..60 {
        point[index] = 0.5 * (low + high);
        if point[index] <= low || point[index] >= high {
            break;
        }
        let side = if law.from_cube(&point)[index] < x { &mut low } else { &mut high };
        *side = point[index];
    }
    0.5 * (low + high)
}

/// Distance from the origin that a share `outside` of number `index` lies beyond, on one side.
pub(super) fn reach(law: &LawAt<'_>, index: usize, outside: f64) -> f64 {
    let mut point = vec![0.5; law.cube_dim()];
    point[index] = 1.0 - outside;
    law.from_cube(&point)[index].abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mckean_model::{InitConfig, InitialLaw, Law, Layout, Role, TensorSpec};

    fn law(law: InitialLaw) -> Law {
        let spec = |name, sums| TensorSpec { name, shape: vec![1, 1], fan_in: 1, sums_particles: sums };
        let mut layout = Layout::default();
        layout.push_particles(0, "attention", Role::Head, 1, &[spec("v", true), spec("w", false)]);
        Law::new(&InitConfig { law, scale: 0.5, ..Default::default() }, &layout.tensors)
    }

    #[test]
    fn masses_are_those_of_the_law() {
        let cells = Cells { n: 40, reach: [3.0, 2.5] };
        let mass = cells.masses(&law(InitialLaw::Normal).at(0.0), 0);
        let moment = |f: fn([f64; 2]) -> f64| (0..1600).map(|k| mass[k] * f(cells.centre(k))).sum::<f64>();
        assert!((moment(|_| 1.0) - 1.0).abs() < 1e-14 && moment(|x| x[0] + x[1]).abs() < 1e-13);
        // uniform within a cell: the centre misses h^2/12 of the second moment
        let widened = |h: f64| 0.25 + h * h / 12.0;
        assert!((moment(|x| x[0] * x[0]) - widened(0.15)).abs() < 1e-6);
        assert!((moment(|x| x[1] * x[1]) - widened(0.125)).abs() < 1e-5);
        let flat = Cells { n: 4, reach: [0.5, 1.0] }.masses(&law(InitialLaw::Box).at(0.0), 0);
        assert!((flat[1] - 0.125).abs() < 1e-14 && flat[0] < 1e-14, "{flat:?}");
        assert!((reach(&law(InitialLaw::Box).at(0.0), 0, 1e-9) - 0.5).abs() < 1e-8);
    }

    /// Rotation of a blob by a quarter turn; returns the L1 error, the mass lost and the least mass.
    fn quarter_turn(n: usize) -> [f64; 3] {
        let cells = Cells { n, reach: [2.0, 2.0] };
        let blob = |x: [f64; 2], at: [f64; 2]| (-8.0 * ((x[0] - at[0]).powi(2) + (x[1] - at[1]).powi(2))).exp();
        let scaled = |at: [f64; 2]| -> Vec<f64> {
            let raw: Vec<f64> = (0..n * n).map(|k| blob(cells.centre(k), at)).collect();
            let sum: f64 = raw.iter().sum();
            raw.iter().map(|x| x / sum).collect()
        };
        let (mut mass, end) = (scaled([0.7, 0.0]), scaled([0.0, 0.7]));
        let of = |f: fn([f64; 2]) -> f64| (0..n * n).map(|k| f(cells.centre(k))).collect::<Vec<f64>>();
        let v = [of(|x| -x[1]), of(|x| x[0])];
        let steps = 4 * n;
        let dt = std::f64::consts::FRAC_PI_2 / steps as f64;
        let mut least = f64::INFINITY;
        for _ in 0..steps {
            let mut stage = mass.clone();
            for _ in 0..2 {
                let mut rate = vec![0.0; n * n];
                let bound = cells.transport(&stage, [&v[0], &v[1]], &mut rate);
                assert!(dt * bound <= 1.0);
                stage.iter_mut().zip(&rate).for_each(|(s, r)| *s += dt * r);
            }
            mass.iter_mut().zip(&stage).for_each(|(m, s)| *m = 0.5 * (*m + s));
            least = mass.iter().copied().fold(least, f64::min);
        }
        let error = mass.iter().zip(&end).map(|(a, b)| (a - b).abs()).sum();
        [error, (mass.iter().sum::<f64>() - 1.0).abs(), least]
    }

    #[test]
    fn transport_conserves_mass_stays_positive_and_is_of_second_order() {
        let [a, b, c] = [32, 64, 128].map(quarter_turn);
        assert!([a, b, c].iter().all(|e| e[1] < 1e-12 && e[2] >= 0.0), "{a:?} {b:?} {c:?}");
        assert!(a[0] / b[0] > 3.0 && b[0] / c[0] > 3.0, "{a:?} {b:?} {c:?}");
    }
}
