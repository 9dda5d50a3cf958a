//! The numbers of a figure as text that spreadsheets and pandas read.
//!
//! Maths: none; the shortest decimal text that reads back to the same f64, or to its first 8 digits; "NaN" and "inf".
//! Shapes: long format, one row per point: series, x, y, lo, hi; missing entries are empty.
//! Cost: linear.
//! Checked: unit tests below.

use super::thin::keep;
use super::{Figure, Series};

/// How a number is written.
pub(super) type Digits = fn(f64) -> String;

/// All digits that matter.
pub(super) fn exact(value: f64) -> String {
    format!("{value:?}")
}

/// Eight significant digits.
pub(super) fn short(value: f64) -> String {
    let rounded = format!("{value:.7e}").parse().unwrap_or(value);
    exact(rounded)
}

/// All series, each thinned to at most `most` rows.
pub(super) fn write(figure: &Figure, most: usize, digits: Digits) -> String {
    let mut csv = String::from("series,x,y,lo,hi\n");
    for series in &figure.series {
        let length = series.x.len().max(series.y.len());
        let values: Vec<_> = (0..length).map(|i| series.y.get(i).copied().filter(|y| y.is_finite())).collect();
        let label = quote(&series.label);
        for i in keep(&values, most) {
            row(&mut csv, &label, series, i, digits);
        }
    }
    csv
}

fn row(csv: &mut String, label: &str, series: &Series, i: usize, digits: Digits) {
    csv.push_str(label);
    let band = series.band.as_ref();
    let columns = [Some(&series.x), Some(&series.y), band.map(|b| &b.0), band.map(|b| &b.1)];
    for column in columns {
        csv.push(',');
        if let Some(value) = column.and_then(|values| values.get(i)) {
            csv.push_str(&digits(*value));
        }
    }
    csv.push('\n');
}

/// A field as RFC 4180 wants it.
fn quote(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_format() {
        let a = Series::line("a, \"b\"", vec![1.0, 2.0], vec![0.1, f64::NAN]).band(vec![0.0], vec![1e300]);
        let figure = Figure { series: vec![a], ..Figure::default() };
        let expected = "series,x,y,lo,hi\n\"a, \"\"b\"\"\",1.0,0.1,0.0,1e300\n\"a, \"\"b\"\"\",2.0,NaN,,\n";
        assert_eq!(figure.csv(), expected);
    }

    #[test]
    fn eight_digits() {
        assert_eq!(short(0.1 + 0.2), "0.3");
        assert_eq!(short(-1.234_567_891_234e-9), "-1.2345679e-9");
        assert_eq!((short(f64::NAN), short(f64::MIN)), ("NaN".to_string(), "-1.7976931e308".to_string()));
    }

    #[test]
    fn long_series_are_thinned_on_request() {
        let x: Vec<f64> = (0..20_000).map(f64::from).collect();
        let figure = Figure { series: vec![Series::line("a", x.clone(), x)], ..Figure::default() };
        assert_eq!(figure.csv().lines().count(), 20_001);
        assert!(figure.csv_of(5000).lines().count() <= 5001);
    }
}
