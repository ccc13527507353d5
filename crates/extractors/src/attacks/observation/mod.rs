//! What attacks look like: each handler is run with one target, and what it sends is recorded.
//!
//! How it works: the program is started under the virtual Linux, several times with other random
//! numbers. From there each handler is called with one target of a documentation network and without
//! options, then with each option that it asks for. Raw and ordinary sockets record what is sent; the
//! kind follows from that alone.
//!
//! False positives: what a handler sends only in an emulator. False negatives: handlers that wait for
//! an answer which the virtual network does not give, that want another layout of targets or options
//! than the leaked program's, or more options at once than one.

mod effects;
mod kind;
mod options;
mod order;
pub(crate) mod packet;
mod places;
mod rewrite;
mod run;
pub(crate) mod shape;
mod wire;

pub use kind::Kind;
pub use options::{AttackOption, OptionType};
pub use packet::{Packet, Value};
pub use shape::{Origin, Payload, Shape, Source};

use crate::found::{Diagnostic, Found};
use crate::process;
use crate::subject::Subject;
use effects::Baseline;
use miyaburi_image::Address;
use miyaburi_linux::Process;
use order::Given;
use run::{Run, Trial};

/// The name under which diagnostics are given.
const STAGE: &str = "observation";

/// Runs of each handler with other random numbers.
const SEEDS: u32 = 3;

/// Packets looked at in each of them.
const PACKETS: usize = 6;

/// What is given where a handler wants a text and has none.
const HOST: &[u8] = b"host.example";

/// What one handler does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// The handler.
    pub handler: Address,
    /// What it is by what it sends; `None` when it could not be run so far that it would.
    pub kind: Option<Kind>,
    /// What it can be told.
    pub options: Vec<AttackOption>,
    /// Options without which it sends nothing, with the text that was given for them.
    pub needed: Vec<Given>,
    /// What it sends.
    pub shapes: Vec<Shape>,
    /// The first packets, as they were sent.
    pub packets: Vec<Packet>,
    /// What went out in each run without options, as IP packets with addresses of documentation in
    /// place of others.
    pub runs: Vec<Vec<Vec<u8>>>,
}

impl Behaviour {
    /// Whether two handlers do the same as far as it was seen: equal kind, options and packets, but
    /// for what is drawn.
    ///
    /// False positives: handlers that differ in what was not seen, such as how long they go on.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let options = |behaviour: &Self| {
            let mut options: Vec<AttackOption> = behaviour.options.clone();
            options.iter_mut().for_each(|option| option.site = None);
            options.sort_by_key(|option| option.key);
            options
        };
        self.kind.is_some_and(|kind| kind != Kind::NoneObserved)
            && self.kind == other.kind
            && self.shapes.len() == other.shapes.len()
            && self.shapes.iter().zip(&other.shapes).all(|(one, other)| one.is_like(other))
            && options(self) == options(other)
    }
}

/// Observes each of `handlers`. `initialisers` are called first.
pub fn observe<'a>(
    subject: &mut Subject<'a>,
    handlers: &[Address],
    initialisers: &[Address],
) -> Found<Vec<Behaviour>> {
    let mut diagnostics = Vec::new();
    let begun: Vec<Process<'a>> =
        (0..SEEDS).filter_map(|seed| process::begun(subject, seed, initialisers)).collect();
    if begun.is_empty() {
        let message = "the program cannot be started: its attacks were not observed";
        diagnostics.push(Diagnostic::doubt(STAGE, message.to_owned(), None));
    }
    // Several vectors may lead to one.
    let mut distinct: Vec<Address> = Vec::new();
    for handler in handlers {
        if !distinct.contains(handler) {
            distinct.push(*handler);
        }
    }
    let mut finding: Vec<Behaviour> = Vec::new();
    for handler in distinct.iter().take_while(|_| !begun.is_empty()) {
        if subject.budget.is_late() {
            break;
        }
        let observed = observe_one(subject, &begun, *handler);
        if let Some(Behaviour { kind: None, .. }) = &observed {
            let message = "this attack could not be run so far that it sends anything";
            diagnostics.push(Diagnostic::doubt(STAGE, message.to_owned(), Some(*handler)));
        }
        finding.extend(observed);
    }
    if let Some(cut) = subject.budget.cut().filter(|_| !begun.is_empty()) {
        let left = distinct.len() - finding.len();
        let message = match finding.last().filter(|_| left == 0) {
            Some(last) => {
                format!("options of the attack at {} may be missing: {cut}", last.handler)
            }
            None => format!("{left} attacks were not observed: {cut}"),
        };
        diagnostics.push(Diagnostic::doubt(STAGE, message, None));
    }
    Found { finding, diagnostics }
}

fn observe_one<'a>(
    subject: &mut Subject<'a>,
    begun: &[Process<'a>],
    handler: Address,
) -> Option<Behaviour> {
    let first = begun.first()?;
    let without = run::run(subject, first, handler, Trial::new(&[], PACKETS))?;
    let mut options = options::find(subject, first, handler);
    options::add_defaults(&mut options, std::slice::from_ref(&without), &[]);
    let needed =
        if without.sent_any() { Vec::new() } else { needed(subject, first, handler, &options) };
    let runs: Vec<Run> = begun
        .iter()
        .map_while(|begun| run::run(subject, begun, handler, Trial::new(&needed, PACKETS)))
        .collect();
    if runs.len() < begun.len() {
        return None;
    }
    options::add_defaults(&mut options, &runs, &needed);
    let sent: Vec<Vec<Packet>> = runs.iter().map(|run| shape::packets(&run.events)).collect();
    let packets = sent.concat();
    let shapes = shape::shapes(&sent);
    let baseline = Baseline {
        needed: &needed,
        first: sent.first().map_or(&[], Vec::as_slice),
        packets: &packets,
        shapes: &shapes,
    };
    if !packets.is_empty() {
        for option in &mut options {
            options::try_out(subject, first, handler, &baseline, option);
            options::add_unseen_default(subject, first, handler, &needed, option);
        }
    }
    let mut kinds = sent.iter().map(|packets| Kind::of(packets));
    let kind = kinds.find(|kind| *kind != Kind::NoneObserved).unwrap_or(Kind::NoneObserved);
    let has_failed = runs.iter().any(|run| run.failure.is_some());
    let kind = (kind != Kind::NoneObserved || !has_failed).then_some(kind);
    let packets = sent.into_iter().next().unwrap_or_default();
    let runs = runs.iter().map(|run| wire::packets(&run.events)).collect();
    Some(Behaviour { handler, kind, options, needed, shapes, packets, runs })
}

/// The options that it takes to send anything: one text, or all of them.
fn needed<'a>(
    subject: &mut Subject<'a>,
    begun: &Process<'a>,
    handler: Address,
    options: &[AttackOption],
) -> Vec<Given> {
    let is_text = |option: &&AttackOption| {
        option.kind.is_none_or(|kind| kind == OptionType::Text) && option.default.is_none()
    };
    let texts: Vec<Given> =
        options.iter().filter(is_text).map(|option| (option.key, HOST.to_vec())).collect();
    let single = texts.iter().map(|text| vec![text.clone()]);
    let choices: Vec<Vec<Given>> = single.chain([texts.clone()]).collect();
    let works = choices.into_iter().find(|given| {
        run::run(subject, begun, handler, Trial::new(given, 1)).is_some_and(|run| run.sent_any())
    });
    works.unwrap_or_default()
}
