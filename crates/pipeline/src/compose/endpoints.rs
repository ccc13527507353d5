//! Endpoints and outside sources in the terms of the report.

use super::at;
use miyaburi_analysis::Program;
use miyaburi_emulator::SocketCall;
use miyaburi_extractors::endpoints::experiments::Forced;
use miyaburi_extractors::endpoints::external::{External, Outside};
use miyaburi_extractors::endpoints::socket_calls::Handover;
use miyaburi_extractors::endpoints::transport::Transport;
use miyaburi_extractors::endpoints::{self, Contacts, Role, Source};
use miyaburi_extractors::exploits;
use miyaburi_image::Address;
use miyaburi_model::{
    Confidence, Endpoint, EndpointRole, Evidence, ExternalSource, Method, Protocol, SourceKind,
};

/// Where a C2 comes from, from the instruction that writes it to the kernel.
pub(super) fn external_of(program: &Program<'_>, external: &External) -> ExternalSource {
    let (source, note) = match external.source {
        Outside::Argument => (SourceKind::Argv, "a made-up argument was filled in here when run"),
        Outside::DnsText => (SourceKind::DnsTxt, "what the record says was connected to when run"),
        Outside::DnsAddress => (SourceKind::DnsA, "what the answer says was connected to, changed"),
        Outside::DnsOverHttps => (SourceKind::Doh, "asked over HTTP here when run"),
    };
    let mut evidence = vec![Evidence::new(at(external.site), Some(at(external.function)), note)];
    for handover in &external.handovers {
        add_handover(&mut evidence, program, handover);
    }
    add_forced(&mut evidence, &external.forced);
    ExternalSource {
        source,
        name: external.name.clone(),
        record: external.record.clone(),
        transform: external.transform.map(|transform| transform.to_string()),
        evidence,
    }
}

/// The hosts that binaries are fetched from, each URL once.
pub(super) fn loaders_of(exploits: &[exploits::Exploit]) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for exploit in exploits {
        let url = Some(exploit.loader.url.clone());
        let evidence =
            Evidence::new(at(exploit.at), exploit.function.map(at), "URL in an HTTP request");
        match endpoints.iter_mut().find(|known| known.url == url) {
            Some(known) => known.evidence.push(evidence),
            None => endpoints.push(Endpoint {
                host: exploit.loader.host.clone(),
                port: Some(exploit.loader.port),
                protocol: Some(Protocol::Tcp),
                url,
                role: EndpointRole::Loader,
                order: None,
                method: Method::String,
                confidence: Confidence::Medium,
                evidence: vec![evidence],
            }),
        }
    }
    endpoints
}

/// Everyone whom the program talks to, C2s numbered in the order of use.
pub(super) fn endpoints_of(program: &Program<'_>, contacts: &Contacts) -> Vec<Endpoint> {
    let mut order = 0;
    contacts
        .endpoints
        .iter()
        .map(|endpoint| {
            let is_c2 = endpoint.role == Role::C2;
            order += u32::from(is_c2);
            let evidence = evidence_of(program, endpoint);
            Endpoint {
                host: endpoint.host.clone(),
                port: Some(endpoint.port),
                protocol: protocol_of(endpoint, contacts),
                url: None,
                role: role_of(endpoint.role),
                order: is_c2.then_some(order),
                method: method_of(endpoint.source),
                confidence: confidence_of(endpoint, &evidence),
                evidence,
            }
        })
        .collect()
}

const fn role_of(role: Role) -> EndpointRole {
    match role {
        Role::C2 => EndpointRole::C2,
        Role::ScanReceiver => EndpointRole::ScanReceiver,
        Role::Resolver => EndpointRole::Resolver,
        Role::Decoy => EndpointRole::Decoy,
        Role::SingleInstance => EndpointRole::SingleInstance,
        Role::Peer => EndpointRole::Peer,
        Role::DeadDrop => EndpointRole::DeadDropResolver,
        Role::Unknown => EndpointRole::Unknown,
    }
}

const fn method_of(source: Source) -> Method {
    match source {
        Source::Table { .. } => Method::Table,
        Source::Constant => Method::Immediate,
        Source::Computed => Method::Emulation,
    }
}

