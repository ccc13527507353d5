//! Which functions of a program anything refers to, worked out without the analysis that is being
//! measured: from the symbols, the bytes and what GNU binutils' disassembler prints.
//!
//! Reached are the entry point, what any word of data holds the address of, what code outside of
//! every sized symbol refers to, and what reached functions refer to in turn. A function refers to
//! every function whose address its instructions name (as jump target, comment or operand), whose
//! address stands among its bytes (literal pools), or can be put together from two of its
//! instructions (upper and lower half, distance from the program counter or from the global offset
//! table). A jump into the middle of a function reaches what that refers to, but not its start.
//! Whatever cannot be told apart counts as a reference, so that functions that nothing
//! reaches are rather held against the analysis than left out of the measure.
//!
//! What is left out are, above all, further functions of objects in a static library of which the
//! program uses one, such as libgcc's restore sequences.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use anyhow::Context;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionFlags, SectionKind};

use crate::toolchain::process;

use super::{programs::Built, symbols::Symbols};

/// The start addresses of the functions that are reached.
pub(super) fn functions(built: &Built, symbols: &Symbols) -> anyhow::Result<BTreeSet<u64>> {
    let file = object::File::parse(&*built.with_symbols).context("symbols")?;
    let mut graph = Graph::new(&file, symbols);
    graph.read_words(&file);
    let program = format!("{}-objdump", built.toolchain.triplet());
    let listing =
        process::run(Command::new(program).args(["-d", "--no-show-raw-insn"]).arg(&built.path))?;
    for line in listing.lines() {
        graph.read_line(line);
    }
    Ok(graph.reached(file.entry()))
}

/// What one function's bytes and instructions say, or those of no function.
#[derive(Debug, Default)]
struct Mentions {
    targets: BTreeSet<u64>,
    /// Words among the bytes.
    words: Vec<u64>,
    /// Operands.
    numbers: BTreeSet<u64>,
    uppers: BTreeSet<u64>,
    lowers: BTreeSet<u64>,
    /// Where the program counter is read for computing an address.
    positions: BTreeSet<u64>,
}

struct Graph<'a> {
    symbols: &'a Symbols,
    mask: u64,
    /// Bases that code adds distances to.
    bases: Vec<u64>,
    /// Words at addresses, of the sections that are loaded.
    loaded: Vec<(u64, Vec<u8>)>,
    wide: bool,
    is_big: bool,
    /// The alignment of words among instructions, where there are any.
    pool_step: Option<usize>,
    of_function: BTreeMap<u64, Mentions>,
    /// Code outside of every sized function.
    of_none: Mentions,
    of_data: Mentions,
}

