//! Runs the extractors and turns what they found into a report.

use miyaburi_analysis::Program;
use miyaburi_emulator::Emulator;
use miyaburi_extractors::attacks::{self, Registry};
use miyaburi_extractors::credentials::{self, CredentialList};
use miyaburi_extractors::initialisers;
use miyaburi_extractors::string_table::{self, Table};
use miyaburi_extractors::subject::Subject;
use miyaburi_extractors::xor;
use miyaburi_image::{Address, Image};
use miyaburi_model::{
    Attack, Cipher, Credential, Credentials, Diagnostic, EntryRole, EntryValue, Evidence, Key,
    Level, Report, StringTable, TableEntry, Verdict, VirtualAddress, credentials_sha256, printable,
    string_table_sha256,
};

fn at(address: Address) -> VirtualAddress {
    VirtualAddress(address.0)
}

/// Adds everything that the extractors find in `image` to `report`.
pub(crate) fn add(report: &mut Report, image: &Image, pages: usize) {
    let language = match miyaburi_pcode::language_for(image.arch()) {
        Ok(language) => language,
        Err(error) => return fail(report, "lifter", &error.to_string()),
    };
    let program = match Program::analyze(image, &*language) {
        Ok(program) => program,
        Err(error) => return fail(report, "analysis", &error.to_string()),
    };
    let emulator = Emulator::new(image, &*language, program.abi().clone());
    let mut subject = Subject { image, program: &program, emulator, pages };
    let mut runs = initialisers::run(&mut subject);
    let table = string_table::extract(&mut subject, &mut runs);
    let list = credentials::extract(&mut subject);
    let registry = attacks::extract(&subject, &mut runs);
    report.string_table = table.as_ref().map(table_of);
    report.credentials = list.as_ref().map(credentials_of);
    report.attacks = registry.iter().flat_map(attacks_of).collect();
}

fn fail(report: &mut Report, stage: &str, reason: &str) {
    report.verdict = Verdict::Failed;
    report.diagnostics.push(Diagnostic::new(stage, Level::Error, reason));
}

fn table_of(table: &Table<'_>) -> StringTable {
    let entries: Vec<TableEntry> =
        table.entries.iter().map(|entry| entry_of(table, entry)).collect();
    let mut report = StringTable {
        key: table.key_word.map(Key::from),
        effective_key: Some(Key::from(table.effective_key)),
        cipher: Cipher::Xor,
        nonce: None,
        entries,
        sha256: None,
    };
    report.sha256 = Some(string_table_sha256(&report.entries));
    report
}

fn entry_of(table: &Table<'_>, entry: &string_table::Entry) -> TableEntry {
    let stale = entry.stale_key.is_some();
    let meant = match entry.stale_key {
        Some(key) => xor::apply(&entry.encoded, key),
        None => entry.decoded.clone(),
    };
    let value = match meant.as_slice() {
        _ if xor::is_text(&meant) => EntryValue::Text { text: printable(&meant) },
        [high, low] => EntryValue::Port { port: u16::from_be_bytes([*high, *low]) },
        _ if meant.last() == Some(&0) => EntryValue::Text { text: printable(&meant) },
        _ => EntryValue::Bytes,
    };
    let evidence = Evidence::new(
        at(entry.added_at.unwrap_or(entry.cell)),
        Some(at(table.initialiser)),
        "added here",
    );
    TableEntry {
        id: entry.id,
        value,
        hex: meant.into(),
        role: EntryRole::Unknown,
        cipher: None,
        effective_key: entry.stale_key.map(Key::from),
        stale,
        code_hex: stale.then(|| entry.decoded.clone().into()),
        references: Vec::new(),
        evidence: vec![evidence],
    }
}

fn credentials_of(list: &CredentialList) -> Credentials {
    let entries = list
        .pairs
        .iter()
        .map(|pair| Credential {
            user: printable(&pair.user),
            password: printable(&pair.password),
            weight: pair.weight,
            evidence: vec![Evidence::new(
                at(pair.added_at),
                Some(at(list.initialiser)),
                "added here",
            )],
        })
        .collect();
    let mut credentials = Credentials {
        effective_key: Some(Key::from(list.effective_key)),
        cipher: Cipher::Xor,
        entries,
        sha256: None,
    };
    credentials.sha256 = Some(credentials_sha256(&credentials.entries));
    credentials
}

fn attacks_of(registry: &Registry) -> Vec<Attack> {
    registry
        .vectors
        .iter()
        .map(|vector| Attack {
            vector: vector.number,
            handler: at(vector.handler),
            kind: None,
            kind_method: None,
            same_as: registry
                .vectors
                .iter()
                .filter(|other| other.number != vector.number && other.handler == vector.handler)
                .map(|other| other.number)
                .collect(),
            options: Vec::new(),
            packets: Vec::new(),
            evidence: vec![Evidence::new(
                at(vector.registered_at.unwrap_or(vector.handler)),
                Some(at(registry.initialiser)),
                "registered here",
            )],
        })
        .collect()
}
