//! The JSON documents of mirai-toushi (Internet Initiative Japan, 2024), so that what reads its
//! output reads ours: `parse_main.json`, `xor_scanner.json` and `xor_table.json`, which that tool
//! writes below `<output>/<sha256>/`. Members, their order and their types are those of its
//! published schemas and sample output, and so are both comparison hashes.
//!
//! As there, a part that was not found is left out: a file without a configuration has documents
//! that describe the program alone. Not known from a report, and left out, are `image_base`,
//! `min_addr` and `max_addr`; `main_func` and the `entrypoint` of `table_lock_val` and
//! `add_auth_entry` unless the report names these functions; keys of other lengths than one byte
//! (four for `table_original_key`). What differs from that tool's values:
//!
//! - Addresses are the file's own. Ghidra loads position-independent files elsewhere.
//! - `cnc` is the first C2, wherever the program keeps it; that tool looks only outside the table.
//! - A function has its role for a name where the role is known, else Ghidra's `FUN_` and address.
//! - `str_data` is cut after 1024 characters, the most the schema allows. The hash takes all.

mod documents;
mod names;

use miyaburi_model::{
    ComparedValue, Credentials, EndpointRole, Key, Report, Sample, StringTable, TableEntry,
    Verdict, compared_value,
};

pub use documents::{
    AddAuthEntry, Attack, AttackInit, AuthEntry, EntryReference, Function, ParseMain, Program,
    ResolveCncAddr, ScannerInit, TableInit, TableLockVal, TableValue, XorScanner, XorTable,
};

use names::{Names, place};

/// Characters of `str_data` that the published schema allows.
const MAX_STR_DATA: usize = 1024;

/// The documents of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Documents {
    /// The C2 and the attack vectors.
    pub parse_main: ParseMain,
    /// The credentials.
    pub xor_scanner: XorScanner,
    /// The string table.
    pub xor_table: XorTable,
}

impl Documents {
    /// The documents of a file that was analysed, and none for one that was not: that tool writes
    /// none for what is no ELF file, either.
    #[must_use]
    pub fn new(report: &Report) -> Option<Self> {
        if matches!(report.verdict, Verdict::Failed | Verdict::Unsupported) {
            return None;
        }
        let names = Names::new(report);
        let program = program(&report.sample);
        Some(Self {
            parse_main: parse_main(report, program.clone(), &names),
            xor_scanner: xor_scanner(report.credentials.as_ref(), program.clone(), &names),
            xor_table: xor_table(report.string_table.as_ref(), program, &names),
        })
    }

    /// Names and texts of the three files.
    ///
    /// # Errors
    /// Those of the JSON writer, which has no reason for one.
    pub fn files(&self) -> serde_json::Result<[(&'static str, String); 3]> {
        Ok([
            ("parse_main.json", serde_json::to_string_pretty(&self.parse_main)? + "\n"),
            ("xor_scanner.json", serde_json::to_string_pretty(&self.xor_scanner)? + "\n"),
            ("xor_table.json", serde_json::to_string_pretty(&self.xor_table)? + "\n"),
        ])
    }
}

fn program(sample: &Sample) -> Program {
    // Members of archives stand behind a `!`.
    let name = sample.path.rsplit(['/', '!']).next().unwrap_or_default();
    Program {
        name: name.to_owned(),
        path: sample.path.clone(),
        sha256: sample.sha256.as_ref().map(ToString::to_string),
        language_id: names::language_id(sample),
    }
}

fn parse_main(report: &Report, program: Program, names: &Names<'_>) -> ParseMain {
    let servers = report.endpoints.iter().filter(|endpoint| endpoint.role == EndpointRole::C2);
    let first = servers.min_by_key(|server| server.order.unwrap_or(u32::MAX));
    // That program knows attacks by number alone.
    let attacks = report.attacks.iter().filter_map(|attack| {
        let vector = attack.vector?;
        let name = names.of(attack.handler);
        Some(Attack { vector, name, entrypoint: place(attack.handler) })
    });
    let attacks: Vec<Attack> = attacks.collect();
    ParseMain {
        script_name: "parse_main.py",
        ghidra_current_program: program,
        main_func: names.has("main").then(|| names.function("main")),
        resolve_cnc_addr_func: first.map(|server| ResolveCncAddr {
            function: names.function("resolve_cnc_addr"),
            cnc: server.host.clone(),
        }),
        attack_init_func: (!attacks.is_empty()).then(|| AttackInit {
            function: names.function("attack_init"),
            attacks_count: attacks.len(),
            attacks,
        }),
    }
}

fn xor_scanner(found: Option<&Credentials>, program: Program, names: &Names<'_>) -> XorScanner {
    let with_entries = found.filter(|credentials| !credentials.entries.is_empty());
    XorScanner {
        script_name: "xor_scanner.py",
        ghidra_current_program: program,
        add_auth_entry_func: found
            .and_then(|credentials| of_length(credentials.effective_key.as_ref(), 1))
            .map(|scanner_key| AddAuthEntry {
                function: names.function("add_auth_entry"),
                scanner_key,
            }),
        scanner_init_func: with_entries.map(|credentials| {
            let entries = credentials.entries.iter().map(|entry| AuthEntry {
                user: entry.user.clone(),
                pass: entry.password.clone(),
                weight: entry.weight,
            });
            ScannerInit {
                function: names.function("scanner_init"),
                auth_tables_sha256: credentials.sha256.as_ref().map(ToString::to_string),
                auth_tables_count: credentials.entries.len(),
                auth_tables: entries.collect(),
            }
        }),
    }
}

fn xor_table(found: Option<&StringTable>, program: Program, names: &Names<'_>) -> XorTable {
    let with_entries = found.filter(|table| !table.entries.is_empty());
    XorTable {
        script_name: "xor_table.py",
        ghidra_current_program: program,
        table_lock_val_func: found.and_then(|table| {
            let table_key = of_length(table.effective_key.as_ref(), 1);
            let table_original_key = of_length(table.key.as_ref(), 4);
            (table_key.is_some() || table_original_key.is_some()).then(|| TableLockVal {
                function: names.function("table_lock_val"),
                table_key,
                table_original_key,
            })
        }),
        table_init_func: with_entries.map(|table| {
            let tables: Vec<TableValue> =
                table.entries.iter().map(|entry| table_value(entry, names)).collect();
            let integers = tables.iter().filter(|value| value.int_data.is_some()).count();
            TableInit {
                function: names.function("table_init"),
                tables_sha256: table.sha256.as_ref().map(ToString::to_string),
                tables_count: tables.len(),
                tables_int_count: integers,
                tables_str_count: tables.len() - integers,
                tables,
            }
        }),
    }
}

fn table_value(entry: &TableEntry, names: &Names<'_>) -> TableValue {
    let (kind, int_data, str_data) = match compared_value(entry) {
        ComparedValue::Int(port) => ("int", Some(port), None),
        ComparedValue::Str(text) => ("str", None, Some(text.chars().take(MAX_STR_DATA).collect())),
    };
    let references = entry.references.iter().map(|reference| EntryReference {
        func: reference.function.map(|function| names.of(function)),
        addr: place(reference.address),
    });
    TableValue {
        id: entry.id,
        kind,
        int_data,
        str_data,
        table_addr: entry.cell.map(place),
        refs: references.collect(),
    }
}

/// The key in lower-case hexadecimal, if it has so many bytes.
fn of_length(key: Option<&Key>, bytes: usize) -> Option<String> {
    key.filter(|key| key.0.len() == bytes).map(ToString::to_string)
}
