//! `--stage constants`.

use std::io::{self, Write};

use miyaburi_analysis::{CallSite, Function, FunctionId, Value, Values};
use miyaburi_model::VirtualAddress;
use schemars::JsonSchema;
use serde::Serialize;

use super::call::Call;
use super::document::Stage;
use super::reference::ReferenceItem;
use super::scope::{Place, Scope};
use super::stream::Stream;
use super::value::ValueItem;
use crate::text::escape;

/// Arguments looked at; the value analysis knows no more.
const ARGUMENTS: usize = 10;

/// What the value analysis knows of a file.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ConstantsDump<'a> {
    /// In address order.
    functions: Stream<'a, FunctionConstants<'a>>,
    #[serde(skip)]
    address_width: usize,
}

/// What it knows in one function.
#[derive(Serialize, JsonSchema)]
struct FunctionConstants<'a> {
    /// Its first instruction.
    address: VirtualAddress,
    name: Option<&'a str>,
    /// In address order.
    calls: Stream<'a, CallConstants<'a>>,
    /// Stores to constant addresses, in address order.
    stores: Stream<'a, StoreItem<'a>>,
    /// References to data, by block and in address order.
    references: Stream<'a, ReferenceItem<'a>>,
}

/// One call.
#[derive(Serialize, JsonSchema)]
struct CallConstants<'a> {
    #[serde(flatten)]
    call: Call<'a>,
    /// What is known of a target that is not.
    target_value: ValueItem<'a>,
    /// By the platform's calling convention. How many the callee takes is not known: some may be
    /// left over from earlier code. Those at the end of which nothing is known, or no more than
    /// that a register held them at function entry, are left out.
    arguments: Vec<ValueItem<'a>>,
}

/// One store to a constant address.
#[derive(Serialize, JsonSchema)]
struct StoreItem<'a> {
    /// The instruction.
    address: VirtualAddress,
    /// Where it stores.
    to: VirtualAddress,
    to_name: Option<&'a str>,
    /// In bytes.
    size: u32,
    value: ValueItem<'a>,
}

impl<'a> ConstantsDump<'a> {
    pub(crate) fn new(scope: &'a Scope<'a>) -> Self {
        let constants = |(id, function)| FunctionConstants::new(scope, id, function);
        Self {
            functions: Stream::new(move || scope.functions().map(constants)),
            address_width: scope.address_width(),
        }
    }
}

impl<'a> FunctionConstants<'a> {
    fn new(scope: &'a Scope<'a>, id: FunctionId, function: &'a Function) -> Self {
        let program = scope.program;
        let call = move |site| Some(CallConstants::new(scope, site, program.values(id)?));
        let stores = move || program.values(id).map_or(&[][..], Values::stores).iter();
        let references = move || {
            function
                .blocks()
                .iter()
                .flat_map(|block| program.references().from(block.start, block.end))
        };
        Self {
            address: function.entry.0.into(),
            name: function.name.as_deref(),
            calls: Stream::new(move || program.calls_of(id).filter_map(call)),
            stores: Stream::new(move || {
                stores().map(|store| StoreItem {
                    address: store.instruction.0.into(),
                    to: store.to.0.into(),
                    to_name: scope.name_at(store.to),
                    size: store.size,
                    value: ValueItem::new(scope, store.value),
                })
            }),
            references: Stream::new(move || {
                references().map(|reference| ReferenceItem::new(scope, reference))
            }),
        }
    }
}

impl<'a> CallConstants<'a> {
    fn new(scope: &Scope<'a>, site: &CallSite, values: &Values) -> Self {
        let arguments: Vec<_> =
            (0..ARGUMENTS).map(|index| values.argument(site.address, index)).collect();
        let says_something =
            |value: &Value| !matches!(value, Value::Unknown | Value::AtEntry { .. });
        let count = arguments.iter().rposition(says_something).map_or(0, |last| last + 1);
        let arguments = arguments.into_iter().take(count);
        Self {
            call: Call::new(scope, site),
            target_value: ValueItem::new(scope, values.target(site.address)),
            arguments: arguments.map(|value| ValueItem::new(scope, value)).collect(),
        }
    }
}

impl Stage for ConstantsDump<'_> {
    fn name(&self) -> &'static str {
        "constants"
    }

    /// A line for every call, store and reference.
    fn depth(&self) -> usize {
        4
    }

    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let width = self.address_width;
        for (number, function) in self.functions.iter().enumerate() {
            if number > 0 {
                writeln!(out)?;
            }
            let name = function.name.map(|name| format!(" {}", escape(name))).unwrap_or_default();
            writeln!(out, "function {}{name}", function.address)?;
            for CallConstants { call, target_value, arguments } in function.calls.iter() {
                let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
                let target = match call.target {
                    Some(_) => call.to_string(),
                    None => target_value.to_string(),
                };
                let address = call.address.to_string();
                writeln!(out, "  {address:width$}  calls {target}({})", arguments.join(", "))?;
            }
            for StoreItem { address, to, to_name, size, value } in function.stores.iter() {
                let to = format!("{to}{}", Place { name: to_name, text: None });
                let address = address.to_string();
                writeln!(out, "  {address:width$}  stores {value}:{size} to {to}")?;
            }
            for reference in function.references.iter() {
                let address = reference.address.to_string();
                writeln!(out, "  {address:width$}  {}", reference.sentence())?;
            }
        }
        Ok(())
    }
}
