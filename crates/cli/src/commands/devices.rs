//! `miyaburi devices`.

use miyaburi_intel::{
    DeviceRisk, InventoryDevice, Knowledge, Survey, Table, Targets, parse_inventory, risks,
    unknown_vendors,
};
use serde::Serialize;
use serde_json::json;

use super::reading;
use crate::Status;
use crate::arguments::{DevicesArguments, DevicesFormat};
use crate::error::{CommandError, complain};
use crate::output::Output;
use crate::text::{self, Palette};

pub(crate) fn run(arguments: &DevicesArguments) -> Result<Status, CommandError> {
    let knowledge = knowledge(arguments)?;
    let observed = reading::observed(arguments.observed.as_ref())?;
    let inventory = match &arguments.inventory {
        Some(path) => Some(
            parse_inventory(&reading::file(path)?)
                .map_err(|error| CommandError::Inventory { path: path.clone(), error })?,
        ),
        None => None,
    };
    let mut survey = Survey::new(&knowledge, &observed);
    if !reading::reports(&arguments.reports, |report| survey.add(report)) {
        return Ok(Status::SomethingFailed);
    }
    let targets = survey.finish();
    match inventory {
        Some(devices) => {
            let risks = risks(&targets, &devices);
            tell(&devices, &risks, &knowledge);
            print_risks(arguments, &risks, &knowledge)
        }
        None => print_targets(arguments, &targets, &knowledge),
    }?;
    Ok(Status::Clean)
}

/// Vendors that are named at most.
const NAMED_VENDORS: usize = 10;

/// Tells what the list of risks does not: that there are none, and of which devices nothing is known.
fn tell(devices: &[InventoryDevice], risks: &[DeviceRisk], knowledge: &Knowledge) {
    if risks.is_empty() {
        complain(format_args!("none of {} devices is at risk from what was found", devices.len()));
    }
    let unknown = unknown_vendors(knowledge, devices);
    if unknown.is_empty() {
        return;
    }
    let spelled = |(vendor, devices): &(String, usize)| match vendor.as_str() {
        "" => format!("none named ({devices})"),
        vendor => format!("{} ({devices})", text::escape(vendor)),
    };
    let named: Vec<String> = unknown.iter().take(NAMED_VENDORS).map(spelled).collect();
    let others = match unknown.len().saturating_sub(NAMED_VENDORS) {
        0 => String::new(),
        others => format!(" and {others} others"),
    };
    complain(format_args!(
        "vendors that no table of logins or requests has, of whose devices only open ports count: \
         {}{others}",
        named.join(", ")
    ));
}

fn knowledge(arguments: &DevicesArguments) -> Result<Knowledge, CommandError> {
    let mut knowledge = Knowledge::builtin().map_err(CommandError::Builtin)?;
    // Sources first: rows name them.
    for (table, paths) in [
        (Table::Sources, &arguments.sources),
        (Table::Credentials, &arguments.credentials),
        (Table::Exploits, &arguments.exploits),
    ] {
        for path in paths {
            knowledge
                .add(table, &reading::file(path)?)
                .map_err(|error| CommandError::Knowledge { path: path.clone(), error })?;
        }
    }
    Ok(knowledge)
}

fn format(arguments: &DevicesArguments, output: &Output) -> DevicesFormat {
    let usual = if output.is_terminal() { DevicesFormat::Text } else { DevicesFormat::Ndjson };
    arguments.format.unwrap_or(usual)
}

fn print_targets(
    arguments: &DevicesArguments,
    targets: &Targets,
    knowledge: &Knowledge,
) -> Result<(), CommandError> {
    let mut output = Output::standard();
    match format(arguments, &output) {
        DevicesFormat::Text => {
            let palette = Palette::for_terminal(output.is_terminal());
            output.write(&text::targets(targets, knowledge, palette))
        }
        DevicesFormat::Ndjson => lines(&mut output, &targets.targets),
        DevicesFormat::Json => output.write(&(serde_json::to_string_pretty(targets)? + "\n")),
        DevicesFormat::Csv => output.write(&targets_csv(targets)?),
    }
}

