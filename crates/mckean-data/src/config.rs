//! The `[data]` section of a configuration.
//!
//! Maths: `in_context` and `teacher_student` follow Gao et al. 2024, sections 2.1 and 2.2.
//! Shapes: plain values; the shape of the data follows from them (see each key).
//! Cost: none.
//! Checked: tests below (defaults, unknown keys, every key documented).

use crate::DataError;
use crate::error::bad_value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an image becomes tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One token per square patch: its pixels, row-major, one channel after the other.
    #[default]
    Patches,
    /// One token per pixel: its integer intensity, a token id for a token embedding (dim 1, never scaled).
    Pixels,
}

/// What the label column of a table means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CsvTask {
    /// Integers from 0, or words (numbered in alphabetical order).
    #[default]
    Classes,
    /// Real numbers.
    Values,
}

/// `[data]`: what the network learns from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Data set: "digits" (embedded), "in_context", "teacher_student" (generated), "idx", "cifar10" or "csv" (files).
    pub name: String,
    /// File or folder of "idx" (images, or a folder with the MNIST names), "cifar10" (folder, .bin or .tar.gz), "csv"
    /// (.csv, .tsv, also .gz); relative to the current folder.
    pub path: String,
    /// Label file of "idx".
    pub labels_path: String,
    /// Test file of "idx" (images), "cifar10" (.bin) or "csv"; empty: see `test`.
    pub test_path: String,
    /// Test label file of "idx".
    pub test_labels_path: String,
    /// Training samples; 0 means all of them (256 for generated data).
    pub train: usize,
    /// Test samples; 0 means the whole test set (none for generated data). Files without a test set give the samples
    /// that follow the training samples.
    pub test: usize,
    /// Seed of generated data and of `shuffle`.
    pub seed: u64,
    /// Permute the samples of a file (seeded) before taking the first `train` and `test`.
    pub shuffle: bool,
    /// How an image becomes tokens: "patches" or "pixels".
    pub layout: Layout,
    /// Side of a square patch in pixels; must divide both sides of the image.
    pub patch: usize,
    /// Append to every token a one-hot of its position (n more rows).
    pub positions: bool,
    /// Append this many zeros at the end of every token: rows in which a network writes its answer.
    pub readout_rows: usize,
    /// Divide pixels by their largest possible value (16 for "digits", 255 for bytes; other IDX types stay as they are).
    pub scale: bool,
    /// Subtract the mean and divide by the standard deviation of the training samples (per channel of an image, per
    /// column of a table).
    pub standardise: bool,
    /// "in_context": dimension of x.
    pub x_dim: usize,
    /// "in_context": number of examples N in front of the query.
    pub context: usize,
    /// "in_context": standard deviation of the noise on y.
    pub noise: f64,
    /// "in_context": a row of ones in every token, after y.
    pub constant: bool,
    /// "in_context": everything, targets too, is multiplied by this.
    pub token_scale: f64,
    /// Tokens per sample of "teacher_student" (0 means 5) and "csv" (0 means 1; must divide the number of features).
    pub tokens: usize,
    /// "teacher_student": numbers per token.
    pub dim: usize,
    /// "teacher_student": blocks of the teacher.
    pub teacher_depth: usize,
    /// "teacher_student": heads per block of the teacher.
    pub teacher_heads: usize,
    /// "teacher_student": neurons per block of the teacher.
    pub teacher_neurons: usize,
    /// "teacher_student": entries of the teacher have variance teacher_scale^2 / dim.
    pub teacher_scale: f64,
    /// "csv": the column to predict: "last", "first" or a name of the header.
    pub label_column: String,
    /// "csv": the first line holds column names.
    pub has_header: bool,
    /// "csv": the label column holds "classes" or "values".
    pub task: CsvTask,
}

impl Default for DataConfig {
    fn default() -> Self {
        DataConfig {
            name: "digits".into(),
            path: String::new(),
            labels_path: String::new(),
            test_path: String::new(),
            test_labels_path: String::new(),
            train: 0,
            test: 0,
            seed: 1,
            shuffle: false,
            layout: Layout::Patches,
            patch: 4,
            positions: false,
            readout_rows: 0,
            scale: true,
            standardise: false,
            x_dim: 5,
            context: 16,
            noise: 0.0,
            constant: true,
            token_scale: 1.0,
            tokens: 0,
            dim: 8,
            teacher_depth: 1,
            teacher_heads: 2,
            teacher_neurons: 2,
            teacher_scale: 2.0,
            label_column: "last".into(),
            has_header: false,
            task: CsvTask::Classes,
        }
    }
}

impl DataConfig {
    /// The path under `key`, or [`DataError::MissingKey`] with the given remedy.
    pub(crate) fn need_path(&self, key: &'static str, remedy: &str) -> Result<&std::path::Path, DataError> {
        let path = match key {
            "path" => &self.path,
            "labels_path" => &self.labels_path,
            "test_path" => &self.test_path,
            _ => &self.test_labels_path,
        };
        match path.is_empty() {
            false => Ok(std::path::Path::new(path)),
            true => Err(DataError::MissingKey { key, name: self.name.clone(), remedy: remedy.into() }),
        }
    }

    /// Refuses keys that have no meaning for data that are not images.
    pub(crate) fn refuse_pixels(&self) -> Result<(), DataError> {
        match self.layout {
            Layout::Patches => Ok(()),
            Layout::Pixels => Err(bad_value(
                "layout",
                "\"pixels\"",
                format!("is for images, and \"{}\" has none", self.name),
                "Leave it out; for a table of token ids set data.tokens to the number of features.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_section_is_the_default_and_unknown_keys_are_refused() {
        assert_eq!(toml::from_str::<DataConfig>("").unwrap(), DataConfig::default());
        let pixels: DataConfig = toml::from_str("layout = \"pixels\"\ntask = \"values\"").unwrap();
        assert_eq!((pixels.layout, pixels.task), (Layout::Pixels, CsvTask::Values));
        assert!(toml::from_str::<DataConfig>("pach = 2").unwrap_err().to_string().contains("pach"));
    }

    #[test]
    fn a_config_survives_writing_and_reading() {
        let config = DataConfig { name: "csv".into(), seed: 9, noise: 0.25, ..DataConfig::default() };
        assert_eq!(toml::from_str::<DataConfig>(&toml::to_string(&config).unwrap()).unwrap(), config);
    }

    #[test]
    fn every_key_is_documented() {
        let schema = schemars::schema_for!(DataConfig);
        let keys = schema.get("properties").and_then(|p| p.as_object()).expect("an object");
        assert_eq!(keys.len(), 29);
        for (key, value) in keys {
            let text = value.get("description").and_then(|d| d.as_str()).unwrap_or("");
            assert!(text.len() > 10, "data.{key} has no description");
        }
    }
}
