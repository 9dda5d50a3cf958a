//! Curves over training time, and bands around them with the error split into its parts.
//!
//! Maths: value = mean of replicates + means of both corrections; total = sqrt(particle^2 + bias^2) + depth + time, entry by entry.
//! Shapes: risk, objective, moment (times); outputs (times, samples * outputs), flat.
//! Cost: none.
//! Checked: tests below.

use super::statistics::two_stage;

/// Curves of one flow.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Series {
    /// Risk R.
    pub risk: Vec<f64>,
    /// Regularised risk Q.
    pub objective: Vec<f64>,
    /// Mean of |beta|^2.
    pub moment: Vec<f64>,
    /// Outputs, (times, samples, outputs).
    pub outputs: Vec<f64>,
}

/// A way to pick one curve.
pub(super) type Pick = fn(&Series) -> &Vec<f64>;

/// Risk, objective, second moment, outputs.
pub(super) const CURVES: [Pick; 4] = [|s| &s.risk, |s| &s.objective, |s| &s.moment, |s| &s.outputs];

impl Series {
    /// Appends one time.
    pub fn push(&mut self, risk: f64, objective: f64, moment: f64, outputs: &[f64]) {
        self.risk.push(risk);
        self.objective.push(objective);
        self.moment.push(moment);
        self.outputs.extend_from_slice(outputs);
    }

    /// The sum of `parts`, each times a number, entry by entry over the shortest length.
    pub fn combined(parts: &[(f64, &Series)]) -> Series {
        let of = |pick: Pick| -> Vec<f64> {
            let length = parts.iter().map(|p| pick(p.1).len()).min().unwrap_or(0);
            (0..length).map(|i| parts.iter().map(|(x, s)| x * pick(s)[i]).sum()).collect()
        };
        let [risk, objective, moment, outputs] = CURVES.map(of);
        Series { risk, objective, moment, outputs }
    }

    /// Times in it.
    pub fn len(&self) -> usize {
        self.risk.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.risk.is_empty()
    }
}

/// A curve with the parts of its error, all of one length.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Band {
    /// Best value.
    #[serde(deserialize_with = "unknown")]
    pub value: Vec<f64>,
    /// Half width of the 95 % interval over replicates.
    #[serde(deserialize_with = "unbounded")]
    pub particle: Vec<f64>,
    /// Half width of the 95 % interval of the correction for finitely many particles; error of cells and walls on a grid.
    #[serde(deserialize_with = "unbounded")]
    pub bias: Vec<f64>,
    /// Error of the depth steps.
    #[serde(deserialize_with = "unbounded")]
    pub depth: Vec<f64>,
    /// Error of the steps in training time.
    #[serde(deserialize_with = "unbounded")]
    pub time: Vec<f64>,
}

/// Numbers of a file of JSON, which writes what is not finite as null.
fn unknown<'de, D: serde::Deserializer<'de>>(file: D) -> Result<Vec<f64>, D::Error> {
    Ok(nullable(file)?.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect())
}

/// The same of errors, which are infinite there.
fn unbounded<'de, D: serde::Deserializer<'de>>(file: D) -> Result<Vec<f64>, D::Error> {
    Ok(nullable(file)?.into_iter().map(|x| x.unwrap_or(f64::INFINITY)).collect())
}

fn nullable<'de, D: serde::Deserializer<'de>>(file: D) -> Result<Vec<Option<f64>>, D::Error> {
    serde::Deserialize::deserialize(file)
}

impl Band {
    /// A curve without particle error; `depth` and `time` are differences.
    pub(super) fn exact(value: &[f64], depth: &[f64], time: &[f64]) -> Band {
        let none = vec![0.0; value.len()];
        Band { value: value.into(), particle: none.clone(), bias: none, depth: depth.into(), time: time.into() }
    }

    /// Mean of replicates, plus the means of `corrections` (fine less coarse flows) and of `biases` (of infinitely many particles less so
    /// many), each with its interval. The first `pilots` of each say how wide intervals are.
    pub(super) fn of(
        [replicates, corrections, biases]: [&[Vec<f64>]; 3],
        (depth, time): (&[f64], &[f64]),
        pilots: [usize; 3],
    ) -> Band {
        let mut band = Band { depth: depth.into(), time: time.into(), ..Band::default() };
        for i in 0..depth.len() {
            let of = |all: &[Vec<f64>], pilot: usize| interval(&all.iter().map(|x| x[i]).collect::<Vec<f64>>(), pilot);
            let (value, scatter) = of(replicates, pilots[0]);
            let (shift, doubt) = of(corrections, pilots[1]);
            let (bias, noise) = of(biases, pilots[2]);
            band.value.push(value + shift + bias);
            band.particle.push(scatter.hypot(doubt));
            band.bias.push(noise);
        }
        band
    }

