//! Who was touched, for people.

use miyaburi_hunting::Summary;

use super::layout::{Page, Palette};
use super::report::count;

/// Lines shown; all are in the JSON.
const SHOWN: usize = 200;

/// Renders a summary; the text ends with a line break.
pub(crate) fn hunted(summary: &Summary, indicators: usize, palette: Palette) -> String {
    let lines = summary.lines();
    let mut page = Page::new(palette);
    let mut touched: Vec<&str> = lines.iter().map(|line| line.entity.as_str()).collect();
    touched.sort_unstable();
    touched.dedup();
    page.line(&format!(
        "{}, {} touched",
        count(indicators, "indicator", "indicators"),
        count(touched.len(), "entity", "entities"),
    ));
    if lines.is_empty() {
        return page.finish();
    }
    page.section("Who was touched");
    let heading = ["entity", "indicator", "first", "last", "hits", "outside validity"];
    let mut rows = vec![heading.map(str::to_owned)];
    let time = |time: Option<_>| time.map_or_else(|| "unknown".to_owned(), |it| format!("{it}"));
    rows.extend(lines.iter().take(SHOWN).map(|line| {
        let outside = line.outside_validity;
        [
            line.entity.clone(),
            line.indicator.clone(),
            time(line.first),
            time(line.last),
            line.count.to_string(),
            if outside == 0 { String::new() } else { outside.to_string() },
        ]
    }));
    page.rows(&rows);
    if let Some(more) = lines.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        page.line(&format!("  and {more} more: --format summary"));
    }
    page.finish()
}
