//! A whole program: its functions, calls, values and references.

use crate::calls::{CallGraph, CallSite};
use crate::code::Code;
use crate::diagnostic::AnalysisDiagnostic;
use crate::functions::discovery::Discovery;
use crate::functions::{Function, FunctionId};
use crate::lifted::KnownCode;
use crate::owners::Owners;
use crate::references::References;
use crate::values::Values;
use crate::values::registers::RegisterCells;
use crate::work::{Cut, Limits, Meter};
use miyaburi_emulator::{Abi, MissingRegister};
use miyaburi_image::{Address, Image};
use miyaburi_pcode::{Language, Lifter};
use std::sync::{Arc, OnceLock};

/// The result of analysing an image.
pub struct Program<'a> {
    image: &'a Image,
    language: &'a dyn Language,
    abi: Arc<Abi>,
    code: Code,
    functions: Vec<Function>,
    /// Made when it is first asked for.
    owners: OnceLock<Owners>,
    calls: CallGraph,
    global_pointer: Option<u64>,
    /// Of each function.
    values: Vec<Values>,
    references: References,
    diagnostics: Vec<AnalysisDiagnostic>,
}

impl<'a> Program<'a> {
    /// Finds the functions of `image` and their calls, within the default [`Limits`].
    ///
    /// # Errors
    /// [`MissingRegister`] when `language` is not that of the image's CPU.
    pub fn analyze(image: &'a Image, language: &'a dyn Language) -> Result<Self, MissingRegister> {
        Self::analyze_within(image, language, Limits::default())
    }

    /// Finds the functions of `image` and their calls. When `limits` do not suffice, what was found
    /// until then is there, and [`Program::cut`] tells.
    ///
    /// # Errors
    /// [`MissingRegister`] when `language` is not that of the image's CPU.
    pub fn analyze_within(
        image: &'a Image,
        language: &'a dyn Language,
        limits: Limits,
    ) -> Result<Self, MissingRegister> {
        let abi = Arc::new(Abi::new(image.arch(), language)?);
        let cells = Arc::new(RegisterCells::new(image.arch(), language, &abi));
        let work = Arc::new(Meter::for_image(limits, image));
        let mut discovery = Discovery::new(image, language, abi.clone(), cells, work);
        discovery.run();
        let found = discovery.finish();
        Ok(Self {
            image,
            language,
            abi,
            calls: CallGraph::new(found.sites, found.functions.len()),
            functions: found.functions,
            owners: OnceLock::new(),
            values: found.values,
            references: found.references,
            global_pointer: discovery.global_pointer,
            diagnostics: discovery.diagnostics,
            code: discovery.code,
        })
    }

    /// What ended the analysis before it was done.
    #[must_use]
    pub fn cut(&self) -> Option<Cut> {
        self.code.work.cut()
    }

    /// What was not believed or not looked at, in the order in which it was met.
    #[must_use]
    pub fn diagnostics(&self) -> &[AnalysisDiagnostic] {
        &self.diagnostics
    }

    /// The steps spent so far, in the unit of [`Limits::steps`].
    #[must_use]
    pub fn spent_steps(&self) -> u64 {
        self.code.work.steps()
    }

    /// The bytes kept at present, in the unit of [`Limits::bytes`].
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        self.code.work.bytes()
    }

    /// The image analysed.
    #[must_use]
    pub const fn image(&self) -> &'a Image {
        self.image
    }

    /// The CPU's language.
    #[must_use]
    pub const fn language(&self) -> &'a dyn Language {
        self.language
    }

    /// The calling convention.
    #[must_use]
    pub fn abi(&self) -> &Abi {
        &self.abi
    }

    /// The lifted instructions.
    #[must_use]
    pub const fn code(&self) -> &Code {
        &self.code
    }

    /// A lifter for the image's bytes that does not lift again what is lifted already.
    #[must_use]
    pub fn lifter(&self) -> Box<dyn Lifter + Send + '_> {
        Box::new(KnownCode::new(&self.code, self.language.lifter()))
    }

    /// The value of the global pointer register, when the file or its start-up code sets one.
    #[must_use]
    pub const fn global_pointer(&self) -> Option<u64> {
        self.global_pointer
    }

    /// All functions, in address order.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The numbers of all functions, in address order.
    pub fn function_ids(&self) -> impl Iterator<Item = FunctionId> + use<> {
        (0..self.functions.len() as u32).map(FunctionId)
    }

    /// The function of a number. Numbers of another program yield `None` or another function.
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Option<&Function> {
        self.functions.get(id.0 as usize)
    }

    /// The function that starts at `entry` (without mode bit).
    #[must_use]
    pub fn function_at(&self, entry: Address) -> Option<FunctionId> {
        let index = self.functions.binary_search_by_key(&entry, |function| function.entry).ok()?;
        Some(FunctionId(index as u32))
    }

    /// The function whose code covers `address`; of several, the one that starts closest before.
    #[must_use]
    pub fn function_containing(&self, address: Address) -> Option<FunctionId> {
        self.owners.get_or_init(|| Owners::of(&self.functions)).at(address).map(FunctionId)
    }

    /// The context in which a function's first instruction is decoded.
    #[must_use]
    pub fn context_of(&self, function: FunctionId) -> Option<miyaburi_pcode::Context> {
        self.function(function).map(|function| self.code.context(function.context))
    }

    /// All calls, in address order.
    #[must_use]
    pub fn call_sites(&self) -> &[CallSite] {
        self.calls.sites()
    }

    /// The calls of a function, in address order.
    pub fn callers(&self, callee: FunctionId) -> impl Iterator<Item = &CallSite> {
        self.calls.callers(callee)
    }

    /// The calls in a function, in address order.
    pub fn calls_of(&self, caller: FunctionId) -> impl Iterator<Item = &CallSite> {
        self.calls.calls_of(caller)
    }

    /// What is known in a function; `None` when there is no such function.
    #[must_use]
    pub fn values(&self, function: FunctionId) -> Option<&Values> {
        self.values.get(function.0 as usize)
    }

    /// References to data.
    #[must_use]
    pub const fn references(&self) -> &References {
        &self.references
    }
}
