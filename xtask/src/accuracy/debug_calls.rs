//! Call sites as the debug information records them: `DW_TAG_call_site` with the parameters whose
//! values the compiler knew (DWARF 5, section 3.4; compilers write them from `-O1` on).

use anyhow::Context;
use gimli::{
    AttributeValue, DebuggingInformationEntry, Dwarf, EndianSlice, EvaluationResult, Expression,
    Operation, RunTimeEndian, Unit, UnitOffset,
};
use object::{Object as _, ObjectSection as _};

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

/// Where a parameter is passed, from the caller's point of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A register by its number in the CPU's DWARF supplement.
    Register(u16),
    /// Bytes from the stack pointer at the call.
    Stack(i64),
}

/// A call of a named routine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DebugCall {
    /// Address behind the call.
    pub(super) return_address: u64,
    pub(super) callee: String,
    /// Parameters whose value is a constant.
    pub(super) constants: Vec<(Place, u64)>,
    /// Parameters whose value is told in terms of the running program.
    pub(super) others: Vec<Place>,
}

/// The calls of named routines in a file's debug information, those without constants included.
pub(super) fn read(bytes: &[u8]) -> anyhow::Result<Vec<DebugCall>> {
    let file = object::File::parse(bytes).context("debug information")?;
    let endian = if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
    let load = |id: gimli::SectionId| -> Result<Slice<'_>, gimli::Error> {
        let section = file.section_by_name(id.name());
        let data = section.and_then(|section| section.data().ok()).unwrap_or_default();
        Ok(EndianSlice::new(data, endian))
    };
    let dwarf = Dwarf::load(load)?;
    let mut calls = Vec::new();
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        read_unit(&dwarf, &unit, &mut calls)?;
    }
    Ok(calls)
}

fn read_unit<'a>(
    dwarf: &Dwarf<Slice<'a>>,
    unit: &Unit<Slice<'a>>,
    calls: &mut Vec<DebugCall>,
) -> anyhow::Result<()> {
    let mut entries = unit.entries();
    let mut current: Option<(isize, DebugCall)> = None;
    while let Some(entry) = entries.next_dfs()? {
        let depth = entry.depth();
        if current.as_ref().is_some_and(|(of_call, _)| depth <= *of_call) {
            calls.extend(current.take().map(|(_, call)| call));
        }
        match entry.tag() {
            gimli::DW_TAG_call_site | gimli::DW_TAG_GNU_call_site => {
                current = call_site(dwarf, unit, entry)?.map(|call| (depth, call));
            }
            gimli::DW_TAG_call_site_parameter | gimli::DW_TAG_GNU_call_site_parameter => {
                if let Some((_, call)) = &mut current {
                    match parameter(dwarf, unit, entry) {
                        Some((place, Some(value))) => call.constants.push((place, value)),
                        Some((place, None)) => call.others.push(place),
                        None => {}
                    }
                }
            }
            _ => {}
        }
    }
    calls.extend(current.map(|(_, call)| call));
    Ok(())
}

fn call_site<'a>(
    dwarf: &Dwarf<Slice<'a>>,
    unit: &Unit<Slice<'a>>,
    entry: &DebuggingInformationEntry<Slice<'a>>,
) -> anyhow::Result<Option<DebugCall>> {
    let address = entry
        .attr_value(gimli::DW_AT_call_return_pc)
        .or_else(|| entry.attr_value(gimli::DW_AT_low_pc));
    let origin = entry
        .attr_value(gimli::DW_AT_call_origin)
        .or_else(|| entry.attr_value(gimli::DW_AT_abstract_origin));
    let (Some(address), Some(AttributeValue::UnitRef(origin))) = (address, origin) else {
        return Ok(None);
    };
    // Linkers leave 0 where they have dropped the code.
    let return_address = dwarf.attr_address(unit, address)?.filter(|address| *address != 0);
    let callee = name(dwarf, unit, origin)?;
    Ok(return_address.zip(callee).map(|(return_address, callee)| DebugCall {
        return_address,
        callee,
        constants: Vec::new(),
        others: Vec::new(),
    }))
}

/// The name of a routine, which its declaration or abstract instance may hold.
fn name<'a>(
    dwarf: &Dwarf<Slice<'a>>,
    unit: &Unit<Slice<'a>>,
    offset: UnitOffset,
) -> anyhow::Result<Option<String>> {
    let mut offset = offset;
    for _ in 0..4 {
        let entry = unit.entry(offset)?;
        if let Some(value) = entry.attr_value(gimli::DW_AT_name) {
            return Ok(Some(dwarf.attr_string(unit, value)?.to_string_lossy().into_owned()));
        }
        let further = [gimli::DW_AT_abstract_origin, gimli::DW_AT_specification];
        let next = further.into_iter().find_map(|name| match entry.attr_value(name) {
            Some(AttributeValue::UnitRef(next)) => Some(next),
            _ => None,
        });
        match next {
            Some(next) => offset = next,
            None => break,
        }
    }
    Ok(None)
}

/// Where a parameter is passed, and its value when that is a constant.
fn parameter<'a>(
    dwarf: &Dwarf<Slice<'a>>,
    unit: &Unit<Slice<'a>>,
    entry: &DebuggingInformationEntry<Slice<'a>>,
) -> Option<(Place, Option<u64>)> {
    let AttributeValue::Exprloc(place) = entry.attr_value(gimli::DW_AT_location)? else {
        return None;
    };
    let value = entry
        .attr_value(gimli::DW_AT_call_value)
        .or_else(|| entry.attr_value(gimli::DW_AT_GNU_call_site_value))?;
    let AttributeValue::Exprloc(value) = value else { return None };
    let place = match place.operations(unit.encoding()).next().ok()?? {
        Operation::Register { register } => Place::Register(register.0),
        Operation::RegisterOffset { offset, .. } => Place::Stack(offset),
        _ => return None,
    };
    Some((place, constant(dwarf, unit, value)))
}

/// The value of an expression that needs nothing of the running program.
fn constant<'a>(
    dwarf: &Dwarf<Slice<'a>>,
    unit: &Unit<Slice<'a>>,
    expression: Expression<Slice<'a>>,
) -> Option<u64> {
    let mut evaluation = expression.evaluation(unit.encoding());
    let mut result = evaluation.evaluate().ok()?;
    loop {
        result = match result {
            EvaluationResult::Complete => break,
            EvaluationResult::RequiresRelocatedAddress(address) => {
                evaluation.resume_with_relocated_address(address).ok()?
            }
            EvaluationResult::RequiresIndexedAddress { index, .. } => {
                let address = dwarf.address(unit, index).ok()?;
                evaluation.resume_with_indexed_address(address).ok()?
            }
            _ => return None,
        };
    }
    evaluation.value_result()?.to_u64(u64::MAX).ok()
}
