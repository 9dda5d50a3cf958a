//! A data set in memory: plain numbers with a shape, and the questions one asks of it.
//!
//! Maths: the empirical law mu of Gao et al. 2024, section 2.1: N samples (H, y(H)).
//! Shapes: inputs `[N][n][d]` row-major (a token is a row); targets `[N][outputs]` or N labels.
//! Cost: `check` reads everything once; `take` and `one_hot_values` copy.
//! Checked: tests below; every loader ends with `check`.

use crate::DataError;
use std::ops::Range;

/// N samples of n tokens of dimension d, row-major `[N][n][d]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Where it comes from, a name of the catalogue.
    pub name: String,
    /// Number of samples N.
    pub samples: usize,
    /// Tokens per sample n.
    pub tokens: usize,
    /// Numbers per token d.
    pub dim: usize,
    /// The tokens, `[N][n][d]`.
    pub inputs: Vec<f64>,
    /// What to predict.
    pub targets: Targets,
}

/// What to predict, one entry or row per sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Real numbers.
    Values {
        /// `[N][outputs]` row-major.
        data: Vec<f64>,
        /// Numbers per sample.
        outputs: usize,
    },
    /// Class labels in 0..classes.
    Classes {
        /// One label per sample.
        labels: Vec<u32>,
        /// Number of classes.
        classes: usize,
    },
}

/// Training data and, where there is one, a test set of the same shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// What a network is trained on.
    pub train: Dataset,
    /// What it is tested on.
    pub test: Option<Dataset>,
}

impl Targets {
    /// The targets of these samples, in this order. Panics if a row does not exist.
    pub(crate) fn select(&self, rows: &[usize]) -> Targets {
        match self {
            Targets::Values { data, outputs } => {
                let row = |&i: &usize| data[i * outputs..(i + 1) * outputs].iter().copied();
                Targets::Values { data: rows.iter().flat_map(row).collect(), outputs: *outputs }
            }
            Targets::Classes { labels, classes } => {
                Targets::Classes { labels: rows.iter().map(|&i| labels[i]).collect(), classes: *classes }
            }
        }
    }
}

impl Dataset {
    /// Number of outputs (values) or of classes.
    pub fn outputs(&self) -> usize {
        match &self.targets {
            Targets::Values { outputs, .. } => *outputs,
            Targets::Classes { classes, .. } => *classes,
        }
    }

    /// The tokens of sample `i`, `[n][d]`. Panics if `i >= samples`, as indexing does.
    pub fn inputs_of(&self, i: usize) -> &[f64] {
        let size = self.tokens * self.dim;
        &self.inputs[i * size..(i + 1) * size]
    }

    /// The samples of `range` as a data set of their own. Panics if the range leaves 0..N, as slicing does.
    pub fn take(&self, range: Range<usize>) -> Dataset {
        let size = self.tokens * self.dim;
        let targets = self.targets.select(&range.clone().collect::<Vec<_>>());
        let inputs = self.inputs[range.start * size..range.end * size].to_vec();
        Dataset { name: self.name.clone(), samples: range.len(), inputs, targets, ..*self }
    }

    /// Targets as numbers, `[N][outputs]`: values as they are, classes one-hot. Panics on labels that `check` refuses.
    pub fn one_hot_values(&self) -> Vec<f64> {
        match &self.targets {
            Targets::Values { data, .. } => data.clone(),
            Targets::Classes { labels, classes } => one_hot(labels, *classes),
        }
    }

    /// Sizes consistent, every number finite, every label below the number of classes.
    ///
    /// Errors: [`DataError::Dataset`] naming the first sample that breaks a rule.
    pub fn check(&self) -> Result<(), DataError> {
        self.check_sizes()?;
        self.check_rows("input", &self.inputs, self.tokens * self.dim)?;
        match &self.targets {
            Targets::Values { data, outputs } => self.check_rows("target", data, *outputs),
            Targets::Classes { labels, classes } => self.check_labels(labels, *classes),
        }
    }

