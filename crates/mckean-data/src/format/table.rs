//! Tables of numbers with a label column: CSV or, for a name in .tsv, tab-separated.
//!
//! Maths: none.
//! Shapes: rows of F finite features and one label; every row has the same length.
//! Cost: one pass, about 50 ns a cell.
//! Checked: tests below (ragged rows, words, NaN, headers, unknown columns), the digits, `tests/files.rs`.

use crate::DataError;
use crate::error::{bad_value, nearest};
use std::collections::BTreeSet;

/// Most classes that a label column may name.
pub const MAX_CLASSES: usize = 1 << 16;

/// How to read a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableOptions {
    /// "last", "first" or a name of the header.
    pub label_column: String,
    /// The first line holds column names.
    pub has_header: bool,
    /// Character between cells.
    pub delimiter: u8,
}

impl Default for TableOptions {
    fn default() -> Self {
        TableOptions { label_column: "last".into(), has_header: false, delimiter: b',' }
    }
}

/// A checked table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// File name, for messages.
    pub file: String,
    /// Features per row.
    pub features: usize,
    /// `[rows][features]`, all finite.
    pub values: Vec<f64>,
    /// Label cell of each row, trimmed, with its line.
    pub labels: Vec<(u64, String)>,
    /// Position of the label column, from 0.
    pub label_column: usize,
}

/// Reads decompressed bytes; `file` is for messages.
///
/// Errors: [`DataError::Cell`] with line and column for ragged rows, cells that are not finite numbers and bytes that
/// are not UTF-8; [`DataError::BadValue`] for a label column that does not exist.
pub fn parse(bytes: &[u8], file: &str, options: &TableOptions) -> Result<Table, DataError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(options.has_header)
        .flexible(true)
        .delimiter(options.delimiter)
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let broken = |e: csv::Error| cell_error(file, e.position().map_or(0, |p| p.line()), 0, format!("{e}"), "");
    let header = if options.has_header { Some(reader.byte_headers().map_err(broken)?.clone()) } else { None };
    let mut rows: Option<Rows> = None;
    let mut lines = Lines { bytes, at: 0, line: 1 };
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(broken)? {
        if rows.is_none() {
            rows = Some(Rows::new(file, options, header.as_ref().unwrap_or(&record))?);
        }
        if let Some(rows) = &mut rows {
            rows.push(&record, lines.of(&record))?;
        }
    }
    let empty = || cell_error(file, 1, 0, "the table has no rows".into(), "Give at least one row of numbers.");
    rows.map(|r| r.table).ok_or_else(empty)
}

pub(super) fn cell_error(file: &str, line: u64, column: usize, problem: String, remedy: &str) -> DataError {
    DataError::Cell { file: file.into(), line, column: column + 1, problem, remedy: remedy.into() }
}

/// Counts lines ended by LF, CRLF or CR. (The parser's own count is one behind after CRLF and blank lines.)
pub(super) struct Lines<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    pub line: u64,
}

impl Lines<'_> {
    /// The line on which a record begins, from 1; records must come in order.
    pub fn of(&mut self, record: &csv::ByteRecord) -> u64 {
        let start = record.position().map_or(0, |p| p.byte() as usize);
        while self.at < self.bytes.len() && (self.at < start || matches!(self.bytes[self.at], b'\r' | b'\n')) {
            let ends = match self.bytes[self.at] {
                b'\n' => true,
                b'\r' => self.bytes.get(self.at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
            self.at += 1;
        }
        self.line
    }
}

/// A table being read.
struct Rows {
    width: usize,
    has_header: bool,
    table: Table,
}

impl Rows {
    /// `first` is the header, or the first row.
    fn new(file: &str, options: &TableOptions, first: &csv::ByteRecord) -> Result<Rows, DataError> {
        let width = first.len();
        if width < 2 {
            let remedy = "Give at least one feature and a label, separated by commas (tabs in a .tsv file).";
            return Err(cell_error(file, 1, 0, format!("the first line has {width} cell"), remedy));
        }
        let label_column = label_position(options, first, file)?;
        let table = Table { file: file.into(), features: width - 1, values: vec![], labels: vec![], label_column };
        Ok(Rows { width, has_header: options.has_header, table })
    }

    fn push(&mut self, record: &csv::ByteRecord, line: u64) -> Result<(), DataError> {
        if record.len() != self.width {
            let problem = format!("the row has {} cells, but the first line has {}", record.len(), self.width);
            let remedy = "Give every row the same number of cells; quote a cell that holds the separator.";
            return Err(cell_error(&self.table.file, line, record.len().min(self.width), problem, remedy));
        }
        for (column, cell) in record.iter().enumerate() {
            if column == self.table.label_column {
                self.table.labels.push((line, self.text(cell, line, column)?.to_string()));
            } else {
                let number = self.number(cell, line, column)?;
                self.table.values.push(number);
            }
        }
        Ok(())
    }

    fn text<'a>(&self, cell: &'a [u8], line: u64, column: usize) -> Result<&'a str, DataError> {
        std::str::from_utf8(cell).map_err(|_| {
            let remedy = "Save the table as UTF-8.";
            cell_error(&self.table.file, line, column, "the cell is not UTF-8 text".into(), remedy)
        })
    }

    fn number(&self, cell: &[u8], line: u64, column: usize) -> Result<f64, DataError> {
        let text = self.text(cell, line, column)?;
        finite(text).map_err(|problem| {
            let first = line <= 1 && !self.has_header;
            let remedy = if first { "If this line holds column names, set data.has_header = true." } else { FILL };
            cell_error(&self.table.file, line, column, problem, remedy)
        })
    }
}

