//! Tests of the table reader: what it reads, and what it refuses with which place.
//!
//! Maths: none.
//! Shapes: tables of a few cells.
//! Cost: milliseconds.
//! Checked: these are tests.

use super::*;
use proptest::prelude::*;

fn options(label_column: &str, has_header: bool) -> TableOptions {
    TableOptions { label_column: label_column.into(), has_header, ..TableOptions::default() }
}

fn read(text: &str) -> Result<Table, DataError> {
    parse(text.as_bytes(), "t.csv", &options("last", false))
}

fn complaint<T: std::fmt::Debug>(result: Result<T, DataError>) -> String {
    result.expect_err("should be refused").to_string()
}

fn classes(text: &str) -> Result<(ClassLabels, usize), DataError> {
    class_labels(&read(text)?, None)
}

#[test]
fn any_column_can_be_the_label() {
    let text = "a,b,c\n1,2,3\n4,5,6\n";
    for (column, values, labels) in [
        ("first", [2.0, 3.0, 5.0, 6.0], ["1", "4"]),
        ("b", [1.0, 3.0, 4.0, 6.0], ["2", "5"]),
        ("last", [1.0, 2.0, 4.0, 5.0], ["3", "6"]),
    ] {
        let table = parse(text.as_bytes(), "t.csv", &options(column, true)).unwrap();
        assert_eq!((table.features, table.values.as_slice()), (2, values.as_slice()));
        assert!(table.labels.iter().map(|l| l.1.as_str()).eq(labels));
    }
}

#[test]
fn byte_order_mark_spaces_quotes_and_blank_lines_are_harmless() {
    let table = read("\u{feff}1, 2.5 ,0\r\n\r\n\"3\",-4e-1,1").unwrap();
    assert_eq!(table.values, [1.0, 2.5, 3.0, -0.4]);
    assert_eq!(table.labels[1], (3, "1".into()));
    for end in ["\n", "\r\n", "\r", "\n\n"] {
        let table = read(&["1,2", "3,4", "5,6"].join(end)).unwrap();
        let step = if end == "\n\n" { 2 } else { 1 };
        assert!(table.labels.iter().map(|l| l.0).eq([1, 1 + step, 1 + 2 * step]), "{end:?}: {:?}", table.labels);
    }
}

#[test]
fn bad_cells_are_refused_with_line_and_column() {
    for (text, expected) in [
        ("1,2,0\n3,0\n", "t.csv, line 2, column 3: the row has 2 cells, but the first line has 3"),
        ("1,2,0\n1,2,3,0\n", "t.csv, line 2, column 4: the row has 4 cells"),
        ("1,2,0\n3,x,1\n", "t.csv, line 2, column 2: \"x\" is not a number. Fill"),
        ("1,2,0\nnan,2,1\n", "t.csv, line 2, column 1: \"nan\" is NaN, not a finite number"),
        ("1,2,0\n1,-inf,1\n", "t.csv, line 2, column 2: \"-inf\" is -inf"),
        ("1,1e999,0\n", "t.csv, line 1, column 2: \"1e999\" is inf"),
        ("1,2,0\n1,,1\n", "t.csv, line 2, column 2: the cell is empty"),
        ("width,class\n1,2\n", "If this line holds column names, set data.has_header = true"),
        ("", "the table has no rows"),
        ("5\n6\n", "the first line has 1 cell"),
    ] {
        let found = complaint(read(text));
        assert!(found.contains(expected), "{text:?} gave {found}");
    }
    let found = complaint(parse(b"1,2\n\xff,3\n", "t.csv", &options("last", false)));
    assert!(found.contains("line 2, column 1: the cell is not UTF-8"), "{found}");
}

#[test]
fn unknown_columns_get_the_nearest_name() {
    let found = complaint(parse(b"width,class\n1,2\n", "t.csv", &options("clas", true)));
    assert!(found.contains("data.label_column = clas") && found.contains("Did you mean \"class\"?"), "{found}");
    let found = complaint(parse(b"1,2\n", "t.csv", &options("class", false)));
    assert!(found.contains("data.has_header = false"), "{found}");
}

#[test]
fn labels_are_integers_or_words_but_not_both() {
    let (labels, count) = classes("1,0\n1,4\n1,2.0\n").unwrap();
    assert_eq!((labels.train, count), (vec![0, 4, 2], 5));
    let (labels, count) = classes("1,rose\n1,lily\n1,rose\n").unwrap();
    assert_eq!((labels.train, count), (vec![1, 0, 1], 2));
    for text in ["1,0\n1,rose\n", "1,0\n1,-1\n", "1,0\n1,0.5\n", "1,0\n1,65536\n", "1,0.5\n1,1\n", "1,0\n1,\n"] {
        let found = complaint(classes(text));
        assert!(found.contains("column 2: the label") && found.contains("task = \"values\""), "{text:?}: {found}");
    }
    let (train, test) = (read("1,lily\n").unwrap(), read("1,lily\n1,tulip\n").unwrap());
    assert!(complaint(class_labels(&train, Some(&test))).contains("line 2, column 2: the label \"tulip\""));
}

#[test]
fn values_must_be_finite() {
    assert_eq!(value_labels(&read("1,-0.5\n1,2\n").unwrap()).unwrap(), [-0.5, 2.0]);
    assert!(complaint(value_labels(&read("1,-0.5\n1,inf\n").unwrap())).contains("line 2, column 2"));
}

proptest! {
    #[test]
    fn numbers_survive_the_round_trip(x in proptest::collection::vec(-1e300f64..1e300, 1..20)) {
        let text: String = x.iter().map(|v| format!("{v:e},{v}\n")).collect();
        let table = read(&text).unwrap();
        prop_assert_eq!(&table.values, &x);
        prop_assert_eq!(value_labels(&table).unwrap(), x);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), header: bool) {
        if let Ok(table) = parse(&bytes, "t.csv", &options("last", header)) {
            prop_assert_eq!(table.values.len(), table.labels.len() * table.features);
        }
    }
}
