//! A report for people: the C2 first, then what it rests on.

use miyaburi_model::{
    Credentials, DataItem, Diagnostic, Endpoint, EndpointRole, EntryValue, Evidence,
    ExternalSource, Function, Key, Level, LooseString, Packer, Report, Sample, StringTable,
    TableEntry, Verdict,
};

use super::attacks::{attacks, scan};
use super::escape;
use super::layout::{Page, Palette};

/// Renders `report`; the text ends with a line break.
pub(crate) fn report(report: &Report, palette: Palette) -> String {
    let mut page = Page::new(palette);
    header(&mut page, report, palette);
    c2(&mut page, report);
    endpoints(&mut page, &report.endpoints);
    external(&mut page, &report.external);
    if let Some(table) = &report.string_table {
        string_table(&mut page, table);
    }
    loose_strings(&mut page, &report.strings);
    if let Some(found) = &report.credentials {
        credentials(&mut page, found);
    }
    attacks(&mut page, &report.attacks);
    if let Some(found) = &report.scan {
        scan(&mut page, found);
    }
    program(&mut page, &report.functions, &report.data);
    diagnostics(&mut page, &report.diagnostics);
    page.finish()
}

fn header(page: &mut Page, report: &Report, palette: Palette) {
    let Sample { path, size, cpu, arch, bits, endian, packer, sha256, .. } = &report.sample;
    page.line(&palette.heading(&escape(path)));

    let mut facts = vec![palette.verdict(report.verdict)];
    if let Some(family) = &report.family {
        facts.push(format!("{} ({})", escape(&family.name), spelled(&family.confidence)));
    }
    facts.extend(cpu.as_ref().or(arch.as_ref()).map(|name| escape(name)));
    if let (Some(bits), Some(endian)) = (bits, endian) {
        facts.push(format!("{bits}-bit {}-endian", spelled(endian)));
    }
    facts.extend(size.map(|size| format!("{size} bytes")));
    let packers = std::iter::successors(packer.as_ref(), |packer| packer.inner.as_deref());
    facts.extend(packers.map(|packer| escape(&packed_with(packer))));
    page.line(&format!("  {}", facts.join(" | ")));
    if let Some(sha256) = sha256 {
        page.line(&format!("  sha256 {sha256}"));
    }
}

/// Such as `packed with upx 4.22 (lzma, 0x49)`.
fn packed_with(packer: &Packer) -> String {
    let version = packer.version.as_deref().unwrap_or_default();
    let mut fact = format!("packed with {} {version}", packer.name).trim_end().to_owned();
    let details: Vec<&str> =
        [&packer.method, &packer.filter].into_iter().filter_map(|it| it.as_deref()).collect();
    if !details.is_empty() {
        fact.push_str(&format!(" ({})", details.join(", ")));
    }
    if !packer.repaired.is_empty() {
        fact.push_str(&format!(", repaired {}", packer.repaired.join(" ")));
    }
    fact
}

fn c2(page: &mut Page, report: &Report) {
    let mut servers: Vec<&Endpoint> =
        report.endpoints.iter().filter(|endpoint| endpoint.role == EndpointRole::C2).collect();
    servers.sort_by_key(|endpoint| endpoint.order.unwrap_or(u32::MAX));
    let absence = match report.verdict {
        _ if !servers.is_empty() => None,
        Verdict::ExternalC2 => Some("not in the file; see where it comes from below"),
        Verdict::Partial => Some("not found, and not proved to be absent; see the diagnostics"),
        Verdict::Config => Some("none reported"),
        Verdict::NoConfig | Verdict::Unsupported | Verdict::Failed => return,
    };
    page.section("C2");
    if let Some(absence) = absence {
        page.line(&format!("  {absence}"));
    }
    page.rows(&servers.into_iter().map(|server| endpoint_row(server, false)).collect::<Vec<_>>());
}

fn endpoints(page: &mut Page, endpoints: &[Endpoint]) {
    let rows: Vec<_> = endpoints
        .iter()
        .filter(|endpoint| endpoint.role != EndpointRole::C2)
        .map(|endpoint| endpoint_row(endpoint, true))
        .collect();
    if !rows.is_empty() {
        page.section("Other endpoints");
        page.rows(&rows);
    }
}

fn endpoint_row(endpoint: &Endpoint, with_role: bool) -> [String; 6] {
    [
        if with_role { spelled(&endpoint.role) } else { String::new() },
        address(endpoint),
        endpoint.url.clone().unwrap_or_default(),
        spelled(&endpoint.confidence),
        spelled(&endpoint.method),
        seen(&endpoint.evidence),
    ]
}

/// Host, port and protocol of an endpoint.
pub(crate) fn address(endpoint: &Endpoint) -> String {
    let host = if endpoint.host.contains(':') {
        format!("[{}]", endpoint.host)
    } else {
        endpoint.host.clone()
    };
    let port = endpoint.port.map_or("?".to_owned(), |port| port.to_string());
    let protocol = endpoint.protocol.map(|protocol| format!("/{}", spelled(&protocol)));
    format!("{host}:{port}{}", protocol.unwrap_or_default())
}

