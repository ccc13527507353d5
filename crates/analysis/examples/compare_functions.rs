//! Compares the functions found in a stripped file with the symbols of its unstripped twin.
//!
//! Usage: `compare_functions TWIN STRIPPED [verbose]`

use miyaburi_analysis::{Exit, Program};
use miyaburi_image::{Image, SymbolKind};
use std::collections::BTreeMap;
use std::error::Error;

/// Seconds this process has spent on a CPU, which other load does not change; Linux only.
fn cpu_time() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse::<f64>().ok()).unwrap_or_default() / 1e9
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let twin_path = arguments.next().ok_or("no unstripped file named")?;
    let stripped_path = arguments.next().ok_or("no stripped file named")?;
    let is_verbose = arguments.next().is_some();
    let twin = Image::parse(&std::fs::read(twin_path)?)?;
    let stripped = Image::parse(&std::fs::read(&stripped_path)?)?;
    let language = miyaburi_pcode::language_for(stripped.arch())?;
    let before = cpu_time();
    let program = Program::analyze(&stripped, language.as_ref())?;
    let milliseconds = (cpu_time() - before) * 1e3;
    let mut truth = BTreeMap::new();
    let mut labels = BTreeMap::new();
    for symbol in twin.symbols().iter().filter(|symbol| twin.is_executable(symbol.address)) {
        // Parts that the compiler moved elsewhere are no functions of their own.
        let is_part = symbol.name.ends_with(".cold");
        if symbol.kind == SymbolKind::Function && symbol.size > 0 && !is_part {
            truth.entry(symbol.address).or_insert(symbol.name.as_str());
        } else {
            labels.entry(symbol.address).or_insert(symbol.name.as_str());
        }
    }
    let found: Vec<_> = program.functions().iter().collect();
    let missing: Vec<_> =
        truth.iter().filter(|(address, _)| program.function_at(**address).is_none()).collect();
    let invented: Vec<_> = found
        .iter()
        .filter(|function| {
            // Procedure linkage entries have no symbols.
            let is_stub = function.instruction_count() <= 4
                && function.blocks().first().is_some_and(|block| block.exit == Exit::TailCall);
            !is_stub
                && !truth.contains_key(&function.entry)
                && !labels.contains_key(&function.entry)
        })
        .collect();
    let resolved = program.call_sites().iter().filter(|site| site.target.is_some()).count();
    let calls = program.call_sites().len();
    println!(
        "{} {:.1} ms: {} functions, recall {:.2}% of {}, precision {:.2}%, {} instructions, {} ops, calls resolved {}/{}",
        stripped_path.rsplit('/').next().unwrap_or(""),
        milliseconds,
        found.len(),
        100.0 * (truth.len() - missing.len()) as f64 / truth.len().max(1) as f64,
        truth.len(),
        100.0 * (found.len() - invented.len()) as f64 / found.len().max(1) as f64,
        program.code().instruction_count(),
        program.code().op_count(),
        resolved,
        calls,
    );
    if is_verbose {
        for (address, name) in missing {
            let inside = program.function_containing(*address).and_then(|id| program.function(id));
            let inside = inside.map(|function| function.entry);
            println!("missing {address} {name} inside {inside:?}");
        }
        for function in invented {
            let before = truth.range(..=function.entry).next_back();
            println!("invented {} {:?} in {before:?}", function.entry, function.origin);
        }
        for function in &found {
            for block in function.blocks().iter().filter(|block| block.exit == Exit::Unknown) {
                println!(
                    "unknown jump {} in {} {:?}",
                    block.end,
                    function.entry,
                    truth.get(&function.entry)
                );
            }
        }
        for site in program.call_sites().iter().filter(|site| site.target.is_none()) {
            println!("unresolved {} {:?}", site.address, site.kind);
        }
    }
    Ok(())
}
