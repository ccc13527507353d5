//! Targeted devices and own devices at risk, for people.

use std::collections::BTreeSet;

use miyaburi_intel::{Cause, Danger, DeviceRisk, Knowledge, Place, Targets};

use super::escape;
use super::layout::{Page, Palette};
use super::report::{count, spelled};

/// Causes shown of one device, and logins or requests that nobody explains; all are in the JSON.
const SHOWN: usize = 8;

/// Renders targets; the text ends with a line break.
pub(crate) fn targets(targets: &Targets, knowledge: &Knowledge, palette: Palette) -> String {
    let mut page = Page::new(palette);
    page.line(&format!(
        "{}, {} that look for devices",
        count(targets.reports, "report", "reports"),
        count(targets.configurations, "configuration", "configurations"),
    ));
    if !targets.targets.is_empty() {
        page.section("Targeted devices");
        let heading = ["vendor", "product", "kind", "configurations", "confidence", "since", "by"];
        let mut rows = vec![heading.map(str::to_owned)];
        rows.extend(targets.targets.iter().map(|target| {
            let kinds: Vec<_> = target.kinds.iter().map(String::as_str).collect();
            let vendor = match target.vendor.as_str() {
                "" => "(no vendor known)",
                vendor => vendor,
            };
            let causes: Vec<_> = target.causes.iter().map(|known| cause(&known.cause)).collect();
            [
                vendor.to_owned(),
                target.product.clone(),
                kinds.join(" "),
                target.tally.configurations.to_string(),
                spelled(&target.confidence),
                target.tally.seen.as_ref().map(|seen| seen.first.clone()).unwrap_or_default(),
                first(&causes),
            ]
        }));
        page.rows(&rows);
    }
    if !targets.ports.is_empty() {
        page.section("Ports probed");
        let rows: Vec<_> = targets
            .ports
            .iter()
            .map(|probed| {
                let number = probed.tally.configurations;
                [probed.port.to_string(), count(number, "configuration", "configurations")]
            })
            .collect();
        page.rows(&rows);
    }
    if !targets.unexplained.is_empty() {
        page.section(&format!(
            "In no table, {}",
            count(targets.unexplained.len(), "login or request", "logins or requests")
        ));
        let causes: Vec<_> = targets.unexplained.iter().map(|item| cause(&item.cause)).collect();
        page.line(&format!("  {}", escape(&first(&causes))));
    }
    let used = targets.targets.iter().flat_map(|target| &target.causes);
    sources(&mut page, used.flat_map(|known| &known.sources), knowledge);
    page.finish()
}

/// Renders the own devices at risk; the text ends with a line break.
pub(crate) fn risks(risks: &[DeviceRisk], knowledge: &Knowledge, palette: Palette) -> String {
    let mut page = Page::new(palette);
    page.line(&format!("{} at risk", count(risks.len(), "device", "devices")));
    for risk in risks {
        let device = &risk.device;
        let firmware = match device.firmware.as_str() {
            "" => String::new(),
            version => format!(", firmware {version}"),
        };
        page.section(&escape(&format!(
            "{}  {}  {} {}{firmware}",
            risk.urgency.name(),
            device.address,
            device.vendor,
            device.model
        )));
        page.rows(&risk.dangers.iter().map(danger).collect::<Vec<_>>());
        for action in &risk.actions {
            page.line(&format!("  - {}", escape(action)));
        }
    }
    let dangers = risks.iter().flat_map(|risk| &risk.dangers);
    sources(&mut page, dangers.flat_map(|danger| &danger.sources), knowledge);
    page.finish()
}

fn danger(danger: &Danger) -> [String; 5] {
    let ports: Vec<_> = danger.ports.iter().map(u16::to_string).collect();
    let configurations = danger.tally.configurations;
    [
        danger.cause.as_ref().map_or("a probed port is open".to_owned(), cause),
        format!("TCP {}", ports.join(" ")),
        count(configurations, "configuration", "configurations"),
        format!("confidence {}", spelled(&danger.confidence)),
        danger.found_at.first().map(place).unwrap_or_default(),
    ]
}

fn place(place: &Place) -> String {
    let file = place.sha256.as_ref().map(|sha256| sha256.to_string().chars().take(12).collect());
    let file: String = file.unwrap_or("a file without digest".to_owned());
    match place.address {
        Some(address) => format!("in {file} at {address}"),
        None => format!("in {file}"),
    }
}

/// A login or request in a few words.
pub(crate) fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Credential { user, password } => match password.as_str() {
            "" => format!("{user} without password"),
            password => format!("{user}/{password}"),
        },
        Cause::Exploit { method, path, port, cve } => {
            let port = port.map(|port| format!(" at port {port}")).unwrap_or_default();
            let cve = if cve.is_empty() { String::new() } else { format!(" ({})", cve.join(" ")) };
            format!("{} {path}{port}{cve}", if method.is_empty() { "any" } else { method })
        }
    }
}

fn first(items: &[String]) -> String {
    let mut shown = items.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if items.len() > SHOWN {
        shown.push_str(&format!(" and {} more", items.len() - SHOWN));
    }
    shown
}

fn sources<'a>(page: &mut Page, used: impl Iterator<Item = &'a String>, knowledge: &Knowledge) {
    let used: BTreeSet<&String> = used.collect();
    let known: Vec<_> = used.into_iter().filter_map(|id| knowledge.source(id)).collect();
    if known.is_empty() {
        return;
    }
    page.section("Sources");
    for source in known {
        page.line(&format!("  {}", escape(&format!("{} <{}>", source.title, source.url))));
    }
}
