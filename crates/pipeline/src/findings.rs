//! Runs the extractors on one image.

use crate::analyze::Options;
use miyaburi_analysis::Program;
use miyaburi_emulator::{Emulator, PAGE_SIZE};
use miyaburi_extractors::attacks::dispatch::{self, Dispatcher};
use miyaburi_extractors::attacks::observation::{self, Behaviour};
use miyaburi_extractors::attacks::{self, Registry};
use miyaburi_extractors::budget::{Budget, Cut};
use miyaburi_extractors::credentials::{self, CredentialList};
use miyaburi_extractors::endpoints::consumers::{self, EntryReference};
use miyaburi_extractors::endpoints::{self, Contacts, constant_addresses};
use miyaburi_extractors::exploits::{self, Exploit};
use miyaburi_extractors::found::{Diagnostic, Found};
use miyaburi_extractors::initialisers;
use miyaburi_extractors::loose_strings::{self, LooseString};
use miyaburi_extractors::probes::{self, Probes, exclusions};
use miyaburi_extractors::roles::{self, KnownRoutines, Purpose};
use miyaburi_extractors::scanner_process;
use miyaburi_extractors::string_table::{self, Table};
use miyaburi_extractors::subject::{LABORIOUS_RUNS, Subject};
use miyaburi_extractors::unmodelled_calls::UnmodelledCalls;
use miyaburi_image::Image;
use miyaburi_pcode::Language;
use rustc_hash::FxHashMap;
use std::time::Instant;

/// How many times as long as usual runs may take where entries take long to be decoded.
const LABORIOUS: u64 = 30;

/// Everything that was found in one image.
pub(crate) struct Findings<'a> {
    pub(crate) table: Option<Table<'a>>,
    pub(crate) references: Vec<EntryReference>,
    /// What entries of the table are for, by id.
    pub(crate) purposes: FxHashMap<u32, Purpose>,
    pub(crate) list: Option<CredentialList>,
    pub(crate) strings: Vec<LooseString>,
    /// Who uses which loose string, by its number among them.
    pub(crate) string_references: Vec<EntryReference>,
    /// What loose strings are for, by number.
    pub(crate) string_purposes: FxHashMap<u32, Purpose>,
    pub(crate) registry: Option<Registry>,
    pub(crate) dispatcher: Option<Dispatcher>,
    /// What handlers of attacks do.
    pub(crate) behaviours: Vec<Behaviour>,
    pub(crate) contacts: Contacts,
    pub(crate) exploits: Vec<Exploit>,
    pub(crate) probes: Option<Probes>,
    /// What the extractors say about their findings.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What ended the extractors' runs before they were done.
    pub(crate) cut: Option<Cut>,
    /// What ended the analysis before it was done.
    pub(crate) analysis_cut: Option<miyaburi_analysis::Cut>,
}

