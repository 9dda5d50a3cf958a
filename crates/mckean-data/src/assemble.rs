//! From rows of features to a data set: scaling, cutting into tokens, positions and read-out rows.
//!
//! Maths: x -> (x - shift) gain per group of features; a token is `[features | one-hot position | zeros]`.
//! Shapes: in `[N][features]`, out `[N][n][d]` with d = features of a token + n if `positions` + `readout_rows`.
//! Cost: one pass; two more to standardise. Sizes are checked before memory is taken.
//! Checked: tests below, `tests/digits.rs`.

use crate::cut::Cut;
use crate::error::bad_value;
use crate::raw::{Raw, choose};
use crate::{DataConfig, DataError, Dataset, Layout, Split};

/// Most numbers that a data set may hold (8 GiB).
pub const MAX_VALUES: usize = 1 << 30;

/// The shape of a data set and what is appended to its tokens.
pub(crate) struct Shape {
    samples: usize,
    tokens: usize,
    features: usize,
    positions: bool,
    readout_rows: usize,
}

impl Shape {
    /// `samples` x `tokens` x `features` and what `config` appends; refused when over [`MAX_VALUES`].
    pub fn new(config: &DataConfig, samples: usize, tokens: usize, features: usize) -> Result<Shape, DataError> {
        let DataConfig { positions, readout_rows, .. } = *config;
        let rows = if positions { tokens } else { 0 };
        let dim = features.checked_add(rows).and_then(|d| d.checked_add(readout_rows));
        let total = dim.and_then(|d| d.checked_mul(tokens)).and_then(|d| d.checked_mul(samples));
        if total.is_some_and(|t| t <= MAX_VALUES) {
            return Ok(Shape { samples, tokens, features, positions, readout_rows });
        }
        Err(DataError::TooLarge {
            what: format!("data.name = \"{}\" with {samples} samples of {tokens} tokens", config.name),
            size: total.map_or("more numbers than can be counted".into(), |t| format!("{t} numbers")),
            limit: format!("{MAX_VALUES} numbers"),
            remedy: "Ask for fewer samples (data.train, data.test), or for smaller or fewer tokens.",
        })
    }

    /// Numbers per token.
    pub fn dim(&self) -> usize {
        self.features + self.readout_rows + if self.positions { self.tokens } else { 0 }
    }

    /// All tokens; `sample(i, out)` writes the features of sample i, `[tokens][features]`, over zeros.
    pub fn fill(&self, mut sample: impl FnMut(usize, &mut [f64])) -> Vec<f64> {
        let (n, dim, size) = (self.tokens, self.dim(), self.features);
        let mut out = vec![0.0; self.samples * n * dim];
        let mut features = vec![0.0; n * size];
        for i in 0..self.samples {
            features.fill(0.0);
            sample(i, &mut features);
            for t in 0..n {
                let token = &mut out[(i * n + t) * dim..][..dim];
                token[..size].copy_from_slice(&features[t * size..(t + 1) * size]);
                if self.positions {
                    token[size + t] = 1.0;
                }
            }
        }
        out
    }
}

/// x -> (x - shift) gain, one pair per group of features.
struct Affine {
    shift: Vec<f64>,
    gain: Vec<f64>,
}

impl Affine {
    /// Division by the largest value, or standardisation by the rows used for training.
    fn new(config: &DataConfig, raw: &Raw, rows: &[usize]) -> Affine {
        let groups = raw.features / raw.group;
        if config.standardise {
            let (shift, gain) = (0..groups).map(|g| standard(raw, rows, g)).unzip();
            return Affine { shift, gain };
        }
        let plain = !config.scale || config.layout == Layout::Pixels;
        Affine { shift: vec![0.0; groups], gain: vec![if plain { 1.0 } else { 1.0 / raw.full }; groups] }
    }

    fn apply(&self, raw: &Raw, i: usize, k: usize) -> f64 {
        let g = k / raw.group;
        (raw.value(i, k) - self.shift[g]) * self.gain[g]
    }
}

/// Mean and 1 / standard deviation of group `g` over `rows` (1 if it is constant).
fn standard(raw: &Raw, rows: &[usize], g: usize) -> (f64, f64) {
    let count = (rows.len() * raw.group) as f64;
    let sum = |f: &dyn Fn(f64) -> f64| -> f64 {
        let row = |&i: &usize| (g * raw.group..(g + 1) * raw.group).map(|k| f(raw.value(i, k))).sum::<f64>();
        rows.iter().map(row).sum()
    };
    let mean = sum(&|x| x) / count;
    let deviation = (sum(&|x| (x - mean).powi(2)) / count).sqrt();
    (mean, if deviation > 1e-12 * (1.0 + mean.abs()) { 1.0 / deviation } else { 1.0 })
}

/// The training and test data of one or two files, chosen, scaled and cut.
pub(crate) fn assemble(config: &DataConfig, cut: &Cut, train: &Raw, test: Option<&Raw>) -> Result<Split, DataError> {
    check_layout(config)?;
    let rows = choose(config, train, test)?;
    let affine = Affine::new(config, train, &rows.train);
    let build = |raw: &Raw, rows: &[usize]| dataset(config, cut, &affine, raw, rows);
    let test = rows.test.map(|r| build(test.unwrap_or(train), &r)).transpose()?;
    Ok(Split { train: build(train, &rows.train)?, test })
}

