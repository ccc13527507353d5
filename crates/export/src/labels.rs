//! Names of functions and data for other disassemblers: a Python script for Ghidra, one for IDA, a
//! script of commands for rizin.
//!
//! Names are made of the letters, digits and underscores of a role alone, and addresses are numbers,
//! so nothing of a report can become code. Addresses are the file's own: Ghidra moves
//! position-independent files, and its script follows that.

use std::collections::BTreeMap;
use std::fmt::Write;

use miyaburi_model::Report;

/// Files of the scripts.
pub const FILES: [&str; 3] = ["labels_ghidra.py", "labels_ida.py", "labels.rz"];

/// Longest name; longer ones are cut.
const LONGEST: usize = 64;

/// What a name is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelKind {
    /// A function.
    Function,
    /// A datum.
    Data,
}

/// A name and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Address in the file.
    pub address: u64,
    /// What it is for.
    pub kind: LabelKind,
    /// The name, of `[A-Za-z0-9_]`, beginning with a letter, used once.
    pub name: String,
    /// Extent in bytes, 1 when not known.
    pub size: u64,
}

/// The labels of a report by address. An address has one: the first role of a function counts, and
/// functions before data; a name that is taken gets the address behind it.
#[must_use]
pub fn labels(report: &Report) -> Vec<Label> {
    let functions = report.functions.iter().map(|function| {
        (function.address.0, LabelKind::Function, function.role.clone(), function.size)
    });
    let attacks = report.attacks.iter().map(|attack| {
        let kind = attack.kind.as_deref().unwrap_or("unknown");
        (attack.handler.0, LabelKind::Function, format!("attack_{kind}"), None)
    });
    let data = report
        .data
        .iter()
        .map(|item| (item.address.0, LabelKind::Data, item.role.clone(), item.size));
    // What an attack does says more than that it is one.
    let (handlers, others): (Vec<_>, Vec<_>) =
        functions.partition(|(_, _, role, _)| role == "attack");
    let all = others.into_iter().chain(attacks).chain(handlers).chain(data);
    let mut by_address = BTreeMap::new();
    for (address, kind, role, size) in all {
        by_address.entry(address).or_insert((kind, identifier(&role), size.unwrap_or(1)));
    }
    let mut uses = BTreeMap::<String, usize>::new();
    for (_, name, _) in by_address.values() {
        *uses.entry(name.clone()).or_default() += 1;
    }
    let unique = |name: String, address: u64| match uses.get(&name) {
        Some(1) => name,
        _ => format!("{name}_{address:x}"),
    };
    by_address
        .into_iter()
        .map(|(address, (kind, name, size))| Label {
            address,
            kind,
            name: unique(name, address),
            size,
        })
        .collect()
}

/// `role` as a name that every one of the programs takes.
fn identifier(role: &str) -> String {
    let harmless = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = role.chars().take(LONGEST).map(harmless).collect();
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => name,
        _ => format!("x_{name}"),
    }
}

/// The scripts with their names, none when there is nothing to name.
#[must_use]
pub fn scripts(report: &Report) -> Option<[(&'static str, String); 3]> {
    let labels = labels(report);
    let [ghidra_file, ida_file, rizin_file] = FILES;
    (!labels.is_empty()).then(|| {
        [(ghidra_file, ghidra(&labels)), (ida_file, ida(&labels)), (rizin_file, rizin(&labels))]
    })
}

/// The labels as a Python list.
fn python(labels: &[Label]) -> String {
    let mut text = String::from("LABELS = [\n");
    for label in labels {
        let is_function = if label.kind == LabelKind::Function { "True" } else { "False" };
        // Writing to a String does not fail.
        let _ = writeln!(text, "    ({:#x}, \"{}\", {is_function}),", label.address, label.name);
    }
    text.push_str("]\n");
    text
}

fn ghidra(labels: &[Label]) -> String {
    format!(
        "# Names of functions and data, for Ghidra's script manager.\n\
         # @category Import\n\
         from ghidra.app.util.opinion import ElfLoader\n\
         from ghidra.program.model.symbol import SourceType\n\n\
         {}\n\
         original = ElfLoader.getElfOriginalImageBase(currentProgram)\n\
         moved = 0 if original is None else currentProgram.getImageBase().getOffset() - original\n\
         for address, name, is_function in LABELS:\n\
         \x20   place = toAddr(address + moved)\n\
         \x20   function = getFunctionAt(place) if is_function else None\n\
         \x20   if function is None:\n\
         \x20       createLabel(place, name, True, SourceType.IMPORTED)\n\
         \x20   else:\n\
         \x20       function.setName(name, SourceType.IMPORTED)\n",
        python(labels)
    )
}

fn ida(labels: &[Label]) -> String {
    format!(
        "# Names of functions and data, for IDA's script file.\n\
         import ida_funcs\n\
         import ida_name\n\n\
         {}\n\
         for address, name, is_function in LABELS:\n\
         \x20   if is_function and ida_funcs.get_func(address) is None:\n\
         \x20       ida_funcs.add_func(address)\n\
         \x20   ida_name.set_name(address, name, ida_name.SN_NOCHECK | ida_name.SN_FORCE)\n",
        python(labels)
    )
}

fn rizin(labels: &[Label]) -> String {
    let mut text = String::from("# Names of functions and data, for rizin -i.\n");
    for label in labels {
        let space = if label.kind == LabelKind::Function { "fcn" } else { "obj" };
        let Label { address, name, size, .. } = label;
        // Writing to a String does not fail.
        let _ = writeln!(text, "f {space}.{name} {size} @ {address:#x}");
    }
    text
}