/// Runs all extractors within the budgets of `options`, until `deadline`.
pub(crate) fn collect<'a>(
    file: &'a [u8],
    image: &'a Image,
    language: &'a dyn Language,
    program: &'a Program<'a>,
    options: &Options,
    deadline: Option<Instant>,
) -> Findings<'a> {
    let mut subject = Subject {
        file,
        image,
        program,
        emulator: Emulator::with_lifter(image, language, program.abi().clone(), program.lifter()),
        pages: usize::try_from(options.max_bytes / PAGE_SIZE).unwrap_or(usize::MAX),
        patience: 1,
        laborious: LABORIOUS_RUNS,
        budget: Budget::new(options.max_instructions, deadline),
        unmodelled: UnmodelledCalls::default(),
    };
    let mut runs = initialisers::run(&mut subject);
    let mut table = string_table::extract(&mut subject, &mut runs);
    let registry = attacks::extract(&subject, &mut runs);
    let has_sign = table.finding.is_some() || registry.finding.is_some();
    let list = credentials::extract(&mut subject, has_sign);
    let has_other_sign = registry.finding.is_some() || list.finding.is_some();
    if table.finding.is_none() && has_other_sign {
        table = subject.attempt(string_table::extract_asked_for);
    }
    if table.finding.as_ref().is_some_and(Table::is_laborious) {
        subject.patience = LABORIOUS;
    }
    let mut strings = loose_strings::extract(&mut subject, table.finding.is_some());
    if table.finding.is_none() && (has_sign || list.finding.is_some()) {
        strings.extend(loose_strings::on_stack::strings(&subject, list.finding.as_ref()));
    }
    let references = match &table.finding {
        Some(table) if !subject.budget.is_late() => consumers::references(&subject, table),
        _ => Vec::new(),
    };
    let scanner = list.finding.as_ref().map(|list| list.scanner);
    let constants = constant_addresses::find(&mut subject);
    let known = table.finding.as_ref();
    let has_sign = has_sign || list.finding.is_some();
    let endpoints =
        endpoints::extract(&mut subject, known, &references, scanner, &constants, has_sign);
    let exploits = exploits::extract(&subject, &constants);
    let filled = known.map_or_else(|| subject.bare_state(), |table| table.filled.clone());
    // The most laborious last, and only where something of the family was found.
    let is_likely = known.is_some() || list.finding.is_some();
    let dispatcher = match registry.finding {
        None if is_likely => dispatch::extract(&mut subject, &filled),
        _ => None,
    };
    let has_attacks = registry.finding.is_some() || dispatcher.is_some();
    let absent = (is_likely && !has_attacks).then(attacks::absent);
    let mut probes = match scanner {
        Some(scanner) => {
            let adder = list.finding.as_ref().and_then(|list| list.adder);
            probes::extract(&mut subject, &filled, scanner, adder)
        }
        None => Found::plain(None),
    };
    let dispatched = dispatcher.iter().flat_map(|found| &found.attacks).map(|found| found.handler);
    let registered = registry.finding.iter().flat_map(Registry::handlers);
    let handlers = registered.chain(dispatched).collect();
    let setup = [
        known.and_then(Table::filler),
        registry.finding.as_ref().map(|registry| registry.initialiser),
    ];
    let routines =
        KnownRoutines { scanner, handlers, setup: setup.into_iter().flatten().collect() };
    // What follows runs nothing, and is worth little without what was cut.
    let is_late = subject.budget.is_late();
    let purposes = known.filter(|_| !is_late).map_or_else(FxHashMap::default, |table| {
        roles::find(&subject, table, &references, &routines)
    });
    let string_references = match is_late {
        false => roles::loose::references(&subject, &strings),
        true => Vec::new(),
    };
    let string_purposes = roles::loose::find(&subject, &strings, &string_references, &routines);
    let cut = cut(&subject);
    let behaviours = match options.max_observed {
        Some(instructions) if is_likely => {
            subject.budget = Budget::new(instructions, deadline);
            observation::observe(&mut subject, &routines.handlers, &routines.setup)
        }
        _ => Found::plain(Vec::new()),
    };
    if let Some(found) = probes.finding.as_mut()
        && options.max_observed.is_some()
    {
        let told = scanner_process::compare(&mut subject, found, &routines.setup);
        probes.diagnostics.extend(told);
        found.exclusions = exclusions::find(&mut subject, &filled, found);
    }
    // What watching spends of its instructions is told with what it finds; time is everybody's.
    let cut = cut.or_else(|| subject.budget.is_late().then_some(Cut::Time));
    let diagnostics = [
        behaviours.diagnostics,
        table.diagnostics,
        list.diagnostics,
        registry.diagnostics,
        absent.into_iter().collect(),
        endpoints.diagnostics,
        exploits.diagnostics,
        probes.diagnostics,
        subject.unmodelled.diagnostics(),
    ];
    Findings {
        table: table.finding,
        references,
        purposes,
        list: list.finding,
        strings,
        string_references,
        string_purposes,
        registry: registry.finding,
        dispatcher,
        behaviours: behaviours.finding,
        contacts: endpoints.finding,
        exploits: exploits.finding,
        probes: probes.finding,
        diagnostics: diagnostics.into_iter().flatten().collect(),
        cut,
        // Last: the extractors ask the analysis for more.
        analysis_cut: program.cut(),
    }
}

/// What ended runs of the program's routines before they were done.
fn cut(subject: &Subject<'_>) -> Option<Cut> {
    let emulator = &subject.emulator;
    let translated = emulator.is_spent().then_some(Cut::Instructions);
    let touched = emulator.is_memory_spent().then_some(Cut::Bytes);
    subject.budget.cut().or(translated).or(touched)
}
