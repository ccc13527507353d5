//! Text that cannot drive a terminal.

use std::fmt::Write;

/// `text` with everything invisible written as `\u{..}`: control characters (escape sequences
/// start with one), line and paragraph separators, bidirectional and zero-width formatting, tags.
/// A backslash stays one, so that text already escaped by the report looks the same here.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_invisible(character) {
            // Writing to a String does not fail.
            let _ = write!(escaped, "{}", character.escape_unicode());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Controls, and the characters of Unicode's classes Cf, Zl and Zp plus the invisible fillers.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_drives_a_terminal_is_written_out() {
        assert_eq!(escape("\x1b[31mred\r\n\t\x07"), "\\u{1b}[31mred\\u{d}\\u{a}\\u{9}\\u{7}");
        assert_eq!(escape("\u{9b}1m\u{7f}"), "\\u{9b}1m\\u{7f}");
        assert_eq!(escape("exe\u{202e}fdp.\u{2066}"), "exe\\u{202e}fdp.\\u{2066}");
        assert_eq!(
            escape("a\u{200b}b\u{feff}\u{2028}\u{e0041}"),
            "a\\u{200b}b\\u{feff}\\u{2028}\\u{e0041}"
        );
    }

    #[test]
    fn what_can_be_seen_stays() {
        let text = "ncorrect \\x0a 'ü 検体' \"~";
        assert_eq!(escape(text), text);
    }
}