fn external(page: &mut Page, sources: &[ExternalSource]) {
    if sources.is_empty() {
        return;
    }
    page.section("C2 comes from outside the file");
    let row = |source: &ExternalSource| {
        [
            spelled(&source.source),
            source.name.clone().unwrap_or_default(),
            source.record.clone().unwrap_or_default(),
            source.transform.clone().unwrap_or_default(),
            seen(&source.evidence),
        ]
    };
    page.rows(&sources.iter().map(row).collect::<Vec<_>>());
}

fn string_table(page: &mut Page, table: &StringTable) {
    page.section(&format!("String table, {}", count(table.entries.len(), "entry", "entries")));
    let mut how = vec![spelled(&table.cipher)];
    how.extend(table.key.as_ref().map(|key| format!("key {key}")));
    how.extend(table.effective_key.as_ref().map(|key| format!("effective key {key}")));
    how.extend(table.nonce.as_ref().map(|nonce| format!("nonce {nonce}")));
    page.line(&format!("  {}", how.join(", ")));
    if let Some(sha256) = &table.sha256 {
        page.line(&format!("  comparison sha256 {sha256}"));
    }
    let heading = [" id", "role", "value", "", ""].map(str::to_owned);
    let rows = std::iter::once(heading).chain(table.entries.iter().map(entry_row));
    page.rows(&rows.collect::<Vec<_>>());
}

fn entry_row(entry: &TableEntry) -> [String; 5] {
    let mut remarks = Vec::new();
    if entry.stale {
        remarks.push("stale".to_owned());
    }
    remarks.extend(entry.cipher.map(|cipher| spelled(&cipher)));
    remarks.extend(entry.effective_key.as_ref().map(|key| format!("key {key}")));
    let readers: Vec<_> =
        entry.references.iter().map(|reference| reference.address.to_string()).collect();
    let readers = match readers.as_slice() {
        [] => String::new(),
        [.., _] if readers.len() > 3 => {
            format!("read at {} and {} more", readers[..3].join(" "), readers.len() - 3)
        }
        _ => format!("read at {}", readers.join(" ")),
    };
    [format!("{:>3}", entry.id), spelled(&entry.role), value(entry), remarks.join(", "), readers]
}

/// The decoded value of an entry.
pub(crate) fn value(entry: &TableEntry) -> String {
    match &entry.value {
        EntryValue::Text { text } => format!("\"{text}\""),
        EntryValue::Port { port } => format!("port {port}"),
        EntryValue::Bytes => format!("bytes {}", entry.hex),
    }
}

fn loose_strings(page: &mut Page, strings: &[LooseString]) {
    if strings.is_empty() {
        return;
    }
    page.section(&format!("Strings outside the table, {}", strings.len()));
    let row = |string: &LooseString| {
        [
            string.address.to_string(),
            string.role.map(|role| spelled(&role)).unwrap_or_default(),
            format!("\"{}\"", string.text),
            keyed(&spelled(&string.cipher), string.effective_key.as_ref()),
        ]
    };
    page.rows(&strings.iter().map(row).collect::<Vec<_>>());
}

fn credentials(page: &mut Page, credentials: &Credentials) {
    let entries = &credentials.entries;
    page.section(&format!("Credentials, {}", count(entries.len(), "pair", "pairs")));
    let how = keyed(&spelled(&credentials.cipher), credentials.effective_key.as_ref());
    page.line(&format!("  {how}"));
    if let Some(sha256) = &credentials.sha256 {
        page.line(&format!("  comparison sha256 {sha256}"));
    }
    let heading = ["weight", "user", "password"].map(str::to_owned);
    let rows = entries.iter().map(|entry| {
        let weight = format!("{:>6}", entry.weight);
        [weight, format!("\"{}\"", entry.user), format!("\"{}\"", entry.password)]
    });
    page.rows(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
}

fn program(page: &mut Page, functions: &[Function], data: &[DataItem]) {
    let functions = functions.iter().map(|item| (item.address, item.size, &item.role, "function"));
    let data = data.iter().map(|item| (item.address, item.size, &item.role, "data"));
    let rows: Vec<_> = functions
        .chain(data)
        .map(|(address, size, role, kind)| {
            let size = size.map(|size| format!("{size} bytes")).unwrap_or_default();
            [address.to_string(), kind.to_owned(), role.clone(), size]
        })
        .collect();
    if !rows.is_empty() {
        page.section("In the program");
        page.rows(&rows);
    }
}

fn diagnostics(page: &mut Page, diagnostics: &[Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    page.section("Diagnostics");
    let mut rows: Vec<(Level, [String; 4])> = diagnostics
        .iter()
        .map(|found| {
            let address = found.address.map(|at| format!("at {at}")).unwrap_or_default();
            let level = spelled(&found.level);
            (found.level, [level, found.stage.clone(), found.message.clone(), address])
        })
        .collect();
    rows.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
    page.rows(&rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>());
}

/// How a value is spelled in JSON, which is how the documentation names it.
pub(crate) fn spelled(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Where something was seen first, and in how many more places.
pub(super) fn seen(evidence: &[Evidence]) -> String {
    match evidence {
        [] => String::new(),
        [only] => format!("at {} {}", only.address, only.note),
        [first, rest @ ..] => format!("at {} {} (+{})", first.address, first.note, rest.len()),
    }
}

pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn keyed(cipher: &str, key: Option<&Key>) -> String {
    key.map_or_else(|| cipher.to_owned(), |key| format!("{cipher}, effective key {key}"))
}
