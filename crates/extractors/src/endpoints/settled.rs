//! What the code says and what runs from the entry reach, brought together.
//!
//! How it works: what both name is confirmed. A C2 that is only reached where a gate is shut is a
//! decoy; so is a constant that the program prepares where it connects to, when no run that reaches a
//! C2 reaches it. What the code shows to be overwritten is none of the C2s. Names that records are
//! asked of are no endpoints. Everything else that the code names stays as it is.
//!
//! False positives and negatives: those of [`experiments`](super::experiments).

use crate::endpoints::constant_addresses::{Assignment, ConstantAddresses};
use crate::endpoints::experiments::{Destination, Destinations, can_be_host};
use crate::endpoints::transport::Transport;
use crate::endpoints::{Endpoint, Role, STAGE, Source};
use crate::found::Diagnostic;

/// Adds what was reached to the endpoints that other methods found.
pub(super) fn settle(
    endpoints: &mut Vec<Endpoint>,
    reached: &Destinations,
    constants: &ConstantAddresses,
) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let is_decoy = |destination: &Destination| {
        let one = |one: &Endpoint| one.role == Role::Decoy && is(one, destination);
        endpoints.iter().any(one)
    };
    let c2: Vec<Destination> = reached.c2.iter().filter(|c2| !is_decoy(c2)).cloned().collect();
    let has_c2 = !c2.is_empty() || reached.external.is_some();
    if reached.is_cut {
        let message = "running the program from its entry was ended by its budget: it may connect to \
                       others, too";
        diagnostics.push(Diagnostic::doubt(STAGE, message.to_owned(), None));
    }
    for (list, role) in [
        (&c2, Role::C2),
        (&reached.dead_drops, Role::DeadDrop),
        (&reached.peers, Role::Peer),
        (&reached.decoys, Role::Decoy),
    ] {
        if role == Role::Decoy && (!has_c2 || reached.is_cut) {
            continue;
        }
        for destination in list {
            add(endpoints, destination, role, &mut diagnostics);
        }
    }
    if has_c2 && !reached.is_cut {
        demote(endpoints, reached, constants, &mut diagnostics);
    } else if has_c2 {
        doubt_repeated(endpoints, reached, constants, &mut diagnostics);
    }
    for (address, transport) in &reached.bound {
        let is_bound = |endpoint: &&mut Endpoint| {
            endpoint.role == Role::SingleInstance
                && endpoint.port == address.port()
                && endpoint.host == address.ip().to_string()
        };
        for endpoint in endpoints.iter_mut().filter(is_bound).filter(|it| has_no_transport(it)) {
            endpoint.handovers.iter_mut().for_each(|it| it.transport = Some(*transport));
        }
    }
    let handovers = endpoints.iter_mut().flat_map(|endpoint| &mut endpoint.handovers);
    for handover in handovers.filter(|it| it.transport.is_none()) {
        handover.transport = reached.streams.contains(&handover.site).then_some(Transport::Stream);
    }
    let name = reached.external.as_ref().and_then(|external| external.name.as_deref());
    let is_other_port = |endpoint: &Endpoint| {
        let mut listed = reached.c2.iter().chain(&reached.dead_drops);
        endpoint.role == Role::Unknown && listed.any(|one| one.host == endpoint.host)
    };
    endpoints.retain(|endpoint| {
        let is_guess = matches!(endpoint.role, Role::Unknown | Role::C2);
        !(is_guess && name == Some(&endpoint.host) || is_other_port(endpoint))
    });
    let mut c2 = endpoints.iter().filter(|endpoint| endpoint.role == Role::C2);
    let are_all_reached = c2.all(|endpoint| reached.c2.iter().any(|c2| is(endpoint, c2)));
    if reached.is_ordered && !reached.is_cut && are_all_reached {
        let order = |endpoint: &Endpoint| reached.c2.iter().position(|c2| is(endpoint, c2));
        endpoints.sort_by_key(|endpoint| match endpoint.role {
            Role::C2 => order(endpoint).unwrap_or(usize::MAX),
            _ => usize::MAX,
        });
    }
    diagnostics
}

/// Where the program begins with this constant at the place that it connects to.
fn prepared<'c>(
    constants: &'c ConstantAddresses,
    host: &str,
    port: u16,
) -> impl Iterator<Item = &'c Assignment> {
    let host = host.parse().ok();
    constants.assignments.iter().filter(move |assignment| {
        let address = assignment.address;
        assignment.sets_family
            && address.port == Some(port)
            && address.host.is_some()
            && address.host == host
    })
}

fn is(endpoint: &Endpoint, destination: &Destination) -> bool {
    endpoint.host == destination.host && endpoint.port == destination.port
}

/// Adds a destination, or confirms the endpoint that it is.
fn add(
    endpoints: &mut Vec<Endpoint>,
    destination: &Destination,
    role: Role,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Destination { host, port, handover, function, forced } = destination;
    let Some(known) = endpoints.iter_mut().find(|endpoint| is(endpoint, destination)) else {
        let rival = endpoints.iter().find(|it| it.host == *host && it.role == role);
        if let Some(rival) = rival.filter(|_| !forced.is_empty()) {
            // What was only reached by force does not outweigh what the code says.
            let message = format!(
                "a run in which branches were forced reaches {host} on port {port}, the code at {} \
                 names port {}: the code was believed",
                rival.site, rival.port
            );
            diagnostics.push(Diagnostic::note(STAGE, message, Some(handover.site)));
            return;
        }
        endpoints.push(Endpoint {
            host: host.clone(),
            port: *port,
            role,
            source: Source::Computed,
            is_observed: true,
            site: handover.site,
            function: *function,
            handovers: vec![handover.clone()],
            overwritten_by: None,
            place: None,
            forced: forced.clone(),
        });
        return;
    };
    if ![role, Role::Unknown].contains(&known.role) {
        diagnostics.push(contradiction(known, role, !forced.is_empty()));
    }
    known.role = role;
    known.is_observed = true;
    if has_no_transport(known) {
        known.handovers = vec![handover.clone()];
    }
}

