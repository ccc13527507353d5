//! Markdown in which nothing that a log holds is markup.

use std::fmt::Write;

use super::escape;

/// Characters that mean something in Markdown or HTML within a line.
const MARKUP: &str = "\\`*_{}[]<>#!|&~";

/// `text` as the reader of the page sees it, on one line. An underscore within a word is no markup
/// (CommonMark, rule 2 of emphasis) and stays.
pub(super) fn plain(text: &str) -> String {
    let text = escape(text);
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut is_within = false;
    while let Some(character) = characters.next() {
        let is_word = characters.peek().is_some_and(|next| next.is_alphanumeric());
        if MARKUP.contains(character) && !(character == '_' && is_within && is_word) {
            // An entity is never markup, whatever the dialect. Writing to a String does not fail.
            let _ = write!(plain, "&#{};", u32::from(character));
        } else {
            plain.push(character);
        }
        is_within = character.is_alphanumeric();
    }
    plain
}

/// A table; cells are escaped.
pub(super) fn table<const COLUMNS: usize>(
    heading: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut text = format!("| {} |\n|{}\n", heading.join(" | "), "---|".repeat(COLUMNS));
    for row in rows {
        let cells = row.each_ref().map(|cell| plain(cell));
        // Writing to a String does not fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_log_holds_is_no_markup() {
        let text = plain("<img src=x onerror=y> | `a` *b* [c](d) \u{1b}[2J\n# e & \\f");
        for markup in ["<", ">", "|", "`", "*", "[", "]", "\\", "\n", "\u{1b}"] {
            assert!(!text.contains(markup), "{text}");
        }
        assert_eq!(
            plain("alice@a.example 192.0.2.7:23 2001:db8::1"),
            "alice@a.example 192.0.2.7:23 2001:db8::1"
        );
        assert_eq!(plain("a&b_c _d_"), "a&#38;b_c &#95;d&#95;");
        let shown = table(["x", "y"], [["a|b".to_owned(), "c".to_owned()]]);
        assert_eq!(shown, "| x | y |\n|---|---|\n| a&#124;b | c |\n");
    }
}
