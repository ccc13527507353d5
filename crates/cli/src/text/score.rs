//! A score for people.

use std::collections::BTreeMap;

use miyaburi_corpus::score::{FieldMiss, FileScore, Group, Score, Tally};
use serde_json::Value;

use super::escape;
use super::layout::{Page, Palette};
use super::report::count;

/// Files that are not exact shown in full; all of them are in the JSON.
const SHOWN_FILES: usize = 20;

/// Items of one miss shown in full.
const SHOWN_ITEMS: usize = 5;

/// Renders `score`; the text ends with a line break.
pub(crate) fn score(score: &Score) -> String {
    let mut page = Page::new(Palette::for_terminal(false));
    let total = &score.total;
    page.line(&format!(
        "{}, {} exact ({})",
        count(total.files, "file", "files"),
        total.exact_files,
        percent(total.exact_percent())
    ));
    for (number, what) in [
        (score.without_report, "in the truth without a report, counted as failed"),
        (score.reports_without_truth, "reported but not in the truth, not scored"),
        (score.repeated_reports, "reported again, not scored"),
    ] {
        if number > 0 {
            page.line(&format!("{} {what}", count(number, "file", "files")));
        }
    }
    if !score.unscored.is_empty() {
        let names: Vec<_> = score.unscored.iter().map(String::as_str).collect();
        page.line(&format!(
            "fields of the truth that are not scored: {}",
            escape(&names.join(" "))
        ));
    }
    by_field(&mut page, total);
    for (label, values) in &score.labels {
        by_label(&mut page, label, values);
    }
    inexact(&mut page, &score.inexact);
    page.finish()
}

fn by_field(page: &mut Page, group: &Group) {
    if group.fields.is_empty() {
        return;
    }
    page.section("By field");
    let heading = ["field", "precision", "recall", "exact files", "correct", "found", "expected"];
    let mut rows = vec![heading.map(str::to_owned)];
    rows.extend(group.fields.iter().map(|(field, tally)| {
        let [precision, recall] = shares(tally);
        [
            (*field).to_owned(),
            precision,
            recall,
            format!("{}/{}", tally.exact_files, tally.files),
            tally.correct.to_string(),
            tally.found.to_string(),
            tally.expected.to_string(),
        ]
    }));
    page.rows(&rows);
}

fn by_label(page: &mut Page, label: &str, values: &BTreeMap<String, Group>) {
    page.section(&format!("By {}, all fields", escape(label)));
    let heading = [label, "precision", "recall", "exact files", ""];
    let mut rows = vec![heading.map(str::to_owned)];
    rows.extend(values.iter().map(|(value, group)| {
        let [precision, recall] = shares(&group.all_fields());
        [
            value.clone(),
            precision,
            recall,
            format!("{}/{}", group.exact_files, group.files),
            percent(group.exact_percent()),
        ]
    }));
    page.rows(&rows);
    let weak: Vec<_> = values
        .iter()
        .flat_map(|(value, group)| {
            group.fields.iter().map(move |(field, tally)| (value, field, tally))
        })
        .filter(|(_, _, tally)| tally.exact_files < tally.files)
        .map(|(value, field, tally)| {
            let [precision, recall] = shares(tally);
            let exact = format!("{}/{}", tally.exact_files, tally.files);
            [format!("  {value}"), (*field).to_owned(), precision, recall, exact]
        })
        .collect();
    if !weak.is_empty() {
        page.line("  fields that are not exact");
        page.rows(&weak);
    }
}

fn inexact(page: &mut Page, files: &[FileScore]) {
    if files.is_empty() {
        return;
    }
    page.section("Files that are not exact");
    for file in files.iter().take(SHOWN_FILES) {
        let name = match &file.path {
            Some(path) => format!("{path} ({})", file.sha256),
            None => format!("{}: no report", file.sha256),
        };
        let labels: Vec<_> =
            file.labels.iter().map(|(label, value)| format!("{label}={value}")).collect();
        page.line(&format!("  {}", escape(format!("{name} {}", labels.join(" ")).trim_end())));
        if file.path.is_some() {
            file.misses.iter().for_each(|miss| show_miss(page, miss));
        }
    }
    if files.len() > SHOWN_FILES {
        page.line(&format!("  and {} more, all in --format json", files.len() - SHOWN_FILES));
    }
}

fn show_miss(page: &mut Page, miss: &FieldMiss) {
    page.line(&format!("    {}", miss.field));
    for (what, items) in [("missing", &miss.missing), ("extra", &miss.extra)] {
        for item in items.iter().take(SHOWN_ITEMS) {
            page.line(&format!("      {what} {}", escape(&without_evidence(item).to_string())));
        }
        if items.len() > SHOWN_ITEMS {
            page.line(&format!("      {what} {} more", items.len() - SHOWN_ITEMS));
        }
    }
}

/// The item without what is long and rarely the reason of a miss.
fn without_evidence(item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(members) = item.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "evidence" | "references" | "packets"));
    }
    item
}

fn shares(tally: &Tally) -> [String; 2] {
    [tally.precision(), tally.recall()].map(|share| percent(share.map(|share| share * 100.0)))
}

fn percent(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{:.1} %", (value * 10.0).floor() / 10.0))
}
