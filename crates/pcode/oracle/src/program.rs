//! Whole programs, along control flow.

use crate::compare::{Counts, Pair};
use anyhow::Context as _;
use miyaburi_image::{Address, Image, SymbolKind};
use miyaburi_pcode::{Context, Language, language_for};
use rustc_hash::FxHashSet;
use std::path::Path;

/// Bytes that both see from an instruction on: it, and what is in its delay slots.
const WINDOW: usize = 48;

/// Compares everything that is reached from the entry point and the function symbols of a file.
pub fn compare(path: &Path, shown: usize) -> anyhow::Result<Option<(String, Counts)>> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let image = Image::parse(&bytes).with_context(|| format!("parsing {}", path.display()))?;
    let language = language_for(image.arch())?;
    let Some(mut pair) = Pair::new(image.arch(), &*language) else { return Ok(None) };
    let mut work = starts(&image, &*language);
    let mut seen: FxHashSet<(Address, Context)> = work.iter().copied().collect();
    let mut shown = shown;
    while let Some((address, context)) = work.pop() {
        let window = image.bytes_from(address);
        let window = &window[..window.len().min(WINDOW)];
        match pair.compare(address, window, context) {
            Ok(false) => continue,
            Ok(true) => {}
            Err(difference) => {
                if shown > 0 {
                    shown -= 1;
                    eprintln!("{address} {:x?} {context:x?}: {difference}", &window[..window.len().min(12)]);
                }
                continue;
            }
        }
        let next = address.offset(pair.instruction.length.into());
        let next = pair.falls_through().then_some(next);
        for at in pair.targets(address).chain(next) {
            let reached = (at, pair.instruction.context_at(at));
            if image.is_executable(at) && seen.insert(reached) {
                work.push(reached);
            }
        }
    }
    Ok(Some((image.arch().cpu.to_owned(), pair.counts)))
}

fn starts(image: &Image, language: &dyn Language) -> Vec<(Address, Context)> {
    let start = language.initial_context();
    // MIPS code with the mode bit is taken to be MIPS16.
    let compressed = ["TMode", "ISA_MODE"]
        .iter()
        .find_map(|field| language.with_context_field(start, field, 1))
        .unwrap_or(start);
    let context = |thumb: bool| if thumb { compressed } else { start };
    let functions = image
        .symbols()
        .iter()
        .filter(|symbol| symbol.kind == SymbolKind::Function)
        .map(|symbol| (symbol.address, context(symbol.thumb)));
    let entry = (image.entry(), context(image.entry_is_thumb()));
    let mut starts: Vec<_> =
        functions.chain([entry]).filter(|(at, _)| image.is_executable(*at)).collect();
    starts.dedup();
    starts
}
