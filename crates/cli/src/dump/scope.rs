//! The program and those of its functions that were asked for.

use std::ops::RangeInclusive;

use miyaburi_analysis::{CallSite, Function, FunctionId, Program};
use miyaburi_image::{Address, Family, Image};
use schemars::JsonSchema;
use serde::Serialize;

/// Lengths of what counts as text, in bytes.
const TEXT_LENGTHS: RangeInclusive<usize> = 4..=256;

/// An address that no function covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no function at {0}")]
pub(crate) struct NoFunction(pub(crate) Address);

/// A program, the functions to show, and what is known about addresses.
pub(crate) struct Scope<'a> {
    pub(super) program: &'a Program<'a>,
    /// In address order; all functions when absent.
    selected: Option<Vec<FunctionId>>,
}

/// What an address in data or code is.
#[derive(Serialize, JsonSchema)]
pub(super) struct Place<'a> {
    /// Name of the function, import or symbol there.
    pub(super) name: Option<&'a str>,
    /// The text that is stored there.
    pub(super) text: Option<&'a str>,
}

impl Place<'_> {
    pub(super) fn is_known(&self) -> bool {
        self.name.is_some() || self.text.is_some()
    }
}

impl<'a> Scope<'a> {
    /// The functions that start at or cover `addresses`; all when there are none.
    pub(crate) fn new(program: &'a Program<'a>, addresses: &[Address]) -> Result<Self, NoFunction> {
        let find = |address: &Address| {
            let starts = program.function_at(*address);
            starts.or_else(|| program.function_containing(*address)).ok_or(NoFunction(*address))
        };
        let mut selected = addresses.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        selected.sort_unstable();
        selected.dedup();
        Ok(Self { program, selected: (!addresses.is_empty()).then_some(selected) })
    }

    pub(super) fn image(&self) -> &'a Image {
        self.program.image()
    }

    /// The functions to show, in address order.
    pub(super) fn functions(&self) -> impl Iterator<Item = (FunctionId, &'a Function)> + use<'a> {
        let program = self.program;
        let ids: Box<dyn Iterator<Item = FunctionId>> = match &self.selected {
            Some(selected) => Box::new(selected.clone().into_iter()),
            None => Box::new(program.function_ids()),
        };
        ids.filter_map(move |id| program.function(id).map(|function| (id, function)))
    }

    /// Whether a call comes from or goes to a function to show.
    pub(super) fn touches(&self, site: &CallSite) -> bool {
        let shows = |id: FunctionId| {
            self.selected.as_ref().is_none_or(|selected| selected.binary_search(&id).is_ok())
        };
        shows(site.caller) || site.callee.is_some_and(shows)
    }

    /// The instruction set of a function, on CPUs with two.
    pub(super) fn mode(&self, id: FunctionId) -> Option<&'static str> {
        let field = self.program.abi().mode_switch.as_ref()?.field;
        let context = self.program.context_of(id)?;
        let bit = self.program.language().context_field(context, field)?;
        Some(mode_name(self.image().arch().family, bit != 0))
    }

    /// The name of what is at `address`.
    pub(super) fn name_at(&self, address: Address) -> Option<&'a str> {
        let program = self.program;
        let function = program.function_at(address).and_then(|id| program.function(id));
        let function = function.and_then(|function| function.name.as_deref());
        let import = || self.image().import_at(address).map(|import| import.name.as_str());
        function.or_else(import).or_else(|| symbol_name(self.image(), address))
    }

    /// What is at `address`.
    ///
    /// Text is at least four printable characters up to a NUL. False positives: numbers whose
    /// bytes are printable. False negatives: encoded, shorter and longer text, other character
    /// sets.
    pub(super) fn place(&self, address: Address) -> Place<'a> {
        let bytes = self.image().read_c_string(address, *TEXT_LENGTHS.end());
        let is_text = |text: &&[u8]| {
            TEXT_LENGTHS.contains(&text.len())
                && text.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
        };
        let text = bytes.filter(is_text).and_then(|text| std::str::from_utf8(text).ok());
        Place { name: self.name_at(address), text }
    }

    /// Characters of the widest address in text.
    pub(super) fn address_width(&self) -> usize {
        self.image().segments().last().map_or(4, |segment| segment.end().to_string().len())
    }
}

/// The name of an instruction set, on CPUs with two.
pub(super) const fn mode_name(family: Family, compressed: bool) -> &'static str {
    match (family, compressed) {
        (Family::Mips, true) => "mips16",
        (Family::Mips, false) => "mips",
        (_, true) => "thumb",
        (_, false) => "arm",
    }
}

fn symbol_name(image: &Image, address: Address) -> Option<&str> {
    let symbols = image.symbols();
    let first = symbols.partition_point(|symbol| symbol.address < address);
    let symbol = symbols.get(first).filter(|symbol| symbol.address == address)?;
    Some(symbol.name.as_str())
}
