//! Endpoints seen where the program connects to, by running the routines that put them there.
//!
//! How it works: for every address in the program's data that is connected to, the routine that
//! prepares it is run as a `main`, and each routine that fills it in is run by itself. What a filling
//! routine leaves there is meant; so is a constant with which the preparing routine replaces
//! another one, when nobody fills in more. What was there before is a decoy. The routines that
//! only the scanner calls, and that connect to an address on their stack, are run as well.
//!
//! False positives and negatives: those of [`observed`], [`preparation`], [`external`] and
//! [`reported`].

use crate::endpoints::constant_addresses::{Assignment, ConstantAddresses, Use};
use crate::endpoints::external::{External, Outside};
use crate::endpoints::preparation::Preparation;
use crate::endpoints::socket_address::SocketAddress;
use crate::endpoints::socket_calls::{Handover, SocketCalls};
use crate::endpoints::trial::Trial;
use crate::endpoints::{
    DNS, Endpoint, Role, Source, Writing, external, is_same, midway, observed, preparation,
    reported, serves,
};
use crate::string_table::Table;
use crate::subject::Subject;
use miyaburi_emulator::{SocketCall, State};
use miyaburi_image::Address;
use std::collections::BTreeSet;

/// Bytes of an address that are referred to when it is filled in: family, port and host.
const REFERRED: u64 = 8;

/// Routines that are run to see whether they fill in one address.
const MAX_FILLING: usize = 12;

/// Calls told of that are handed one address.
const MAX_HANDOVERS: usize = 4;

/// What was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Observation {
    /// Endpoints, C2s in the order in which the program chooses among them.
    pub(super) endpoints: Vec<Endpoint>,
    /// Where a C2 comes from that is not in the file.
    pub(super) external: Option<External>,
}

/// Runs what fills in addresses that are connected to.
pub(super) fn observe<'a>(
    subject: &mut Subject<'a>,
    table: Option<&Table<'a>>,
    constants: &ConstantAddresses,
    scanner: Option<Address>,
) -> Observation {
    let state = table.map_or_else(|| subject.bare_state(), |table| table.filled.clone());
    let mut observation = Observation::default();
    let connected: BTreeSet<Address> = constants
        .uses
        .iter()
        .filter(|used| used.call() == SocketCall::Connect)
        .filter_map(|used| used.place)
        .collect();
    for place in connected {
        Place { place, constants, state: &state, scanner }.observe(subject, &mut observation);
    }
    observation.endpoints.extend(bound(subject, &state, constants));
    observation.endpoints.extend(receivers(subject, &state, constants, scanner));
    observation
}

/// A socket address in the program's data that is connected to.
struct Place<'p, 'a> {
    place: Address,
    constants: &'p ConstantAddresses,
    state: &'p State<'a>,
    scanner: Option<Address>,
}

/// A routine that may fill an address in.
struct Filling<'p> {
    function: Address,
    /// An instruction of it that writes or refers to the address.
    site: Address,
    /// What it is seen to write.
    assignment: Option<&'p Assignment>,
}

impl<'p, 'a> Place<'p, 'a> {
    fn assignments(&self) -> impl Iterator<Item = &'p Assignment> + use<'p> {
        let place = self.place;
        self.constants.assignments.iter().filter(move |assignment| assignment.place == place)
    }

    /// Where it is handed on to be connected to.
    fn handovers(&self) -> Vec<Handover> {
        let uses = self.constants.uses.iter();
        let connects =
            |used: &&Use| used.call() == SocketCall::Connect && used.place == Some(self.place);
        uses.filter(connects).take(MAX_HANDOVERS).map(Use::handover).collect()
    }

    /// Where `function` itself connects there.
    fn connections_of(&self, function: Address) -> impl Iterator<Item = &'p Use> + use<'p> {
        let place = self.place;
        self.constants.uses.iter().filter(move |used| {
            used.call() == SocketCall::Connect
                && used.place == Some(place)
                && used.function == function
        })
    }

    /// Whether `function` itself uses it.
    fn is_connected_by(&self, function: Address) -> bool {
        self.constants
            .uses
            .iter()
            .any(|used| used.place == Some(self.place) && used.function == function)
    }

