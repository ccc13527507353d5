//! The drawings, as SVG within the page.

use std::collections::BTreeMap;

use maud::{Markup, html};
use miyaburi_hunting::Outcome;
use miyaburi_hunting::coverage::Gap;
use miyaburi_hunting::time::Moment;
use miyaburi_hunting::timeline::Entry;

use super::super::escape;
use super::super::timeline::{server, word};

/// Width of all drawings, and of what stands at their left, in SVG units.
const WIDTH: usize = 1000;
const LEFT: usize = 130;

/// Height of a lane, a row or a label.
const LANE: usize = 26;

/// Columns into which the time is cut: records in the same one are one mark.
const SLOTS: usize = 400;

/// Peers on each side.
const PEERS: usize = 15;

/// Characters of a label.
const LABEL: usize = 38;

const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Marks for what happened, a lane for each kind; gaps behind them.
pub(super) fn timeline(entries: &[Entry], gaps: &[Gap]) -> Markup {
    let times = entries.iter().filter_map(|entry| entry.time);
    let times: Vec<Moment> =
        times.chain(gaps.iter().flat_map(|gap| [gap.from, gap.until])).collect();
    let ends = times.iter().min().zip(times.iter().max());
    let Some((first, last)) = ends else { return html! { p { "No record has a time." } } };
    let span = last.0.saturating_sub(first.0).max(1);
    let slot = |time: Moment| {
        let share =
            i128::from(time.0.saturating_sub(first.0)) * (SLOTS as i128 - 1) / i128::from(span);
        usize::try_from(share).unwrap_or_default()
    };
    let place = |slot: usize| LEFT + slot * (WIDTH - LEFT - 10) / SLOTS;
    let mut lanes: BTreeMap<String, BTreeMap<(usize, &str), usize>> = BTreeMap::new();
    for entry in entries {
        let Some(time) = entry.time else { continue };
        let marks = lanes.entry(word(&entry.event)).or_default();
        *marks.entry((slot(time), class(entry.outcome))).or_default() += 1;
    }
    let height = (lanes.len() + 1) * LANE;
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {}", height + LANE)) role="img" {
            @for gap in gaps {
                @let (from, until) = (place(slot(gap.from)), place(slot(gap.until)));
                rect class="gap" x=(from) y="0" width=(until.saturating_sub(from).max(1)) height=(height) {
                    title { (escape(&gap.source)) " says nothing" }
                }
            }
            @for (number, (kind, marks)) in lanes.iter().enumerate() {
                text x="0" y=(number * LANE + 18) { (kind) }
                @for ((slot, class), count) in marks {
                    rect class=(class) x=(place(*slot)) y=(number * LANE + 4) width="2" height=(LANE - 8) {
                        title { (count) }
                    }
                }
            }
            line class="axis" x1=(LEFT) y1=(height) x2=(WIDTH - 10) y2=(height) {}
            text x=(LEFT) y=(height + 16) { (first) }
            text class="end" x=(WIDTH - 10) y=(height + 16) { (last) }
        }
        p { "Green went well, red failed, blue does not say; a gap in the logs is light red." }
    }
}

const fn class(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Success) => "success",
        Some(Outcome::Failure) => "failure",
        None => "none",
    }
}

/// How much happened at each hour of each day of the week.
pub(super) fn hours(entries: &[Entry]) -> Markup {
    let mut counts = [[0_usize; 24]; 7];
    for time in entries.iter().filter_map(|entry| entry.time) {
        let hour = time.unix().div_euclid(3600);
        // 1 January 1970 was a Thursday.
        let day = (hour.div_euclid(24) + 3).rem_euclid(7);
        let places = usize::try_from(day).ok().zip(usize::try_from(hour.rem_euclid(24)).ok());
        let cell = places.and_then(|(day, hour)| counts.get_mut(day)?.get_mut(hour));
        cell.into_iter().for_each(|cell| *cell += 1);
    }
    let most = counts.iter().flatten().max().copied().unwrap_or_default().max(1);
    let cell = (WIDTH - LEFT - 10) / 24;
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {}", 8 * LANE)) role="img" {
            @for (number, (day, counts)) in DAYS.iter().zip(&counts).enumerate() {
                text x="0" y=(number * LANE + 18) { (day) }
                @for (hour, count) in counts.iter().enumerate() {
                    @let shade = format!("{:.2}", *count as f64 / most as f64);
                    rect fill="#3b5b92" fill-opacity=(shade) stroke="#ddd" x=(LEFT + hour * cell) y=(number * LANE)
                        width=(cell) height=(LANE) { title { (count) } }
                }
            }
            @for hour in 0..24 {
                text class="middle" x=(LEFT + hour * cell + cell / 2) y=(7 * LANE + 16) { (hour) }
            }
        }
    }
}

/// Clients at the left, what they reached for at the right, those with the most first.
pub(super) fn peers(entries: &[Entry]) -> Markup {
    let mut pairs: BTreeMap<(String, String), usize> = BTreeMap::new();
    for entry in entries {
        let client = entry.client.map(|client| client.to_string());
        let there = entry.name.clone().unwrap_or_else(|| server(entry));
        let there =
            if there.is_empty() { entry.account.clone().unwrap_or_default() } else { there };
        if let Some(client) = client.filter(|_| !there.is_empty()) {
            *pairs.entry((label(&client), label(&there))).or_default() += 1;
        }
    }
    let lefts = most(pairs.iter().map(|((left, _), count)| (left, *count)));
    let rights = most(pairs.iter().map(|((_, right), count)| (right, *count)));
    let rows = lefts.len().max(rights.len());
    let heaviest = pairs.values().max().copied().unwrap_or_default().max(1);
    let place = |list: &[&String], label: &String| list.iter().position(|known| *known == label);
    let links = pairs.iter().filter_map(|((left, right), count)| {
        Some((place(&lefts, left)?, place(&rights, right)?, 1 + count * 7 / heaviest, *count))
    });
    let (from, to) = (WIDTH * 3 / 10, WIDTH * 6 / 10);
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {}", (rows + 1) * LANE)) role="img" {
            @for (left, right, width, count) in links {
                line class="link" x1=(from) y1=(left * LANE + 14) x2=(to) y2=(right * LANE + 14) stroke-width=(width) {
                    title { (count) }
                }
            }
            @for (number, label) in lefts.iter().enumerate() {
                text class="end" x=(from - 8) y=(number * LANE + 18) { (label) }
            }
            @for (number, label) in rights.iter().enumerate() {
                text x=(to + 8) y=(number * LANE + 18) { (label) }
            }
        }
    }
}

/// The labels with the largest sums.
fn most<'l>(counts: impl Iterator<Item = (&'l String, usize)>) -> Vec<&'l String> {
    let mut sums: BTreeMap<&String, usize> = BTreeMap::new();
    counts.for_each(|(label, count)| *sums.entry(label).or_default() += count);
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
    sums.into_iter().take(PEERS).map(|(label, _)| label).collect()
}

/// A text that fits, and in which everything can be seen.
fn label(text: &str) -> String {
    let text = escape(text);
    match text.char_indices().nth(LABEL) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
