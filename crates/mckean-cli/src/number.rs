//! Numbers on the command line, refused in plain words; ranges are for the keys that options stand for.
//!
//! Maths: none.
//! Shapes: one number, or a time with its unit.
//! Cost: none.
//! Checked: tests below, `tests/words.rs`.

/// Any number, `nan` and `inf` too.
pub fn real(text: &str) -> Result<f64, String> {
    text.trim().parse().map_err(|_| "a number such as 1e-3 is needed".into())
}

/// A whole number that counts something.
pub fn whole(text: &str) -> Result<usize, String> {
    text.trim().parse().map_err(|_| "a whole number >= 0 is needed".into())
}

/// `60s`, `5m`, `1h` or a number of seconds.
pub fn seconds(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((i, 's')) => (&text[..i], 1.0),
        Some((i, 'm')) => (&text[..i], 60.0),
        Some((i, 'h')) => (&text[..i], 3600.0),
        _ => (text, 1.0),
    };
    number.parse::<f64>().map(|x| x * unit).map_err(|_| "a time such as 60s, 5m or 90 is needed".into())
}

/// As TOML writes it: `nan`, where Rust says `NaN`.
pub fn toml(x: f64) -> String {
    format!("{x:?}").to_lowercase()
}

/// A list as TOML writes it.
pub fn list(all: &[f64]) -> String {
    format!("[{}]", all.iter().map(|x| toml(*x)).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_what_is_none_is_told_in_plain_words() {
        assert_eq!(
            (real("-1e-3"), whole("12"), seconds("-5s"), seconds("2m")),
            (Ok(-1e-3), Ok(12), Ok(-5.0), Ok(120.0))
        );
        assert!(real("x").unwrap_err().contains("a number") && whole("-1").unwrap_err().contains(">= 0"));
        assert!(whole("1.5").unwrap_err().contains("whole") && seconds("soon").unwrap_err().contains("5m"));
        assert_eq!(list(&[f64::NAN, 0.5, f64::INFINITY, 1e-9]), "[nan, 0.5, inf, 1e-9]");
    }
}