    /// Total error of entry `i`.
    pub fn total(&self, i: usize) -> f64 {
        self.particle[i].hypot(self.bias[i]) + self.depth[i] + self.time[i]
    }

    /// Total errors of all entries.
    pub fn totals(&self) -> Vec<f64> {
        (0..self.value.len()).map(|i| self.total(i)).collect()
    }

    /// Largest total error relative to max(value, floor).
    pub(super) fn relative(&self, floor: f64) -> f64 {
        largest(&self.totals(), &self.value, floor)
    }

    /// Standard error of entry `i`, about: that of the random parts is half of their 95 % half width.
    pub fn deviation(&self, i: usize) -> f64 {
        0.5 * self.particle[i].hypot(self.bias[i]) + self.depth[i] + self.time[i]
    }

    /// Lower and upper end of the band.
    pub fn ends(&self) -> (Vec<f64>, Vec<f64>) {
        (0..self.value.len()).map(|i| (self.value[i] - self.total(i), self.value[i] + self.total(i))).unzip()
    }
}

/// Mean and half width of its interval; nothing of no numbers.
fn interval(x: &[f64], pilot: usize) -> (f64, f64) {
    if x.is_empty() {
        return (0.0, 0.0);
    }
    let (mean, one) = two_stage(x, pilot);
    (mean, one / (x.len() as f64).sqrt())
}

/// Largest |error| relative to max(value, floor).
pub(super) fn largest(error: &[f64], value: &[f64], floor: f64) -> f64 {
    error
        .iter()
        .zip(value)
        .map(|(e, v)| e.abs() / v.abs().max(floor))
        .fold(0.0, |m, x| if x > m || x.is_nan() { x } else { m })
}

/// |a - b| entry by entry, over the shorter length.
pub(super) fn gap(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::statistics::student;
    use super::*;

    #[test]
    fn parts_of_the_error_add_as_documented() {
        let replicates = [[1.0, 5.0], [3.0, 5.0], [1.0, 5.0], [3.0, 5.0]].map(Vec::from);
        let biases = [[0.3, 0.1], [0.3, 0.1], [0.31, 0.1], [0.29, 0.1]].map(Vec::from);
        let corrections = [[0.5, 0.0], [0.7, 0.0]].map(Vec::from);
        let steps: (&[f64], &[f64]) = (&[0.1, 0.2], &[0.01, 0.02]);
        let band = Band::of([&replicates, &corrections, &biases], steps, [4, 2, 4]);
        let error = (student(3) * (4.0f64 / 3.0).sqrt() / 2.0).hypot(student(1) * 0.1);
        assert!((band.value[0] - 2.9).abs() < 1e-12 && (band.value[1] - 5.1).abs() < 1e-12);
        assert!((band.particle[0] - error).abs() < 1e-12 && band.particle[1] == 0.0);
        let noise = student(3) * (2e-4f64 / 3.0).sqrt() / 2.0;
        assert!((band.bias[0] - noise).abs() < 1e-12 && band.bias[1].abs() < 1e-12);
        let none = Band::of([&replicates, &[], &[]], steps, [4, 2, 4]);
        assert!(none.value == [2.0, 5.0] && none.bias == [0.0, 0.0]);
        assert!((band.total(0) - (error.hypot(noise) + 0.11)).abs() < 1e-12 && band.totals()[0] == band.total(0));
        assert!((band.deviation(0) - (0.5 * error.hypot(noise) + 0.11)).abs() < 1e-12);
        assert_eq!(band.relative(1.0), (band.total(0) / 2.9).max(band.total(1) / 5.1));
        assert!(
            largest(&[1.0, f64::NAN], &[1.0, 1.0], 1.0).is_nan() && largest(&[1.0, -3.0], &[10.0, 0.1], 1.0) == 3.0
        );
    }
}
