//! What a file holds before tokens are made of it: rows of features with targets, and which rows are used.
//!
//! Maths: none.
//! Shapes: numbers are `[samples][features]` row-major, kept as they lie in the file (a byte image stays bytes).
//! Cost: choosing rows is O(samples); a number is decoded when it is read.
//! Checked: tests below, `tests/readers.rs`.

use crate::error::{bad_format, bad_value};
use crate::format::idx::Idx;
use crate::{DataConfig, DataError, Targets};
use mckean_num::rng::Seed;

/// Numbers of a file, by flat index.
pub(crate) enum Numbers {
    /// Already read.
    Floats(Vec<f64>),
    /// Single bytes.
    Bytes(Vec<u8>),
    /// In the encoding of an IDX file.
    Idx(Idx),
}

/// Samples as rows of features.
pub(crate) struct Raw {
    /// File name, for messages.
    pub file: String,
    /// Numbers per sample.
    pub features: usize,
    /// Features k with the same k / group share their mean and deviation when standardised.
    pub group: usize,
    /// Largest possible value (1 where there is none).
    pub full: f64,
    /// `[samples][features]`.
    pub numbers: Numbers,
    /// One entry per sample.
    pub targets: Targets,
}

impl Raw {
    /// Number of samples (that of the targets).
    pub fn samples(&self) -> usize {
        match &self.targets {
            Targets::Values { data, outputs } => data.len() / outputs,
            Targets::Classes { labels, .. } => labels.len(),
        }
    }

    /// Feature `k` of sample `i`.
    pub fn value(&self, i: usize, k: usize) -> f64 {
        match &self.numbers {
            Numbers::Floats(data) => data[i * self.features + k],
            Numbers::Bytes(data) => f64::from(data[i * self.features + k]),
            Numbers::Idx(idx) => idx.number(i * self.features + k),
        }
    }
}

/// Rows of a file to train on, and rows to test on: of the test file if there is one, else of the same file.
pub(crate) struct Rows {
    pub train: Vec<usize>,
    pub test: Option<Vec<usize>>,
}

/// The rows that `train`, `test`, `shuffle` and `seed` ask for.
pub(crate) fn choose(config: &DataConfig, train: &Raw, test: Option<&Raw>) -> Result<Rows, DataError> {
    let mut order = rows_in_order(config, train, 0)?;
    let Some(test) = test else {
        return hold_out(config, train, order);
    };
    let mut test_order = rows_in_order(config, test, 1)?;
    order.truncate(count("train", config.train, order.len(), &train.file)?);
    test_order.truncate(count("test", config.test, test_order.len(), &test.file)?);
    Ok(Rows { train: order, test: Some(test_order) })
}

/// One file for both: `test` samples after the first `train` ones (all but `test` when `train` is 0).
fn hold_out(config: &DataConfig, raw: &Raw, mut order: Vec<usize>) -> Result<Rows, DataError> {
    let total = order.len();
    let held = config.test;
    if held >= total {
        let problem = format!("leaves nothing to train on: {} holds {total} samples and no test set", raw.file);
        return Err(bad_value("test", held, problem, "Ask for fewer test samples, or name a test file."));
    }
    let train = count("train", config.train, total - held, &raw.file)?;
    let test = (held > 0).then(|| order[train..train + held].to_vec());
    order.truncate(train);
    Ok(Rows { train: order, test })
}

/// 0..N, permuted when `shuffle` is set (stream "data.shuffle", index 0 for the training file, 1 for the test file).
fn rows_in_order(config: &DataConfig, raw: &Raw, which: u64) -> Result<Vec<usize>, DataError> {
    match raw.samples() {
        0 => Err(bad_format(&raw.file, "holds no samples", "Give a file with at least one.")),
        n if config.shuffle => Ok(Seed(config.seed).stream("data.shuffle").at(which).open().permutation(n)),
        n => Ok((0..n).collect()),
    }
}

/// How many samples `asked` means; 0 is all.
fn count(key: &'static str, asked: usize, exist: usize, file: &str) -> Result<usize, DataError> {
    match asked {
        0 => Ok(exist),
        n if n <= exist => Ok(n),
        _ => Err(DataError::TooFewSamples { key, asked, exist, file: file.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(n: usize) -> Raw {
        let targets = Targets::Values { data: vec![0.0; n], outputs: 1 };
        Raw { file: "f.csv".into(), features: 1, group: 1, full: 1.0, numbers: Numbers::Bytes(vec![0; n]), targets }
    }

    fn rows(train: usize, test: usize, shuffle: bool, files: (usize, Option<usize>)) -> Result<Rows, DataError> {
        let config = DataConfig { train, test, shuffle, ..DataConfig::default() };
        choose(&config, &raw(files.0), files.1.map(raw).as_ref())
    }

    #[test]
    fn zero_is_all_and_a_single_file_can_hold_out_a_test_set() {
        let r = rows(0, 0, false, (5, Some(3))).unwrap();
        assert_eq!((r.train, r.test), (vec![0, 1, 2, 3, 4], Some(vec![0, 1, 2])));
        let r = rows(0, 2, false, (5, None)).unwrap();
        assert_eq!((r.train, r.test), (vec![0, 1, 2], Some(vec![3, 4])));
        let r = rows(2, 1, false, (5, None)).unwrap();
        assert_eq!((r.train, r.test), (vec![0, 1], Some(vec![2])));
        assert_eq!(rows(0, 0, false, (5, None)).unwrap().test, None);
    }

    #[test]
    fn a_shuffled_hold_out_uses_every_row_once() {
        let r = rows(0, 30, true, (100, None)).unwrap();
        assert_ne!(r.train[..4], [0, 1, 2, 3]);
        let mut all = [r.train, r.test.unwrap()].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..100));
        let r = rows(0, 0, true, (100, Some(100))).unwrap();
        assert_ne!(Some(r.train), r.test, "two files of one size are permuted differently");
    }

    #[test]
    fn asking_for_too_much_says_how_many_exist() {
        let text = |r: Result<Rows, DataError>| r.err().expect("refused").to_string();
        assert!(text(rows(6, 0, false, (5, None))).contains("f.csv has only 5"));
        assert!(text(rows(0, 4, false, (5, Some(3)))).contains("f.csv has only 3"));
        assert!(text(rows(0, 5, false, (5, None))).contains("leaves nothing to train on"));
        assert!(text(rows(0, 0, false, (0, None))).contains("holds no samples"));
    }
}