impl<'a> Graph<'a> {
    fn new(file: &object::File<'_>, symbols: &'a Symbols) -> Graph<'a> {
        let has_mode_bit =
            matches!(file.architecture(), object::Architecture::Arm | object::Architecture::Mips);
        let names = ["_GLOBAL_OFFSET_TABLE_", "_gp", "__global_pointer$"];
        let bases =
            file.symbols().filter(|symbol| symbol.name().is_ok_and(|name| names.contains(&name)));
        let is_allocated = |flags: SectionFlags| match flags {
            SectionFlags::Elf { sh_flags, .. } => sh_flags.0 & object::elf::SHF_ALLOC.0 != 0,
            _ => false,
        };
        let loaded = file
            .sections()
            .filter(|section| is_allocated(section.flags()))
            .filter_map(|section| Some((section.address(), section.data().ok()?.to_vec())));
        Graph {
            symbols,
            mask: if has_mode_bit { !1 } else { !0 },
            bases: bases.map(|symbol| symbol.address()).collect(),
            loaded: loaded.collect(),
            wide: file.is_64(),
            is_big: !file.is_little_endian(),
            pool_step: match file.architecture() {
                object::Architecture::Arm | object::Architecture::SuperH => Some(4),
                _ => None,
            },
            of_function: BTreeMap::new(),
            of_none: Mentions::default(),
            of_data: Mentions::default(),
        }
    }

    /// The sized function that covers `address`; of several the innermost.
    fn owner(&self, address: u64) -> Option<u64> {
        let before = self.symbols.functions.range(..=address).rev().take(8);
        let mut covering = before.filter(|(start, named)| address - **start < named.size);
        covering.next().map(|(start, _)| *start)
    }

    fn mentions(&mut self, address: u64) -> &mut Mentions {
        match self.owner(address) {
            Some(start) => self.of_function.entry(start).or_default(),
            None => &mut self.of_none,
        }
    }

    fn word(&self, bytes: &[u8]) -> u64 {
        let join = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        if self.is_big { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }

    /// The word at an address.
    fn word_at(&self, address: u64) -> Option<u64> {
        let size = if self.wide { 8 } else { 4 };
        let section = self.loaded.iter().find(|(start, bytes)| {
            address.checked_sub(*start).is_some_and(|offset| offset < bytes.len() as u64)
        });
        let (start, bytes) = section?;
        let offset = usize::try_from(address - start).ok()?;
        Some(self.word(bytes.get(offset..offset + size)?))
    }

    /// Takes up every word of the loaded sections.
    fn read_words(&mut self, file: &object::File<'_>) {
        for section in file.sections() {
            let Ok(data) = section.data() else { continue };
            let is_code = section.kind() == SectionKind::Text;
            if section.address() == 0 {
                continue;
            }
            let (size, step) = match (is_code, self.wide, self.pool_step) {
                (true, _, Some(step)) => (4, step),
                (true, _, None) => continue,
                (false, true, _) => (8, 8),
                (false, false, _) => (4, 2),
            };
            for offset in (0..data.len()).step_by(step) {
                let Some(bytes) = data.get(offset..offset + size) else { break };
                let word = self.word(bytes);
                if is_code {
                    self.mentions(section.address() + offset as u64).words.push(word);
                } else {
                    self.of_data.words.push(word);
                }
            }
        }
    }

    /// Takes up a line of the disassembler's listing.
    fn read_line(&mut self, line: &str) {
        let Some((place, text)) = line.trim_start().split_once(":\t") else { return };
        let Ok(address) = u64::from_str_radix(place, 16) else { return };
        let global = text
            .split_once("(gp)")
            .and_then(|(before, _)| before.rsplit([',', '\t', ' ']).next())
            .and_then(number)
            .and_then(|offset| {
                let base = self.bases.iter().map(|base| base.wrapping_add(offset));
                base.filter_map(|place| self.word_at(place)).next()
            });
        let operation = text.split(['\t', ' ']).next().unwrap_or_default();
        let is_upper = ["lui", "lis", "sethi", "adrp", "movt"].contains(&operation);
        let is_lower = ["addi", "addiu", "ori", "or", "add", "movw"].contains(&operation);
        let numbers = numbers(text);
        let adds_position =
            operation.starts_with("add") && text.contains(", pc") || text.contains("[pc, r");
        let reads_position =
            self.pool_step.is_some() && adds_position || ["bsrf", "braf"].contains(&operation);
        let mentions = self.mentions(address);
        if reads_position {
            mentions.positions.extend([address + 4, address + 8]);
        }
        if let Some(word) = global {
            mentions.targets.insert(word);
            mentions.uppers.insert(word);
        }
        for (value, is_target) in numbers {
            if is_target {
                mentions.targets.insert(value);
            }
            match operation {
                "adrp" | "sethi" => drop(mentions.uppers.insert(value)),
                _ if is_upper => drop(mentions.uppers.insert(value << 16 & 0xffff_ffff)),
                _ => {
                    mentions.numbers.insert(value);
                    if is_lower {
                        mentions.lowers.insert(value);
                    }
                }
            }
        }
    }

    /// The functions that a function, or no function, refers to, and whether by their start.
    fn references(&self, mentions: &Mentions) -> BTreeSet<(u64, bool)> {
        let functions = &self.symbols.functions;
        let width = if self.wide { !0 } else { 0xffff_ffff };
        let start = |value: u64| {
            let address = value & width & self.mask;
            functions.contains_key(&address).then_some((address, true))
        };
        let jumped = mentions.targets.iter().filter_map(|target| self.owner(target & self.mask));
        let mut found: BTreeSet<(u64, bool)> = jumped.map(|owner| (owner, false)).collect();
        found.extend(mentions.targets.iter().filter_map(|target| start(*target)));
        let is_code = !std::ptr::eq(mentions, &self.of_data);
        for word in mentions.words.iter().chain(&mentions.numbers) {
            let bases = self.bases.iter().filter(|_| is_code);
            found.extend(start(*word));
            found.extend(bases.filter_map(|base| start(base.wrapping_add(*word))));
        }
        for position in &mentions.positions {
            let sums = mentions.words.iter().map(|word| position.wrapping_add(*word));
            found.extend(sums.filter_map(start));
        }
        for upper in &mentions.uppers {
            let whole = mentions
                .lowers
                .iter()
                .flat_map(|lower| [upper.wrapping_add(*lower), upper | *lower & 0xffff]);
            found.extend(whole.filter_map(start));
            found.extend(start(*upper));
        }
        found
    }

    fn reached(&self, entry: u64) -> BTreeSet<u64> {
        let mut starts = BTreeSet::new();
        let mut bodies = BTreeSet::new();
        let mut open = self.references(&self.of_none);
        open.extend(self.references(&self.of_data));
        open.extend(self.owner(entry & self.mask).map(|owner| (owner, true)));
        while let Some((function, is_start)) = open.pop_first() {
            if is_start {
                starts.insert(function);
            }
            if bodies.insert(function)
                && let Some(mentions) = self.of_function.get(&function)
            {
                let references = self.references(mentions);
                open.extend(references.into_iter().filter(|found| !starts.contains(&found.0)));
            }
        }
        starts
    }
}

/// The numbers of an instruction, and whether the disassembler says what lies there.
fn numbers(text: &str) -> Vec<(u64, bool)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let tail = &rest[start..];
        let end = tail.find(|c: char| !is_part(c)).unwrap_or(tail.len());
        let (token, after) = tail.split_at(end);
        if after.starts_with(" <") {
            let hex = token.trim_start_matches("0x");
            found.extend(u64::from_str_radix(hex, 16).ok().map(|value| (value, true)));
        } else {
            found.extend(number(token).map(|value| (value, false)));
        }
        // What stands in angle brackets is a name.
        rest = match after.strip_prefix(" <").and_then(|name| name.split_once('>')) {
            Some((_, behind)) => behind,
            None => after,
        };
    }
    found
}

/// A number as disassemblers write operands: decimal or hexadecimal, with a sign.
fn number(token: &str) -> Option<u64> {
    let (is_negative, digits) = match token.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, token),
    };
    let value = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some(if is_negative { value.wrapping_neg() } else { value })
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn numbers_are_read_as_disassemblers_write_them() {
        assert_eq!(numbers("bl\t10398 <memcpy+0x10>"), [(0x10398, true)]);
        assert_eq!(numbers("lea\t-0x7bd40(%ebx),%eax"), [(0x7bd40u64.wrapping_neg(), false)],);
        assert_eq!(numbers("addiu\tsp,sp,-32"), [(32u64.wrapping_neg(), false)]);
        assert_eq!(
            numbers("mov.l\t40034c <main+0x1c>,r1\t! 402bc0 <add>"),
            [(0x40_034c, true), (0x40_2bc0, true)],
        );
    }
}