/// Where the endpoint comes from, what writes over it, and its way to the kernel.
fn evidence_of(program: &Program<'_>, endpoint: &endpoints::Endpoint) -> Vec<Evidence> {
    let note = match endpoint.source {
        Source::Table { .. } => "entry used here",
        Source::Constant => "constants used here",
        Source::Computed => "filled in here when run",
    };
    let mut evidence = vec![Evidence::new(at(endpoint.site), Some(at(endpoint.function)), note)];
    if let Some(by) = endpoint.overwritten_by {
        let note = "written over here before it is connected to";
        add(&mut evidence, Evidence::new(at(by.site), Some(at(by.function)), note));
    }
    for handover in &endpoint.handovers {
        add_handover(&mut evidence, program, handover);
    }
    add_forced(&mut evidence, &endpoint.forced);
    evidence
}

/// Branches shown of those that were forced.
const MAX_FORCED: usize = 4;

/// Says where a run was sent another way than the program would have gone.
fn add_forced(evidence: &mut Vec<Evidence>, forced: &[Forced]) {
    for forced in forced.iter().take(MAX_FORCED) {
        let note = "this branch was forced to get there";
        add(evidence, Evidence::new(at(forced.site), Some(at(forced.function)), note));
    }
}

/// What the sockets are that are handed the address, or of a decoy what is in its place then, or that
/// are handed the C2s that it stands for; when all are known to be the same.
fn protocol_of(endpoint: &endpoints::Endpoint, contacts: &Contacts) -> Option<Protocol> {
    let is_decoy = endpoint.role == Role::Decoy;
    let is_there = |place: Option<Address>| is_decoy && place.is_some() && place == endpoint.place;
    let others = || contacts.endpoints.iter();
    let in_place = others().filter(|other| is_there(other.place)).flat_map(|it| &it.handovers);
    let external = contacts.external.iter().filter(|external| is_there(external.place));
    let from_outside = external.flat_map(|external| &external.handovers);
    let own: Vec<&Handover> =
        endpoint.handovers.iter().chain(in_place).chain(from_outside).collect();
    if !own.is_empty() || !is_decoy {
        return common_protocol(own);
    }
    common_protocol(others().filter(|it| it.role == Role::C2).flat_map(|c2| &c2.handovers))
}

/// What the sockets of all handovers are, when they are known to be the same.
fn common_protocol<'h>(handovers: impl IntoIterator<Item = &'h Handover>) -> Option<Protocol> {
    let of = |handover: &Handover| match (handover.transport, handover.reached.call) {
        (Some(Transport::Stream), _) => Some(Protocol::Tcp),
        (Some(Transport::Datagram), _) | (None, SocketCall::SendTo) => Some(Protocol::Udp),
        (None, _) => None,
    };
    let mut protocols = handovers.into_iter().map(of);
    let first = protocols.next()??;
    protocols.all(|other| other == Some(first)).then_some(first)
}

/// High for what two methods agree on or what was seen at the socket call itself, with the evidence
/// for both.
fn confidence_of(endpoint: &endpoints::Endpoint, evidence: &[Evidence]) -> Confidence {
    if !endpoint.forced.is_empty() {
        return Confidence::Medium;
    }
    // The code names it, and a run has left it where the program connects to.
    let has_two_methods = endpoint.is_observed && endpoint.source != Source::Computed;
    let is_handed_over = endpoint.handovers.iter().any(|handover| {
        // What runs have filled in, or constants of the very call that takes them to the kernel.
        endpoint.is_observed || handover.site == endpoint.site
    });
    if (has_two_methods || is_handed_over) && evidence.len() >= 2 {
        Confidence::High
    } else {
        Confidence::Medium
    }
}

/// Adds evidence; what is said of one address stands together.
fn add(evidence: &mut Vec<Evidence>, more: Evidence) {
    match evidence.iter_mut().find(|known| known.address == more.address) {
        Some(known) if known.note.split(", ").any(|note| note == more.note) => {}
        Some(known) => known.note = format!("{}, {}", known.note, more.note),
        None => evidence.push(more),
    }
}

/// Adds the way of an address from the call that is handed it to the kernel.
fn add_handover(evidence: &mut Vec<Evidence>, program: &Program<'_>, handover: &Handover) {
    let reached = &handover.reached;
    let call = match reached.call {
        SocketCall::Bind => "bind",
        SocketCall::Connect => "connect",
        SocketCall::SendTo => "sendto",
        _ => "a socket call",
    };
    let mut step = |address: Address, note: &str| {
        let function = program.function_containing(address).and_then(|id| program.function(id));
        add(evidence, Evidence::new(at(address), function.map(|one| at(one.entry)), note));
    };
    step(handover.site, &format!("address handed to {call} by this call"));
    for site in &reached.through {
        step(*site, "on the way through this call");
    }
    step(reached.at, &format!("system call {call} made here"));
}
