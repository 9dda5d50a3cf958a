//! Types in the words of a config: what the parser calls `f64` is a number.
//!
//! Maths: none.
//! Shapes: text in, text out; everything but the names of types stays.
//! Cost: none.
//! Checked: tests below.

/// What the parser says, and what a user understands; longer names first.
const WORDS: [(&str, &str); 20] = [
    ("expected an array of length 2", "expected a pair of numbers"),
    ("expected fewer elements in array", "expected a pair of numbers"),
    ("expected a sequence", "expected a list"),
    ("expected a boolean", "expected true or false"),
    ("expected a string", "expected text in quotes"),
    ("expected a map", "expected a table"),
    ("expected usize", WHOLE),
    ("expected u8", WHOLE),
    ("expected u16", WHOLE),
    ("expected u32", WHOLE),
    ("expected u64", WHOLE),
    ("expected i32", "expected a whole number"),
    ("expected i64", "expected a whole number"),
    ("expected f32", "expected a number"),
    ("expected f64", "expected a number"),
    ("invalid type: floating point", "invalid value: the number"),
    ("invalid type: integer", "invalid value: the number"),
    ("invalid type: string", "invalid value: the text"),
    ("invalid type: sequence", "invalid value: a list"),
    ("invalid type: map", "invalid value: a table"),
];

const WHOLE: &str = "expected a whole number >= 0";

/// `problem` without names of types.
pub(super) fn plain(problem: &str) -> String {
    let text = WORDS.iter().fold(problem.to_string(), |text, (from, to)| text.replace(from, to));
    match text.find("expected struct ") {
        None => text,
        Some(at) => {
            let end = text[at + 16..].find(|c: char| !c.is_alphanumeric()).map_or(text.len(), |i| at + 16 + i);
            format!("{}expected a table{}", &text[..at], &text[end..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn no_type_of_the_language_is_left() {
        for (text, words) in [
            ("[model]\ndepth = \"six\"", "the text \"six\", expected a whole number >= 0"),
            ("[model]\ndepth = 2.5", "the number `2.5`, expected a whole number >= 0"),
            ("[limit]\nrtol = \"NaN\"", "expected a number"),
            ("[init]\ndepth_scale = [[0.0]]", "pairs [t, factor]"),
            ("[limit]\ntaus = 1.0", "expected a list"),
            ("[model]\nbias = 1", "expected true or false"),
            ("[model]\nattention = 1", "expected text in quotes"),
            ("[init]\nmixture = [1]", "expected a table"),
            ("seed = -1", "expected a whole number >= 0"),
        ] {
            let found = Config::parse(text, "a.toml", &[]).unwrap_err().to_string();
            assert!(found.contains(words), "{text}: {found}");
            for name in ["usize", "f64", "u64", "i64", "array", "sequence", "struct"] {
                assert!(!found.contains(name), "{name} in {found}");
            }
        }
        assert_eq!(
            plain("invalid type: x, expected struct ModelConfig here"),
            "invalid type: x, expected a table here"
        );
    }
}