    fn observe(&self, subject: &mut Subject<'a>, observation: &mut Observation) {
        let prepared: Vec<(&Assignment, Preparation<'a>)> = self
            .assignments()
            .filter(|assignment| assignment.sets_family && assignment.address.host.is_some())
            .filter_map(|assignment| {
                let run = preparation::run(subject, self.state, assignment.function, self.place)?;
                Some((assignment, run))
            })
            .collect();
        let mut meant = self.filled_in(subject);
        if meant.is_empty() {
            meant.extend(self.inlined(subject, &prepared));
        }
        if meant.is_empty() {
            meant.extend(prepared.iter().filter_map(|(assignment, run)| {
                let role = self.role(subject, assignment.function, run.replaced?.port?);
                let constant = constant(assignment, run.replaced?, role)?;
                Some(Endpoint { handovers: self.handovers(), ..constant })
            }));
        }
        let external = self.external(subject, &prepared).filter(|_| meant.is_empty());
        let by_meant = meant.first().map(|one| (one.site, one.function));
        let by_external = external.as_ref().map(|external| (external.site, external.function));
        if let Some((site, function)) = by_meant.or(by_external) {
            let overwritten_by = Some(Writing { site, function });
            observation.endpoints.extend(prepared.iter().filter_map(|(assignment, run)| {
                let decoy = constant(assignment, run.first?, Role::Decoy)?;
                let decoy = Endpoint { overwritten_by, ..decoy };
                (!meant.iter().any(|one| is_same(one, &decoy))).then_some(decoy)
            }));
        }
        observation.endpoints.append(&mut meant);
        observation.external = observation.external.take().or(external);
    }

    /// Routines that may fill the address in: those that are seen to write there, then those that
    /// only refer to it.
    ///
    /// Of several routines that write there, the one that also says of which family the address is
    /// prepares it; what that one writes is what it starts with. Those that connect are left out.
    ///
    /// False negatives: a routine that fills in all of it, the family too, when its caller writes
    /// there as well, which it also does by calling it.
    fn filling(&self, subject: &Subject<'_>) -> Vec<Filling<'p>> {
        let writing: Vec<&Assignment> = self.assignments().collect();
        let is_only = writing.len() == 1;
        let mut filling: Vec<Filling<'p>> = writing
            .iter()
            .filter(|assignment| is_only || !assignment.sets_family)
            .map(|assignment| Filling {
                function: assignment.function,
                site: assignment.instruction,
                assignment: Some(*assignment),
            })
            .collect();
        let program = subject.program;
        for reference in program.references().to(self.place, self.place.offset(REFERRED)) {
            let function = program.function_containing(reference.from);
            let Some(function) = function.and_then(|id| program.function(id)) else { continue };
            let function = function.entry;
            let is_known = writing.iter().any(|known| known.function == function)
                || filling.iter().any(|known| known.function == function);
            if !is_known {
                filling.push(Filling { function, site: reference.from, assignment: None });
            }
        }
        filling.retain(|one| !self.is_connected_by(one.function));
        filling.truncate(MAX_FILLING);
        filling
    }

    /// What routines fill in. One that is not seen to write does not count when it turns out to
    /// prepare the address.
    fn filled_in(&self, subject: &mut Subject<'a>) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        for Filling { function, site, assignment } in self.filling(subject) {
            let filled = observed::filled_in(subject, self.state, function, self.place);
            if assignment.is_none() && filled.sets_family {
                continue;
            }
            let constant = assignment.map(|assignment| assignment.address);
            // What it does not write stays as it was.
            let writes_port =
                assignment.is_none_or(|one| one.computes_port || one.address.port.is_some());
            let left = || self.assignments().find_map(|other| other.address.port);
            let left = left().filter(|_| filled.is_complete && !writes_port);
            let port = filled.port.or(constant.and_then(|constant| constant.port)).or(left);
            let Some(port) = port else { continue };
            let role = self.role(subject, function, port);
            let constant = constant.and_then(|constant| constant.host).map(|host| host.to_string());
            for host in filled.hosts {
                let is_constant = constant.as_ref() == Some(&host);
                endpoints.push(Endpoint {
                    host,
                    port,
                    role,
                    source: if is_constant { Source::Constant } else { Source::Computed },
                    is_observed: true,
                    site,
                    function,
                    handovers: self.handovers(),
                    overwritten_by: None,
                    forced: Vec::new(),
                    place: Some(self.place),
                });
            }
        }
        endpoints
    }

    /// What the preparing routine itself fills in before it connects: it is started in its middle,
    /// where the address is empty again, and what it connects to is a name that it looks up, an
    /// address that it has as text, or constants other than those it prepares.
    fn inlined(
        &self,
        subject: &mut Subject<'a>,
        prepared: &[(&Assignment, Preparation<'a>)],
    ) -> Option<Endpoint> {
        for (assignment, run) in prepared {
            let function = assignment.function;
            for used in self.connections_of(function) {
                let found = reported::before(subject, &run.state, function, used, |address| {
                    assignment.writes(address) && Some(*address) != run.first
                });
                if let Some(found) = found {
                    return Some(Endpoint {
                        role: self.role(subject, function, found.port),
                        host: found.host,
                        port: found.port,
                        source: Source::Computed,
                        is_observed: true,
                        site: found.site,
                        function,
                        handovers: vec![used.handover()],
                        overwritten_by: None,
                        forced: Vec::new(),
                        place: Some(self.place),
                    });
                }
            }
        }
        None
    }

    fn role(&self, subject: &Subject<'_>, function: Address, port: u16) -> Role {
        match port {
            DNS => Role::Resolver,
            _ if serves(subject, function, self.scanner) => Role::ScanReceiver,
            _ => Role::C2,
        }
    }

    fn external(
        &self,
        subject: &mut Subject<'a>,
        prepared: &[(&Assignment, Preparation<'a>)],
    ) -> Option<External> {
        for (own, run) in prepared {
            let (site, function) = (own.instruction, own.function);
            let mut connects = || {
                self.connections_of(function)
                    .any(|used| external::is_argument_connected_to(subject, run, function, used))
            };
            if run.takes_argument || connects() {
                let handovers = self.handovers();
                return Some(External {
                    source: Outside::Argument,
                    name: None,
                    record: None,
                    transform: None,
                    site,
                    function,
                    place: Some(self.place),
                    handovers,
                    forced: Vec::new(),
                });
            }
            for other in self.filling(subject).iter().filter(|other| other.function != function) {
                let (site, function) = (other.site, other.function);
                if external::is_argument(subject, run, function, self.place) {
                    let handovers = self.handovers();
                    return Some(External {
                        source: Outside::Argument,
                        name: None,
                        record: None,
                        transform: None,
                        site,
                        function,
                        place: Some(self.place),
                        handovers,
                        forced: Vec::new(),
                    });
                }
            }
        }
        None
    }
}

/// A constant of the code that a run left where it is connected to.
fn constant(assignment: &Assignment, address: SocketAddress, role: Role) -> Option<Endpoint> {
    Some(Endpoint {
        host: address.host.filter(|_| assignment.writes(&address))?.to_string(),
        port: address.port?,
        role,
        source: Source::Constant,
        is_observed: true,
        site: assignment.instruction,
        function: assignment.function,
        handovers: Vec::new(),
        overwritten_by: None,
        forced: Vec::new(),
        place: Some(assignment.place),
    })
}

/// Whom routines of the scanner connect to from their stack.
fn receivers<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    constants: &ConstantAddresses,
    scanner: Option<Address>,
) -> Vec<Endpoint> {
    let mut calls = SocketCalls::default();
    let reporting: Vec<&Use> = constants
        .uses
        .iter()
        .filter(|used| used.call() == SocketCall::Connect && used.place.is_none())
        .filter(|used| serves(subject, used.function, scanner))
        .collect();
    reporting
        .into_iter()
        .filter_map(|used| {
            let function = used.function;
            let (reported, handover) =
                reported::to(subject, state, function, used.site, &mut calls)?;
            Some(Endpoint {
                host: reported.host,
                port: reported.port,
                role: Role::ScanReceiver,
                source: Source::Computed,
                is_observed: true,
                site: reported.site,
                function,
                handovers: vec![handover],
                overwritten_by: None,
                forced: Vec::new(),
                place: None,
            })
        })
        .collect()
}

/// What is bound whose address is not known from the code alone: two places before it from which
/// the same address is bound agree on it.
fn bound<'a>(
    subject: &mut Subject<'a>,
    state: &State<'a>,
    constants: &ConstantAddresses,
) -> Vec<Endpoint> {
    let is_unknown = |used: &&Use| {
        used.call() == SocketCall::Bind
            && used.place.is_none()
            && (used.address.host.is_none() || used.address.port.is_none())
    };
    let mut endpoints = Vec::new();
    for used in constants.uses.iter().filter(is_unknown) {
        let mut seen: Option<SocketAddress> = None;
        for start in midway::before(subject, used.function, used.site) {
            let trial = Trial { start: Some(start), ..Trial::of(used.function) };
            let passed = trial.run(subject, state).passed;
            let Some(passed) = passed.into_iter().find(|passed| passed.site == used.site) else {
                continue;
            };
            let address = passed.address;
            if seen == Some(address)
                && let (Some(host), Some(port)) = (address.host, address.port)
            {
                endpoints.extend((!host.is_unspecified()).then(|| Endpoint {
                    host: host.to_string(),
                    port,
                    role: Role::SingleInstance,
                    source: Source::Computed,
                    is_observed: true,
                    site: used.site,
                    function: used.function,
                    handovers: vec![used.handover()],
                    overwritten_by: None,
                    forced: Vec::new(),
                    place: None,
                }));
                break;
            }
            seen = Some(address);
        }
    }
    endpoints
}
