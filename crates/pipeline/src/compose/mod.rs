//! What the extractors found, in the terms of the report.

mod attacks;
mod credentials;
mod endpoints;
mod left_over;
mod roles;
mod scan;
mod strings;

use crate::findings::Findings;
use crate::routines;
use miyaburi_analysis::{AnalysisDiagnostic, Program};
use miyaburi_extractors::attacks::Registry;
use miyaburi_extractors::credentials::CredentialList;
use miyaburi_extractors::endpoints::Role;
use miyaburi_extractors::found::{self, Weight};
use miyaburi_extractors::string_table::Table;
use miyaburi_image::Address;
use miyaburi_model::{
    Confidence, Diagnostic, Evidence, Family, Level, Report, Verdict, VirtualAddress,
};

/// Signs of the family (table, credentials, vectors, C2) that must come together before any of
/// them is reported: each alone is also found in benign programs.
const SIGNS_OF_FAMILY: usize = 2;

/// An address in the terms of the report.
pub(crate) fn at(address: Address) -> VirtualAddress {
    VirtualAddress(address.0)
}

/// Adds findings to a report that holds the sample and what is wrong with its image.
pub(crate) fn add(
    report: &mut Report,
    program: &Program<'_>,
    findings: &Findings<'_>,
    image_is_whole: bool,
) {
    let Findings { table, list, registry, contacts, cut, analysis_cut, .. } = findings;
    let has_c2 = contacts.endpoints.iter().any(|endpoint| endpoint.role == Role::C2);
    let signs = [
        (table.is_some(), "a string table"),
        (list.is_some(), "a list of credentials"),
        (registry.is_some(), "a registry of numbered routines"),
        (has_c2, "an address that one routine fills in and another connects to"),
    ];
    let found: Vec<&str> =
        signs.into_iter().filter(|(found, _)| *found).map(|(_, sign)| sign).collect();
    let is_family = found.len() >= SIGNS_OF_FAMILY;
    let has_loss = findings.diagnostics.iter().any(|told| told.weight == Weight::Loss);
    let is_cut = cut.is_some() || analysis_cut.is_some() || !image_is_whole;
    let has_failed = is_cut || is_family && has_loss;
    let has_gap = program.diagnostics().iter().any(AnalysisDiagnostic::is_gap);
    report.verdict = match (is_family, has_c2, has_failed) {
        (true, true, false) => Verdict::Config,
        (true, false, false) if contacts.external.is_some() => Verdict::ExternalC2,
        // Nothing in what was looked at, and not all was.
        (false, _, false) if !has_gap => Verdict::NoConfig,
        _ => Verdict::Partial,
    };
    if let Some(cut) = cut {
        report.diagnostics.push(Diagnostic::new("budget", Level::Warning, cut.to_string()));
    }
    if let Some(cut) = analysis_cut {
        report.diagnostics.push(Diagnostic::new("analysis", Level::Warning, cut.to_string()));
    }
    report.diagnostics.extend(
        program
            .diagnostics()
            .iter()
            .map(|doubt| Diagnostic::new("analysis", Level::Warning, doubt.to_string())),
    );
    if let [sign] = found.as_slice() {
        let message = format!("only {sign} was found, which other programs have, too");
        report.diagnostics.push(Diagnostic::new("family", Level::Info, message));
    }
    if !is_family {
        let told = findings.diagnostics.iter().filter(|_| !found.is_empty());
        let noted = |told| Diagnostic { level: Level::Info, ..told_in_report(told) };
        report.diagnostics.extend(told.map(noted));
        return;
    }
    report.diagnostics.extend(findings.diagnostics.iter().map(told_in_report));
    if !has_c2 && contacts.external.is_none() {
        let message = "no C2 found, and no proof that it comes from outside the file";
        report.diagnostics.push(Diagnostic::new("endpoints", Level::Warning, message));
    }
    report.family = Some(family(found.len(), table.as_ref(), list.as_ref(), registry.as_ref()));
    report.string_table =
        table.as_ref().map(|table| strings::table_of(program.image(), table, findings));
    report.strings = strings::strings_of(findings);
    report.credentials = list.as_ref().map(credentials::credentials_of);
    report.attacks = registry.iter().flat_map(attacks::attacks_of).collect();
    report.attacks.extend(findings.dispatcher.iter().flat_map(attacks::dispatched));
    attacks::add_behaviours(&mut report.attacks, &findings.behaviours);
    report.endpoints = endpoints::endpoints_of(program, contacts);
    report.endpoints.extend(endpoints::loaders_of(&findings.exploits));
    let external = contacts.external.iter();
    report.external = external.map(|external| endpoints::external_of(program, external)).collect();
    report.functions = routines::of(program, findings);
    report.data = routines::data_of(findings);
    report.scan = scan::scan_of(&findings.exploits, findings.probes.as_ref());
}

fn told_in_report(told: &found::Diagnostic) -> Diagnostic {
    let level = match told.weight {
        Weight::Note => Level::Info,
        Weight::Doubt => Level::Warning,
        Weight::Loss => Level::Error,
    };
    let diagnostic = Diagnostic::new(told.stage, level, told.message.clone());
    match told.at {
        Some(address) => diagnostic.at(at(address)),
        None => diagnostic,
    }
}

/// The family, with the routines that gave it away.
fn family(
    signs: usize,
    table: Option<&Table<'_>>,
    list: Option<&CredentialList>,
    registry: Option<&Registry>,
) -> Family {
    let initialisers = [
        (table.map(|table| table.initialiser), "fills an encoded string table"),
        (list.map(|list| list.initialiser), "adds encoded credentials"),
        (registry.map(|registry| registry.initialiser), "registers numbered routines"),
    ];
    let evidence = initialisers
        .into_iter()
        .filter_map(|(address, note)| {
            let address = at(address?);
            Some(Evidence::new(address, Some(address), note))
        })
        .collect();
    let confidence = if signs > SIGNS_OF_FAMILY { Confidence::High } else { Confidence::Medium };
    Family { name: "mirai".to_owned(), confidence, evidence }
}
