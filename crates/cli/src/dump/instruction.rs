//! One instruction: bytes, assembly, what it calls and refers to, its operations.

use miyaburi_analysis::{FunctionId, InstructionId};
use miyaburi_image::{Address, Image};
use miyaburi_model::{HexBytes, VirtualAddress};
use miyaburi_pcode::{CodeBytes, Context, Lifter};
use schemars::JsonSchema;
use serde::Serialize;

use super::call::Call;
use super::operation::Operation;
use super::reference::ReferenceItem;
use super::scope::Scope;

/// One instruction.
#[derive(Serialize, JsonSchema)]
pub(super) struct Instruction<'a> {
    #[serde(flatten)]
    pub(super) decoded: Decoded,
    /// The instruction in its delay slot, which takes effect before its jump.
    pub(super) delay_slot: Option<Decoded>,
    /// What it calls.
    pub(super) calls: Vec<Call<'a>>,
    /// The data it refers to.
    pub(super) references: Vec<ReferenceItem<'a>>,
    /// What it does, that of its delay slot included; the stage `pcode` has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operations: Option<Vec<Operation<'a>>>,
}

/// Bytes as an instruction.
#[derive(Serialize, JsonSchema)]
pub(super) struct Decoded {
    pub(super) address: VirtualAddress,
    /// As stored.
    pub(super) bytes: HexBytes,
    /// In the spelling of the processor specification.
    pub(super) assembly: Option<String>,
}

/// Makes the instructions of one function.
pub(super) struct Decoder<'a> {
    scope: &'a Scope<'a>,
    function: FunctionId,
    lifter: Box<dyn Lifter + Send + 'a>,
    with_operations: bool,
}

struct ImageBytes<'a>(&'a Image);

impl CodeBytes for ImageBytes<'_> {
    fn code_at(&self, address: Address) -> &[u8] {
        self.0.bytes_from(address)
    }
}

impl<'a> Decoder<'a> {
    pub(super) fn new(scope: &'a Scope<'a>, function: FunctionId, with_operations: bool) -> Self {
        let lifter = scope.program.language().lifter();
        Self { scope, function, lifter, with_operations }
    }

    pub(super) fn instruction(&mut self, address: Address, id: InstructionId) -> Instruction<'a> {
        let program = self.scope.program;
        let context = program.code().context_of(id);
        let view = program.code().instruction(id);
        let slot = address.offset(view.own_length.into());
        let slot_length = view.length.saturating_sub(view.own_length);
        let operations = self
            .with_operations
            .then(|| view.ops.iter().map(|op| Operation::new(self.scope, op)).collect());
        let references = program.references().from(address, address.offset(1));
        Instruction {
            decoded: self.decode(address, view.own_length, context),
            delay_slot: (slot_length > 0).then(|| self.decode(slot, slot_length, context)),
            calls: self.calls(address),
            references: references.iter().map(|r| ReferenceItem::new(self.scope, r)).collect(),
            operations,
        }
    }

    fn decode(&mut self, address: Address, length: u32, context: Context) -> Decoded {
        let image = self.scope.image();
        let assembly = self.lifter.disassemble(&ImageBytes(image), address, context);
        let bytes = image.read(address, length.into()).unwrap_or_default();
        Decoded {
            address: address.0.into(),
            bytes: bytes.into_owned().into(),
            assembly: assembly.ok(),
        }
    }

    /// The calls that the instruction at `address` makes in this function.
    fn calls(&self, address: Address) -> Vec<Call<'a>> {
        let sites = self.scope.program.call_sites();
        let first = sites.partition_point(|site| site.address < address);
        let here = sites.iter().skip(first).take_while(|site| site.address == address);
        here.filter(|site| site.caller == self.function)
            .map(|site| Call::new(self.scope, site))
            .collect()
    }
}

impl Instruction<'_> {
    /// What assembly does not say: names and texts, resolved targets, addresses put together.
    pub(super) fn comment(&self) -> String {
        let assembly = self.decoded.assembly.as_deref().unwrap_or_default();
        let is_plain = |call: &&Call<'_>| {
            call.target_name.is_none()
                && call.target.is_some_and(|target| assembly.contains(&target.to_string()))
        };
        let calls = self.calls.iter().filter(|call| !is_plain(call));
        let calls = calls.map(|call| format!("calls {call}"));
        let is_accessed = |address| {
            let mut accesses = self.references.iter().filter(|other| other.kind != "address");
            accesses.any(|other| other.to == address)
        };
        let says_more = |reference: &&ReferenceItem<'_>| {
            let repeats = reference.kind == "address" && is_accessed(reference.to);
            let is_written = assembly.contains(&reference.to.to_string());
            !repeats && (reference.place.is_known() || !is_written)
        };
        let references = self.references.iter().filter(says_more).map(ToString::to_string);
        calls.chain(references).collect::<Vec<_>>().join(", ")
    }
}
