//! Words in a figure: how wide they are, how they wrap, how numbers are written.
//!
//! Maths: widths are sums of per-character estimates in em, on the generous side, as SVG has no font to ask.
//! Shapes: strings.
//! Cost: linear in the text.
//! Checked: unit tests below; the gallery is looked at.

/// Estimated width of a text in pixels at a font size in pixels.
pub(super) fn width(text: &str, size: f64) -> f64 {
    size * text.chars().map(em).sum::<f64>()
}

fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '!' | '\'' => 0.30,
        'f' | 't' | 'r' | ' ' | '(' | ')' | '[' | ']' | '/' | 'I' => 0.37,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '—' => 0.92,
        '⁰'..='⁹' | '⁻' | '¹' | '²' | '³' => 0.40,
        '=' | '+' | '<' | '>' | '−' | '±' | '×' | '≈' | '≤' | '≥' | '→' => 0.75,
        'A'..='Z' => 0.70,
        c if c.is_ascii() => 0.59,
        c if ('\u{1100}'..='\u{ffdc}').contains(&c) && c > '\u{2e7f}' => 1.0,
        _ => 0.64,
    }
}

/// The text, shortened with an ellipsis to fit into `room` pixels; control characters become spaces.
pub(super) fn fit(text: &str, size: f64, room: f64) -> String {
    let clean: String = text.chars().map(|c| if is_printable(c) { c } else { ' ' }).collect();
    if width(&clean, size) <= room {
        return clean;
    }
    let mut short = String::new();
    for c in clean.chars() {
        if width(&short, size) + size * (em(c) + em('…')) > room {
            break;
        }
        short.push(c);
    }
    short.trim_end().to_string() + "…"
}

/// Characters that XML allows and a reader sees.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text in at most `lines` lines of `room` pixels, broken between words; the last line is shortened if need be.
pub(super) fn wrap(text: &str, size: f64, room: f64, lines: usize) -> Vec<String> {
    let mut wrapped: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match wrapped.last_mut() {
            Some(line) if joins(line, word, size, room) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => wrapped.push(word.to_string()),
        }
    }
    merge_tail(wrapped, lines).iter().map(|line| fit(line, size, room)).collect()
}

fn joins(line: &str, word: &str, size: f64, room: f64) -> bool {
    width(line, size) + width(word, size) + width(" ", size) <= room
}

/// At most `lines` lines; the last takes all the rest.
fn merge_tail(mut wrapped: Vec<String>, lines: usize) -> Vec<String> {
    if wrapped.len() > lines && lines > 0 {
        let tail = wrapped.split_off(lines - 1).join(" ");
        wrapped.push(tail);
    }
    wrapped
}

/// The text with a true minus sign.
pub(super) fn minus(text: &str) -> String {
    text.replace('-', "−")
}

/// The text as an XML attribute or element may hold it.
pub(super) fn escape(text: &str) -> String {
    let printable = text.chars().map(|c| if is_printable(c) { c } else { ' ' });
    let mut escaped = String::new();
    for c in printable {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_shortened_and_wrapped_within_the_room() {
        let text = "the risk of an empirical measure along the gradient flow of a deep network";
        assert!(width(&fit(text, 12.0, 100.0), 12.0) <= 100.0);
        let lines = wrap(text, 12.0, 200.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| width(line, 12.0) <= 200.0));
        assert!(lines[1].ends_with('…'));
        assert_eq!(wrap("short title", 12.0, 200.0, 2), ["short title"]);
        assert!(wrap("", 12.0, 200.0, 2).is_empty());
    }

    #[test]
    fn odd_characters() {
        assert_eq!(fit("a\u{0}b\nc", 10.0, 1e3), "a b c");
        assert_eq!(escape("<script>\"&\u{7}"), "&lt;script&gt;&quot;&amp; ");
        assert_eq!(fit("wide", 10.0, 0.0), "…");
    }
}
