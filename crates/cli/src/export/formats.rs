//! Writing a list in every format that is asked for.

use ipnet::IpNet;
use miyaburi_export::configurations::Configurations;
use miyaburi_export::flowspec::Routes;
use miyaburi_export::traffic::Traffic;
use miyaburi_export::{
    BlockList, ExportError, Folder, Tlp, Written, csv, flowspec, misp, nftables, rpz, sigma, stix,
    suricata, yara,
};

use crate::arguments::ExportFormat;
use crate::error::complain;

/// What formats are made from, beside the list.
pub(crate) struct Sources<'a> {
    pub(crate) traffic: &'a Traffic,
    pub(crate) configurations: &'a Configurations,
    pub(crate) routes: &'a Routes,
    /// What may be announced, none when that is not known.
    pub(crate) routes_before: Option<&'a Routes>,
    pub(crate) subscribers: &'a [IpNet],
    pub(crate) tlp: Tlp,
}

/// Writes the files of each format, and tells how much is in them.
pub(crate) fn write_formats(
    formats: &[ExportFormat],
    list: &BlockList,
    sources: &Sources<'_>,
    folder: &mut dyn Folder,
) -> Result<(), ExportError> {
    let Sources { traffic, configurations, routes, routes_before, subscribers, tlp } = *sources;
    for format in formats {
        let written = match format {
            ExportFormat::Csv => csv::write(list, folder),
            ExportFormat::Flowspec => flowspec::write(list, routes, routes_before, folder),
            // These are written while reports are read.
            ExportFormat::Labels | ExportFormat::Maco => continue,
            ExportFormat::Misp => misp::write(list, configurations, tlp, folder),
            ExportFormat::Nftables => nftables::write(list, folder),
            ExportFormat::Rpz => rpz::write(list, subscribers, folder),
            ExportFormat::Sigma => sigma::write(list, folder),
            ExportFormat::Stix => stix::write(list, configurations, tlp, folder),
            ExportFormat::Yara => yara::write(list, configurations, folder),
            ExportFormat::Suricata => suricata::write(list, traffic, folder),
        };
        tell_written(*format, written?);
    }
    Ok(())
}

pub(crate) fn tell_written(format: ExportFormat, Written { entries, left_out }: Written) {
    complain(format_args!("{}: {entries} entries, {left_out} left out", format.name()));
}
