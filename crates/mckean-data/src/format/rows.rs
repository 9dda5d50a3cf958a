//! Tables of named numbers: CSV or, for a name in .tsv, tab-separated, with or without a line of names on top.
//!
//! Maths: none.
//! Shapes: rows of as many finite numbers as there are names, in their order.
//! Cost: one pass, about 50 ns a cell.
//! Checked: tests below (names, wrong counts, words, NaN, empty and missing files); numbers as in `table`.

use super::bytes;
use super::table::{Lines, cell_error, finite};
use crate::DataError;
use crate::error::bad_format;
use std::path::Path;

/// Reads a file whose columns are `names`; `order` says the same in short, for messages.
///
/// Errors: [`DataError::File`], [`DataError::Cell`] with line and column for other names, rows of another length and cells that are not
/// finite numbers.
pub fn read(path: &Path, names: &[String], order: &str) -> Result<Vec<Vec<f64>>, DataError> {
    let name = path.display().to_string();
    let tabs = name.trim_end_matches(".gz").ends_with(".tsv");
    parse(&bytes::read(path, "path")?, (&name, if tabs { b'\t' } else { b',' }), names, order)
}

fn parse(
    bytes: &[u8],
    (file, delimiter): (&str, u8),
    names: &[String],
    order: &str,
) -> Result<Vec<Vec<f64>>, DataError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if std::str::from_utf8(bytes).is_err() {
        return Err(bad_format(
            file,
            "it is no text",
            "A table is needed: numbers and commas in a .csv, numbers and tabs in a .tsv.",
        ));
    }
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true).delimiter(delimiter).trim(csv::Trim::All);
    let mut lines = Lines { bytes, at: 0, line: 1 };
    let mut rows = vec![];
    for (i, record) in reader.from_reader(bytes).into_byte_records().enumerate() {
        let broken = |e: csv::Error| cell_error(file, e.position().map_or(0, |p| p.line()), 0, format!("{e}"), "");
        let record = record.map_err(broken)?;
        let line = lines.of(&record);
        let cells: Vec<String> = record.iter().map(|c| String::from_utf8_lossy(c).into_owned()).collect();
        if cells.len() != names.len() {
            let problem = format!("the row has {} cells, but there are {} columns", cells.len(), names.len());
            let hint = hint(&cells, delimiter);
            return Err(cell_error(
                file,
                line,
                cells.len().min(names.len()),
                problem,
                &format!("They are {order}.{hint}"),
            ));
        }
        match i == 0 && is_header(&cells) {
            true => check_names(&cells, names, (file, line), order)?,
            false => rows.push(numbers(&cells, file, line)?),
        }
    }
    if rows.is_empty() {
        return Err(cell_error(file, 1, 0, "there are no rows of numbers".into(), "Give at least one."));
    }
    Ok(rows)
}

/// Whether a first line is meant to name columns: it begins with a word, or most of it are words.
fn is_header(cells: &[String]) -> bool {
    let is_word = |c: &&String| !c.is_empty() && c.parse::<f64>().is_err();
    cells.first().is_some_and(|c| is_word(&c)) || 2 * cells.iter().filter(is_word).count() > cells.len()
}

/// What a row of the wrong length may be, if its text tells.
fn hint(cells: &[String], delimiter: u8) -> String {
    let (own, what) = if delimiter == b'\t' { ("tabs", "a .tsv") } else { ("commas", "a .csv") };
    let others = [(';', "semicolons"), ('\t', "tabs"), (',', "commas")];
    let other = others.iter().find(|o| o.1 != own && cells.iter().any(|c| c.contains(o.0)));
    match other {
        _ if cells.first().is_some_and(|c| c.starts_with('#')) => " Comments are not read: delete this line.".into(),
        Some((_, name)) => format!(" This row seems to be separated by {name}: {what} is separated by {own}."),
        None => format!(" Cells of {what} are separated by {own}."),
    }
}

fn check_names(cells: &[String], names: &[String], (file, line): (&str, u64), order: &str) -> Result<(), DataError> {
    let Some(i) = (0..names.len()).find(|&i| cells[i] != names[i]) else { return Ok(()) };
    let problem = match cells[i].as_str() {
        "" => format!("the first line names columns, but not this one, which is \"{}\"", names[i]),
        other => format!("the column is named \"{other}\" where \"{}\" is expected", names[i]),
    };
    let remedy = format!("Columns are {order}. Name them so, or leave out the line of names.");
    Err(cell_error(file, line, i, problem, &remedy))
}

fn numbers(cells: &[String], file: &str, line: u64) -> Result<Vec<f64>, DataError> {
    let one = |(i, cell): (usize, &String)| {
        finite(cell).map_err(|problem| cell_error(file, line, i, problem, "Every cell must be a finite number."))
    };
    cells.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<Vec<f64>>, DataError> {
        let names = ["v_0", "w_0", "w_1"].map(String::from);
        parse(text.as_bytes(), ("p.csv", b','), &names, "v_0, then w_0, w_1")
    }

    #[test]
    fn rows_are_read_with_and_without_names() {
        let rows = vec![vec![1.0, -2.5, 3e-4], vec![4.0, 5.0, 6.0]];
        for head in ["", "v_0,w_0,w_1\n", "\u{feff}v_0, w_0 ,w_1\r\n\n"] {
            assert_eq!(of(&format!("{head}1,-2.5,3e-4\n4,5,6\n")).unwrap(), rows, "{head:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, words) in [
            ("", "line 1, column 1: there are no rows of numbers"),
            ("v_0,w_0,w_1\n", "there are no rows"),
            ("1,2\n", "line 1, column 3: the row has 2 cells, but there are 3 columns. They are v_0, then w_0, w_1."),
            ("1,2,3\n1,2,3,4\n", "line 2, column 4: the row has 4 cells"),
            ("v_0,w_1,w_0\n1,2,3\n", "column 2: the column is named \"w_1\" where \"w_0\" is expected"),
            ("1,2,3\n1,nan,3\n", "line 2, column 2: \"nan\" is NaN, not a finite number"),
            ("nan,2,3\n", "line 1, column 1: \"nan\" is NaN"),
            ("1,inf,3\n", "not a finite number"),
            (",2,3\n", "line 1, column 1: the cell is empty"),
            ("1,2,3\nv,2,3\n", "line 2, column 1: \"v\" is not a number"),
            (",w_0,w_1\n1,2,3\n", "column 1: the first line names columns, but not this one, which is \"v_0\""),
            ("1,w_0,w_1\n1,2,3\n", "column 1: the column is named \"1\" where \"v_0\" is expected. Columns are"),
            ("1;2;3\n", "seems to be separated by semicolons: a .csv is separated by commas"),
            ("1\t2\t3\n", "seems to be separated by tabs: a .csv is separated by commas"),
            ("# mine\n1,2,3\n", "line 1, column 2: the row has 1 cells, but there are 3 columns"),
            ("# mine\n1,2,3\n", "Comments are not read: delete this line"),
        ] {
            let found = of(text).unwrap_err().to_string();
            assert!(found.contains(words), "{text:?}: {found}");
        }
        let raw = parse(b"\xff\x00\x81", ("p.csv", b','), &["a".to_string()], "a").unwrap_err().to_string();
        assert!(raw.contains("p.csv: it is no text. A table is needed"), "{raw}");
        let e = read(Path::new("no/such.csv"), &[], "").unwrap_err();
        assert!(matches!(e, DataError::File { .. }), "{e}");
    }
}
