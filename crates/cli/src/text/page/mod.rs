//! A time line as one HTML document with drawings: no script, nothing loaded from elsewhere, every text
//! escaped by the template engine, after what is invisible was written out.

mod charts;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use miyaburi_hunting::coverage::Gap;
use miyaburi_hunting::timeline::Entry;

use super::escape;
use super::report::count;
use super::timeline::{COLUMNS, row};

/// Records in the table; all are in the drawings and in the JSON.
const SHOWN: usize = 5000;

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;font-size:14px}td,th{border:1px solid #bbb;padding:.2rem .5rem;text-align:left;\
vertical-align:top;overflow-wrap:anywhere}svg{display:block;margin:1rem 0;max-width:100%}text{font-size:11px}\
.gap{fill:#f3b0a8}.success{fill:#2b7a3d}.failure{fill:#c0392b}.none{fill:#3b5b92}.axis{stroke:#999}\
.link{stroke:#3b5b92;stroke-opacity:.45}.end{text-anchor:end}.middle{text-anchor:middle}";

/// Renders the page.
pub(crate) fn page(entity: &str, entries: &[Entry], gaps: &[Gap]) -> String {
    let title = format!("Time line of {}", escape(entity));
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p {
                    (count(entries.len(), "record", "records")) ", "
                    (count(gaps.len(), "gap", "gaps")) " in the logs. Times are in UTC."
                }
                h2 { "When" }
                (charts::timeline(entries, gaps))
                h2 { "At which hours" }
                (charts::hours(entries))
                h2 { "Who with whom" }
                (charts::peers(entries))
                (gap_table(gaps))
                (records(entries))
            }
        }
    };
    document.into_string()
}

fn gap_table(gaps: &[Gap]) -> Markup {
    html! {
        @if !gaps.is_empty() {
            h2 { "Gaps" }
            p { "What these sources would have said is not known." }
            table {
                tr { th { "source" } th { "from" } th { "until" } th { "events expected" } }
                @for gap in gaps {
                    tr {
                        td { (escape(&gap.source)) } td { (gap.from) } td { (gap.until) }
                        td { (format!("{:.0}", gap.expected)) }
                    }
                }
            }
        }
    }
}

fn records(entries: &[Entry]) -> Markup {
    html! {
        h2 { "What happened" }
        table {
            tr { @for column in COLUMNS { th { (column) } } }
            @for entry in entries.iter().take(SHOWN) {
                tr { @for cell in row(entry) { td { (escape(&cell)) } } }
            }
        }
        @if let Some(more) = entries.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            p { "and " (more) " more: --format ndjson" }
        }
    }
}
