//! Function starts found in a stripped file, against the symbols of the file before it was
//! stripped.
//!
//! To be found are all function symbols with a size that [`reachable`] names. A start that is a
//! symbol's without being to be found (a label of assembly code, a part that the compiler moved
//! away) is neither right nor wrong, and neither is that of a linkage stub; every other start is
//! invented.

use anyhow::Context;
use miyaburi_analysis::Program;
use miyaburi_image::{Address, Image};

use super::{programs::Built, reachable, symbols::Symbols, tally::Counts};

/// Compares the functions of a program.
pub(super) fn measure(built: &Built) -> anyhow::Result<Counts> {
    let symbols = Symbols::read(&built.with_symbols)?;
    let reachable = reachable::functions(built, &symbols)?;
    let image = Image::parse(&built.stripped).context("image")?;
    let language = miyaburi_pcode::language_for(image.arch())?;
    let program = Program::analyze(&image, language.as_ref())?;
    let mut counts = Counts { files: 1, ..Counts::default() };
    for (&address, named) in &symbols.functions {
        let is_found = program.function_at(Address(address)).is_some();
        let is_reachable = reachable.contains(&address);
        if is_found {
            *(if is_reachable { &mut counts.right } else { &mut counts.beyond }) += 1;
        } else if is_reachable {
            counts.missing += 1;
            let inside = program
                .function_containing(Address(address))
                .and_then(|id| program.function(id))
                .map(|function| function.entry);
            counts.notes.push(format!("missing {address:#x} {} inside {inside:?}", named.name));
        } else {
            counts.unreachable += 1;
            counts.notes.push(format!("unreachable {address:#x} {}", named.name));
        }
    }
    for function in program.functions() {
        let address = function.entry.0;
        let is_known = symbols.functions.contains_key(&address)
            || symbols.neutral.contains(&address)
            || symbols.is_stub(address);
        if !is_known {
            counts.wrong += 1;
            let before = symbols.functions.range(..=address).next_back();
            counts.notes.push(format!(
                "invented {address:#x} {:?} after {:?}",
                function.origin,
                before.map(|(start, named)| (format!("{start:#x}"), &named.name)),
            ));
        }
    }
    Ok(counts)
}