fn dataset(config: &DataConfig, cut: &Cut, affine: &Affine, raw: &Raw, rows: &[usize]) -> Result<Dataset, DataError> {
    let shape = Shape::new(config, rows.len(), cut.tokens, cut.size())?;
    let inputs = shape.fill(|i, out| {
        for (x, &k) in out.iter_mut().zip(&cut.order) {
            *x = affine.apply(raw, rows[i], k);
        }
    });
    if config.layout == Layout::Pixels {
        check_token_ids(raw, &inputs)?;
    }
    let (targets, name) = (raw.targets.select(rows), config.name.clone());
    Ok(Dataset { name, samples: rows.len(), tokens: cut.tokens, dim: shape.dim(), inputs, targets })
}

/// Token ids must stay alone in their token and unscaled.
fn check_layout(config: &DataConfig) -> Result<(), DataError> {
    let clash = [("standardise", config.standardise), ("positions", config.positions)];
    let rows = ("readout_rows", config.readout_rows > 0);
    match clash.into_iter().chain([rows]).find(|(_, set)| *set) {
        Some((key, _)) if config.layout == Layout::Pixels => {
            let problem = format!("with data.{key} would no longer give integer token ids of dimension 1");
            Err(bad_value("layout", "\"pixels\"", problem, "Leave one of the two keys out."))
        }
        _ => Ok(()),
    }
}

/// Intensities must be integers from 0 to 2^24.
fn check_token_ids(raw: &Raw, ids: &[f64]) -> Result<(), DataError> {
    match ids.iter().find(|x| !(x.fract() == 0.0 && (0.0..=16_777_216.0).contains(*x))) {
        None => Ok(()),
        Some(x) => {
            let problem = format!("needs integers from 0, but {} holds {x}", raw.file);
            Err(bad_value("layout", "\"pixels\"", problem, "Use the layout \"patches\"."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Targets;
    use crate::raw::Numbers;

    fn raw(numbers: &[f64], features: usize, group: usize) -> Raw {
        let targets = Targets::Values { data: vec![0.0; numbers.len() / features], outputs: 1 };
        Raw { file: "f".into(), features, group, full: 4.0, numbers: Numbers::Floats(numbers.to_vec()), targets }
    }

    fn inputs(config: &DataConfig, raw: &Raw, tokens: usize) -> Result<Vec<f64>, DataError> {
        Ok(assemble(config, &Cut::rows(raw.features, tokens)?, raw, None)?.train.inputs)
    }

    #[test]
    fn positions_and_read_out_rows_follow_the_features() {
        let config = DataConfig { positions: true, readout_rows: 1, ..DataConfig::default() };
        let found = inputs(&config, &raw(&[1.0, 2.0, 3.0, 4.0], 4, 4), 2).unwrap();
        assert_eq!(found, [0.25, 0.5, 1.0, 0.0, 0.0, 0.75, 1.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn standardised_groups_have_mean_zero_and_variance_one() {
        let config = DataConfig { standardise: true, ..DataConfig::default() };
        // column 0 varies, column 1 is constant
        let found = inputs(&config, &raw(&[1.0, 7.0, 3.0, 7.0], 2, 1), 1).unwrap();
        assert_eq!(found, [-1.0, 0.0, 1.0, 0.0]);
        // one group: mean 4.5, deviations 3.5, 2.5, 1.5, 2.5
        let found = inputs(&config, &raw(&[1.0, 7.0, 3.0, 7.0], 2, 2), 1).unwrap();
        assert!((found.iter().map(|x| x * x).sum::<f64>() - 4.0).abs() < 1e-12);
    }

    #[test]
    fn the_test_rows_are_standardised_by_the_training_rows() {
        let config = DataConfig { standardise: true, test: 1, ..DataConfig::default() };
        let table = raw(&[0.0, 2.0, 5.0], 1, 1);
        let split = assemble(&config, &Cut::rows(1, 1).unwrap(), &table, None).unwrap();
        assert_eq!((split.train.inputs, split.test.unwrap().inputs), (vec![-1.0, 1.0], vec![4.0]));
    }

    #[test]
    fn pixels_are_plain_integers_alone_in_their_token() {
        let pixels = DataConfig { layout: Layout::Pixels, ..DataConfig::default() };
        assert_eq!(inputs(&pixels, &raw(&[1.0, 3.0], 2, 2), 2).unwrap(), [1.0, 3.0]);
        let text = |c: &DataConfig, x: f64| inputs(c, &raw(&[1.0, x], 2, 2), 2).unwrap_err().to_string();
        assert!(text(&pixels, 0.5).contains("holds 0.5"));
        assert!(text(&pixels, f64::NAN).contains("holds NaN"));
        assert!(text(&DataConfig { positions: true, ..pixels.clone() }, 1.0).contains("data.positions"));
        assert!(text(&DataConfig { readout_rows: 1, ..pixels }, 1.0).contains("data.readout_rows"));
    }

    #[test]
    fn absurd_sizes_are_refused_before_memory_is_taken() {
        for rows in [1 << 40, usize::MAX] {
            let config = DataConfig { readout_rows: rows, ..DataConfig::default() };
            let refused = inputs(&config, &raw(&[1.0, 2.0], 2, 2), 2).unwrap_err();
            assert!(matches!(refused, DataError::TooLarge { .. }), "{refused}");
        }
    }
}
