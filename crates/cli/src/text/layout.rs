//! Headings, columns and colour.

use console::{Style, measure_text_width};
use miyaburi_model::Verdict;

use super::escape;

/// Whether and how to colour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Palette {
    coloured: bool,
}

impl Palette {
    /// Colour on a terminal whose user has not switched it off (`NO_COLOR`), none elsewhere.
    pub(crate) fn for_terminal(is_terminal: bool) -> Self {
        Self { coloured: is_terminal && console::colors_enabled() }
    }

    pub(crate) fn heading(self, text: &str) -> String {
        self.apply(Style::new().bold(), text)
    }

    pub(crate) fn verdict(self, verdict: Verdict) -> String {
        let style = match verdict {
            Verdict::Config | Verdict::ExternalC2 => Style::new().green(),
            Verdict::Partial => Style::new().yellow(),
            Verdict::NoConfig | Verdict::Unsupported => Style::new(),
            Verdict::Failed => Style::new().red(),
        };
        self.apply(style.bold(), verdict.name())
    }

    fn apply(self, style: Style, text: &str) -> String {
        style.force_styling(self.coloured).apply_to(text).to_string()
    }
}

/// Builds a report of sections.
pub(super) struct Page {
    text: String,
    palette: Palette,
}

impl Page {
    pub(super) fn new(palette: Palette) -> Self {
        Self { text: String::new(), palette }
    }

    /// One line as it is; the caller has escaped what came out of a file.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// An empty line and a heading.
    pub(super) fn section(&mut self, heading: &str) {
        self.line("");
        let heading = self.palette.heading(heading);
        self.line(&heading);
    }

    /// Rows in aligned columns, cells escaped.
    pub(super) fn rows<const COLUMNS: usize>(&mut self, rows: &[[String; COLUMNS]]) {
        for line in aligned(rows) {
            self.line(&format!("  {line}"));
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// Width beyond which a cell pushes the rest of its row aside instead of widening its column.
const WIDEST_COLUMN: usize = 48;

/// The rows as lines, cells escaped and padded to the widest of their column. A column that is
/// empty throughout is left out.
pub(super) fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> Vec<String> {
    let rows: Vec<[String; COLUMNS]> =
        rows.iter().map(|row| row.each_ref().map(|cell| escape(cell))).collect();
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let widest = rows.iter().map(|row| measure_text_width(&row[column])).max();
        widest.unwrap_or(0).min(WIDEST_COLUMN)
    });
    let line = |row: &[String; COLUMNS]| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths).filter(|(_, width)| *width > 0) {
            line.push_str(cell);
            let padding = width.saturating_sub(measure_text_width(cell)) + 2;
            line.extend(std::iter::repeat_n(' ', padding));
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
