//! Paths with `*` in them.

/// Whether `text` is `pattern`, in which each `*` stands for any text, also for none.
///
/// Pieces between stars are taken at their first place, which finds a fit whenever there is one;
/// so the work is bounded by the two lengths.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').map_or(("", rest), |(middle, last)| (middle, last));
    for piece in middle.split('*').filter(|piece| !piece.is_empty()) {
        let Some(at) = left.find(piece) else { return false };
        left = left.get(at + piece.len()..).unwrap_or_default();
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text) in [
            ("/a", "/a"),
            ("/a*", "/a"),
            ("/a*", "/ab?c"),
            ("/a*c", "/abc"),
            ("/x/*locale*", "/x/;stok=/locale?form=country"),
            ("*b*b*", "abab"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("/a", "/ab"), ("/a*", "/b"), ("/a*a", "/a"), ("*b*b*", "ab"), ("/x/*y*", "/x/")]
        {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