const FILL: &str = "Fill or remove the row; every feature must be a finite number.";

/// A finite number, or what is wrong with the cell.
pub(super) fn finite(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(x),
        Ok(x) => Err(format!("\"{text}\" is {x}, not a finite number")),
        Err(_) if text.is_empty() => Err("the cell is empty".into()),
        Err(_) => Err(format!("\"{}\" is not a number", shorten(text))),
    }
}

/// The first 40 characters.
fn shorten(text: &str) -> String {
    let head: String = text.chars().take(40).collect();
    if head.len() < text.len() { format!("{head}...") } else { head }
}

fn label_position(options: &TableOptions, first: &csv::ByteRecord, file: &str) -> Result<usize, DataError> {
    let wanted = options.label_column.as_str();
    match wanted {
        "last" => return Ok(first.len() - 1),
        "first" => return Ok(0),
        _ if !options.has_header => {
            let problem = "names a column, but data.has_header = false says that columns have no names";
            return Err(bad_value(
                "label_column",
                wanted,
                problem,
                "Set has_header = true, or use \"last\" or \"first\".",
            ));
        }
        _ => {}
    }
    let names: Vec<String> = first.iter().map(|n| String::from_utf8_lossy(n).into_owned()).collect();
    names.iter().position(|n| n == wanted).ok_or_else(|| {
        let near = nearest(wanted, names.iter().map(String::as_str));
        let remedy = format!("Did you mean \"{}\"?", shorten(near));
        bad_value("label_column", wanted, format!("is not a column of {file}"), remedy)
    })
}

/// Labels as classes: of the training table, of the test table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassLabels {
    /// One per training row.
    pub train: Vec<u32>,
    /// One per test row.
    pub test: Option<Vec<u32>>,
}

/// Class labels and the number of classes. If the first label is an integer from 0, all must be, and there are
/// (largest + 1) classes; otherwise the words of the training table are numbered in alphabetical order.
///
/// Errors: [`DataError::Cell`] with line and column for a label that does not fit.
pub fn class_labels(train: &Table, test: Option<&Table>) -> Result<(ClassLabels, usize), DataError> {
    let words = match train.labels.first() {
        Some((_, first)) if class_number(first).is_none() && finite(first).is_err() => words_of(train)?,
        _ => vec![],
    };
    let read = |table: &Table| table.labels.iter().map(|(line, cell)| class_of(table, *line, cell, &words)).collect();
    let labels = ClassLabels { train: read(train)?, test: test.map(read).transpose()? };
    let largest = labels.train.iter().chain(labels.test.iter().flatten()).max().map_or(0, |&m| m as usize);
    Ok((labels, words.len().max(largest + 1)))
}

fn words_of(table: &Table) -> Result<Vec<&str>, DataError> {
    let words: BTreeSet<&str> = table.labels.iter().map(|(_, cell)| cell.as_str()).collect();
    if words.len() <= MAX_CLASSES {
        return Ok(words.into_iter().collect());
    }
    let problem = format!("the label column holds {} different words", words.len());
    Err(cell_error(&table.file, 1, table.label_column, problem, "Check data.label_column."))
}

/// "3" or "3.0" as 3, below [`MAX_CLASSES`].
fn class_number(cell: &str) -> Option<u32> {
    let x = finite(cell).ok()?;
    (x.fract() == 0.0 && (0.0..MAX_CLASSES as f64).contains(&x)).then_some(x as u32)
}

fn class_of(table: &Table, line: u64, cell: &str, words: &[&str]) -> Result<u32, DataError> {
    let found = if words.is_empty() { class_number(cell) } else { words.binary_search(&cell).ok().map(|i| i as u32) };
    found.filter(|_| !cell.is_empty()).ok_or_else(|| {
        let kind = if words.is_empty() { "an integer from 0, below 65536" } else { "a class of the training table" };
        let problem = format!("the label \"{}\" is not {kind}", shorten(cell));
        let remedy = "Repair the label, or set data.task = \"values\" for real numbers.";
        cell_error(&table.file, line, table.label_column, problem, remedy)
    })
}

/// Labels as finite numbers.
///
/// Errors: [`DataError::Cell`] with line and column.
pub fn value_labels(table: &Table) -> Result<Vec<f64>, DataError> {
    let number = |(line, cell): &(u64, String)| {
        finite(cell).map_err(|problem| cell_error(&table.file, *line, table.label_column, problem, FILL))
    };
    table.labels.iter().map(number).collect()
}

#[cfg(test)]
mod tests;
