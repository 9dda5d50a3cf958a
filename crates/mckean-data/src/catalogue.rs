//! What `data.name` can be: the list behind `mckean data list`.
//!
//! Maths: none.
//! Shapes: the sizes given are those of the default configuration.
//! Cost: none.
//! Checked: tests below (sizes equal those of `load`; every name is known to `load`).

use serde::Serialize;

/// Where the numbers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    /// Inside the program.
    Embedded,
    /// A file of the user's.
    FileReader,
    /// Drawn from a seed.
    Generated,
}

impl std::fmt::Display for DataKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            DataKind::Embedded => "embedded",
            DataKind::FileReader => "file reader",
            DataKind::Generated => "generated",
        })
    }
}

/// One line of `mckean data list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogueEntry {
    /// What to write in `data.name`.
    pub name: &'static str,
    /// Where the numbers come from.
    pub kind: DataKind,
    /// What it is, in one line.
    pub what: &'static str,
    /// Training and test samples by default; `None` where the file decides.
    pub samples: Option<(usize, usize)>,
    /// Tokens per sample by default; `None` where the file decides.
    pub tokens: Option<usize>,
    /// Numbers per token by default; `None` where the file decides.
    pub dim: Option<usize>,
    /// Licence of the numbers.
    pub licence: &'static str,
    /// Key of the reference to cite; empty for a user's own table.
    pub citation: &'static str,
}

/// All data sets, in the order in which they are listed.
pub fn catalogue() -> Vec<CatalogueEntry> {
    let files = |name, what, licence, citation| CatalogueEntry {
        name,
        kind: DataKind::FileReader,
        what,
        samples: None,
        tokens: None,
        dim: None,
        licence,
        citation,
    };
    let generated = |name, what, tokens, dim| CatalogueEntry {
        name,
        kind: DataKind::Generated,
        what,
        samples: Some((256, 0)),
        tokens: Some(tokens),
        dim: Some(dim),
        licence: "none needed",
        citation: "gao2024",
    };
    vec![
        CatalogueEntry {
            name: "digits",
            kind: DataKind::Embedded,
            what: "8 x 8 images of handwritten digits, 10 classes",
            samples: Some((3823, 1797)),
            tokens: Some(4),
            dim: Some(16),
            licence: "CC BY 4.0, E. Alpaydin and C. Kaynak",
            citation: "alpaydin1998",
        },
        generated("in_context", "linear regression in context: examples (x; y), then a query", 17, 8),
        generated("teacher_student", "outputs of a small mean-field Transformer on Gaussian tokens", 5, 8),
        files("idx", "images and labels in the IDX format of MNIST, plain or .gz", "the file's own", "lecun1998"),
        files(
            "cifar10",
            "CIFAR-10, binary version: folder, .bin or .tar.gz",
            "none published; research use",
            "krizhevsky2009",
        ),
        files("csv", "a table of numbers with a label column, plain or .gz", "the file's own", ""),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataConfig, DataError, load};

    fn with_name(name: &str) -> Result<crate::Split, DataError> {
        load(&DataConfig { name: name.into(), ..DataConfig::default() })
    }

    #[test]
    fn the_listed_sizes_are_those_of_the_default_configuration() {
        for entry in catalogue().iter().filter(|e| e.kind != DataKind::FileReader) {
            let split = with_name(entry.name).unwrap();
            let sizes = (split.train.samples, split.test.map_or(0, |t| t.samples));
            assert_eq!(entry.samples, Some(sizes), "{}", entry.name);
            assert_eq!((entry.tokens, entry.dim), (Some(split.train.tokens), Some(split.train.dim)), "{}", entry.name);
        }
    }

    #[test]
    fn file_readers_ask_for_a_path_and_unknown_names_get_the_nearest() {
        for entry in catalogue().iter().filter(|e| e.kind == DataKind::FileReader) {
            assert!(matches!(with_name(entry.name), Err(DataError::MissingKey { key: "path", .. })), "{}", entry.name);
        }
        let text = with_name("cifar-10").unwrap_err().to_string();
        assert!(text.contains("did you mean \"cifar10\"") && text.contains("digits"), "{text}");
    }
}
