//! `data.name = "csv"`: a table and, where one is named, a test table.
//!
//! Maths: none.
//! Shapes: rows of F features; `data.tokens` cuts them into tokens of F / tokens numbers.
//! Cost: one read per file.
//! Checked: `tests/readers.rs`, `tests/files.rs`.

use super::bytes;
use super::table::{ClassLabels, Table, TableOptions, class_labels, parse, value_labels};
use crate::error::bad_value;
use crate::raw::{Numbers, Raw};
use crate::{CsvTask, DataConfig, DataError, Targets};
use std::path::Path;

/// The training table and the test table.
pub(crate) fn read(config: &DataConfig) -> Result<(Raw, Option<Raw>), DataError> {
    let train = open(config, config.need_path("path", "Name the table (.csv, .tsv, also .gz).")?, "path")?;
    let test_path = (!config.test_path.is_empty()).then(|| Path::new(&config.test_path));
    let test = test_path.map(|path| open(config, path, "test_path")).transpose()?;
    if let Some(test) = test.as_ref().filter(|t| t.features != train.features) {
        let problem = format!("has {} features per row, but the training table has {}", test.features, train.features);
        return Err(bad_value("test_path", &test.file, problem, "Give a test table with the same columns."));
    }
    let (targets, test_targets) = targets(config, &train, test.as_ref())?;
    Ok((raw(train, targets), test.zip(test_targets).map(|(table, targets)| raw(table, targets))))
}

fn open(config: &DataConfig, path: &Path, key: &'static str) -> Result<Table, DataError> {
    let name = path.display().to_string();
    let tabs = name.trim_end_matches(".gz").ends_with(".tsv");
    let options = TableOptions {
        label_column: config.label_column.clone(),
        has_header: config.has_header,
        delimiter: if tabs { b'\t' } else { b',' },
    };
    parse(&bytes::read(path, key)?, &name, &options)
}

fn targets(config: &DataConfig, train: &Table, test: Option<&Table>) -> Result<(Targets, Option<Targets>), DataError> {
    if config.task == CsvTask::Values {
        let values = |table: &Table| value_labels(table).map(|data| Targets::Values { data, outputs: 1 });
        return Ok((values(train)?, test.map(values).transpose()?));
    }
    let (ClassLabels { train, test }, classes) = class_labels(train, test)?;
    let targets = |labels| Targets::Classes { labels, classes };
    Ok((targets(train), test.map(targets)))
}

fn raw(table: Table, targets: Targets) -> Raw {
    let Table { file, features, values, .. } = table;
    Raw { file, features, group: 1, full: 1.0, numbers: Numbers::Floats(values), targets }
}
