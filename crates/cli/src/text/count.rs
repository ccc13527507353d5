//! Attack accesses as Markdown.

use miyaburi_hunting::count::Line;

use super::markdown::table;
use super::report::count;

/// Rows of ports, networks and indicators that are shown; all are in the JSON.
const SHOWN: usize = 20;

/// Renders the counts; the text ends with a line break.
pub(crate) fn counts(lines: &[Line]) -> String {
    let mut text = "# Accesses from outside\n".to_owned();
    for line in lines {
        if let Line::Total { accesses, devices, days, per_device_and_day, trend } = line {
            text.push_str(&format!(
                "\n{accesses} to {} in {}: {per_device_and_day:.1} for each device and day\n",
                count(*devices, "device", "devices"),
                count(usize::try_from(*days).unwrap_or_default(), "day", "days"),
            ));
            if let Some(trend) = trend {
                text.push_str(&format!(
                    "\nThe last seven whole days by the seven before: {trend:.2}\n"
                ));
            }
        }
    }
    let days = lines.iter().filter_map(|line| match line {
        Line::Day { day, accesses, known, per_device } => Some([
            day.to_string(),
            accesses.to_string(),
            format!("{per_device:.1}"),
            known.to_string(),
        ]),
        _ => None,
    });
    section(
        &mut text,
        "Days",
        ["day", "accesses", "per device", "from indicators"],
        days.collect(),
    );
    let by = |shown: fn(&Line) -> Option<[String; 2]>| -> Vec<[String; 2]> {
        lines.iter().filter_map(shown).take(SHOWN).collect()
    };
    let ports = by(|line| match line {
        Line::Port { port, accesses } => Some([port.to_string(), accesses.to_string()]),
        _ => None,
    });
    section(&mut text, "Ports", ["port", "accesses"], ports);
    let networks = by(|line| match line {
        Line::Network { network, accesses } => Some([network.to_string(), accesses.to_string()]),
        _ => None,
    });
    section(&mut text, "Source networks", ["network", "accesses"], networks);
    let botnets: Vec<[String; 3]> = lines
        .iter()
        .filter_map(|line| match line {
            Line::BotnetTotal { botnet, accesses, trend } => {
                let trend = trend.map_or_else(String::new, |trend| format!("{trend:.2}"));
                Some([botnet.clone(), accesses.to_string(), trend])
            }
            _ => None,
        })
        .take(SHOWN)
        .collect();
    let columns = ["botnet", "accesses", "last seven days by the seven before"];
    section(&mut text, "Botnets", columns, botnets);
    let indicators = by(|line| match line {
        Line::Indicator { indicator, accesses } => Some([indicator.clone(), accesses.to_string()]),
        _ => None,
    });
    section(&mut text, "Indicators", ["indicator", "accesses"], indicators);
    text
}

fn section<const COLUMNS: usize>(
    text: &mut String,
    heading: &str,
    columns: [&str; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
) {
    if !rows.is_empty() {
        text.push_str(&format!("\n## {heading}\n\n{}", table(columns, rows)));
    }
}
