//! Which keys of `[data]` mean something for which data set; the others may not be set.
//!
//! Maths: none.
//! Shapes: one line a key.
//! Cost: none.
//! Checked: tests below.

use crate::{DataConfig, DataError};

const IMAGES: &[&str] = &["digits", "idx", "cifar10"];
const SAMPLES: &[&str] = &["digits", "idx", "cifar10", "csv"];
const FILES: &[&str] = &["idx", "cifar10", "csv"];

/// Refuses a key that is set to something else than its default although the data set does not read it.
pub(crate) fn check(c: &DataConfig) -> Result<(), DataError> {
    let d = DataConfig::default();
    let keys: [(&'static str, bool, &[&str]); 19] = [
        ("path", c.path != d.path, FILES),
        ("labels_path", c.labels_path != d.labels_path, &["idx"]),
        ("test_path", c.test_path != d.test_path, FILES),
        ("test_labels_path", c.test_labels_path != d.test_labels_path, &["idx"]),
        ("shuffle", c.shuffle != d.shuffle, SAMPLES),
        ("patch", c.patch != d.patch, IMAGES),
        ("scale", c.scale != d.scale, IMAGES),
        ("x_dim", c.x_dim != d.x_dim, &["in_context"]),
        ("context", c.context != d.context, &["in_context"]),
        ("noise", c.noise != d.noise, &["in_context"]),
        ("tokens", c.tokens != d.tokens, &["teacher_student", "csv"]),
        ("dim", c.dim != d.dim, &["teacher_student"]),
        ("teacher_depth", c.teacher_depth != d.teacher_depth, &["teacher_student"]),
        ("teacher_heads", c.teacher_heads != d.teacher_heads, &["teacher_student"]),
        ("teacher_neurons", c.teacher_neurons != d.teacher_neurons, &["teacher_student"]),
        ("teacher_scale", c.teacher_scale != d.teacher_scale, &["teacher_student"]),
        ("label_column", c.label_column != d.label_column, &["csv"]),
        ("has_header", c.has_header != d.has_header, &["csv"]),
        ("task", c.task != d.task, &["csv"]),
    ];
    let idle = keys.into_iter().find(|(_, set, readers)| *set && !readers.contains(&c.name.as_str()));
    let Some((key, _, readers)) = idle else { return Ok(()) };
    Err(DataError::UnusedKey { key, name: c.name.clone(), readers: readers.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_another_data_set_are_refused_by_name() {
        let patch = DataConfig { name: "in_context".into(), patch: 2, ..DataConfig::default() };
        let message = check(&patch).unwrap_err().to_string();
        assert!(message.contains("data.patch") && message.contains("belongs to digits, idx, cifar10"), "{message}");
        assert!(check(&DataConfig { context: 3, ..DataConfig::default() }).is_err());
        assert!(check(&DataConfig { patch: 2, shuffle: true, ..DataConfig::default() }).is_ok());
        let table = DataConfig { name: "csv".into(), path: "a".into(), tokens: 2, ..DataConfig::default() };
        assert!(check(&table).is_ok());
    }
}
