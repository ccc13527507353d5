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

use crate::endpoints::constant_addresses::{Assignment, ConstantAddresses};
use crate::endpoints::external::{External, Outside};
use crate::endpoints::preparation::Preparation;
use crate::endpoints::socket_address::SocketAddress;
use crate::endpoints::socket_calls::SocketCalls;
use crate::endpoints::{
    DNS, Endpoint, Role, Source, external, is_same, observed, preparation, reported, serves,
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
        .filter(|used| used.call == SocketCall::Connect)
        .filter_map(|used| used.place)
        .collect();
    for place in connected {
        Place { place, constants, state: &state, scanner }.observe(subject, &mut observation);
    }
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

    /// Whether `function` itself connects there.
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
            meant.extend(prepared.iter().filter_map(|(assignment, run)| {
                let role = self.role(subject, assignment.function, run.replaced?.port?);
                constant(assignment, run.replaced?, role)
            }));
        }
        let external = self.external(subject, &prepared).filter(|_| meant.is_empty());
        if external.is_some() || !meant.is_empty() {
            observation.endpoints.extend(prepared.iter().filter_map(|(assignment, run)| {
                let decoy = constant(assignment, run.first?, Role::Decoy)?;
                (!meant.iter().any(|one| is_same(one, &decoy))).then_some(decoy)
            }));
        }
        observation.endpoints.append(&mut meant);
        observation.external = observation.external.or(external);
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
                });
            }
        }
        endpoints
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
            if run.takes_argument {
                return Some(External { source: Outside::Argument, site, function });
            }
            for other in self.filling(subject).iter().filter(|other| other.function != function) {
                let (site, function) = (other.site, other.function);
                if external::is_argument(subject, run, function, self.place) {
                    return Some(External { source: Outside::Argument, site, function });
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
    let functions: BTreeSet<Address> = constants
        .uses
        .iter()
        .filter(|used| used.call == SocketCall::Connect && used.place.is_none())
        .map(|used| used.function)
        .filter(|function| serves(subject, *function, scanner))
        .collect();
    functions
        .into_iter()
        .filter_map(|function| {
            let reported = reported::to(subject, state, function, &mut calls)?;
            Some(Endpoint {
                host: reported.host,
                port: reported.port,
                role: Role::ScanReceiver,
                source: Source::Computed,
                is_observed: true,
                site: reported.site,
                function,
            })
        })
        .collect()
}
