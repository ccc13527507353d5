//! The scope of an incident as Markdown.

use miyaburi_hunting::coverage::Gap;
use miyaburi_hunting::scope::Lists;
use miyaburi_hunting::time::Moment;

use super::markdown::table;
use super::timeline::gap_table;

/// Contracts shown; all are in the list.
const SHOWN: usize = 50;

/// Renders the sums; the text ends with a line break.
pub(crate) fn scope(
    since: Moment,
    until: Moment,
    lists: &Lists,
    gaps: &[Gap],
    unlisted: usize,
) -> String {
    let mut text = format!("# Scope from {since} until {until}\n\n");
    let heading = ["data class", "", "accounts", "contracts"];
    let rows = lists.classes.iter().flat_map(|class| {
        [
            ("confirmed", class.confirmed, class.confirmed_contracts),
            ("possible", class.possible, class.possible_contracts),
            ("excluded", class.excluded, class.excluded_contracts),
        ]
        .map(|(state, accounts, contracts)| {
            [
                class.data_class.clone(),
                state.to_owned(),
                accounts.to_string(),
                contracts.to_string(),
            ]
        })
    });
    text.push_str(&table(heading, rows));
    text.push_str(
        "\nConfirmed: a record shows the access. Possible: a log that would show it is missing or silent. \
         Excluded: all logs that would show it are there and do not, as far as the indicators go.\n",
    );
    if unlisted > 0 {
        text.push_str(&format!("\nAccounts outside of the table that were touched: {unlisted}\n"));
    }
    let confirmed: Vec<_> = lists.contracts.iter().filter(|line| line.confirmed > 0).collect();
    if !confirmed.is_empty() {
        text.push_str("\n## Contracts with confirmed accounts\n\n");
        let heading = ["contract", "data class", "confirmed", "possible", "excluded"];
        let rows = confirmed.iter().take(SHOWN).map(|line| {
            let count = |count: u64| count.to_string();
            [
                line.contract.clone(),
                line.data_class.clone(),
                count(line.confirmed),
                count(line.possible),
                count(line.excluded),
            ]
        });
        text.push_str(&table(heading, rows));
        if let Some(more) = confirmed.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            text.push_str(&format!("\nand {more} more: contracts.csv\n"));
        }
    }
    text.push_str(&gap_table(gaps));
    text
}