/// C2s of the code that runs do not reach, though they reach others: constants that the program
/// prepares there are decoys, and what can be no host is none.
fn demote(
    endpoints: &mut Vec<Endpoint>,
    reached: &Destinations,
    constants: &ConstantAddresses,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let is_doubtful = |endpoint: &Endpoint| {
        endpoint.role == Role::C2 && !reached.c2.iter().any(|c2| is(endpoint, c2))
    };
    endpoints.retain_mut(|endpoint| {
        if !is_doubtful(endpoint) {
            return true;
        }
        if prepared(constants, &endpoint.host, endpoint.port).next().is_some() {
            diagnostics.push(contradiction(endpoint, Role::Decoy, true));
            endpoint.role = Role::Decoy;
            return true;
        }
        let is_host = endpoint.host.parse().map_or(true, can_be_host);
        if !is_host {
            diagnostics.push(contradiction(endpoint, Role::Unknown, true));
        }
        is_host
    });
}

/// Where runs were cut: constants with which the program begins and that another routine writes once
/// more, beside C2s that were reached, are decoys.
///
/// False positives: a C2 that the program begins with and comes back to, which runs of this budget
/// did not see.
fn doubt_repeated(
    endpoints: &mut [Endpoint],
    reached: &Destinations,
    constants: &ConstantAddresses,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let is_reached = |endpoint: &Endpoint| reached.c2.iter().any(|c2| is(endpoint, c2));
    let is_repeated = |endpoint: &&mut Endpoint| {
        endpoint.role == Role::C2
            && endpoint.source == Source::Constant
            && prepared(constants, &endpoint.host, endpoint.port)
                .any(|assignment| assignment.function != endpoint.function)
            && !is_reached(endpoint)
    };
    for endpoint in endpoints.iter_mut().filter(is_repeated) {
        diagnostics.push(contradiction(endpoint, Role::Decoy, true));
        endpoint.role = Role::Decoy;
    }
}

/// Whether it is not known how the endpoint is talked to.
fn has_no_transport(endpoint: &Endpoint) -> bool {
    endpoint.handovers.iter().all(|handover| handover.transport.is_none())
}

fn contradiction(endpoint: &Endpoint, role: Role, is_forced: bool) -> Diagnostic {
    let how = if is_forced { "a run in which branches were forced" } else { "a run" };
    let message = format!(
        "the code at {} names {}:{} as {}; {how} from the entry shows it as {}: the run was believed",
        endpoint.site,
        endpoint.host,
        endpoint.port,
        endpoint.role.name(),
        role.name(),
    );
    Diagnostic::note(STAGE, message, Some(endpoint.site))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoints::socket_address::SocketAddress;
    use crate::endpoints::socket_calls::{Handover, Reached};
    use miyaburi_emulator::SocketCall;
    use miyaburi_image::Address;

    const REPEATED: &str = "192.0.2.9";

    fn endpoint(host: &str, source: Source) -> Endpoint {
        Endpoint {
            host: host.to_owned(),
            port: 80,
            role: Role::C2,
            source,
            is_observed: true,
            site: Address(0x2004),
            function: Address(0x2000),
            handovers: Vec::new(),
            overwritten_by: None,
            place: None,
            forced: Vec::new(),
        }
    }

    fn destination(host: &str) -> Destination {
        let site = Address(0x3000);
        let reached = Reached { call: SocketCall::Connect, through: Vec::new(), at: site };
        Destination {
            host: host.to_owned(),
            port: 80,
            handover: Handover { site, reached, transport: None },
            function: site,
            forced: Vec::new(),
        }
    }

    /// The roles of a server of the table and of a constant that the program begins with in
    /// `beginning`, once runs have reached `reached` and were cut.
    fn roles(beginning: u64, reached: &[&str]) -> Vec<Role> {
        let address = SocketAddress { host: REPEATED.parse().ok(), port: Some(80) };
        let mut prepared = Assignment::prepared(0x8000, address);
        prepared.function = Address(beginning);
        let constants = ConstantAddresses { uses: Vec::new(), assignments: vec![prepared] };
        let c2 = reached.iter().map(|host| destination(host)).collect();
        let reached = Destinations { c2, is_cut: true, ..Destinations::default() };
        let of_table = Source::Table { host: 3, port: 4 };
        let mut endpoints =
            vec![endpoint("c2.example.com", of_table), endpoint(REPEATED, Source::Constant)];
        settle(&mut endpoints, &reached, &constants);
        endpoints.iter().map(|endpoint| endpoint.role).collect()
    }

    #[test]
    fn where_runs_were_cut_what_the_program_begins_with_and_repeats_is_a_decoy() {
        assert_eq!(roles(0x1000, &["c2.example.com"]), [Role::C2, Role::Decoy]);
        // Written by one routine alone; reached, too; nothing else reached.
        assert_eq!(roles(0x2000, &["c2.example.com"]), [Role::C2, Role::C2]);
        assert_eq!(roles(0x1000, &["c2.example.com", REPEATED]), [Role::C2, Role::C2]);
        assert_eq!(roles(0x1000, &[]), [Role::C2, Role::C2]);
    }
}
