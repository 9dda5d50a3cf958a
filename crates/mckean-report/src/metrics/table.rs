//! Observations as columns: what figures, analyses and Parquet files read.
//!
//! Maths: none; a missing number is NaN, and `present` tells it from a NaN that was observed.
//! Shapes: every column has as many entries as there are observations.
//! Cost: linear in the file; 9 bytes per number in memory.
//! Checked: unit tests below; `tests/metrics.rs` (torn last line, broken middle line).

use crate::error::{NO_TEXT, ReportError, Result};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Whole numbers below this size are exact in f64.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only counts, all of them exact in f64 (below 2^53 in size).
    Int,
    /// Measures.
    Float,
}

/// All values of one key.
#[derive(Clone, Debug)]
pub struct Column {
    /// The key.
    pub name: String,
    /// Counts or measures.
    pub kind: Kind,
    /// One value per observation; NaN where missing.
    pub values: Vec<f64>,
    /// Whether the observation had this key.
    pub present: Vec<bool>,
}

/// All observations of a run; columns in the order in which their keys first appeared.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Number of observations.
    pub rows: usize,
    /// One column per key.
    pub columns: Vec<Column>,
    /// The torn last line that was dropped, when there was one: a process was killed while writing it.
    pub torn: Option<String>,
}

impl Table {
    /// The values of a key, one per observation, NaN where missing; `None` when no observation has the key.
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        self.columns.iter().find(|column| column.name == name).map(|column| column.values.as_slice())
    }

    /// The values of a key at the observations that have it, with the row of each.
    pub fn observed(&self, name: &str) -> Vec<(usize, f64)> {
        let Some(column) = self.columns.iter().find(|column| column.name == name) else { return vec![] };
        let rows = column.values.iter().zip(&column.present).enumerate();
        rows.filter(|(_, (_, present))| **present).map(|(row, (value, _))| (row, *value)).collect()
    }

    /// The keys, in the order in which they first appeared.
    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }
}

/// Reads a `metrics.jsonl`. A torn last line is dropped and kept in [`Table::torn`]; blank lines are skipped.
///
/// # Errors
/// The file cannot be read; another line is not an object of numbers (the message has its number).
pub fn read(path: impl AsRef<Path>) -> Result<Table> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(|source| ReportError::io("read", path, source))?;
    let mut builder = Builder::default();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    for (i, line) in lines.iter().enumerate() {
        let (is_last, is_whole) = (i + 1 == lines.len(), line.ends_with(b"\n"));
        match parse(line) {
            Ok(Some(row)) if is_whole => builder.push(row),
            Ok(None) => {}
            Ok(_) => builder.table.torn = Some(String::from_utf8_lossy(line).into_owned()),
            Err(_) if is_last => builder.table.torn = Some(String::from_utf8_lossy(line).into_owned()),
            Err(_) if std::str::from_utf8(line).is_err() => return Err(ReportError::damaged(path, NO_TEXT)),
            Err(reason) => {
                return Err(ReportError::BadMetrics { path: path.into(), line: i + 1, reason });
            }
        }
    }
    Ok(builder.table)
}

/// One observation: key, value, whether it is a count. Explicit nulls are left out.
type Row = Vec<(String, f64, Kind)>;

/// A line as an observation; `None` for a blank line.
fn parse(line: &[u8]) -> std::result::Result<Option<Row>, String> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let object: Map<String, Json> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let mut row = Row::new();
    for (key, json) in object {
        if !json.is_null() {
            let (value, kind) = number(&json).ok_or_else(|| format!("`{key}` is {json}, not a number"))?;
            row.push((key, value, kind));
        }
    }
    Ok(Some(row))
}

fn number(json: &Json) -> Option<(f64, Kind)> {
    match json {
        Json::Number(n) if n.is_f64() => n.as_f64().map(|x| (x, Kind::Float)),
        Json::Number(n) => n.as_f64().map(|x| (x, if x.abs() < EXACT { Kind::Int } else { Kind::Float })),
        Json::String(word) => match word.as_str() {
            "NaN" => Some((f64::NAN, Kind::Float)),
            "Infinity" => Some((f64::INFINITY, Kind::Float)),
            "-Infinity" => Some((f64::NEG_INFINITY, Kind::Float)),
            _ => None,
        },
        _ => None,
    }
}

/// A table being filled row by row, with an index of its columns.
#[derive(Default)]
struct Builder {
    table: Table,
    index: HashMap<String, usize>,
}

impl Builder {
    fn push(&mut self, row: Row) {
        for (key, value, kind) in row {
            let column = self.column(key);
            *column.values.last_mut().expect("padded to the current row") = value;
            *column.present.last_mut().expect("padded to the current row") = true;
            if kind == Kind::Float {
                column.kind = Kind::Float;
            }
        }
        self.table.rows += 1;
        let rows = self.table.rows;
        self.table.columns.iter_mut().for_each(|column| column.pad(rows));
    }

    /// The column of a key, padded with missing values up to and including the current row.
    fn column(&mut self, key: String) -> &mut Column {
        let next = self.table.columns.len();
        let at = *self.index.entry(key.clone()).or_insert(next);
        if at == next {
            let empty = Column { name: key, kind: Kind::Int, values: Vec::new(), present: Vec::new() };
            self.table.columns.push(empty);
        }
        let column = &mut self.table.columns[at];
        column.pad(self.table.rows + 1);
        column
    }
}

impl Column {
    fn pad(&mut self, rows: usize) {
        self.values.resize(rows, f64::NAN);
        self.present.resize(rows, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.jsonl");
        fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn columns_by_key_with_nan_for_missing() {
        let t = table("{\"step\":0,\"a\":1.5}\n{\"step\":1}\n\n{\"step\":2,\"b\":\"NaN\",\"a\":null}\n").unwrap();
        assert_eq!((t.rows, t.names()), (3, vec!["step", "a", "b"]));
        assert_eq!(t.column("step").unwrap(), [0.0, 1.0, 2.0]);
        assert!(t.column("a").unwrap()[1].is_nan());
        assert_eq!(t.columns[2].present, [false, false, true]);
        assert_eq!(t.observed("a"), [(0, 1.5)]);
        assert!(t.observed("b")[0].1.is_nan() && t.observed("c").is_empty());
        assert_eq!((t.columns[0].kind, t.columns[2].kind), (Kind::Int, Kind::Float));
    }

    #[test]
    fn a_count_too_large_for_f64_makes_a_column_of_measures() {
        let t = table("{\"n\":9007199254740993}\n").unwrap();
        assert_eq!(t.columns[0].kind, Kind::Float);
    }

    #[test]
    fn only_the_last_line_may_be_broken() {
        for end in ["{\"a\":", "{\"a\":2}", "\0\0\0\n", "{\"a\":\n"] {
            let t = table(&format!("{{\"a\":1}}\n{end}")).unwrap();
            assert_eq!((t.rows, t.torn.as_deref()), (1, Some(end)));
        }
        let message = table("{\"a\":1}\n{\"a\":\n{\"a\":3}\n").unwrap_err().to_string();
        assert!(message.contains("line 2"), "{message}");
        let message = table("{\"a\":\"text\"}\n{\"a\":3}\n").unwrap_err().to_string();
        assert!(message.contains("`a` is \"text\", not a number"), "{message}");
    }
}