    fn check_sizes(&self) -> Result<(), DataError> {
        let product = |factors: &[usize]| factors.iter().try_fold(1usize, |a, b| a.checked_mul(*b));
        let inputs = product(&[self.samples, self.tokens, self.dim]);
        let (found, expected) = match &self.targets {
            Targets::Values { data, outputs } => (data.len(), product(&[self.samples, *outputs])),
            Targets::Classes { labels, .. } => (labels.len(), Some(self.samples)),
        };
        let Dataset { samples, tokens, dim, .. } = self;
        if inputs == Some(self.inputs.len()) && expected == Some(found) && ![*tokens, *dim, self.outputs()].contains(&0)
        {
            return Ok(());
        }
        let (given, outputs) = (self.inputs.len(), self.outputs());
        Err(self.wrong(
            "the whole".into(),
            format!(
                "{given} input numbers and {found} targets do not fill {samples} samples x {tokens} tokens x {dim} \
                 with {outputs} outputs, each at least 1"
            ),
        ))
    }

    fn check_rows(&self, what: &str, data: &[f64], size: usize) -> Result<(), DataError> {
        match data.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(k) => Err(self.wrong(
                format!("sample {}", k / size),
                format!("{what} number {} is {}, not finite", k % size, data[k]),
            )),
        }
    }

    fn check_labels(&self, labels: &[u32], classes: usize) -> Result<(), DataError> {
        match labels.iter().position(|&l| l as usize >= classes) {
            None => Ok(()),
            Some(i) => Err(self.wrong(
                format!("sample {i}"),
                format!("label {} is not below the number of classes, {classes}", labels[i]),
            )),
        }
    }

    fn wrong(&self, place: String, problem: String) -> DataError {
        DataError::Dataset { name: self.name.clone(), place, problem }
    }
}

/// Labels as rows with a single 1, `[N][classes]`.
fn one_hot(labels: &[u32], classes: usize) -> Vec<f64> {
    let mut out = vec![0.0; labels.len() * classes];
    for (i, &label) in labels.iter().enumerate() {
        out[i * classes + label as usize] = 1.0;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Dataset {
        let targets = Targets::Classes { labels: vec![2, 0, 1], classes: 3 };
        Dataset {
            name: "small".into(),
            samples: 3,
            tokens: 2,
            dim: 2,
            inputs: (0..12).map(f64::from).collect(),
            targets,
        }
    }

    fn complaint(d: &Dataset) -> String {
        d.check().expect_err("should be refused").to_string()
    }

    #[test]
    fn a_sound_data_set_answers_questions() {
        let d = small();
        d.check().unwrap();
        assert_eq!(d.outputs(), 3);
        assert_eq!(d.inputs_of(1), [4.0, 5.0, 6.0, 7.0]);
        assert_eq!(d.one_hot_values(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn take_keeps_the_range_and_nothing_else() {
        let d = small().take(1..3);
        d.check().unwrap();
        assert_eq!((d.samples, d.inputs[0], d.inputs.len()), (2, 4.0, 8));
        assert_eq!(d.targets, Targets::Classes { labels: vec![0, 1], classes: 3 });
        let values =
            Dataset { targets: Targets::Values { data: (0..6).map(f64::from).collect(), outputs: 2 }, ..small() };
        assert_eq!(values.take(2..3).one_hot_values(), [4.0, 5.0]);
    }

    #[test]
    fn broken_sets_are_refused_with_the_sample() {
        let mut d = small();
        d.inputs[9] = f64::NAN;
        assert!(complaint(&d).contains("sample 2: input number 1 is NaN"), "{}", complaint(&d));
        let d = Dataset { targets: Targets::Classes { labels: vec![0, 3, 1], classes: 3 }, ..small() };
        assert!(complaint(&d).contains("sample 1: label 3"), "{}", complaint(&d));
        let d = Dataset { targets: Targets::Values { data: vec![0.0, 0.0, f64::INFINITY], outputs: 1 }, ..small() };
        assert!(complaint(&d).contains("sample 2: target number 0"), "{}", complaint(&d));
        let d = Dataset { samples: usize::MAX, ..small() };
        assert!(complaint(&d).contains("do not fill"), "{}", complaint(&d));
        assert!(Dataset { samples: 4, ..small() }.check().is_err());
    }
}