fn print_risks(
    arguments: &DevicesArguments,
    risks: &[DeviceRisk],
    knowledge: &Knowledge,
) -> Result<(), CommandError> {
    let mut output = Output::standard();
    match format(arguments, &output) {
        DevicesFormat::Text => {
            let palette = Palette::for_terminal(output.is_terminal());
            output.write(&text::risks(risks, knowledge, palette))
        }
        DevicesFormat::Ndjson => lines(&mut output, risks),
        DevicesFormat::Json => {
            output.write(&(serde_json::to_string_pretty(&json!({ "risks": risks }))? + "\n"))
        }
        DevicesFormat::Csv => output.write(&risks_csv(risks)?),
    }
}

fn lines<T: Serialize>(output: &mut Output, items: &[T]) -> Result<(), CommandError> {
    for item in items {
        output.write(&(serde_json::to_string(item)? + "\n"))?;
    }
    Ok(())
}

fn targets_csv(targets: &Targets) -> Result<String, CommandError> {
    let header = [
        "vendor",
        "product",
        "kinds",
        "confidence",
        "configurations",
        "files",
        "first_seen",
        "last_seen",
        "by",
    ];
    let rows = targets.targets.iter().map(|target| {
        let seen = target.tally.seen.as_ref();
        let causes: Vec<_> = target.causes.iter().map(|known| text::cause(&known.cause)).collect();
        let kinds: Vec<_> = target.kinds.iter().cloned().collect();
        vec![
            target.vendor.clone(),
            target.product.clone(),
            kinds.join(" "),
            text::spelled(&target.confidence),
            target.tally.configurations.to_string(),
            target.tally.files.to_string(),
            seen.map(|seen| seen.first.clone()).unwrap_or_default(),
            seen.map(|seen| seen.last.clone()).unwrap_or_default(),
            causes.join("; "),
        ]
    });
    csv_text(&header, rows)
}

fn risks_csv(risks: &[DeviceRisk]) -> Result<String, CommandError> {
    let header = [
        "urgency",
        "address",
        "vendor",
        "model",
        "firmware",
        "by",
        "ports",
        "confidence",
        "configurations",
        "sources",
        "actions",
    ];
    let rows = risks.iter().flat_map(|risk| {
        risk.dangers.iter().map(move |danger| {
            let ports: Vec<_> = danger.ports.iter().map(u16::to_string).collect();
            vec![
                danger.urgency.name().to_owned(),
                risk.device.address.clone(),
                risk.device.vendor.clone(),
                risk.device.model.clone(),
                risk.device.firmware.clone(),
                danger.cause.as_ref().map(text::cause).unwrap_or("probed port".to_owned()),
                ports.join(" "),
                text::spelled(&danger.confidence),
                danger.tally.configurations.to_string(),
                danger.sources.join(" "),
                risk.actions.join("; "),
            ]
        })
    });
    csv_text(&header, rows)
}

/// CSV whose cells no spreadsheet takes for formulas and no terminal for commands.
fn csv_text(
    header: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<String, CommandError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| harmless(cell)))?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The cell escaped, behind an apostrophe when a spreadsheet would calculate it.
fn harmless(cell: &str) -> String {
    let cell = text::escape(cell);
    match cell.trim_start().chars().next() {
        Some('=' | '+' | '-' | '@') => format!("'{cell}"),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{csv_text, harmless};
    use proptest::prelude::*;

    #[test]
    fn no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@x", " =1", "\t=1"] {
            let cell = harmless(formula);
            assert!(cell.starts_with(['\'', '\\']), "{cell}");
        }
        assert_eq!(harmless("1=1"), "1=1");
    }

    proptest! {
        #[test]
        fn any_texts_are_cells_that_drive_nothing(cells in prop::collection::vec(any::<String>(), 3)) {
            let text = csv_text(&["x", "y", "z"], [cells.clone()].into_iter()).unwrap();
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(rows.len(), 1);
            prop_assert_eq!(rows[0].len(), 3);
            for (cell, written) in cells.iter().zip(&rows[0]) {
                prop_assert_eq!(&harmless(cell), written);
                prop_assert!(!written.trim_start().starts_with(['=', '+', '-', '@']));
                prop_assert!(!written.chars().any(char::is_control));
            }
        }
    }

    #[test]
    fn cells_stay_in_their_place() {
        let row = vec!["a\"b".to_owned(), "c,d".to_owned(), "e\nf".to_owned()];
        let text = csv_text(&["x", "y", "z"], [row].into_iter()).unwrap();
        assert_eq!(text, "x,y,z\n\"a\"\"b\",\"c,d\",e\\u{a}f\n");
    }
}
