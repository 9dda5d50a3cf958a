//! From a [`Page`] to HTML.
//!
//! Maths: none.
//! Shapes: head, headline numbers, contents, sections.
//! Cost: dominated by the figures.
//! Checked: `tests/page.rs`.

use super::figures::{self, Drawn};
use super::{Block, Headline, Page, Section, Share, style, table};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Sections beyond this number get a table of contents.
const SHORT: usize = 3;

/// The page, given all its figures in order.
pub(super) fn page(page: &Page, figures: &[Drawn], share: Share) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&page.title))
            body {
                header {
                    h1 { (page.title) }
                    @if !page.subtitle.is_empty() { p class="subtitle" { (page.subtitle) } }
                }
                (headline(&page.headline))
                @if page.sections.len() > SHORT { (contents(&page.sections)) }
                main { (sections(&page.sections, figures, share)) }
            }
        }
    };
    markup.into_string()
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
            title { (title) }
            style { (PreEscaped(style::CSS)) }
        }
    }
}

fn headline(numbers: &[Headline]) -> Markup {
    html! {
        @if !numbers.is_empty() {
            dl class="headline" {
                @for number in numbers {
                    div {
                        dt { (number.label) }
                        dd class="value" { (number.value) }
                        @if !number.interval.is_empty() { dd class="interval" { (number.interval) } }
                        @if !number.note.is_empty() { dd class="note" { (number.note) } }
                    }
                }
            }
        }
    }
}

fn contents(sections: &[Section]) -> Markup {
    html! {
        nav aria-label="Contents" {
            ol { @for (i, section) in sections.iter().enumerate() {
                li { a href={ "#section-" (i + 1) } { (section.title) } }
            } }
        }
    }
}

fn sections(sections: &[Section], figures: &[Drawn], share: Share) -> Markup {
    let mut shown = 0;
    html! {
        @for (i, section) in sections.iter().enumerate() {
            section id={ "section-" (i + 1) } {
                h2 { (section.title) }
                @for part in &section.blocks { (block(part, figures, &mut shown, share)) }
            }
        }
    }
}

/// A block; `shown` figures of the page came before it.
fn block(block: &Block, figures: &[Drawn], shown: &mut usize, share: Share) -> Markup {
    match block {
        Block::Text(text) => paragraphs(text),
        Block::Table { caption, header, rows } => table::table(caption, header, rows),
        Block::Code(code) => html! { pre { code { (code) } } },
        Block::List(items) => html! { ul { @for item in items { li { (item) } } } },
        Block::Figures(row) => {
            let first = *shown;
            *shown += row.len();
            figures::row(&figures[first..*shown], first + 1, share)
        }
    }
}

fn paragraphs(text: &str) -> Markup {
    let text = text.replace("\r\n", "\n");
    html! { @for paragraph in text.split("\n\n").filter(|p| !p.trim().is_empty()) { p { (paragraph) } } }
}
